"""What stands between a value and a literal: each operator as a test of one value."""

from __future__ import annotations

import operator
from collections.abc import Callable, Container, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from doorward.filters.fields import lower
from doorward.filters.truth import EITHER, FALSE, TRUE, UNKNOWN
from doorward.forwarded import packed
from doorward.patterns import MAX_TEXT

if TYPE_CHECKING:
    from doorward.filters.addresses import AddressRange
    from doorward.filters.fields import Read
    from doorward.filters.truth import Node, Truths
    from doorward.rules.base import View

Test = Callable[[Any], "Truths"]
"""What one value comes to."""

ORDERINGS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "==": operator.eq, "eq": operator.eq, "!=": operator.ne, "ne": operator.ne,
    "<": operator.lt, "lt": operator.lt, "<=": operator.le, "le": operator.le,
    ">": operator.gt, "gt": operator.gt, ">=": operator.ge, "ge": operator.ge,
}  # fmt: skip


def applied(read: Read, test: Test) -> Node:
    """A comparison: what each of the values that the request has comes to, or UNKNOWN when it has none."""

    def run(view: View) -> Truths:
        values = read(view)
        if len(values) == 1:
            return test(values[0])
        found = 0
        for value in values:
            found |= test(value)
        return found or UNKNOWN

    return run


def is_set(value: bool) -> Truths:  # noqa: FBT001  (the value of a field)
    """The test of a field that is true or false."""
    return TRUE if value else FALSE


def compared(spelling: str, literal: Any) -> Test:
    """``==`` to ``>=`` of texts and numbers."""
    compare = ORDERINGS[spelling]
    return lambda value: TRUE if compare(value, literal) else FALSE


def address_compared(spelling: str, literal: AddressRange) -> Test:
    """``==`` to ``>=`` of addresses. Those of different families are different, and neither is less."""
    compare, other = ORDERINGS[spelling], literal.low
    across = TRUE if compare is operator.ne else FALSE

    def test(value: str) -> Truths:
        address = packed(value)
        if address is None or len(address) != len(other):
            return across
        return TRUE if compare(address, other) else FALSE

    return test


def one_of(literals: Container[Any]) -> Test:
    """``in`` a set of texts or addresses."""
    return lambda value: TRUE if value in literals else FALSE


def in_ranges(ranges: Sequence[range]) -> Test:
    """``in`` a set of numbers."""
    return lambda value: TRUE if any(value in numbers for numbers in ranges) else FALSE


def masked(mask: int) -> Test:
    """``&``: whether a number has one of these bits."""
    return lambda value: TRUE if value & mask else FALSE


def contains(literal: str) -> Test:
    """``contains``."""
    return lambda value: TRUE if literal in value else FALSE


def matches(found_in: Callable[[str], bool]) -> Test:
    """``matches``. A text too long to be searched could match or not: nobody hides in one, and nobody gets in by one.

    Args:
        found_in: Whether the expression is found in a text, as ``compile_regex`` makes it.
    """

    def test(value: str) -> Truths:
        if len(value) > MAX_TEXT:
            return EITHER
        return TRUE if found_in(value if value.isascii() else _decoded(value)) else FALSE

    return test


def _decoded(value: str) -> str:
    """Bytes as the characters that an expression is about: of UTF-8 where they are, else of latin-1."""
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return value


def wildcard(pieces: Sequence[str], *, strict: bool) -> Test:
    """``wildcard``, which ignores the case of ASCII letters, and ``strict wildcard``, which does not.

    Linear: with one kind of wildcard, the first place where a piece fits is as good as any.

    Args:
        pieces: What stands between the stars.
        strict: Whether case matters.
    """
    if not strict:
        pieces = [lower(piece) for piece in pieces]
    first, *middle = pieces
    if not middle:
        return lambda value: TRUE if (value if strict else lower(value)) == first else FALSE
    last = middle.pop()

    def test(value: str) -> Truths:
        if not strict:
            value = lower(value)
        position, end = len(first), len(value) - len(last)
        if position > end or not value.startswith(first) or not value.endswith(last):
            return FALSE
        for piece in middle:
            found = value.find(piece, position, end)
            if found < 0:
                return FALSE
            position = found + len(piece)
        return TRUE

    return test
