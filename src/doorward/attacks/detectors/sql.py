"""Injection into SQL: text that leaves the value's place in a query, or is SQL where a value is expected.

A value is read as tokens (:mod:`.sql_tokens`), and what they come to is compared with shapes of injections
(:mod:`.sql_shapes`). Short values are read as a whole. Long ones are read around what may leave a string or join
another query, and only what is an attack in any surroundings counts there: a long text that merely has SQL in it is a
question about SQL, or a tutorial.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from doorward.attacks.detectors.joined import is_one_value
from doorward.attacks.detectors.sql_screen import HEXADECIMAL, SqlScreen, head, windows
from doorward.attacks.detectors.sql_shapes import ALL, OF_LONG_TEXTS, Shape, Where
from doorward.attacks.detectors.sql_tokens import Lexicon, Tokens, without_comments

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorward.attacks.evidence import Evidence
    from doorward.attacks.rulebook import Rulebook
    from doorward.attacks.subject import Subject
    from doorward.attacks.work import Work

SHORT = 600
"""Characters that are read as a whole."""
_MOST_TOKENS = 256
_UNITS_A_CHARACTER = 1
_UNITS_A_COMMENT = 40
_UNITS_A_TOKEN = 40
_UNITS_A_SHAPE = 1
"""For each token."""
_DOUBTFUL = 0.3
"""What evidence weighs that may be a quotation."""
_MOST_LINES = 3
_PROSE = re.compile(r"x{3,}|[xpmeOUdkKnw]{6,}")
_QUOTE = re.compile("[qQB]")
_COMMENT = re.compile(r"/\*[^*]{0,128}+\*/")
_LONGEST_WORD = 64
_FILLER = re.compile(r"\s{2,}+|(?<!\w)(\w)\w{63,}+")


class _Part(NamedTuple):
    """A text to read, and where it stands in the value; None where it is not a part of it any more."""

    text: str
    start: int | None
    is_whole: bool
    goes_on: bool = False


class SqlDetector:
    """Reads a text as the rest of a query.

    Args:
        book: The rules.
    """

    def __init__(self, book: Rulebook) -> None:
        self.name = book.name
        self._book = book
        self._lexicon = Lexicon(book)
        self._screen = SqlScreen(book)

    def wants(self, subject: Subject) -> bool:
        """Whether there are words or signs of which every shape needs some."""
        if subject.is_json or not self._screen.wants(subject):
            return False
        if len(subject.lower) <= SHORT or not is_one_value(subject):
            return True
        return next(_long(_readable_piece(subject), is_first=subject.value.offset == 0), None) is not None

    def examine(self, subject: Subject, work: Work) -> Iterator[Evidence]:
        """The evidence of each reading; the plainest first."""
        lower = _readable_piece(subject)
        work.spend(_UNITS_A_CHARACTER * len(lower) + _UNITS_A_COMMENT * (lower.count("/*") + lower.count("*/")))
        is_first = subject.value.offset == 0
        for part in _long(lower, is_first=is_first) if len(lower) > SHORT else _short(lower):
            yield from self._evidence(part, len(lower), work)

    def _evidence(self, part: _Part, size: int, work: Work) -> Iterator[Evidence]:
        tokens = self._lexicon.tokens(part.text)
        work.spend(_UNITS_A_TOKEN * len(tokens.kinds))
        shapes = ALL if part.is_whole and len(tokens.kinds) <= _MOST_TOKENS else OF_LONG_TEXTS
        if part.goes_on:
            tokens = tokens._replace(kinds=tokens.kinds + "z")
        reading = _Reading(tokens, part.start, size, _is_brief(tokens) and part.is_whole)
        present = frozenset(tokens.kinds)
        for needs, group in shapes.items():
            if not present.isdisjoint(needs):
                work.spend(_UNITS_A_SHAPE * len(group) * len(tokens.kinds))
                yield from self._of_shapes(group, reading)

    def _of_shapes(self, shapes: tuple[Shape, ...], reading: _Reading) -> Iterator[Evidence]:
        for shape in shapes:
            found = shape.pattern.search(reading.tokens.kinds)
            if found is not None and (scale := reading.scale(shape, found)):
                yield self._book.rule(shape.rule).at(*reading.span(found), scale=scale)


def _short(lower: str) -> Iterator[_Part]:
    yield _Part(without_comments(lower), 0, is_whole=True)
    if "*/" in lower:
        joined = _COMMENT.sub("", lower)
        if joined != lower:
            yield _Part(joined, None, is_whole=True)
    hexadecimal = HEXADECIMAL.search(lower)
    if hexadecimal is not None:
        spelled = bytes.fromhex(hexadecimal[0][2:]).replace(b"\0", b"").decode("ascii")
        yield _Part(spelled.lower(), None, is_whole=True)
    if "+" in lower and " " not in lower:
        yield _Part(without_comments(lower.replace("+", " ")), 0, is_whole=True)


def _long(lower: str, *, is_first: bool) -> Iterator[_Part]:
    readable = without_comments(lower)
    squeezed = _FILLER.sub(_cut_short, readable) if _least(readable) <= SHORT else readable
    if len(squeezed) <= SHORT:
        yield _Part(squeezed, None, is_whole=True)
        return
    beginning = head(lower) if is_first else ""
    if beginning:
        yield _Part(without_comments(beginning), 0, is_whole=True)
    for start, end in windows(readable):
        yield _Part(readable[start:end], start, is_whole=False, goes_on=end < len(lower))


def _least(text: str) -> int:
    """What is left of a text without filler, at least; quickly."""
    lengths = list(map(len, text.split()))
    return sum([length for length in lengths if length < _LONGEST_WORD]) + len(lengths) - 1


def _readable_piece(subject: Subject) -> str:
    return _behind_comment(subject.lower) if subject.value.offset else subject.lower


def _behind_comment(piece: str) -> str:
    """A later piece of a value, blank as far as a comment goes that began in an earlier one."""
    end = piece.find("*/")
    if end < 0 or 0 <= piece.find("/*") < end:
        return piece
    return " " * (end + 2) + piece[end + 2 :]


def _cut_short(filler: re.Match[str]) -> str:
    return filler[1] or " "


def _is_brief(tokens: Tokens) -> bool:
    return tokens.source.count("\n") < _MOST_LINES and not _PROSE.search(tokens.kinds)


class _Reading(NamedTuple):
    """A text as tokens, and what surrounds a shape in it."""

    tokens: Tokens
    start: int | None
    size: int
    is_brief: bool

    def span(self, found: re.Match[str]) -> tuple[int, int]:
        """Where in the value a shape was found."""
        if self.start is None:
            return 0, self.size
        start, end = self.tokens.span(found.start(), found.end())
        return self.start + start, self.start + end

    def scale(self, shape: Shape, found: re.Match[str]) -> float:
        """How much of its rule's weight a shape has here."""
        if shape.pattern.groups and self._text(found, "left") != self._text(found, "right"):
            return 0.0
        match shape.where:
            case Where.ANYWHERE:
                return 1.0
            case Where.ONE_LINE:
                return 0.0 if self._begins_over_lines(found) else 1.0
            case Where.FIRST if self._has_quote_before(found):
                return 0.0
            case Where.BARE if "xx" in self.tokens.kinds[: found.start()]:
                return _DOUBTFUL
        return 1.0 if self.is_brief else _DOUBTFUL

    def _text(self, found: re.Match[str], group: str) -> str:
        return self.tokens.texts[found.start(group)]

    def _begins_over_lines(self, found: re.Match[str]) -> bool:
        start, end = self.tokens.span(found.start(), found.start() + 4)
        return "\n" in self.tokens.source[start:end]

    def _has_quote_before(self, found: re.Match[str]) -> bool:
        kinds = self.tokens.kinds
        quote = _QUOTE.search(kinds, found.start())
        return quote is not None and kinds.find(quote[0]) < quote.start()
