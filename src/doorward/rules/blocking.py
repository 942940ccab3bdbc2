"""A rule for routes without challenges: who would have been asked for one is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from doorward.decision import Conclusion
from doorward.reason import RuleReason
from doorward.rules.base import NO_PARTS, Outcome, Phase, Rule

if TYPE_CHECKING:
    from doorward.rules.base import View

_IDLE = Outcome(Conclusion.ALLOW, RuleReason("block", "nobody asks for a challenge"))


@dataclass(frozen=True, kw_only=True)
class BlockRule(Rule):
    """Denies in the place of a challenge. What it comes to is known when all other rules are (:mod:`doorward.combine`).

    An ``allow`` rule that ends challenges ends it too: its kind is theirs.
    """

    kind: ClassVar[str] = "CHALLENGE"
    phase: ClassVar[Phase] = Phase.ACCESS
    blocks: ClassVar[bool] = True

    def usual(self) -> Outcome:
        """Nothing to deny."""
        return _IDLE

    def parts(self) -> frozenset[str]:
        """Nothing of the request itself."""
        return NO_PARTS

    def evaluate(self, view: View) -> Outcome:
        """Nothing to deny so far."""
        return _IDLE

    def denial(self, why: str) -> RuleReason:
        """Why a request is denied."""
        return RuleReason(self.name or "block", f"would have been challenged: {why}")
