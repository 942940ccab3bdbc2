"""Which paths a list of patterns is for, as sets: whether one list covers all that another can match.

What is said here is certain, or not said. Each pattern becomes a nondeterministic automaton whose edges are sets of
characters; ``covers`` follows the inner one together with the set of states of the outer one (the subset construction
of Rabin and Scott, "Finite Automata and Their Decision Problems", 1959), and gives up where that grows.

Globs are exact. Of a regular expression :mod:`doorward.regex_syntax` knows the characters that an atom *may* match and
those that it *must*: the inner one is read by the former, so that it is never too small, the outer one by the latter,
so that it is never too large. What cannot be read is everything as the inner one, and nothing as the outer one.

A path begins with "/", and has at most ``MAX_TEXT`` characters: longer ones are for every regular expression of a rule.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from doorward.patterns import METHODS, split_methods, tokenize
from doorward.regex_cost import steps_per_character
from doorward.regex_syntax import PROBES, Atom, Atomic, Choice, Edge, Node, Repeat, UnsupportedSyntax, parse
from doorward.regex_syntax import Sequence as Items

if TYPE_CHECKING:
    from collections.abc import Sequence

Pattern = str | re.Pattern[str]

EVERY_PATH: Pattern = "**"
OTHER_METHOD = ""
"""Stands for each method that has no name in :data:`doorward.patterns.METHODS`."""

_MOST_STATES = 3_000
_MOST_WORK = 100_000
"""States times characters that are looked at in one comparison: some tens of milliseconds."""
_LATIN_1 = 256
_BEYOND = sum(1 << index for index, probe in enumerate(PROBES) if ord(probe) >= _LATIN_1)
_PREFIXES = ("re:", "regex:")
_WILDCARD = re.compile(r"[*?]")
_PLAIN_BEGINNING = re.compile(r"(?:re|regex):\^?((?:[\w/-](?![*?{]))*)", re.ASCII)


class _TooLarge(Exception):
    """The automaton would not fit."""


class _Alphabet:
    """Characters as bits: those that regular expressions tell apart, then what globs name beside them."""

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        texts = "".join(pattern for pattern in patterns if isinstance(pattern, str))
        self._more = {
            character: len(PROBES) + index
            for index, character in enumerate(sorted({c for c in texts if ord(c) >= _LATIN_1}))
        }
        self.every = (1 << (len(PROBES) + len(self._more))) - 1
        self._others = self.every - ((1 << len(PROBES)) - 1)
        self.slash = 1 << ord("/")

    def literal(self, character: str) -> int:
        """One character of a glob."""
        return 1 << (ord(character) if ord(character) < _LATIN_1 else self._more[character])

    def widened(self, mask: int, *, certain: bool) -> int:
        """The characters of an atom, with those that globs name."""
        matches_others = mask & _BEYOND == _BEYOND if certain else bool(mask & _BEYOND)
        return mask | self._others if matches_others else mask


class _Automaton:
    """States are numbers: 0 is the start, 1 the end."""

    def __init__(self, alphabet: _Alphabet) -> None:
        self.alphabet = alphabet
        self.steps: list[list[tuple[int, int]]] = [[], []]
        self._free: list[list[int]] = [[], []]

    def state(self) -> int:
        """A new one."""
        if len(self.steps) >= _MOST_STATES:
            raise _TooLarge
        self.steps.append([])
        self._free.append([])
        return len(self.steps) - 1

    def free(self, origin: int, target: int) -> None:
        """A step that takes no character."""
        self._free[origin].append(target)

    def step(self, origin: int, mask: int, target: int) -> None:
        """A step that takes one."""
        self.steps[origin].append((mask, target))

    def closure(self, states: frozenset[int]) -> frozenset[int]:
        """The states that these come to without a character."""
        found, waiting = set(states), list(states)
        while waiting:
            for target in self._free[waiting.pop()]:
                if target not in found:
                    found.add(target)
                    waiting.append(target)
        return frozenset(found)

    def after(self, states: frozenset[int], character: int) -> frozenset[int]:
        """The states that these come to by a character, which is one bit."""
        return self.closure(frozenset([to for state in states for mask, to in self.steps[state] if mask & character]))

    def characters(self) -> list[int]:
        """The sets of characters on its steps."""
        return [mask for steps in self.steps for mask, _ in steps]


def covers(outer: Sequence[Pattern], inner: Sequence[Pattern]) -> bool:
    """Whether each path that one of ``inner`` matches is certainly matched by one of ``outer``."""
    return _covers(tuple(outer), tuple(inner))


def covers_everything(patterns: Sequence[Pattern]) -> bool:
    """Whether each path is certainly matched by one of these."""
    return covers(patterns, (EVERY_PATH,))


def matches_nothing(pattern: Pattern) -> bool:
    """Whether certainly no path is matched."""
    return covers((), (pattern,))


@lru_cache(maxsize=4096)
def _covers(outer: tuple[Pattern, ...], inner: tuple[Pattern, ...]) -> bool:
    if set(inner) <= set(outer):
        return True
    if outer and not all(any(_may_meet(wide, narrow) for wide in outer) for narrow in inner):
        return False
    alphabet = _Alphabet([*outer, *inner])
    try:
        return _included(_automaton(inner, alphabet, certain=False), _automaton(outer, alphabet, certain=True))
    except (_TooLarge, RecursionError):
        return False


def _may_meet(one: Pattern, other: Pattern) -> bool:
    """Whether one path may match both, by what they begin with: most patterns part there, and need no automaton."""
    first, second = _beginning(one), _beginning(other)
    return first.startswith(second) or second.startswith(first)


@lru_cache(maxsize=4096)
def _beginning(pattern: Pattern) -> str:
    """What all paths that a pattern matches begin with; the less, the less can be told."""
    if not isinstance(pattern, str):
        return ""
    if not pattern.startswith(_PREFIXES):
        return _WILDCARD.split(pattern, maxsplit=1)[0]
    found = _PLAIN_BEGINNING.match(pattern)
    return found[1] if found and "|" not in pattern else ""


def _included(inner: _Automaton, outer: _Automaton) -> bool:
    characters = _representatives([*inner.characters(), *outer.characters()], inner.alphabet)
    slash = inner.alphabet.slash
    starts = inner.after(inner.closure(frozenset({0})), slash)
    covering = outer.after(outer.closure(frozenset({0})), slash)
    waiting = [(state, covering) for state in starts]
    seen, work = set(waiting), 0
    while waiting:
        state, around = waiting.pop()
        work += (1 + len(around)) * len(characters)
        if state == 1 and 1 not in around:
            return False
        for pair in _next_pairs(inner, outer, state, around, characters):
            if pair not in seen:
                seen.add(pair)
                waiting.append(pair)
        if work > _MOST_WORK:
            raise _TooLarge
    return True


def _next_pairs(
    inner: _Automaton, outer: _Automaton, state: int, around: frozenset[int], characters: Sequence[int]
) -> set[tuple[int, frozenset[int]]]:
    pairs = set()
    for character in characters:
        targets = [target for mask, target in inner.steps[state] if mask & character]
        if targets:
            then = outer.after(around, character)
            pairs |= {(target, then) for target in inner.closure(frozenset(targets))}
    return pairs


def _representatives(masks: Sequence[int], alphabet: _Alphabet) -> list[int]:
    """One character for all that no step tells apart."""
    parts = [alphabet.every]
    for mask in set(masks):
        parts = [piece for part in parts for piece in (part & mask, part & ~mask) if piece]
    return [part & -part for part in parts]


def _automaton(patterns: Sequence[Pattern], alphabet: _Alphabet, *, certain: bool) -> _Automaton:
    automaton = _Automaton(alphabet)
    for pattern in patterns:
        first, last = automaton.state(), automaton.state()
        try:
            _add(automaton, pattern, first, last, certain=certain)
        except UnsupportedSyntax:
            if certain:
                continue  # whatever was added of it does not begin at the start
            automaton.free(first, last)
            automaton.step(last, alphabet.every, last)
        automaton.free(0, first)
        automaton.free(last, 1)
    return automaton


def _add(automaton: _Automaton, pattern: Pattern, first: int, last: int, *, certain: bool) -> None:
    prefix = next((p for p in _PREFIXES if isinstance(pattern, str) and pattern.startswith(p)), "")
    if isinstance(pattern, str) and not prefix:
        _add_glob(automaton, pattern, first, last)
        return
    compiled = re.compile(pattern.removeprefix(prefix)) if isinstance(pattern, str) else pattern
    if steps_per_character(compiled, whole=True) is None:
        raise UnsupportedSyntax("re2 runs it, which reads some sets differently")
    _Regex(automaton, certain=certain).add(_without_edges(parse(compiled)), first, last)


def _add_glob(automaton: _Automaton, pattern: str, first: int, last: int) -> None:
    alphabet, state = automaton.alphabet, first
    sets = {"**": alphabet.every, "*": alphabet.every & ~alphabet.slash, "?": alphabet.every & ~alphabet.slash}
    for piece in tokenize(pattern):
        if piece in ("**", "*"):
            automaton.step(state, sets[piece], state)
            continue
        following = automaton.state()
        automaton.step(state, sets[piece] if piece in sets else alphabet.literal(piece), following)
        state = following
    automaton.free(state, last)


def _without_edges(tree: Node) -> Node:
    """``^…``, as what is matched whole begins at the start anyway."""
    if isinstance(tree, Items) and tree.items and tree.items[0] == Edge(starts=True):
        return Items(tree.items[1:])
    return tree


class _Regex:
    """Adds the tree of a regular expression to an automaton; for ``certain`` it is not larger, else not smaller."""

    def __init__(self, automaton: _Automaton, *, certain: bool) -> None:
        self._automaton = automaton
        self._certain = certain

    def add(self, node: Node, first: int, last: int) -> None:
        match node:
            case Atom(mask=mask, sure=sure):
                chosen = sure if self._certain else mask
                self._automaton.step(first, self._automaton.alphabet.widened(chosen, certain=self._certain), last)
            case Items(items=items):
                self._add_sequence(items, first, last)
            case Choice(branches=branches):
                for branch in branches:
                    self.add(branch, first, last)
            case Repeat(child=child, low=low, high=high):
                self._add_repeat(child, low, high, first, last)
            case Edge() | Atomic():
                self._add_condition(node, first, last)

    def _add_sequence(self, items: Sequence[Node], first: int, last: int) -> None:
        state = first
        for item in items:
            following = self._automaton.state()
            self.add(item, state, following)
            state = following
        self._automaton.free(state, last)

    def _add_repeat(self, child: Node, low: int, high: int | None, first: int, last: int) -> None:
        automaton = self._automaton
        state = _own_state(automaton, first)
        for _ in range(low):
            following = automaton.state()
            self.add(child, state, following)
            state = following
        if high is None:
            around = automaton.state()
            automaton.free(state, around)
            self.add(child, around, around)
            automaton.free(around, last)
            return
        for _ in range(high - low):
            automaton.free(state, last)
            following = automaton.state()
            self.add(child, state, following)
            state = following
        automaton.free(state, last)

    def _add_condition(self, node: Edge | Atomic, first: int, last: int) -> None:
        """Conditions only take texts away: left out they make the set larger."""
        if self._certain:
            raise UnsupportedSyntax("a condition, or a group that is not taken back")
        if isinstance(node, Atomic):
            self.add(node.child, first, last)
        else:
            self._automaton.free(first, last)


def _own_state(automaton: _Automaton, origin: int) -> int:
    """A state of its own behind ``origin``, so that a loop around it is around nothing else."""
    following = automaton.state()
    automaton.free(origin, following)
    return following


class Region(NamedTuple):
    """The requests that a rule is for: for each method its patterns of paths; methods without any are left out."""

    by_method: tuple[tuple[str, tuple[Pattern, ...]], ...]

    def covers(self, other: Region) -> bool:
        """Whether each request of ``other`` is certainly one of these."""
        mine = dict(self.by_method)
        compared = {(mine.get(method, ()), patterns) for method, patterns in other.by_method}
        return all(covers(outer, inner) for outer, inner in compared)

    def is_everything(self) -> bool:
        """Whether it is certainly each request there is."""
        return self.covers(EVERYTHING)


def region(paths: Sequence[Pattern], methods: Sequence[str]) -> Region:
    """The region of ``paths`` and ``methods`` as rules take them; empty ones are for all."""
    return _region(tuple(paths), tuple(methods))


@lru_cache(maxsize=1024)
def _region(paths: tuple[Pattern, ...], methods: tuple[str, ...]) -> Region:
    routes = [split_methods(path, "paths") for path in paths] or [(None, EVERY_PATH)]
    found = []
    for method in (*sorted(METHODS), OTHER_METHOD):
        if methods and method not in with_head(methods):
            continue
        patterns = tuple([pattern for named, pattern in routes if named is None or method in with_head(named)])
        if patterns:
            found.append((method, patterns))
    return Region(tuple(found))


def with_head(methods: Sequence[str] | frozenset[str]) -> frozenset[str]:
    """Frameworks route HEAD to the view of GET, and so do rules."""
    return frozenset({*methods, "HEAD"}) if "GET" in methods else frozenset(methods)


EVERYTHING = region((), ())
"""Each request there is."""
