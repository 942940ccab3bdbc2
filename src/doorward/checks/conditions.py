"""Whether the conditions of one access rule are met wherever those of another are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.filters.addresses import parse_range
from doorward.rules.access import AccessRule

if TYPE_CHECKING:
    from doorward.rules.access import Matcher
    from doorward.rules.base import Rule


def implied(wide: AccessRule, narrow: Rule) -> bool:
    """Whether each request that meets the conditions of ``narrow`` certainly meets those of ``wide``.

    About conditions alone: where they are for the same paths and methods is another question. Only access rules have
    conditions; any other rule may be asked about every request.
    """
    own = narrow.matchers if isinstance(narrow, AccessRule) else ()
    return all(any(_follows(matcher, known) for known in own) for matcher in wide.matchers)


def _follows(wanted: Matcher, known: Matcher) -> bool:
    name, value = wanted.parameter
    other, given = known.parameter
    if name != other:
        return False
    if name == "ip" and isinstance(value, list) and isinstance(given, list):
        return all(any(_holds(str(large), str(small)) for large in value) for small in given)
    return value == given


def _holds(large: str, small: str) -> bool:
    """Whether one item of ``ip=`` holds all addresses of another."""
    if large == small:
        return True
    try:
        outer, inner = parse_range(large), parse_range(small)
    except ValueError:  # a kind, a country
        return False
    return len(outer.low) == len(inner.low) and outer.low <= inner.low and inner.high <= outer.high
