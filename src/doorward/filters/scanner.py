"""Reads an expression from left to right: words, symbols and literals, each where the grammar expects it."""

from __future__ import annotations

import re
from typing import Final

_SPACE: Final = re.compile(r"[ \t\r\n]*")
_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*")
_NUMBER: Final = re.compile(r"-?[0-9A-Za-z_]+(?:\.\.-?[0-9A-Za-z_]+)?")
_ADDRESS: Final = re.compile(r"[0-9A-Za-z_:./%-]+")
_RAW: Final = re.compile(r'r(#*)"')
_SHOWN: Final = 100
"""Characters of a line that an error shows."""

# Between the quotes of a regular expression a backslash belongs to the expression, but for the one of \"; and a quote
# in a set of characters ends nothing.
_REGEX: Final = re.compile(r'(?:[^"\\\[]|\\.|\[(?:[^\]\\]|\\.)*\])*', re.DOTALL)
_REGEX_ESCAPE: Final = re.compile(r'(\[(?:[^\]\\]|\\.)*\])|\\(")|(\\.)', re.DOTALL)
_PLAIN: Final = re.compile(r'[^"\\]*')
_ESCAPE: Final = re.compile(r'\\(?:(["\\])|x([0-9A-Fa-f]{2})|([0-3][0-7]{2}))')


class Problem(Exception):
    """An expression cannot be compiled. Never leaves the package.

    Args:
        start: Where the trouble begins, in characters.
        end: Where it ends.
        message: What is wrong, and what was expected.
    """

    def __init__(self, start: int, end: int, message: str) -> None:
        self.start = start
        self.end = end
        self.message = message
        super().__init__(message)

    def describe(self, source: str) -> str:
        """``line:column: message``, the line, and carets below it."""
        begin = source.rfind("\n", 0, self.start) + 1
        number, column = source.count("\n", 0, begin) + 1, self.start - begin
        line = source[begin:].partition("\n")[0]
        first = max(0, column - _SHOWN // 2) if len(line) > _SHOWN else 0
        shown = "".join(c if c.isprintable() else " " for c in line[first : first + _SHOWN])
        width = max(1, min(self.end, begin + first + len(shown)) - self.start)
        carets = " " * (column - first) + "^" * width
        return f"{number}:{column + 1}: {self.message}\n  {shown}\n  {carets}"


class Scanner:
    """A place in an expression.

    Attributes:
        source: The expression.
        position: What comes next.
    """

    __slots__ = ("position", "source")

    def __init__(self, source: str) -> None:
        self.source = source
        self.position = 0
        self.skip()

    def skip(self) -> None:
        """Go on past white space."""
        self.position = self._end_of(_SPACE)

    def at_end(self) -> bool:
        """Whether nothing follows."""
        return self.position == len(self.source)

    def next(self) -> str:
        """The character that follows; empty at the end."""
        return self.source[self.position : self.position + 1]

    def found(self) -> str:
        """What follows, for an error."""
        if self.at_end():
            return "the end"
        word = self._matched(_IDENTIFIER) or self.next()
        return f'"{word}"' if word.isprintable() and word != '"' else "text" if word == '"' else repr(word)

    def problem(self, message: str, start: int | None = None) -> Problem:
        """What is wrong from ``start`` (the next word, when None) up to here."""
        if start is not None:
            return Problem(start, start + max(1, len(self.source[start : self.position].rstrip())), message)
        return Problem(self.position, self.position + max(1, len(self._matched(_IDENTIFIER))), message)

    def accept(self, *spellings: str) -> bool:
        """Go on past one of these words or symbols, and the white space behind it; whether there was one."""
        word = self._matched(_WORD)
        for spelling in spellings:
            if spelling == word if spelling.isalpha() else self.source.startswith(spelling, self.position):
                self._advance(len(spelling))
                return True
        return False

    def expect(self, symbol: str, purpose: str) -> None:
        """Go on past a symbol.

        Raises:
            Problem: It is not there.
        """
        if not self.accept(symbol):
            raise self.problem(f'expected "{symbol}" {purpose}, found {self.found()}')

    def take(self, pattern: re.Pattern[str]) -> str:
        """Go on past a match and the white space behind it; empty when there is none."""
        matched = self._matched(pattern)
        if matched:
            self._advance(len(matched))
        return matched

    def identifier(self) -> str:
        """Words with dots between them; empty when there is none."""
        return self.take(_IDENTIFIER)

    def number(self) -> str:
        """Digits, or a range of them, as written."""
        return self.take(_NUMBER)

    def address(self) -> str:
        """An address, network or range, as written."""
        return self.take(_ADDRESS)

    def at_text(self) -> bool:
        """Whether a literal text follows."""
        return self.next() == '"' or bool(self._matched(_RAW))

    def text(self) -> bytes:
        """The bytes of a literal: ``"…"``, or ``r"…"`` and ``r#"…"#`` without escapes.

        Raises:
            Problem: No literal follows, it does not end, or has an unknown escape.
        """
        if self.next() != '"':
            return self._raw().encode("utf-8", "surrogatepass")
        start, self.position = self.position, self.position + 1
        parts: list[bytes] = []
        while True:
            plain = self._matched(_PLAIN)
            self.position += len(plain)
            parts.append(plain.encode("utf-8", "surrogatepass"))
            if self.next() != "\\":
                break
            parts.append(self._escape())
        self._close(start)
        return b"".join(parts)

    def regex(self) -> str:
        """The source of a regular expression, in quotes or raw.

        Raises:
            Problem: No literal follows, or it does not end.
        """
        if self.next() != '"':
            return self._raw()
        start, self.position = self.position, self.position + 1
        source = self._matched(_REGEX)
        self.position += len(source)
        self._close(start)
        return _REGEX_ESCAPE.sub(lambda match: match[1] or match[2] or match[3], source)

    def _escape(self) -> bytes:
        match = _ESCAPE.match(self.source, self.position)
        if match is None:
            escape = Problem(self.position, self.position + 2, r"expected \", \\, \xHH or \OOO after a backslash")
            escape.message += '; a raw text, r"…", has no escapes'
            raise escape
        self.position = match.end()
        character, hexadecimal, octal = match.groups()
        if character:
            return str(character).encode()
        return bytes([int(hexadecimal, 16) if hexadecimal else int(octal, 8)])

    def _close(self, start: int) -> None:
        if self.next() != '"':
            raise Problem(start, len(self.source), 'the text has no closing "')
        self._advance(1)

    def _raw(self) -> str:
        match = _RAW.match(self.source, self.position)
        if match is None:
            raise self.problem(f"expected text in double quotes, found {self.found()}")
        start, closing = self.position, f'"{match[1]}'
        end = self.source.find(closing, match.end())
        if end < 0:
            raise Problem(start, len(self.source), f"the text has no closing {closing}")
        self._advance(end + len(closing) - start)
        return self.source[match.end() : end]

    def _matched(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.source, self.position)
        return match[0] if match else ""

    def _end_of(self, pattern: re.Pattern[str]) -> int:
        return self.position + len(self._matched(pattern))

    def _advance(self, length: int) -> None:
        self.position += length
        self.skip()
