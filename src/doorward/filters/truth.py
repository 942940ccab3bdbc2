"""Three truth values, and what a request can come to that leaves several of them open.

A comparison is TRUE, FALSE, or UNKNOWN where what it reads is not there; ``not``, ``and``, ``or`` and ``xor`` are
Kleene's. A header that was sent twice has two values, and nobody knows which one the application reads: the result is
then the *set* of what the comparison comes to for each. Sets are bit masks; an operation on sets is the operation on
each pair of members. So a request never becomes less suspicious by a further value, and their order does not matter.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doorward.rules.base import View

TRUE: Final = 1
FALSE: Final = 2
UNKNOWN: Final = 4
EITHER: Final = TRUE | FALSE
"""Both are possible."""

Truths = int
"""A set of truth values: the sum of its members. Never empty."""

Node = Callable[["View"], Truths]
"""A compiled expression."""

_VALUES = (TRUE, FALSE, UNKNOWN)


def _and(left: int, right: int) -> int:
    if FALSE in (left, right):
        return FALSE
    return UNKNOWN if UNKNOWN in (left, right) else TRUE


def _or(left: int, right: int) -> int:
    if TRUE in (left, right):
        return TRUE
    return UNKNOWN if UNKNOWN in (left, right) else FALSE


def _xor(left: int, right: int) -> int:
    if UNKNOWN in (left, right):
        return UNKNOWN
    return FALSE if left == right else TRUE


def _on_sets(operation: Callable[[int, int], int]) -> bytes:
    """An operation as a table, to be asked for ``left << 3 | right``."""
    return bytes(_pairwise(operation, left, right) for left in range(8) for right in range(8))


def _pairwise(operation: Callable[[int, int], int], lefts: Truths, rights: Truths) -> Truths:
    found = 0
    for left in _VALUES:
        for right in _VALUES:
            if left & lefts and right & rights:
                found |= operation(left, right)
    return found


_AND = _on_sets(_and)
_OR = _on_sets(_or)
_XOR = _on_sets(_xor)
_NOT = bytes(_pairwise(_xor, TRUE, operand) for operand in range(8))


def negation(node: Node) -> Node:
    """``not``."""
    return lambda view: _NOT[node(view)]


def conjunction(nodes: Sequence[Node]) -> Node:
    """``and``; what follows the first that is certainly false is not looked at."""
    return _folded(nodes, TRUE, _AND, settled=FALSE)


def disjunction(nodes: Sequence[Node]) -> Node:
    """``or``; what follows the first that is certainly true is not looked at."""
    return _folded(nodes, FALSE, _OR, settled=TRUE)


def exclusive(nodes: Sequence[Node]) -> Node:
    """``xor``: whether an odd number of them is true."""
    return _folded(nodes, FALSE, _XOR)


def _folded(nodes: Sequence[Node], start: Truths, table: bytes, *, settled: Truths = 0) -> Node:
    """An operation on all nodes, up to where it has come to what no further one changes."""

    def run(view: View) -> Truths:
        found = start
        for node in nodes:
            found = table[found << 3 | node(view)]
            if found == settled:
                break
        return found

    return run
