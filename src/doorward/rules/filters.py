"""Filters: the application's own conditions on requests, in the language of :mod:`doorward.filters`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Unpack

from doorward.decision import Conclusion
from doorward.errors import ConfigurationError, UnknownArgument
from doorward.filters import Filter, compile_filters
from doorward.ids import rule_id
from doorward.reason import FilterReason
from doorward.rules.base import Outcome, Phase, Rule, RuleOptions

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from doorward.decision import Mode
    from doorward.rules.base import View


_NO_MATCH = Outcome(Conclusion.ALLOW, FilterReason())


@dataclass(frozen=True, kw_only=True)
class FilterRule(Rule):
    """Lets pass, or refuses, what its expressions match.

    Attributes:
        allow: A request that one of these matches is allowed, any other denied.
        deny: A request that one of these matches is denied, any other allowed.
    """

    kind: ClassVar[str] = "FILTER"
    phase: ClassVar[Phase] = Phase.LOCAL
    effort: ClassVar[int] = 10

    allow: tuple[Filter, ...] = ()
    deny: tuple[Filter, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if bool(self.allow) == bool(self.deny):
            given = "both are given" if self.allow else "neither has an expression"
            raise ConfigurationError("filter_request", f"takes expressions in either allow or deny; {given}")

    def usual(self) -> Outcome | None:
        """Under ``deny``: nothing matches, and everything could be told."""
        return _NO_MATCH if self.deny else None

    def wants(self) -> frozenset[str]:
        """The keys of the application's own that the expressions read."""
        return frozenset().union(*[expression.local for expression in (*self.allow, *self.deny)])

    def reads(self) -> frozenset[str]:
        """What the expressions want to know about the client's address."""
        return frozenset().union(*[expression.about for expression in (*self.allow, *self.deny)])

    def parts(self) -> frozenset[str]:
        """What the expressions read."""
        return frozenset().union(*[expression.parts for expression in (*self.allow, *self.deny)])

    def evaluate(self, view: View) -> Outcome:
        """Ask every expression."""
        matched: list[str] = []
        undetermined: list[str] = []
        certain = bool(self.allow)
        for expression in self.allow or self.deny:
            holds = expression.holds(view, certain=certain)
            if holds:
                matched.append(expression.source)
            elif holds is None:
                undetermined.append(expression.source)
        if not (certain or matched or undetermined):
            return _NO_MATCH
        conclusion = Conclusion.ALLOW if bool(matched) is certain else Conclusion.DENY
        return Outcome(conclusion, FilterReason(tuple(matched), tuple(undetermined)))

    def rule_id(self, mode: Mode) -> str:
        """Of the expressions, as Arcjet's SDKs compute it; of paths and methods too where there are any."""
        fields = [*self.fields(mode), ("allow", sources(self.allow)), ("deny", sources(self.deny))]
        return rule_id([*fields, self.match_field()] if self.paths or self.methods else fields)


def filter_request(
    *, allow: Sequence[str] | str = (), deny: Sequence[str] | str = (), **options: Unpack[RuleOptions]
) -> FilterRule:
    """Allow or deny requests by expressions, such as ``ip.src.tor or http.host eq "internal.example"``.

    The language is described in :mod:`doorward.filters`. An expression that cannot be told for a request, since it
    reads what the request does not have, does not match; the reason lists it.

    Args:
        allow: Expressions, of which one has to match; otherwise the request is denied.
        deny: Expressions, of which none may match. Give either ``allow`` or ``deny``, at most 10 of up to 1,024 bytes.
        **options: ``mode``, ``name``, ``on_error``, ``paths``, ``methods``: see :class:`~doorward.rules.base.Rule`.

    Raises:
        ConfigurationError: An argument is wrong; of an expression the text says where.
    """
    check_options("filter_request", ("allow", "deny"), RuleOptions.__annotations__, options)
    named: Any = {**options, "name": options.get("name") or "filter"}
    return FilterRule(allow=compile_filters(allow, "allow"), deny=compile_filters(deny, "deny"), **named)


def sources(filters: Sequence[Filter]) -> list[str]:
    """Expressions as they were written."""
    return [expression.source for expression in filters]


def check_options(builder: str, own: Collection[str], accepted: Collection[str], options: Mapping[str, object]) -> None:
    """See that a builder was given no keyword that does not exist.

    Raises:
        UnknownArgument: It was.
    """
    for name in options:
        if name not in accepted:
            raise UnknownArgument(builder, name, [*own, *accepted])
