"""What one policy decides otherwise than another."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from doorward.replay.frequent import Frequent
from doorward.replay.report import Differences
from doorward.replay.samples import address_of, sample

if TYPE_CHECKING:
    from doorward.replay.decider import Decided, Decider
    from doorward.replay.records import Recorded
    from doorward.replay.report import Sample
    from doorward.replay.routes import RouteNames

_MOST_ROUTES = 1_000
_LISTED = 20


class Comparison:
    """Counts requests that two policies decide about differently.

    A request is refused where a live rule denies it or asks for a challenge.

    Args:
        name: The base, as the user named it.
        base: The policy that the new one is held against.
        new: The new one.
        samples: Requests to keep of each sort.
    """

    def __init__(self, name: str, base: Decider, new: Decider, samples: int) -> None:
        self.base = base
        self._new = new
        self._samples = samples
        self._found = Differences(name)
        self._denied_by: Counter[str] = Counter()
        self._allowed_by: Counter[str] = Counter()
        self._routes = Frequent(_MOST_ROUTES)

    def add(self, recorded: Recorded, at_ns: int, decided: Decided, names: RouteNames) -> None:
        """Have the base decide about a request, and compare."""
        before = self.base.decide(recorded)
        self.base.answered(recorded, before)
        was, now = _refused(before), _refused(decided)
        if was == now:
            return
        found = self._found
        if now:
            found.newly_denied += 1
            self._routes.add(names.name(recorded.request.method, recorded.request.path))
            self._keep(found.newly_denied_samples, self._denied_by, recorded, at_ns, self._new, decided)
        else:
            found.newly_allowed += 1
            self._keep(found.newly_allowed_samples, self._allowed_by, recorded, at_ns, self.base, before)

    def differences(self) -> Differences:
        """What was found so far."""
        found = self._found
        found.denied_by = dict(self._denied_by.most_common())
        found.allowed_by = dict(self._allowed_by.most_common())
        found.denied_routes = {name: estimate.times for name, estimate in self._routes.top(_LISTED)}
        return found

    def _keep(
        self,
        samples: list[Sample],
        rules: Counter[str],
        recorded: Recorded,
        at_ns: int,
        decider: Decider,
        decided: Decided,
    ) -> None:
        assert decided.decision is not None
        rule, _ = decider.why(decided.decision)
        rules[rule] += 1
        if len(samples) < self._samples:
            why = decided.decision.reason.explain()
            samples.append(sample(recorded, at_ns, address_of(decided), rule, why))


def _refused(decided: Decided) -> bool:
    return decided.decision is not None and not decided.decision.is_allowed()


__all__ = ["Comparison"]
