"""One policy in a replay: decides about recorded requests as middleware would have, offline and by their time."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from doorward.decision import Conclusion, Mode, State
from doorward.layer import Coverage
from doorward.patterns import RouteMatcher
from doorward.progress import NO_INPUTS, Admitted, Inputs, Progress
from doorward.replay.needs import ALL, askable, changed, inputs_of, rebound
from doorward.replay.records import EVERY_HEADER
from doorward.rules.limits import Limit, Response
from doorward.twins import twin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doorward.bound import Bound
    from doorward.clock import Clock
    from doorward.decision import Decision, RuleResult
    from doorward.engine import Engine
    from doorward.facade import Facade
    from doorward.replay.records import Recorded
    from doorward.rules.base import Rule

EMAIL = "email"
_MOST_KINDS = 1_024
_TELLING = frozenset({"query", "body", "user-agent", "referer", "cookie", "host", "authorization", EVERY_HEADER})
"""What tells recordings apart, beside what rules name."""
_EVERYTHING = ("*", "**", "/*", "/**")
"""Patterns that would name every route alike."""


class Kind:
    """Requests of which the same was recorded.

    Attributes:
        engine: The rules that can be asked about them.
        origin: Each of its rules as it was declared.
        lacking: Rules that do without something, or are not asked at all, and why.
        open: Rules that wait for what the application gives, and for what.
        requests: How many there were.
        silent: How many of them came without anything from the application.
    """

    __slots__ = ("engine", "lacking", "open", "origin", "requests", "silent")

    def __init__(self, engine: Engine, origin: dict[Bound, Bound], lacking: dict[Bound, str]) -> None:
        self.engine = engine
        self.origin = origin
        self.lacking = lacking
        self.open = [(bound, wanted) for bound in origin.values() if (wanted := inputs_of(bound))]
        self.requests = 0
        self.silent = 0


class Decided(NamedTuple):
    """What a policy came to.

    Attributes:
        decision: The decision; None for a request that middleware leaves alone.
        progress: What each rule came to, where the decision has not been written out.
        kind: What was recorded of the request.
    """

    decision: Decision | None
    progress: Progress
    kind: Kind


class Decider:
    """Takes recorded requests through the rules of a client, which is left alone.

    Args:
        client: Whose rules.
        clock: The recording's.
        as_live: Take all dry-run rules for live ones.
        exemptions: Leave alone what middleware leaves alone by default: OPTIONS, health checks, static files.

    Attributes:
        bound: The rules, in the order of declaration.
        exempt: Requests that were left alone, by why.
        unanswered: Requests whose status was not recorded, though a limit counts by it.
        missing: Requests about which a rule was not asked, since the application's part was not recorded: by rule
            and by what was missing.
        denies_on_error: Rules that would refuse where they fail. They do not in here: what fails in a replay, fails
            for want of what production has.
    """

    def __init__(self, client: Facade, clock: Clock, *, as_live: bool = False, exemptions: bool = True) -> None:
        self.denies_on_error: list[Bound] = []
        changes: dict[str, Any] = {"mode": Mode.LIVE} if as_live else {}
        each = _made_live if as_live else None
        self.client = twin(client, each=each, clock=clock, override="", on_error="allow", **changes)
        self.bound = self.client.engine.bound
        self._let_pass_what_fails(client)
        self.exempt: Counter[str] = Counter()
        self.unanswered = 0
        self.missing: Counter[tuple[Bound, frozenset[str]]] = Counter()
        self.kinds: dict[frozenset[str], Kind] = {}
        self._coverage = Coverage((), (), default_exemptions=exemptions)
        self._exemptions = exemptions
        self._wanted = _TELLING.union(*[_parts(bound) for bound in self.bound])
        self._last: tuple[frozenset[str], Kind] | None = None

    def decide(self, recorded: Recorded) -> Decided:
        """Decide about a request; the clock shows its time."""
        kind = self.kind_of(recorded.known)
        kind.requests += 1
        request = recorded.request
        progress = Progress(request, kind.engine)
        if self._exemptions and (why := self._exempts(request.method, request.path)):
            self.exempt[why] += 1
            return Decided(None, progress, kind)
        inputs = self._inputs(recorded.inputs, kind)
        return Decided(self.client.decide(progress, inputs, deferring=True), progress, kind)

    def answered(self, recorded: Recorded, decided: Decided) -> list[Bound]:
        """Tell the rules what the application answered; those that were asked only now."""
        decision, progress, kind = decided
        engine = kind.engine
        if decision is None or not (engine.conditional or engine.late) or not decision.is_allowed():
            return []
        if engine.conditional:
            self._settle(progress, recorded.status)
        waiting = [bound for bound in engine.late if bound not in progress.results]
        self.client.look_back(progress)
        return [kind.origin[bound] for bound in waiting if was_asked(progress.result(bound))]

    def kind_of(self, known: frozenset[str]) -> Kind:
        """The rules for requests of which ``known`` was recorded."""
        last = self._last
        if last is not None and last[0] is known:
            return last[1]
        # Any client may send headers of any name, which a recording then has: only what is read tells kinds apart.
        relevant = known if ALL in known else known & self._wanted
        kind = self.kinds.get(relevant)
        if kind is None:
            if len(self.kinds) >= _MOST_KINDS:
                relevant = frozenset()  # more kinds than any logging makes: as if nothing were known
            kind = self.kinds.setdefault(relevant, self._made(relevant))
        self._last = (known, kind)
        return kind

    def declared_routes(self) -> list[RouteMatcher]:
        """Patterns of paths that limits name."""
        patterns: list[object] = [*self.client.runtime.settings.limits]
        patterns += [path for bound in self.bound if isinstance(bound.rule, Limit) for path in bound.rule.paths]
        named = [pattern for pattern in dict.fromkeys(patterns) if pattern not in _EVERYTHING]
        return [RouteMatcher(named, field="paths", overlong=True)] if named else []  # type: ignore[arg-type]

    def why(self, decision: Decision) -> tuple[str, RuleResult | None]:
        """The name of the rule that refused or challenged, and its result; of a sum of weights ``weights``."""
        reason = decision.reason
        for result in decision.results:
            if result.decides and result.conclusion is decision.conclusion and result.reason is reason:
                return result.rule, result
        return getattr(reason, "rule", "") or reason.type.lower(), None

    def would_deny(self, decided: Decided) -> RuleResult | None:
        """What the dry-run rule came to that would have refused a request that passes."""
        decision = decided.decision
        if decision is None or not decision.dry_run or not decision.is_allowed():
            return None
        for result in decision.results:
            if result.rule == decision.dry_run:
                return result if result.conclusion is Conclusion.DENY else None
        return None

    def results(self, decided: Decided) -> list[tuple[Bound, RuleResult | Admitted]]:
        """What each rule came to that was asked or skipped, by the rule as it was declared."""
        decision, progress, kind = decided
        origin = kind.origin
        if progress.results:
            return [(origin[bound], result) for bound, result in progress.results.items() if bound in origin]
        if decision is None:
            return []
        return list(zip(origin.values(), decision.results, strict=True))

    def forget(self) -> None:
        """Forget what clients have done: counters, sums of suspicion, refusals."""
        store: Any = self.client.runtime.store  # memory:// always, since it is a twin's
        store.reset("")
        for key in store.bans():
            store.unban(key)
        self.client.runtime.refusals.clear()

    def close(self) -> None:
        """Let go of what the twin holds."""
        self.client.close()

    def _exempts(self, method: str, path: str) -> str | None:
        why = self._coverage.exempts(method, path, {})
        if why is None:
            return None
        named = self._coverage.by_default(why) and any([bound.rule.names(method, path) for bound in self.bound])
        return None if named else why

    def _inputs(self, given: Mapping[str, str], kind: Kind) -> Inputs:
        if not given:
            kind.silent += 1
            return NO_INPUTS
        for bound, wanted in kind.open:
            if not wanted <= given.keys():
                self.missing[bound, wanted - given.keys()] += 1
        values = {name: value for name, value in given.items() if name == EMAIL}
        return Inputs(values, {name: value for name, value in given.items() if name != EMAIL})

    def _settle(self, progress: Progress, status: int | None) -> None:
        if status is None:
            self.unanswered += 1
        else:
            self.client.settle(progress, Response(status, ()))

    def _made(self, known: frozenset[str]) -> Kind:
        origin: dict[Bound, Bound] = {}
        lacking: dict[Bound, str] = {}
        for bound in self.bound:
            rule, left_out = askable(bound.rule, bound.identity, known)
            if left_out:
                lacking[bound] = left_out
            if rule is not None:
                origin[rebound(bound, rule)] = bound
        engine = self.client.engine
        if lacking:
            engine = self.client.runtime.extended(engine.with_bound(origin), ())
        return Kind(engine, origin, lacking)

    def _let_pass_what_fails(self, client: Facade) -> None:
        closed = client.runtime.settings.on_error == "deny"
        for bound in self.bound:
            if bound.on_error == "deny" or (closed and not bound.rule.on_error and not isinstance(bound.rule, Limit)):
                self.denies_on_error.append(bound)
                bound.on_error = "allow"


def was_asked(result: RuleResult | Admitted | None) -> bool:
    """Whether a rule was evaluated."""
    return isinstance(result, Admitted) or (result is not None and result.state is not State.NOT_RUN)


def _made_live(rule: Rule) -> Rule:
    return rule if rule.mode is None else changed(rule, mode=Mode.LIVE)


def _parts(bound: Bound) -> frozenset[str]:
    return bound.rule.parts() | bound.identity.parts()


__all__ = ["EMAIL", "Decided", "Decider", "Kind", "was_asked"]
