r"""How many steps Python's backtracking ``re`` needs for a pattern, at most.

Theory. In a *one-unambiguous* expression (Brüggemann-Klein and Wood, "One-Unambiguous Regular Languages", 1998) the
next character always tells which atom it belongs to: the sets of atoms that may follow any atom are disjoint. A
backtracking matcher then has one way to consume a text, so each start costs at most the text's length times a
constant. Every expression is cut into such pieces. A piece that can end in ``w`` places makes the rest run ``w``
times, so a bound on the whole is a sum of products: constant, linear, or worse, which is refused. Repeats without end
over something that is not one-unambiguous, ``(a+)+`` or ``(a|a)*``, are always refused.

Atomic groups and possessive repeats take away ways to go on, and add none. So what bounds ``e*`` bounds ``e*+``, which
ends in one place besides. After ``[a-z]*+`` there is no letter: what follows may start with one and stay unambiguous.
The rounds of a possessive repeat are never taken back: where each costs a constant, all together are linear.

A search also tries every start. It stays linear if no start reaches far in vain: no repeat without end that something
may fail after, or the pattern is tied to the start of the text, or no such repeat can consume a character that the
pattern starts with.

The bound is of steps per character, over all texts: it refuses some harmless patterns and accepts no harmful one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from doorward.regex_starts import count_bounded, first, is_tied_to_start, vain_mask
from doorward.regex_syntax import Atom, Atomic, Choice, Edge, Node, Repeat, Sequence, UnsupportedSyntax, parse

if TYPE_CHECKING:
    import re

MAX_STEPS = 1_000
"""Steps of the matcher per character of the text, in the worst case. At about 5 ns each, 8,192 characters that reach
it cost 40 ms; ordinary patterns are below 20."""
_MAX_ATOMS = 1_000


class Growth(NamedTuple):
    """At most ``factor * (n + 1) ** degree``, for a text of n characters."""

    factor: int
    degree: int = 0

    def plus(self, other: Growth) -> Growth:
        """The sum, rounded up to the larger degree."""
        return Growth(self.factor + other.factor, max(self.degree, other.degree))

    def times(self, other: Growth) -> Growth:
        """The product."""
        return Growth(self.factor * other.factor, self.degree + other.degree)


class Bound(NamedTuple):
    """What matching costs from one start: the places where it can end, and the steps of finding them all."""

    ends: Growth
    steps: Growth


def steps_per_character(pattern: re.Pattern[str], *, whole: bool) -> int | None:
    """The proven bound on the steps per character, or None if there is none up to :data:`MAX_STEPS`.

    Args:
        pattern: What is to be run.
        whole: By ``fullmatch``; otherwise by ``search``.

    Raises:
        UnsupportedSyntax: It cannot be analysed.
    """
    return _factor(parse(pattern), whole=whole)


def _factor(tree: Node, *, whole: bool) -> int | None:
    bound = _bound(tree)
    if bound is None or bound.steps.degree > 1:
        return None
    factor = bound.steps.plus(bound.ends).factor
    if not whole and bound.steps.degree == 1 and not is_tied_to_start(tree):
        starts, nullable = first(tree)
        vain = vain_mask(tree)
        if vain and (nullable or starts & vain):
            return None
        # A start can be passed over only by atoms outside the endless repeats: so many starts overlap at most.
        factor *= 1 + count_bounded(tree, starts)
    return factor if factor <= MAX_STEPS else None


# The bound of an expression, from the bounds of its pieces. None: not bounded by anything acceptable.


def _bound(node: Node) -> Bound | None:
    match node:
        case Sequence(items=items):
            return _bound_sequence(items)
        case Choice(branches=branches):
            return _bound_piece(node) or _bound_choice(branches)
        case Repeat(child=child, low=low, high=high):
            return _bound_piece(node) or _bound_repeat(child, low, high)
        case Atomic(child=child):
            return _bound_atomic(child)
        case _:
            return _bound_piece(node)


def _bound_piece(node: Node) -> Bound | None:
    piece = _Piece()
    return piece.bound() if piece.extend(node) else None


def _bound_sequence(items: tuple[Node, ...]) -> Bound | None:
    """With its atomic items in longer pieces, or else each by itself."""
    bounds = [_bound_pieces(items, atomic_apart=apart) for apart in (False, True)]
    proven = [bound for bound in bounds if bound is not None]
    return min(proven, key=lambda bound: (bound.steps.degree, bound.ends.degree, bound.steps.factor), default=None)


def _bound_pieces(items: tuple[Node, ...], *, atomic_apart: bool) -> Bound | None:
    total = Bound(Growth(1), Growth(1))
    piece = _Piece()
    for item in items:
        apart = atomic_apart and isinstance(item, Atomic)
        if not apart and piece.extend(item):
            continue
        total = _then(total, piece.bound())
        piece = _Piece()
        if apart or not piece.extend(item):
            bound = _bound(item)
            if bound is None:
                return None
            total = _then(total, bound)
        if total.steps.degree > 1 or total.steps.factor > MAX_STEPS:
            return None
    return _then(total, piece.bound())


def _then(before: Bound, after: Bound) -> Bound:
    return Bound(before.ends.times(after.ends), before.steps.plus(before.ends.times(after.steps)))


def _bound_choice(branches: tuple[Node, ...]) -> Bound | None:
    ends, steps = Growth(0), Growth(0)
    for branch in branches:
        bound = _bound(branch)
        if bound is None:
            return None
        ends, steps = ends.plus(bound.ends), steps.plus(bound.steps)
    return Bound(ends, steps)


def _bound_repeat(child: Node, low: int, high: int | None) -> Bound | None:
    bound = _bound(child)
    if high is None or bound is None:
        return None
    ends, steps, power = Growth(1 if low == 0 else 0), Growth(1), Growth(1)
    for times in range(1, high + 1):
        steps = steps.plus(power.times(bound.steps))
        power = power.times(bound.ends)
        ends = ends.plus(power) if times >= low else ends
        if steps.degree > 1 or steps.factor > MAX_STEPS:
            return None
    return Bound(ends, steps)


def _bound_atomic(child: Node) -> Bound | None:
    bound = _bound(child)
    if bound is None and isinstance(child, Repeat) and child.low <= 1:
        once = _bound(child.child)
        if once is not None and not once.steps.degree:
            bound = Bound(Growth(1), Growth(once.steps.factor + 1, 1))
    return bound and Bound(Growth(1), bound.steps)


# A one-unambiguous piece: Glushkov's construction, with masks of characters for the sets of atoms.


class _Ambiguous(Exception):
    """Some character would have two atoms, or the empty text two ways, to go to."""


@dataclass(slots=True)
class _Part:
    """A sub-expression: the characters it can start with, the atoms it can end in.

    ``skip`` holds the characters that cannot come next where it matched the empty text.
    """

    first: int
    fan: int
    nullable: bool
    last: list[int]
    skip: int = 0


class _Piece:
    """A sequence that is one-unambiguous so far; :meth:`extend` says whether it stays so with another item."""

    def __init__(self) -> None:
        self._follow: list[int] = []  # of each atom: the characters that the next atoms match
        self._fan: list[int] = []  # of each atom: how many next atoms there are to try
        self._stop: list[int] = []  # of each atom: the characters that cannot come next once its part has ended
        self._edges = 0
        self._endless = False
        self._whole = _Part(0, 0, nullable=True, last=[])

    def extend(self, item: Node) -> bool:
        saved = (list(self._follow), list(self._fan), list(self._stop), self._edges, self._endless)
        try:
            self._whole = self._join(self._whole, self._part(item))
        except _Ambiguous:
            self._follow, self._fan, self._stop, self._edges, self._endless = saved
            return False
        return True

    def bound(self) -> Bound:
        whole = self._whole
        is_empty = whole.nullable and bool(whole.first & ~whole.skip or not whole.first)
        is_open = is_empty or any(self._follow[atom] & ~self._stop[atom] for atom in whole.last)
        if self._endless:
            steps = Growth(max(self._whole.fan, *self._fan) + self._edges, 1)
            return Bound(Growth(1, 1) if is_open else Growth(1), steps)
        steps = Growth(max(1, self._whole.fan + sum(self._fan) + self._edges * (1 + len(self._fan))))
        return Bound(Growth(len(self._whole.last) + self._whole.nullable if is_open else 1), steps)

    def _part(self, node: Node) -> _Part:
        match node:
            case Atom(mask=mask):
                return self._atom(mask)
            case Edge(look=look):
                self._edges += 1 if look is None else _look_cost(look)
                return _Part(0, 0, nullable=True, last=[])
            case Sequence(items=items):
                part = _Part(0, 0, nullable=True, last=[])
                for item in items:
                    part = self._join(part, self._part(item))
                return part
            case Choice(branches=branches):
                return self._choose([self._part(branch) for branch in branches])
            case Repeat(child=child, low=low, high=high):
                return self._repeat(child, low, high)
            case Atomic(child=child):
                return self._atomic(child)

    def _atomic(self, child: Node) -> _Part:
        part = self._part(child)
        if isinstance(child, Repeat) and isinstance(child.child, Atom) and child.low <= 1 and child.high is None:
            self._stop[part.last[0]] = child.child.sure
            part.skip = child.child.sure if part.nullable else 0
        return part

    def _atom(self, mask: int) -> _Part:
        if len(self._follow) >= _MAX_ATOMS:
            raise UnsupportedSyntax(f"it repeats to more than {_MAX_ATOMS} characters")
        self._follow.append(0)
        self._fan.append(0)
        self._stop.append(0)
        return _Part(mask, 1, nullable=False, last=[len(self._follow) - 1])

    def _join(self, left: _Part, right: _Part) -> _Part:
        after_empty = right.first & ~left.skip
        if left.nullable and left.first & after_empty:
            raise _Ambiguous
        self._link(left.last, right)
        if right.nullable and right.skip:
            for atom in left.last:
                self._stop[atom] |= right.skip
        return _Part(
            left.first | after_empty if left.nullable else left.first,
            left.fan + right.fan if left.nullable else left.fan,
            left.nullable and right.nullable,
            left.last + right.last if right.nullable else right.last,
            left.skip | right.skip,
        )

    def _link(self, atoms: list[int], target: _Part) -> None:
        for atom in atoms:
            follow = target.first & ~self._stop[atom]
            if self._follow[atom] & follow:
                raise _Ambiguous
            self._follow[atom] |= follow
            self._fan[atom] += target.fan

    def _choose(self, parts: list[_Part]) -> _Part:
        whole = _Part(0, 0, nullable=False, last=[])
        for part in parts:
            if whole.first & part.first or (whole.nullable and part.nullable):
                raise _Ambiguous
            nullable = whole.nullable or part.nullable
            whole = _Part(whole.first | part.first, whole.fan + part.fan, nullable, whole.last + part.last)
        return whole

    def _repeat(self, child: Node, low: int, high: int | None) -> _Part:
        tail = self._optional_tail(child, low, high)
        for _ in range(low - 1 if high is None and low else low):
            tail = self._join(self._once(child), tail)
        return tail

    def _optional_tail(self, child: Node, low: int, high: int | None) -> _Part:
        """What may follow the copies that must be there: ``e*`` (or ``e+``) or ``(e(e(e)?)?)?``."""
        if high is None:
            self._endless = True
            part = self._once(child)
            self._link(part.last, part)
            return _Part(part.first, part.fan, nullable=low == 0, last=part.last)
        tail = _Part(0, 0, nullable=True, last=[])
        for _ in range(high - low):
            tail = self._join(self._once(child), tail)
            tail.nullable, tail.skip = True, 0
        return tail

    def _once(self, child: Node) -> _Part:
        part = self._part(child)
        if part.nullable:
            # Each round could also consume nothing: as many ways to match the empty text as there are rounds.
            raise _Ambiguous
        return part


def _look_cost(look: Node) -> int:
    bound = _bound(look)
    if bound is None or bound.steps.degree:
        raise UnsupportedSyntax("a look-around must hold no repeat without end")
    return bound.steps.factor
