"""The part of Python's regular expression syntax whose cost can be bounded, parsed into a small tree.

The tree knows which characters an atom can match, not what a group captures: it serves ``regex_safety`` only. The
standard library's own parser (``re._parser``) is private and changes between releases, so it is not used. What this
parser does not know it refuses; it never guesses. A pattern must have been accepted by ``re.compile`` before.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_DEPTH = 30
"""Groups within groups; keeps the recursion of parser and analysis shallow."""

_LATIN_1 = "".join(map(chr, range(256)))
# Everything above U+00FF that matches some Latin-1 character under re.IGNORECASE.
_CASE_PARTNERS = "\u0130\u0131\u0178\u017f\u039c\u03bc\u1e9e\u212a\u212b"
# One each of the other digits, letters, spaces and symbols: a set written in Latin-1 cannot tell one from its like.
_OTHERS = "\u0663\u0436\u2003\u2192"
PROBES = _LATIN_1 + _CASE_PARTNERS + _OTHERS
"""Characters that stand for all: two sets overlap if and only if they share one of these."""

_BIT = {probe: 1 << index for index, probe in enumerate(PROBES)}
_BEYOND = sum(bit for probe, bit in _BIT.items() if probe > "\u00ff")

_TOKEN = re.compile(
    r"""
      (?P<set>    \[ \^? \]? (?: \\. | [^\]\\] )* \] )
    | (?P<edge>   \\[AZbB] | [\^$] )
    | (?P<atom>   \\ (?: [dDwWsSntrfva] | x[0-9a-fA-F]{2} | u[0-9a-fA-F]{4} | U[0-9a-fA-F]{8} | [^0-9A-Za-z] ) | \. )
    | (?P<look>   \(\? <? [=!] )
    | (?P<group>  \(\? (?: P<\w+> | [aims]* : | > ) | \( (?!\?) )
    | (?P<mark>   [|)] )
    | (?P<literal> [^\\\[({*+?] )
    """,
    re.VERBOSE | re.DOTALL,
)
_TIMES = re.compile(
    r"(?:(?P<sign>[*+?])|\{(?:(?P<exact>[0-9]+)|(?P<low>[0-9]*),(?P<high>[0-9]*))\})(?P<kind>[?+]?)(?![*+?])"
)
_GLOBAL_FLAGS = re.compile(r"\(\?[aimsu]+\)")
_SIGNS: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
_FLAGS = {"a": re.ASCII, "i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}


class UnsupportedSyntax(ValueError):
    """The pattern uses something whose cost cannot be bounded here; the message says what."""


@dataclass(frozen=True, slots=True)
class Atom:
    """One character: ``mask`` has a bit for each of :data:`PROBES` whose like it may match; ``sure``, that it must."""

    mask: int
    sure: int = 0


@dataclass(frozen=True, slots=True)
class Edge:
    """A condition that consumes nothing: an anchor (``starts``: only at the start of the text), or a look-around."""

    starts: bool = False
    look: Node | None = None


@dataclass(frozen=True, slots=True)
class Sequence:
    """Items one after the other."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the branches."""

    branches: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """``child`` from ``low`` to ``high`` times; ``high`` None is without end."""

    child: Node
    low: int
    high: int | None


@dataclass(frozen=True, slots=True)
class Atomic:
    """``child`` in the first way that it matches, and in no other: an atomic group, or a possessive repeat."""

    child: Node


Node = Atom | Edge | Sequence | Choice | Repeat | Atomic


def parse(pattern: re.Pattern[str]) -> Node:
    """The tree of a compiled pattern.

    Raises:
        UnsupportedSyntax: It uses back-references, conditionals, comments or re.VERBOSE.
    """
    if pattern.flags & (re.VERBOSE | re.LOCALE):
        raise UnsupportedSyntax("re.VERBOSE and re.LOCALE are not supported")
    return _Parser(pattern.pattern).whole(pattern.flags)


class _Parser:
    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0
        self._depth = 0
        self._masks: dict[tuple[str, int], tuple[int, int]] = {}

    def whole(self, flags: int) -> Node:
        prefix = _GLOBAL_FLAGS.match(self._source)
        self._at = prefix.end() if prefix else 0
        tree = self._choice(flags)
        if self._at < len(self._source):
            raise UnsupportedSyntax(f"unexpected {self._source[self._at]!r} at {self._at}")
        return tree

    def _choice(self, flags: int) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise UnsupportedSyntax(f"groups are nested deeper than {MAX_DEPTH}")
        branches = [self._sequence(flags)]
        while self._source.startswith("|", self._at):
            self._at += 1
            branches.append(self._sequence(flags))
        self._depth -= 1
        return branches[0] if len(branches) == 1 else Choice(tuple(branches))

    def _sequence(self, flags: int) -> Node:
        items: list[Node] = []
        while self._at < len(self._source) and self._source[self._at] not in "|)":
            item = self._repeated(self._item(flags))
            items.extend(item.items if isinstance(item, Sequence) else (item,))
        return items[0] if len(items) == 1 else Sequence(tuple(items))

    def _item(self, flags: int) -> Node:
        token = _TOKEN.match(self._source, self._at)
        if token is None:
            raise UnsupportedSyntax(f"{self._source[self._at : self._at + 4]!r} at {self._at} is not supported")
        self._at = token.end()
        text = token.group()
        match token.lastgroup:
            case "edge":
                return Edge(starts=text == r"\A" or (text == "^" and not flags & re.MULTILINE))
            case "group" | "look":
                return self._group(text, flags)
            case _:
                return Atom(*self._masks_of(text, flags))

    def _group(self, opening: str, flags: int) -> Node:
        if opening.endswith(":"):
            for letter in opening[2:-1]:
                flags |= _FLAGS[letter]
            if flags & re.ASCII:
                flags &= ~re.UNICODE  # the default, which re refuses to take together with re.ASCII
        inner = self._choice(flags)
        self._at += 1
        if opening == "(?>":
            return Atomic(inner)
        return Edge(look=inner) if opening[-1] in "=!" else inner

    def _repeated(self, node: Node) -> Node:
        times = _TIMES.match(self._source, self._at)
        if times is None:
            if self._source[self._at : self._at + 1] in ("*", "+", "?", "{"):
                raise UnsupportedSyntax(f"the repeat at {self._at} is not supported; escape a literal brace as \\{{")
            return node
        self._at = times.end()
        low, high = _bounds(times)
        repeat = node if low == high == 1 else Repeat(node, low, high)
        return Atomic(repeat) if times["kind"] == "+" else repeat

    def _masks_of(self, text: str, flags: int) -> tuple[int, int]:
        known = self._masks.get((text, flags))
        if known is None:
            known = self._masks[text, flags] = _masks_of(text, flags)
        return known


def _bounds(times: re.Match[str]) -> tuple[int, int | None]:
    if times["sign"]:
        return _SIGNS[times["sign"]]
    if times["exact"]:
        return int(times["exact"]), int(times["exact"])
    return int(times["low"] or 0), int(times["high"]) if times["high"] else None


def _masks_of(atom: str, flags: int) -> tuple[int, int]:
    mask = sum(_BIT[probe] for probe in re.compile(atom, flags & ~re.DEBUG).findall(PROBES))
    # A set that names characters beyond Latin-1 may match any of them, and none, for all that the probes can tell.
    names_others = not all(character <= "\u00ff" for character in atom) or re.search(r"\\[uU]", atom)
    return (mask | _BEYOND, mask & ~_BEYOND) if names_others else (mask, mask)
