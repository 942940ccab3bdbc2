"""Rules of the application's own: who is let in, refused, challenged or weighed; made by the builders of ``access``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

from doorward.decision import Conclusion
from doorward.errors import ConfigurationError
from doorward.ids import rule_id
from doorward.levels import DEFAULT_LEVEL, Level
from doorward.reason import ChallengeReason, RuleReason
from doorward.rules.base import NO_PARTS, Outcome, Phase, Rule

if TYPE_CHECKING:
    from collections.abc import Callable

    from doorward.decision import Mode
    from doorward.ids import Field
    from doorward.rules.base import View

Action = Literal["ALLOW", "DENY", "WEIGH", "CHALLENGE"]

ENDED_BY_DEFAULT = ("BOT", "CHALLENGE")
ENDABLE = ("BOT", "CHALLENGE", "EMAIL", "FILTER", "PROMPT_INJECTION", "RATE_LIMIT", "RULE", "SENSITIVE_INFO", "SHIELD")
"""Kinds of rules that an ``allow`` rule may make unnecessary."""


class Finding(NamedTuple):
    """What one condition of a rule comes to.

    Attributes:
        holds: Whether it does.
        message: What it found, or why it could not tell: an English sentence part free of the client's own bytes.
    """

    holds: bool
    message: str = ""


@dataclass(frozen=True, kw_only=True)
class Matcher:
    """One condition of a rule.

    Attributes:
        parameter: The condition as a field of the rule's id: equal conditions have equal ones.
        find: What it comes to for a request.
        reads: What it wants to know about the client's address, as in ``Rule.reads``.
        wants: The application's characteristics that it looks at, as in ``Rule.wants``.
        parts: What of a request it reads, as in ``Rule.parts``.
        needs_body: Whether it reads the body.
        test: The same as ``find`` without words, where there is such: False where it certainly does not hold.
        by_agent: False for a User-Agent with which it certainly does not hold, where the User-Agent may settle that.
    """

    parameter: Field
    find: Callable[[View], Finding] = field(repr=False, compare=False)
    reads: frozenset[str] = frozenset()
    wants: frozenset[str] = frozenset()
    parts: frozenset[str] = NO_PARTS
    needs_body: bool = False
    test: Callable[[View], bool | None] | None = field(default=None, repr=False, compare=False)
    by_agent: Callable[[str], bool] | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class AccessRule(Rule):
    """Does something with requests that meet all of its conditions, and nothing with others.

    Attributes:
        action: What it does.
        matchers: The conditions beside ``paths`` and ``methods``.
        weight: What WEIGH adds to the request's sum of weights; below 0, what it takes off.
        ends: Kinds of rules that need not be asked about a request that ALLOW matches.
    """

    kind: ClassVar[str] = "RULE"
    phase: ClassVar[Phase] = Phase.ACCESS
    needs_condition: ClassVar[bool] = True

    action: Action
    matchers: tuple[Matcher, ...] = ()
    weight: float = 0.0
    ends: frozenset[str] = frozenset()
    _idle: Outcome = field(init=False, repr=False, compare=False)
    _met: Outcome | None = field(default=None, init=False, repr=False, compare=False)
    _reads_body: bool = field(default=False, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "_reads_body", any(matcher.needs_body for matcher in self.matchers))
        idle = Outcome(Conclusion.ALLOW, RuleReason(self.name, "does not match"))
        object.__setattr__(self, "_idle", idle)
        if not self.matchers:
            object.__setattr__(self, "_met", self.outcome("the path and the method match"))
        if self.needs_condition and not (self.matchers or self.paths or self.methods):
            wrong = (
                "needs a condition, or it would be about every request: ip=, user_agent=, headers=, when= …, paths= or "
                "methods="
            )
            raise ConfigurationError(self.action.lower(), wrong)

    @property
    def needs_body(self) -> bool:  # type: ignore[override]
        """Whether a condition reads the body."""
        return self._reads_body

    def asks_for_body(self, view: View) -> bool:
        """Whether all that does not read the body holds, so that it comes down to what stands in there."""
        return all(matcher.needs_body or matcher.find(view).holds for matcher in self.matchers)

    def usual(self) -> Outcome:
        """It does not match."""
        return self._idle

    def matches(self, view: View) -> bool:
        """Whether the request is one of those that the rule does something with."""
        return self.applies_to(view.request) and all(matcher.find(view).holds for matcher in self.matchers)

    @property
    def met(self) -> Outcome | None:
        """What it comes to where it has no conditions."""
        return self._met

    def first(self) -> Matcher | None:
        """The first condition."""
        return self.matchers[0] if self.matchers else None

    def wants(self) -> frozenset[str]:
        """The application's characteristics that the conditions look at."""
        return frozenset().union(*[matcher.wants for matcher in self.matchers])

    def reads(self) -> frozenset[str]:
        """What the conditions want to know about the client's address."""
        return frozenset().union(*[matcher.reads for matcher in self.matchers])

    def parts(self) -> frozenset[str]:
        """What the conditions read."""
        return frozenset().union(*[matcher.parts for matcher in self.matchers])

    def evaluate(self, view: View) -> Outcome:
        """Ask one condition after the other, to the first that does not hold."""
        if self._met is not None:
            return self._met
        found: list[str] = []
        for matcher in self.matchers:
            if matcher.test is not None and matcher.test(view) is False:
                return self._idle
            holds, message = matcher.find(view)
            if not holds:
                return Outcome(Conclusion.ALLOW, RuleReason(self.name, message)) if message else self._idle
            found.append(message)
        return self.outcome(" and ".join(found))

    def outcome(self, why: str) -> Outcome:
        """What it comes to for a request that meets all conditions."""
        conclusion = Conclusion.DENY if self.action == "DENY" else Conclusion.ALLOW
        return Outcome(conclusion, RuleReason(self.name, why, self.weight), weight=self.weight, ends=self.ends)

    def rule_id(self, mode: Mode) -> str:
        """Of the action and the conditions."""
        parameters: list[Field] = [("action", self.action), *[matcher.parameter for matcher in self.matchers]]
        return rule_id([*self.fields(mode), *parameters, *self.effect(), self.match_field()])

    def effect(self) -> list[Field]:
        """What it does, as fields of its id."""
        return [("weight", f"{self.weight:g}"), ("ends", sorted(self.ends))]


@dataclass(frozen=True, kw_only=True)
class ChallengeRule(AccessRule):
    """Asks the clients of requests that meet all of its conditions to pass a challenge; of all, where it has none.

    It does not end the walk: rules that come after it may still deny, or add to the weight.

    Attributes:
        level: How much they have to show.
        max_age: Seconds that may have passed since they did; 0.0 for as long as their clearance holds.
    """

    kind: ClassVar[str] = "CHALLENGE"
    needs_condition: ClassVar[bool] = False

    level: Level = DEFAULT_LEVEL
    max_age: float = 0.0

    def outcome(self, why: str) -> Outcome:
        """It asks for a challenge."""
        reason = ChallengeReason(self.name, why, level=self.level, max_age=self.max_age)
        return Outcome(Conclusion.CHALLENGE, reason)

    def effect(self) -> list[Field]:
        """What it asks for."""
        return [("level", self.level.word), ("max_age", f"{self.max_age:g}")]
