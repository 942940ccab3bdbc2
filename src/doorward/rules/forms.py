"""A rule for forms: who fills in what nobody sees, or faster than anybody reads, is no person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Unpack

from doorward.decision import Conclusion
from doorward.errors import ConfigurationError
from doorward.ids import rule_id
from doorward.reason import ChallengeReason, RuleReason
from doorward.rules.base import NO_PARTS, Outcome, Phase, Rule, RuleOptions, number

if TYPE_CHECKING:
    from doorward.decision import Mode
    from doorward.ids import Field
    from doorward.rules.base import View

MIN_SECONDS = 1.5
"""A password manager and the return key need as long; programs that fill in forms do not wait."""

_FROM_ZERO = "a number from 0"
TOO_EARLY = "too_early"
_WORDS = {
    "filled": "a field was filled in that nobody sees",
    "absent": "a field is missing that every browser sends",
    "missing": "the form was sent without having been shown",
    "other_form": "the token is of another form",
    TOO_EARLY: "the form was filled in faster than a person does",
    "expired": "the form was shown too long ago",
}

Action = Literal["deny", "challenge", "weigh"]


class FormFacts(NamedTuple):
    """What a form that came back says about who has filled it in.

    Attributes:
        why: A code: ``filled``, ``absent``, ``missing``, ``other_form``, ``too_early``, ``expired``, ``forged`` …;
            empty where all is well.
        seconds: From when the form was shown until it came back, by the server's clock; 0.0 where that is not known.
    """

    why: str = ""
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong."""
        return not self.why

    def judged(self, min_seconds: float) -> FormFacts:
        """The same, where it took at least ``min_seconds``."""
        return self if self.why or self.seconds >= min_seconds else self._replace(why=TOO_EARLY)


@dataclass(frozen=True, kw_only=True)
class FormTrapRule(Rule):
    """Judges the form that ``protect(request, form=…)`` was given.

    Attributes:
        min_seconds: The least time that a person takes.
        action: What follows where something is wrong.
        weight: What "weigh" adds.
    """

    kind: ClassVar[str] = "FORM"
    phase: ClassVar[Phase] = Phase.LOCAL
    needs: ClassVar[str] = "form"

    min_seconds: float = MIN_SECONDS
    action: Action = "deny"
    weight: float = 0.0

    def parts(self) -> frozenset[str]:
        """Nothing of the request itself."""
        return NO_PARTS

    def evaluate(self, view: View) -> Outcome:
        """Look at the facts."""
        facts = view.inputs["form"]
        if not isinstance(facts, FormFacts):
            raise TypeError(f"form= must come by protect, not as {type(facts).__name__}")
        why = facts.judged(self.min_seconds).why
        if not why:
            return Outcome(Conclusion.ALLOW, RuleReason(self.name, "a person's form"))
        message = _WORDS.get(why, f"the form's token is {why}")
        if self.action == "challenge":
            return Outcome(Conclusion.CHALLENGE, ChallengeReason(self.name, message))
        if self.action == "weigh":
            return Outcome(Conclusion.ALLOW, RuleReason(self.name, message, self.weight), weight=self.weight)
        return Outcome(Conclusion.DENY, RuleReason(self.name, message))

    def rule_id(self, mode: Mode) -> str:
        """Of the time and the action."""
        own: list[Field] = [("min", f"{self.min_seconds:g}"), ("action", self.action), ("weight", f"{self.weight:g}")]
        return rule_id([*self.fields(mode), *own, self.match_field()])


def form_trap(
    *,
    min_seconds: float = MIN_SECONDS,
    action: Action = "deny",
    weight: float = 0.0,
    **options: Unpack[RuleOptions],
) -> FormTrapRule:
    """Check forms that hold what ``form_fields`` renders: ``protect(request, form=request.form)``.

    Args:
        min_seconds: The least time that a person takes to fill one in, by the server's clock.
        action: ``"deny"``, ``"challenge"``, or ``"weigh"``.
        weight: What ``"weigh"`` adds to the request's sum of weights, over 0.
        **options: As of every rule.

    Raises:
        ConfigurationError: An argument is wrong.
    """
    least, added = number(min_seconds, "min_seconds", _FROM_ZERO), number(weight, "weight", _FROM_ZERO)
    if action not in ("deny", "challenge", "weigh"):
        raise ConfigurationError("action", f"must be one of deny, challenge, weigh, not {action!r}")
    if (action == "weigh") is not (added > 0):
        raise ConfigurationError("weight", "must be over 0 with action='weigh', and is for nothing else")
    named: Any = {"name": "form_trap", **options}
    return FormTrapRule(min_seconds=least, action=action, weight=added, **named)
