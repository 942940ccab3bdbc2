"""TOML with the line of each value. ``tomllib`` reads the values; what is here only finds out where they stand.

It walks through the text once before ``tomllib`` does, and so can refuse what that would take too long over: keys of a
thousand parts, brackets within brackets. Where it meets what is no TOML it stops, for ``tomllib`` to say so.
"""

from __future__ import annotations

import contextlib
import re
import tomllib
from itertools import islice
from typing import TYPE_CHECKING, Any

from doorward.policy.documents import DEEPEST, MOST_VALUES, Malformed, Place

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLANK = re.compile(r"[ \t]*")
_SPACE = re.compile(r"(?:[ \t\r\n]++|#[^\n]*+)*+")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_STRINGS = (
    r'"""(?:[^\\]|\\.)*?"{3,5}',
    r"'''.*?'{3,5}",
    r'"(?:[^"\\\n]|\\.)*"',
    r"'[^'\n]*'",
)
_STRING = re.compile("|".join(_STRINGS), re.DOTALL)
_SCALAR = re.compile(r"[^\s,\]}#]+(?: [0-9][^\s,\]}#]*)?")  # a date and a time may have a blank between them
_LINE_END = re.compile(r"[ \t]*+(?:#[^\n]*+)?+(?:\r?\n|\Z)")
_AT = re.compile(r"\(at line (\d+), column (\d+)\)")


class _NoToml(Exception):
    """Something that ``tomllib`` will refuse."""


def parse(text: str) -> tuple[dict[str, Any], dict[Place, int]]:
    """The values of a TOML text, and the line of each.

    Raises:
        Malformed: It is no TOML, or goes beyond the limits of :mod:`doorward.policy.documents`.
    """
    finder = _Finder(text)
    with contextlib.suppress(_NoToml):
        finder.document()
    try:
        return tomllib.loads(text), finder.lines
    except (tomllib.TOMLDecodeError, ValueError) as error:  # ValueError: a date that does not exist, a huge number
        message = str(error)
        at = _AT.search(message)
        line = int(at[1]) if at else text.count("\n") + 1 if "end of document" in message else finder.line
        raise Malformed(line, f"is no TOML: {_AT.sub('', message).strip()}") from None


class _Finder:
    """Notes the line of every value of a text.

    Attributes:
        lines: Lines by place.
        line: The line that was reached.
    """

    def __init__(self, text: str) -> None:
        self.lines: dict[Place, int] = {}
        self._text = text
        self._at = 0
        self._counted = 0
        self._line = 1
        self._lengths: dict[Place, int] = {}

    @property
    def line(self) -> int:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def document(self) -> None:
        """Walk through the whole text."""
        table: Place = ()
        while True:
            self._take(_SPACE)
            if self._at >= len(self._text):
                return
            if self._next_is("["):
                table = self._header()
            else:
                self._pair(table)
            if not self._take(_LINE_END) and self._at < len(self._text):
                raise _NoToml

    def _header(self) -> Place:
        line, is_array = self.line, self._next_is("[[")
        self._skip("[[" if is_array else "[")
        place = self._resolved(list(islice(self._key(), DEEPEST + 1)), is_array=is_array)
        self._note(place, line)
        self._skip("]]" if is_array else "]")
        return place

    def _resolved(self, key: list[str], *, is_array: bool) -> Place:
        """A header's key as a place: where a part of it names an array of tables, its last table is meant."""
        place: Place = ()
        for number, part in enumerate(key, 1):
            place = (*place, part)
            if is_array and number == len(key):
                self.lines.setdefault(place, self.line)
                self._lengths[place] = self._lengths.get(place, 0) + 1
            if place in self._lengths:
                place = (*place, self._lengths[place] - 1)
        return place

    def _pair(self, table: Place) -> None:
        line = self.line
        place = table
        for part in self._key():
            place = (*place, part)
            self._note(place, line)
        self._skip("=")
        self._value(place)

    def _key(self) -> Iterator[str]:
        while True:
            self._take(_BLANK)
            quoted = self._text[self._at : self._at + 1] in ("'", '"')
            found = self._take(_STRING if quoted else _BARE_KEY)
            if not found:
                raise _NoToml
            yield _unquoted(found) if quoted else found
            self._take(_BLANK)
            if not self._next_is("."):
                return
            self._skip(".")

    def _value(self, place: Place) -> None:
        self._take(_BLANK)
        if self._next_is("["):
            self._array(place)
        elif self._next_is("{"):
            self._inline_table(place)
        elif not self._take(_STRING if self._text[self._at : self._at + 1] in ("'", '"') else _SCALAR):
            raise _NoToml

    def _array(self, place: Place) -> None:
        self._skip("[")
        position = 0
        while not self._closed("]"):
            self._note((*place, position), self.line)
            self._value((*place, position))
            position += 1
            self._take(_SPACE)
            if self._next_is(","):
                self._skip(",")
            elif not self._next_is("]"):
                raise _NoToml

    def _inline_table(self, place: Place) -> None:
        self._skip("{")
        while not self._closed("}"):
            self._pair(place)
            self._take(_SPACE)
            if self._next_is(","):
                self._skip(",")
            elif not self._next_is("}"):
                raise _NoToml

    def _closed(self, bracket: str) -> bool:
        self._take(_SPACE)
        if not self._next_is(bracket):
            return False
        self._skip(bracket)
        return True

    def _note(self, place: Place, line: int) -> None:
        if len(place) > DEEPEST:
            raise Malformed(line, f"is nested deeper than {DEEPEST} levels")
        if len(self.lines) >= MOST_VALUES:
            raise Malformed(line, f"holds more than {MOST_VALUES:,} values")
        self.lines.setdefault(place, line)

    def _next_is(self, text: str) -> bool:
        return self._text.startswith(text, self._at)

    def _skip(self, text: str) -> None:
        if not self._next_is(text):
            raise _NoToml
        self._at += len(text)

    def _take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        if match is None:
            return ""
        self._at = match.end()
        return match[0]


def _unquoted(key: str) -> str:
    """A quoted key as what it says."""
    try:
        return next(iter(tomllib.loads(f"{key} = 0")))
    except tomllib.TOMLDecodeError:
        raise _NoToml from None


__all__ = ["parse"]
