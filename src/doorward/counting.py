"""Step 4 of the walk: every counter of a request in one call, all or none."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from doorward.bound import Bound
from doorward.decision import Conclusion, State
from doorward.effects import Algorithm, Charge, CountHits, Hit, Verdict
from doorward.errors import StoreError
from doorward.printable import describe
from doorward.reason import RateLimitReason, RuleReason
from doorward.refusals import Refusal
from doorward.rules.base import positive
from doorward.rules.limits import Limit

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from doorward.effects import Effect
    from doorward.engine import Walk
    from doorward.fingerprint import Fingerprint

NANOSECONDS = 1e9


class Counter(NamedTuple):
    """One counter that the request meets: whose it is, who is counted, and what the store is asked."""

    bound: Bound
    fingerprint: Fingerprint
    hit: Hit


class Counting:
    """Charges one request on its limits, and checks whether its client is banned.

    Args:
        walk: The walk that this is a step of.
    """

    __slots__ = ("_counters", "_fingerprints", "_walk")

    def __init__(self, walk: Walk) -> None:
        self._walk = walk
        self._fingerprints: dict[tuple[str, ...], Fingerprint] = {}
        self._counters: list[Counter] | None = None

    def recall(self) -> bool:
        """Whether this client's refusal is remembered; then the walk ends here, and nothing is charged."""
        walk, refused = self._walk, False
        for counter in self._prepared():
            hit = counter.hit
            refusal = None if hit.dry_run else walk.engine.refusals.recall(hit.key, hit.cost, walk.now_ns)
            if refusal is not None:
                refused = True
                wait = (refusal.until_ns - walk.now_ns) / NANOSECONDS
                verdict = Verdict(False, refusal.remaining, wait, wait, walk.now_ns)
                self._conclude(counter.bound, [(counter, verdict)], State.CACHED)
        return refused

    def charge(self) -> Generator[Effect, list[Verdict], None]:
        """Ask the store; where it fails, go on as each limit's ``on_error`` says."""
        counters = self._prepared()
        if not counters:
            return
        try:
            verdicts = yield CountHits(tuple([counter.hit for counter in counters]))
            self._settle(counters, _checked(verdicts, len(counters)))
        except Exception as error:
            yield from self._without_store(counters, describe(error))

    # --- before: which counters

    def _prepared(self) -> list[Counter]:
        if self._counters is None:
            self._counters = []
            self._add_ban()
            for bound in self._applicable():
                self._add(bound)
        return self._counters

    def _add_ban(self) -> None:
        walk = self._walk
        bound = walk.engine.ban
        if bound in walk.progress.results:
            return
        fingerprint = self._fingerprint(bound)
        if fingerprint.missing and walk.deferring:
            return
        hit = Hit(bound.key("", fingerprint), Algorithm.BAN, 1, 1, 1, walk.engine.group_of(bound), bound.dry)
        self._prepared().append(Counter(bound, fingerprint, hit))

    def _applicable(self) -> Sequence[Bound]:
        walk = self._walk
        if walk.engine.plain_limits and not walk.progress.results:
            return walk.engine.limits
        again = walk.inputs.requested is not None
        results = walk.progress.results
        found = [
            bound
            for bound in walk.engine.limits
            if (again or bound not in results) and not walk.skips(bound) and walk.applies(bound)
        ]
        top = max((bound.tier for bound in found), default=0)
        for bound in found:
            if bound.tier < top and not bound.additive:
                results[bound] = bound.skipped("a limit of the route takes its place")
        return [bound for bound in found if bound not in results or again]

    def _add(self, bound: Bound) -> None:
        walk = self._walk
        try:
            fingerprint = self._fingerprint(bound)
            if fingerprint.missing and walk.deferring:
                return
            rule = bound.rule
            assert isinstance(rule, Limit)
            quotas = rule.quotas(walk.view)
            if not quotas:
                walk.progress.results[bound] = bound.skipped("no limit for this request")
            cost = rule.cost or self._requested()
        except Exception as error:
            walk.fail(bound, error)
            return
        group = walk.engine.group_of(bound)
        counters = self._prepared()
        for label, algorithm, maximum, interval in quotas:
            hit = Hit(bound.key(label, fingerprint), algorithm, maximum, interval, cost, group, bound.dry)
            counters.append(Counter(bound, fingerprint, hit))

    def _requested(self) -> int:
        requested = self._walk.inputs.requested
        return 1 if requested is None else positive(requested, "requested")

    def _fingerprint(self, bound: Bound) -> Fingerprint:
        names = bound.identity.names
        found = self._fingerprints.get(names)
        if found is None:
            view = self._walk.view
            found = bound.identity.fingerprint(view.request, view.ip, view.given)
            self._fingerprints[names] = found
        return found

    # --- after: what the verdicts mean

    def _settle(self, counters: Sequence[Counter], verdicts: Sequence[Verdict], degraded: str = "") -> None:
        answers: dict[Bound, list[tuple[Counter, Verdict]]] = {}
        refused = False
        for counter, verdict in zip(counters, verdicts, strict=True):
            answers.setdefault(counter.bound, []).append((counter, verdict))
            refused = refused or not (verdict.admitted or counter.hit.dry_run)
        for bound, answer in answers.items():
            self._conclude(bound, answer, degraded=degraded)
            if not degraded and not refused and all(verdict.admitted for _, verdict in answer):
                self._charged(bound, answer)

    def _charged(self, bound: Bound, answer: Sequence[tuple[Counter, Verdict]]) -> None:
        if bound is self._walk.engine.ban:
            return
        charges = [Charge(counter.hit, verdict.at) for counter, verdict in answer]
        progress = self._walk.progress
        progress.charges += charges
        count_when = getattr(bound.rule, "count_when", None)
        if count_when is not None:
            progress.conditional.append((count_when, charges))

    def _conclude(
        self,
        bound: Bound,
        answer: Sequence[tuple[Counter, Verdict]],
        state: State | None = None,
        degraded: str = "",
    ) -> None:
        walk = self._walk
        counter, verdict = answer[0] if len(answer) == 1 else min(answer, key=_tightness)
        if bound is walk.engine.ban and verdict.admitted:
            walk.progress.results[bound] = bound.not_run
            return
        if verdict.admitted:
            conclusion, wait = Conclusion.ALLOW, verdict.reset_after
        else:
            conclusion, wait = Conclusion.DENY, verdict.retry_after
            if not bound.dry and state is not State.CACHED and not degraded:
                self._remember(answer)
        hit = counter.hit
        if bound is walk.engine.ban:
            reason: RateLimitReason | RuleReason = RuleReason("ban", "the client is banned", 0.0, wait)
        else:
            window = hit.interval / NANOSECONDS
            reason = RateLimitReason(hit.max, verdict.remaining, wait, window, walk.now_ns, degraded)
        note = ""
        if counter.fingerprint.missing:
            note = _MISSING.format(", ".join(counter.fingerprint.missing))
        walk.record(
            bound,
            bound.result(
                conclusion,
                reason,
                state=state,
                fingerprint=str(counter.fingerprint),
                ttl=0 if verdict.admitted else math.ceil(wait),
                note=note,
            ),
        )
        if note or degraded:
            walk.progress.noteworthy = True

    def _remember(self, answer: Sequence[tuple[Counter, Verdict]]) -> None:
        refusals, now_ns = self._walk.engine.refusals, self._walk.now_ns
        for counter, verdict in answer:
            if not verdict.admitted:
                until_ns = now_ns + int(verdict.retry_after * NANOSECONDS)
                refusals.remember(counter.hit.key, Refusal(until_ns, counter.hit.cost, verdict.remaining), now_ns)

    # --- when the store fails

    def _without_store(self, counters: Sequence[Counter], cause: str) -> Generator[Effect, list[Verdict], None]:
        self._walk.progress.noteworthy = True
        local = [c._replace(hit=self._share(c.hit)) for c in counters if c.bound.on_error == "local"]
        if local:
            try:
                verdicts = yield CountHits(tuple(c.hit for c in local), local=True)
                self._settle(local, _checked(verdicts, len(local)), degraded=cause)
            except Exception as error:
                cause = f"{cause}; local limiter: {describe(error)}"
                local = []
        settled = {counter.bound for counter in local}
        for bound in {counter.bound: None for counter in counters}:
            if bound not in settled and bound is not self._walk.engine.ban:
                self._walk.fail(bound, StoreError(cause))

    def _share(self, hit: Hit) -> Hit:
        return hit._replace(max=max(1, hit.max // self._walk.engine.workers))


_MISSING = "{} not given to protect: counted by address instead"


def _tightness(entry: tuple[Counter, Verdict]) -> tuple[bool, float, int]:
    """Refused before admitted, the longest wait first, then the least room."""
    _, verdict = entry
    return (verdict.admitted, -verdict.retry_after, verdict.remaining)


def _checked(verdicts: object, count: int) -> Sequence[Verdict]:
    """The answer of a store, which may be anybody's code, or its failure."""
    if not isinstance(verdicts, list | tuple) or len(verdicts) != count:
        raise StoreError(f"the store answered {type(verdicts).__name__} where {count} verdicts were asked for")
    for verdict in verdicts:
        if type(verdict) is not Verdict or not (
            0.0 <= verdict.retry_after < math.inf and 0.0 <= verdict.reset_after < math.inf and verdict.remaining >= 0
        ):
            raise StoreError("the store's answer makes no sense")
    return verdicts
