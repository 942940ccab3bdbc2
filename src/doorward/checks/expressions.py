"""The comparisons in a filter expression, as its own parser reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from doorward.filters.parser import Operand, Parser
from doorward.rules.access import AccessRule
from doorward.rules.filters import FilterRule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorward.bound import Bound
    from doorward.filters.operators import Test

_REGEX = ("matches", "~")
_LITERAL = ("==", "eq", "!=", "ne", "contains", "wildcard", "strict wildcard")


class Comparison(NamedTuple):
    """One comparison.

    Attributes:
        field: What is compared, without ``lower(…)`` and the like around it.
        operator: ``matches`` (also for ``~``), ``contains``, ``==`` …
        literal: The text that it is compared with.
        lets_pass: Whether the expression decides who is let in: that of an ``allow``.
    """

    field: str
    operator: str
    literal: str
    lets_pass: bool


class _Reader(Parser):
    """Notes what it parses."""

    def __init__(self, source: str) -> None:
        super().__init__(source)
        self.found: list[tuple[str, str, str]] = []

    def _test(self, operand: Operand) -> Test:
        start = self._scanner.position
        test = super()._test(operand)
        written = self._scanner.source[start : self._scanner.position]
        spelling = next((word for word in (*_REGEX, *_LITERAL) if written.startswith(word)), "")
        if spelling:
            scanner = self._scanner
            end, scanner.position = scanner.position, start + len(spelling)
            scanner.skip()
            if scanner.at_text():
                literal = scanner.regex() if spelling in _REGEX else scanner.text().decode("utf-8", "replace")
                name = operand.name.rpartition("(")[2].rstrip(")")
                self.found.append((name, "matches" if spelling == "~" else spelling, literal))
            scanner.position = end
        return test


def comparisons(bound: Bound) -> Iterator[Comparison]:
    """Those of all of a rule's expressions with texts."""
    for source, lets_pass in _sources(bound):
        reader = _Reader(source)
        reader.parse()
        for field, operator, literal in reader.found:
            yield Comparison(field, operator, literal, lets_pass)


def _sources(bound: Bound) -> Iterator[tuple[str, bool]]:
    rule = bound.rule
    if isinstance(rule, FilterRule):
        yield from [(expression.source, bool(rule.allow)) for expression in (*rule.allow, *rule.deny)]
    if isinstance(rule, AccessRule):
        for name, value in [matcher.parameter for matcher in rule.matchers]:
            if name == "where" and isinstance(value, list):
                yield from [(str(source), rule.action == "ALLOW") for source in value]
