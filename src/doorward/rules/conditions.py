"""Conditions on a request, compiled: true, false, or not to be told; put together by ``all``, ``any`` and ``not``.

The logic is Kleene's strong one of three values: ``any`` with a true side is true whatever the others are, ``all`` with
a false one is false, and ``not`` of what cannot be told cannot be told either. A rule matches what is true, only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from doorward.rules.access import Finding, Matcher
from doorward.rules.base import NO_PARTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doorward.ids import Field
    from doorward.rules.base import View

Test = Callable[["View"], "bool | None"]
"""Whether it holds for a request; None when that cannot be told. Never raises, and takes linear time."""
ByAgent = Callable[[str], bool]
"""Whether it may hold for a request with this one User-Agent: False where it cannot, whatever else the request is."""
_NO = Finding(False)
_LISTED = 3


class Condition(NamedTuple):
    """A compiled condition.

    Attributes:
        test: Whether it holds.
        leaves: What it is made of: names that say nothing about the client, and their tests.
        reads: What it wants to know about the client's address, as in ``Rule.reads``.
        wants: The application's characteristics that it looks at, as in ``Rule.wants``.
        parts: What of a request it reads, as in ``Rule.parts``.
        needs_body: Whether it reads the body.
        by_agent: Whether it may hold with a User-Agent, where the User-Agent alone may rule it out.
    """

    test: Test
    leaves: tuple[tuple[str, Test], ...]
    reads: frozenset[str] = frozenset()
    wants: frozenset[str] = frozenset()
    parts: frozenset[str] = NO_PARTS
    needs_body: bool = False
    by_agent: ByAgent | None = None


def leaf(
    name: str,
    test: Test,
    parts: frozenset[str] = NO_PARTS,
    *,
    reads: frozenset[str] = frozenset(),
    wants: frozenset[str] = frozenset(),
    by_agent: ByAgent | None = None,
) -> Condition:
    """A condition that is made of no others."""
    return Condition(test, ((name, test),), reads, wants, parts, "body" in parts, by_agent)


def all_of(conditions: Sequence[Condition]) -> Condition:
    """That all hold."""
    ordered = sorted(conditions, key=lambda condition: condition.needs_body)
    if len(ordered) == 1:
        return ordered[0]
    ruling = [each.by_agent for each in ordered if each.by_agent is not None]
    by_agent = (lambda agent: all([may(agent) for may in ruling])) if ruling else None
    return _joined(_all([each.test for each in ordered]), ordered, by_agent)


def any_of(conditions: Sequence[Condition]) -> Condition:
    """That at least one holds."""
    ordered = sorted(conditions, key=lambda condition: condition.needs_body)
    if len(ordered) == 1:
        return ordered[0]
    ruling = [each.by_agent for each in ordered if each.by_agent is not None]
    by_agent = (lambda agent: any([may(agent) for may in ruling])) if len(ruling) == len(ordered) else None
    return _joined(_any([each.test for each in ordered]), ordered, by_agent)


def negated(condition: Condition) -> Condition:
    """That it certainly does not hold."""
    test = condition.test

    def holds_not(view: View) -> bool | None:
        holds = test(view)
        return None if holds is None else not holds

    return condition._replace(test=holds_not, by_agent=None)


def matcher(condition: Condition, parameter: Field) -> Matcher:
    """A condition as one of a rule."""
    test, name = condition.test, parameter[0]
    yes = Finding(True, f"{name} matches")

    def find(view: View) -> Finding:
        holds = test(view)
        if holds is None:
            return Finding(False, f"could not tell {name}: {_why(condition, view)}")
        return yes if holds else _NO

    return Matcher(
        parameter=parameter,
        find=find,
        reads=condition.reads,
        wants=condition.wants,
        parts=condition.parts,
        needs_body=condition.needs_body,
        test=test,
        by_agent=condition.by_agent,
    )


def _why(condition: Condition, view: View) -> str:
    unknown = list(dict.fromkeys([name for name, test in condition.leaves if test(view) is None]))
    more = f" and {len(unknown) - _LISTED} more" if len(unknown) > _LISTED else ""
    return f"nothing is known of {', '.join(unknown[:_LISTED])}{more}"


def _joined(test: Test, conditions: Sequence[Condition], by_agent: ByAgent | None) -> Condition:
    return Condition(
        test,
        tuple([found for each in conditions for found in each.leaves]),
        frozenset().union(*[each.reads for each in conditions]),
        frozenset().union(*[each.wants for each in conditions]),
        frozenset().union(*[each.parts for each in conditions]),
        any(each.needs_body for each in conditions),
        by_agent,
    )


def _all(tests: Sequence[Test]) -> Test:
    def hold(view: View) -> bool | None:
        truth: bool | None = True
        for test in tests:
            holds = test(view)
            if holds is False:
                return False
            if holds is None:
                truth = None
        return truth

    return hold


def _any(tests: Sequence[Test]) -> Test:
    def holds_any(view: View) -> bool | None:
        truth: bool | None = False
        for test in tests:
            holds = test(view)
            if holds:
                return True
            if holds is None:
                truth = None
        return truth

    return holds_any


__all__ = ["ByAgent", "Condition", "Test", "all_of", "any_of", "leaf", "matcher", "negated"]
