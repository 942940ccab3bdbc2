"""The figures of a replay: counted request by request, in memory that does not grow with their number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.decision import Conclusion
from doorward.progress import Admitted
from doorward.replay.decider import was_asked
from doorward.replay.frequent import Frequent
from doorward.replay.report import RuleTally, Tally
from doorward.replay.routes import RouteNames
from doorward.replay.samples import address_of, kind_of_reason, sample
from doorward.replay.spans import Spans

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doorward.bound import Bound
    from doorward.decision import Decision, RuleResult
    from doorward.replay.decider import Decided, Decider
    from doorward.replay.records import Recorded

MOST_ROUTES = 2_000
MOST_CLIENTS = 10_000
MOST_REASONS = 1_000
"""Names that are counted exactly; of more, the most frequent ones with a known error."""
LISTED = 20
WEIGHTS = "weights"


class Ranking:
    """Requests by a name, and how many of each were refused.

    Args:
        most: Names that are kept.
    """

    def __init__(self, most: int) -> None:
        self.requests = Frequent(most)
        self.denied = Frequent(most)
        self.would_deny = Frequent(most)

    def top(self, number: int) -> list[Tally]:
        """Those of which most was refused, or would have been; then those that came most often."""
        refused = [name for counted in (self.denied, self.would_deny) for name, _ in counted.top(number)]
        names = dict.fromkeys([*refused, *[name for name, _ in self.requests.top(number)]])
        return sorted([self._tally(name) for name in names], key=_rank)[:number]

    def _tally(self, name: str) -> Tally:
        estimates = [counted.estimate(name) for counted in (self.requests, self.denied, self.would_deny)]
        requests, denied, would_deny = [estimate.times for estimate in estimates]
        return Tally(name, requests, denied, would_deny, max(estimate.over for estimate in estimates))


class Figures:
    """Counts what one policy comes to.

    Args:
        decider: The policy.
        samples: Requests to keep of each rule.
    """

    def __init__(self, decider: Decider, samples: int) -> None:
        self.allowed = self.denied = self.challenged = self.would_deny = self.errors = 0
        self.tallies = {bound: RuleTally(bound.name, bound.rule.kind, bound.mode.value) for bound in decider.bound}
        self.weights = RuleTally(WEIGHTS, "RULE", "LIVE")
        self.routes = Ranking(MOST_ROUTES)
        self.clients = Ranking(MOST_CLIENTS)
        self.reasons = Ranking(MOST_REASONS)
        self.spans = Spans()
        self.names = RouteNames(decider.declared_routes())
        self._decider = decider
        self._samples = samples

    @property
    def requests(self) -> int:
        """All that were decided about."""
        return self.allowed + self.denied + self.challenged

    def add(self, recorded: Recorded, at_ns: int, decided: Decided) -> None:
        """Count a request."""
        decision = decided.decision
        request = recorded.request
        route = self.names.name(request.method, request.path)
        client = address_of(decided)
        self.routes.requests.add(route)
        self.clients.requests.add(client)
        span = self.spans.at(at_ns)
        if decision is None or decision.conclusion is Conclusion.ALLOW:
            self.allowed += 1
            span.allowed += 1
        elif decision.conclusion is Conclusion.DENY:
            self.denied += 1
            span.denied += 1
            self.routes.denied.add(route)
            self.clients.denied.add(client)
            self._deny(recorded, at_ns, client, decision)
        elif decision.conclusion is Conclusion.CHALLENGE:
            self.challenged += 1
        else:
            self.allowed += 1
            span.allowed += 1
        if decision is not None:
            if decision.dry_run and (would := self._decider.would_deny(decided)) is not None:
                self.would_deny += 1
                span.would_deny += 1
                self.routes.would_deny.add(route)
                self.clients.would_deny.add(client)
                self._name_reason(would, dry=True)
            self._count_rules(recorded, at_ns, client, decided)

    def add_late(self, asked: Sequence[Bound]) -> None:
        """Count rules that were asked after the response."""
        for bound in asked:
            self.tallies[bound].asked += 1

    def rules(self) -> list[RuleTally]:
        """What each rule came to, in the order of declaration; sums of weights where they refused anything."""
        weights = [self.weights] if self.weights.denied or self.weights.challenged else []
        return [*self.tallies.values(), *weights]

    def _deny(self, recorded: Recorded, at_ns: int, client: str, decision: Decision) -> None:
        rule, result = self._decider.why(decision)
        name = kind_of_reason(rule, decision.reason)
        self.reasons.requests.add(name)
        self.reasons.denied.add(name)
        if result is None:
            self._keep(self.weights, recorded, at_ns, client, decision.reason.explain())
            self.weights.denied += 1

    def _name_reason(self, result: RuleResult, *, dry: bool) -> None:
        name = kind_of_reason(result.rule, result.reason)
        self.reasons.requests.add(name)
        (self.reasons.would_deny if dry else self.reasons.denied).add(name)

    def _count_rules(self, recorded: Recorded, at_ns: int, client: str, decided: Decided) -> None:
        failed = False
        for bound, result in self._decider.results(decided):
            tally = self.tallies[bound]
            if type(result) is Admitted:
                tally.asked += 1
                continue
            if not was_asked(result):
                continue
            tally.asked += 1
            conclusion = result.conclusion  # type: ignore[union-attr]  # an admission was just left out
            if conclusion is not Conclusion.ALLOW:
                failed = self._objects(tally, bound, result, recorded, at_ns, client) or failed  # type: ignore[arg-type]
        self.errors += failed

    def _objects(
        self, tally: RuleTally, bound: Bound, result: RuleResult, recorded: Recorded, at_ns: int, client: str
    ) -> bool:
        """Count a rule that did not let a request pass; whether it failed."""
        if result.conclusion is Conclusion.ERROR:
            tally.errors += 1
            return True
        if result.conclusion is Conclusion.CHALLENGE:
            tally.challenged += 1
        elif bound.dry:
            tally.would_deny += 1
        else:
            tally.denied += 1
        self._keep(tally, recorded, at_ns, client, result.reason.explain())
        return False

    def _keep(self, tally: RuleTally, recorded: Recorded, at_ns: int, client: str, why: str) -> None:
        if len(tally.samples) < self._samples:
            tally.samples.append(sample(recorded, at_ns, client, tally.name, why))


def _rank(tally: Tally) -> tuple[int, int, str]:
    return (-(tally.denied + tally.would_deny), -tally.requests, tally.name)


__all__ = ["LISTED", "Figures", "Ranking"]
