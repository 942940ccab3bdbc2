"""What each rule came to in this process: refusals, and what dry-run rules would have refused, with samples.

Everything is bounded: figures by the rules there are, samples to :data:`MOST_SAMPLES` a rule. Samples are drawn so that
each would-be refusal since the start has the same chance to be among them (reservoir sampling: J. S. Vitter, "Random
Sampling with a Reservoir", ACM TOMS 11, 1985, algorithm R), so that one noisy client does not push out all the others.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from doorward.chance import chance
from doorward.clock import NANOSECONDS
from doorward.decision import ALLOWED, Conclusion, State
from doorward.locks import lock_over_forks
from doorward.printable import printable
from doorward.progress import Admitted
from doorward.reason import Reason, RuleReason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from doorward.bound import Bound
    from doorward.context import RequestContext
    from doorward.decision import Decision, RuleResult
    from doorward.progress import Progress

    Shown = Callable[[str], str]

MOST_SAMPLES = 20
MOST_RULES = 1_000
LONGEST_WHY = 200
OTHER = "(other)"
"""The name that rules beyond :data:`MOST_RULES` share: an application may make rules for each tenant."""
WEIGHTS = "weights"
"""The name of what a sum of weights refuses: no rule decided alone."""
REFUSING = (Conclusion.DENY, Conclusion.CHALLENGE)
_LATEST = 253_402_300_799  # the end of the year 9999, where calendars end


class Told(NamedTuple):
    """What a rule came to, where it is counted.

    Attributes:
        rule: Its name.
        dry: Whether it is a dry run.
        conclusion: What it came to.
        reason: Why.
    """

    rule: str
    dry: bool
    conclusion: Conclusion
    reason: Reason

    @property
    def would_refuse(self) -> bool:
        """Whether it is a dry run that would have refused."""
        return self.dry and self.conclusion in REFUSING

    @property
    def why(self) -> str:
        """The reason as printable text."""
        return printable(self.reason.explain(), LONGEST_WHY)


class DrySample(NamedTuple):
    """A request that a dry-run rule would have refused. Everything of it is printable ASCII.

    Attributes:
        at_ns: When, in nanoseconds since the Unix epoch.
        decision: The decision's id, as the log has it.
        ip: The client's address; its network with ``mask_addresses``.
        method: Of the request.
        path: Of the request, without its query.
        why: The rule's reason.
        conclusion: What was decided: ``ALLOW`` where the rule would have changed it.
    """

    at_ns: int
    decision: str
    ip: str
    method: str
    path: str
    why: str
    conclusion: str

    def to_dict(self) -> dict[str, object]:
        """As JSON, with the time as text."""
        return {"at": iso(self.at_ns), **{name: value for name, value in self._asdict().items() if name != "at_ns"}}


class DryRun(NamedTuple):
    """What a dry-run rule came to in this process, since it began.

    Attributes:
        rule: Its name.
        asked: Requests that it was asked about.
        would_deny: Those that it would have denied.
        would_challenge: Those that it would have asked for a challenge.
        refused_anyway: Those of both that a live rule refused as well: the rule would have changed nothing.
        errors: Those that it failed on.
        first_ns: Time of the first that it would have refused, in nanoseconds since the Unix epoch; 0 for none.
        last_ns: Time of the last.
        samples: A few of them, drawn by chance, the oldest first.
    """

    rule: str
    asked: int = 0
    would_deny: int = 0
    would_challenge: int = 0
    refused_anyway: int = 0
    errors: int = 0
    first_ns: int = 0
    last_ns: int = 0
    samples: Sequence[DrySample] = ()

    @property
    def share(self) -> float:
        """The part of the requests that it was asked about that it would have refused, 0..1."""
        return (self.would_deny + self.would_challenge) / self.asked if self.asked else 0.0

    def to_dict(self) -> dict[str, object]:
        """As JSON, with times as text."""
        return {
            "asked": self.asked,
            "would_deny": self.would_deny,
            "would_challenge": self.would_challenge,
            "refused_anyway": self.refused_anyway,
            "errors": self.errors,
            "share": self.share,
            "first": iso(self.first_ns) if self.first_ns else None,
            "last": iso(self.last_ns) if self.last_ns else None,
            "samples": [sample.to_dict() for sample in self.samples],
        }


class _Seen:
    """The would-be refusals of one rule."""

    __slots__ = ("count", "first_ns", "last_ns", "samples")

    def __init__(self) -> None:
        self.count = self.first_ns = self.last_ns = 0
        self.samples: dict[int, DrySample] = {}

    def place(self, at_ns: int) -> int | None:
        """Count one; the place that its sample takes, if it is drawn."""
        self.first_ns = min(self.first_ns or at_ns, at_ns)
        self.last_ns = max(self.last_ns, at_ns)
        self.count += 1
        if self.count <= MOST_SAMPLES:
            return self.count - 1
        drawn = int(chance() * self.count)
        return drawn if drawn < MOST_SAMPLES else None


class Tallies:
    """Counts what rules come to. Thread safe; each process counts for itself."""

    def __init__(self) -> None:
        self._lock = lock_over_forks()
        self._names: set[str] = set()
        self._counts: Counter[tuple[str, str]] = Counter()
        self._seen: dict[str, _Seen] = {}

    def forget(self) -> None:
        """Begin anew, in a process that was forked: what its parent counted is the parent's."""
        self._counts.clear()
        self._seen.clear()

    def add(self, request: RequestContext, decision: Decision, told: Iterable[Told], shown: Shown = str) -> list[Told]:
        """Count what rules have come to; those that are dry and would have refused.

        Args:
            request: The request.
            decision: The decision.
            told: What has not been counted yet.
            shown: Makes of the client's address what may be shown of it.
        """
        refused = not decision.is_allowed()
        would, drawn = [], []
        with self._lock:
            for each in told:
                name = self._known(each.rule)
                self._count(name, each, refused=refused)
                if each.would_refuse:
                    would.append(each)
                    place = self._seen.setdefault(name, _Seen()).place(decision.now_ns)
                    if place is not None:
                        drawn.append((name, place, each))
        # Written out without the lock: reasons of the application's own rules are the application's code.
        for name, place, each in drawn:
            sample = _sample(request, decision, each.why, shown(decision.ip.address))
            with self._lock:
                self._seen.setdefault(name, _Seen()).samples[place] = sample
        return would

    def counts(self) -> dict[str, int]:
        """``rule.<name>.denied``, of dry runs ``rule.<name>.asked``, ``rule.<name>.would_deny`` and so on."""
        with self._lock:
            return {f"rule.{name}.{what}": count for (name, what), count in self._counts.items()}

    def by_rule(self) -> dict[str, dict[str, int]]:
        """The same figures, by rule and by what it came to."""
        with self._lock:
            figures = list(self._counts.items())
        found: dict[str, dict[str, int]] = {}
        for (name, what), count in figures:
            found.setdefault(name, {})[what] = count
        return found

    def dry_runs(self, names: Iterable[str]) -> dict[str, DryRun]:
        """What dry-run rules came to: of ``names``, and of all that were asked."""
        with self._lock:
            asked = [name for name, what in self._counts if what == "asked"]
            return {name: self._dry_run(name) for name in dict.fromkeys([*names, *asked])}

    def _dry_run(self, name: str) -> DryRun:
        counts, seen = self._counts, self._seen.get(name) or _Seen()
        return DryRun(
            name,
            asked=counts[name, "asked"],
            would_deny=counts[name, "would_deny"],
            would_challenge=counts[name, "would_challenge"],
            refused_anyway=counts[name, "refused_anyway"],
            errors=counts[name, "would_err"],
            first_ns=seen.first_ns,
            last_ns=seen.last_ns,
            samples=tuple(sorted(seen.samples.values())),
        )

    def _known(self, name: str) -> str:
        if name not in self._names:
            if len(self._names) >= MOST_RULES:
                return OTHER
            self._names.add(name)
        return name

    def _count(self, name: str, told: Told, *, refused: bool) -> None:
        counts = self._counts
        if not told.dry:
            counts[name, _LIVE[told.conclusion]] += 1
            return
        counts[name, "asked"] += 1
        if told.conclusion is not Conclusion.ALLOW:
            counts[name, _DRY[told.conclusion]] += 1
            if refused and told.would_refuse:
                counts[name, "refused_anyway"] += 1


_LIVE = {Conclusion.DENY: "denied", Conclusion.CHALLENGE: "challenged", Conclusion.ERROR: "erred"}
_DRY = {Conclusion.DENY: "would_deny", Conclusion.CHALLENGE: "would_challenge", Conclusion.ERROR: "would_err"}
_REMEMBERED = RuleReason("remembered", "a refusal that is remembered")


def uncounted(progress: Progress) -> list[Told]:
    """What live rules refuse, and all that dry ones came to, where that was not counted with an earlier decision.

    A result is counted once, however often the application asks; a limit that is charged again has a new one.
    """
    if progress.refused_by:
        told = [Told(bound.name, bound.dry, Conclusion.DENY, _REMEMBERED) for bound in progress.refused_by]
        progress.refused_by = ()
        return told
    told, tallied = [], progress.tallied
    for bound, result in progress.results.items():
        if (found := _told(progress, bound, result)) is not None and not _is_same(bound, tallied.get(bound), result):
            told.append(found)
            tallied = {**tallied, bound: result}
    weights = (progress.weight, progress.dry_weight)
    if any(weights) and tallied.get(WEIGHTS) != weights:
        told += _weighed(progress)
        tallied = {**tallied, WEIGHTS: weights}
    progress.tallied = tallied
    return told


def _told(progress: Progress, bound: Bound, result: RuleResult | Admitted) -> Told | None:
    """What is counted of a result, if anything is."""
    if isinstance(result, Admitted):  # not written out for this: that costs as much as the limit
        return Told(bound.name, True, Conclusion.ALLOW, ALLOWED) if bound.dry else None
    if result.state is State.NOT_RUN:
        return None
    conclusion = _followed(progress, result.conclusion, dry=bound.dry)
    if not bound.dry and conclusion is Conclusion.ALLOW:
        return None
    return Told(bound.name, bound.dry, conclusion, result.reason)


def _followed(progress: Progress, conclusion: Conclusion, *, dry: bool) -> Conclusion:
    """What came of a conclusion: who has shown enough already is not challenged."""
    if conclusion is not Conclusion.CHALLENGE or progress.clearance is None:
        return conclusion
    decided = progress.decision
    passed = progress.would_pass if dry else decided is not None and decided.is_allowed()
    return Conclusion.ALLOW if passed else conclusion


def _is_same(bound: Bound, before: object, result: RuleResult | Admitted) -> bool:
    """Whether a result is the one that was counted; an admission may have been written out since."""
    if before is None or before is result:
        return before is result
    return isinstance(before, Admitted) and not isinstance(result, Admitted) and bound.admission(before) == result


def _weighed(progress: Progress) -> Iterator[Told]:
    """What the sums of weights come to: that of live rules, and that of all where dry ones changed it."""
    sums = ((False, progress.weight, progress.ended), (True, progress.dry_weight, progress.would_end))
    for dry, weight, ended in sums:
        if dry and (weight, ended) == (progress.weight, progress.ended):
            return  # no dry rule has changed it: what was decided is all there is to say
        found = progress.engine.threshold(weight, ended) or Conclusion.ALLOW
        conclusion = _followed(progress, found, dry=dry)
        if conclusion is not Conclusion.ALLOW or (dry and weight != progress.weight):
            reason = RuleReason(WEIGHTS, f"the weights add up to {weight:g}", weight)
            yield Told(WEIGHTS, dry, conclusion, reason)


def _sample(request: RequestContext, decision: Decision, why: str, ip: str) -> DrySample:
    # As the log: never the query, headers, cookies or body, where secrets are.
    method, path = printable(request.method, 20), printable(request.path)
    return DrySample(decision.now_ns, decision.id, ip, method, path, why, decision.conclusion.value)


def iso(at_ns: int) -> str:
    """A time of UTC in RFC 3339, with milliseconds; that of the year 9999 for what no calendar has."""
    seconds, rest = divmod(max(at_ns, 0), NANOSECONDS)
    moment = datetime.fromtimestamp(min(seconds, _LATEST), UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{rest // 1_000_000:03d}Z"


__all__ = ["DryRun", "DrySample", "Tallies", "Told", "iso", "uncounted"]
