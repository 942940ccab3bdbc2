"""Rules of the application's own: who is let in, refused, or weighed, by address, by expression, by path and method."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Unpack

from doorward.decision import Conclusion
from doorward.duration import seconds
from doorward.errors import ConfigurationError
from doorward.filters import compile_filters
from doorward.ids import rule_id
from doorward.levels import DEFAULT_LEVEL, Level, parse_level
from doorward.reason import ChallengeReason, RuleReason
from doorward.rules.address_matcher import address_finder
from doorward.rules.base import NO_PARTS, Outcome, Phase, Rule, RuleOptions
from doorward.rules.filters import check_options, sources

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

    from doorward.decision import Mode
    from doorward.filters import Filter
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
    """

    parameter: Field
    find: Callable[[View], Finding] = field(repr=False, compare=False)
    reads: frozenset[str] = frozenset()
    wants: frozenset[str] = frozenset()
    parts: frozenset[str] = NO_PARTS


@dataclass(frozen=True, kw_only=True)
class AccessRule(Rule):
    """Does something with requests that meet all of its conditions, and nothing with others.

    Attributes:
        action: What it does.
        matchers: The conditions beside ``paths`` and ``methods``.
        weight: What WEIGH adds to the request's sum of weights.
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

    def __post_init__(self) -> None:
        super().__post_init__()
        idle = Outcome(Conclusion.ALLOW, RuleReason(self.name, "does not match"))
        object.__setattr__(self, "_idle", idle)
        if self.needs_condition and not (self.matchers or self.paths or self.methods):
            wrong = "needs a condition, or it would be about every request: ip=, where=, paths= or methods="
            raise ConfigurationError(self.action.lower(), wrong)

    def usual(self) -> Outcome:
        """It does not match."""
        return self._idle

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
        found: list[str] = []
        for matcher in self.matchers:
            holds, message = matcher.find(view)
            if not holds:
                return Outcome(Conclusion.ALLOW, RuleReason(self.name, message)) if message else self._idle
            found.append(message)
        return self.outcome(" and ".join(found) or "the path and the method match")

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


class AccessOptions(RuleOptions, total=False):
    """What :func:`allow`, :func:`deny` and :func:`weigh` take: their conditions, and what every rule takes."""

    ip: Sequence[str] | str
    where: Sequence[str] | str


def allow(*, ends: Collection[str] = ENDED_BY_DEFAULT, **options: Unpack[AccessOptions]) -> AccessRule:
    """Let requests past the rules for bots and challenges, that are no such matter for whoever is known.

    Limits and attack detection still apply, unless ``ends`` says so. Every condition given has to be met.

    Args:
        ends: Kinds of rules that are not asked about a request that matches, in place of BOT and CHALLENGE; of other
            ``allow``, ``deny`` and ``weigh`` rules (RULE) those declared later.
        **options: As of :func:`deny`.

    Raises:
        ConfigurationError: An argument is wrong.
    """
    return _access("allow", options, ends=_parse_kinds(ends))


def deny(**options: Unpack[AccessOptions]) -> AccessRule:
    """Refuse requests with status 403.

    Every condition given has to be met; ``deny(paths=["/internal/*"])`` has none but the path.

    Args:
        **options: Conditions: ``ip``, what the client's address may be, one of: an address (``"192.0.2.1"``), a
            network (``"192.0.2.0/24"``) or range (``"192.0.2.1..192.0.2.9"``), a kind (``"tor"``, ``"abuse"``,
            ``"vpn"``, ``"proxy"``, ``"hosting"``, ``"relay"``, ``"crawler"``, ``"reserved"``), ``"country:DE"``,
            ``"asn:64500"``. What there is no data for does not match. ``where``, a filter expression
            (:mod:`doorward.filters`), or several that have to hold together. Beside these, ``paths``, ``methods``,
            ``mode``, ``name``, ``on_error``: see :class:`~doorward.rules.base.Rule`.

    Raises:
        ConfigurationError: An argument is wrong, or there is no condition at all.
    """
    return _access("deny", options)


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


def challenge(
    level: Level | str = DEFAULT_LEVEL,
    *,
    max_age: str | float | timedelta | None = None,
    **options: Unpack[AccessOptions],
) -> ChallengeRule:
    """Ask for a challenge, before requests that meet every condition are let in: all requests, without a condition.

    Args:
        level: How much clients have to show: ``"wait"``, ``"work"``, ``"browser"`` or ``"human"``. A clearance of a
            higher level will do.
        max_age: How long ago they may have shown it, in seconds or as ``"5m"``; as long as their clearance holds when
            it is not given.
        **options: As of :func:`deny`.

    Raises:
        ConfigurationError: An argument is wrong.
    """
    fresh = seconds(max_age, "max_age") if max_age is not None else 0.0
    rule = _access("challenge", options, level=parse_level(level), max_age=fresh)
    assert isinstance(rule, ChallengeRule)
    return rule


def weigh(weight: float, **options: Unpack[AccessOptions]) -> AccessRule:
    """Add to the weight of requests: what follows is said by the threshold that their sum reaches.

    Args:
        weight: What to add, more than 0.
        **options: As of :func:`deny`.

    Raises:
        ConfigurationError: An argument is wrong, or there is no condition at all.
    """
    return _access("weigh", options, weight=_parse_weight(weight))


def _access(builder: str, options: Mapping[str, Any], **effect: Any) -> AccessRule:
    own = {"allow": ("ends",), "deny": (), "weigh": ("weight",), "challenge": ("level", "max_age")}[builder]
    check_options(builder, own, {**RuleOptions.__annotations__, **AccessOptions.__annotations__}, options)
    conditions = [make(options[name], builder) for name, make in _MATCHERS.items() if name in options]
    named: Any = {name: value for name, value in options.items() if name not in _MATCHERS}
    named["name"] = named.get("name") or builder
    matchers = tuple(matcher for made in conditions for matcher in made)
    made = ChallengeRule if builder == "challenge" else AccessRule
    return made(action=_ACTIONS[builder], matchers=matchers, **named, **effect)


_ACTIONS: Mapping[str, Action] = {"allow": "ALLOW", "deny": "DENY", "weigh": "WEIGH", "challenge": "CHALLENGE"}


def _by_address(items: object, _: str) -> list[Matcher]:
    finder = address_finder(items, "ip")

    def find(view: View) -> Finding:
        found = finder.find(view)
        return Finding(bool(found), f"the address is {found}" if found else "")

    return [Matcher(parameter=("ip", finder.items), find=find, reads=finder.reads)]


def _by_expression(expressions: object, builder: str) -> list[Matcher]:
    filters = compile_filters(expressions, "where")
    if not filters:
        raise ConfigurationError("where", "has no expression; leave it out, or the rule")
    return [_expression(expression, certain=builder == "allow") for expression in filters]


def _expression(expression: Filter, *, certain: bool) -> Matcher:
    def find(view: View) -> Finding:
        holds = expression.holds(view, certain=certain)
        if holds is None:
            return Finding(False, f"could not tell {expression.source}")
        return Finding(holds, f"{expression.source} holds" if holds else "")

    parameter: Field = ("where", sources([expression]))
    return Matcher(
        parameter=parameter, find=find, reads=expression.about, wants=expression.local, parts=expression.parts
    )


_MATCHERS: Mapping[str, Callable[[object, str], list[Matcher]]] = {"ip": _by_address, "where": _by_expression}
"""How each keyword that is a condition is made into matchers."""


def _parse_weight(weight: object) -> float:
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not isfinite(weight) or weight <= 0:
        raise ConfigurationError("weight", f"must be a number above 0, not {weight!r}")
    return float(weight)


def _parse_kinds(ends: object) -> frozenset[str]:
    if isinstance(ends, str) or not isinstance(ends, Collection):
        raise ConfigurationError("ends", f"must be a list of kinds of rules, not {ends!r}; {', '.join(ENDABLE)}")
    kinds = frozenset(kind.upper().replace("-", "_") if isinstance(kind, str) else repr(kind) for kind in ends)
    for kind in sorted(kinds.difference(ENDABLE)):
        raise ConfigurationError("ends", f"{kind!r} is no kind of rule that can be ended; {', '.join(ENDABLE)}")
    return kinds
