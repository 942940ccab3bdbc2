"""What a search with a pattern needs to know: where a match can start, and how far a start can reach in vain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.regex_syntax import Atom, Atomic, Choice, Edge, Node, Repeat, Sequence

if TYPE_CHECKING:
    from collections.abc import Iterable


def is_tied_to_start(node: Node) -> bool:
    """Whether it can match at the start of the text only."""
    match node:
        case Edge(starts=starts):
            return starts
        case Sequence(items=items):
            leading = next((item for item in items if not isinstance(item, Edge) or item.starts), None)
            return leading is not None and is_tied_to_start(leading)
        case Choice(branches=branches):
            return all(is_tied_to_start(branch) for branch in branches)
        case Repeat(child=child, low=low):
            return low > 0 and is_tied_to_start(child)
        case Atomic(child=child):
            return is_tied_to_start(child)
        case _:
            return False


def first(node: Node) -> tuple[int, bool]:
    """The characters a match can start with, and whether it can be empty."""
    match node:
        case Atom(mask=mask):
            return mask, False
        case Edge():
            return 0, True
        case Repeat(child=child) | Atomic(child=child):
            mask, nullable = first(child)
            return mask, nullable or (isinstance(node, Repeat) and node.low == 0)
        case Choice(branches=branches):
            firsts = [first(branch) for branch in branches]
            return _union(mask for mask, _ in firsts), any(nullable for _, nullable in firsts)
        case Sequence(items=items):
            total = 0
            for item in items:
                mask, nullable = first(item)
                total |= mask
                if not nullable:
                    return total, False
            return total, True


def _children(node: Node) -> tuple[Node, ...]:
    match node:
        case Sequence(items=nodes) | Choice(branches=nodes):
            return nodes
        case Repeat(child=child) | Atomic(child=child):
            return (child,)
        case _:
            return ()


def vain_mask(node: Node) -> int:
    """The characters that repeats without end can consume in vain, since what comes after them may fail."""
    return _vain(node, fails_after=False, inside=False)


def _vain(node: Node, *, fails_after: bool, inside: bool) -> int:
    match node:
        case Atom(mask=mask):
            return mask if inside else 0
        case Sequence(items=items):
            total = 0
            for item in reversed(items):
                total |= _vain(item, fails_after=fails_after, inside=inside)
                fails_after = fails_after or _can_fail(item)
            return total
        case Repeat(child=child, low=low, high=high):
            inside = inside or (high is None and fails_after)
            # Where several rounds have to be there, those after the first may fail.
            return _vain(child, fails_after=fails_after or (low > 1 and _can_fail(child)), inside=inside)
        case _:
            return _union(_vain(child, fails_after=fails_after, inside=inside) for child in _children(node))


def _can_fail(node: Node) -> bool:
    match node:
        case Repeat(child=child, low=low):
            return low > 0 and _can_fail(child)
        case Sequence(items=items):
            return any(map(_can_fail, items))
        case Choice(branches=branches):
            return all(map(_can_fail, branches))
        case Atomic(child=child):
            return _can_fail(child)
        case _:
            return True


def count_bounded(node: Node, mask: int) -> int:
    """How many characters of ``mask`` a match can consume outside the repeats without end."""
    if isinstance(node, Atom):
        return 1 if node.mask & mask else 0
    if isinstance(node, Repeat):
        return 0 if node.high is None else node.high * count_bounded(node.child, mask)
    return sum(count_bounded(child, mask) for child in _children(node))


def _union(masks: Iterable[int]) -> int:
    total = 0
    for mask in masks:
        total |= mask
    return total
