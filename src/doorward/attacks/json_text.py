"""JSON, taken apart without being parsed: strings, and whether they are keys (RFC 8259; NDJSON as well).

Only strings can hold an attack, so the text is split at quotes, window by window, in C. What stands between two strings
says whether the first is a key, and which brackets open and close; where that is not JSON, the rest is raw text.
Documents that fit in a window, and records that do in a longer one, are parsed: see :mod:`doorward.attacks.json_tree`.

Paths are like ``user.tags[]``: without the number of an element, so that one exclusion covers all elements. Of
duplicate keys all are looked at. Depth costs one entry of a list.
"""

from __future__ import annotations

import re
from itertools import chain
from json import decoder
from typing import TYPE_CHECKING, NamedTuple

from doorward.attacks.charsets import repaired
from doorward.attacks.evidence import Place, Value
from doorward.attacks.json_tree import BEGINNINGS, Origin, elements_at_once, may_nest, name_below
from doorward.attacks.parts import CHUNK, LONGEST_NAME, OVERLAP, PAUSE, telling_names, value

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from doorward.attacks.json_tree import Inside
    from doorward.attacks.parts import Part

_SEPARATORS = " \t\n\r,"
_PLAIN = " \t\n\r,0123456789.-+"
"""Of what is between strings: what separates, and numbers. Of nothing but these no attack can be made."""
_TOKEN = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-."
_LONGEST_TOKEN = 64
_BETWEEN = re.compile(r"(?:[\s,:\[\]{}]++|(?:true|false|null|NaN|-?+Infinity|[-+.0-9][-+.0-9eE]*+)(?![A-Za-z_]))*+")
_NO_BRACKET = re.compile(r"[^\[\]{}]++")
_FIRST = re.compile(r'[ \t\r\n]*+(?:\[|\{[ \t\r\n]*+"([^"\\]{0,64}+)"[ \t\r\n]*+:[ \t\r\n]*+(?=[\[{]))')
"""An array, or the beginning of an object whose first member is an object or array: ``{"data": [``."""
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.)?)", re.DOTALL)
_TORN = re.compile(
    r"\\(?:u[0-9A-Fa-f]{0,3})?\Z|\\u[dD][89ABab][0-9A-Fa-f]{2}(?:\\(?:u[0-9A-Fa-f]{0,3})?)?\Z"
    "|[\xc2-\xf4][\x80-\xbf]{0,2}\\Z"
)
"""An escape, half of a surrogate pair, or a character of UTF-8 read as latin-1, that goes on in the next chunk."""
_SHORT = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
# Stand for escaped backslashes and quotes while a window is split. Text that was read from bytes has no surrogates.
_BACKSLASH, _QUOTE = "\udc5c", "\udc22"
_MOST_REMEMBERED = 256
_LONGEST_REMEMBERED = 64
_scanstring = decoder.scanstring  # type: ignore[attr-defined]  # written in C; missing from typeshed
_new = tuple.__new__
"""Makes a :class:`Value` in half the time that its constructor takes."""


class _Between(NamedTuple):
    """What stands between two strings: whether the first is a key, and the brackets in it."""

    after_key: bool
    brackets: str


_KEY = _Between(True, "")
_LEAF = _Between(False, "")


def _between(raw: str) -> _Between | None:
    """What stands between two strings; None where that is no JSON."""
    core = raw.lstrip(_SEPARATORS).rstrip(_PLAIN)
    if not core or core == ":":
        return _KEY if core else _LEAF
    if _BETWEEN.fullmatch(core) is None:
        return None
    after_key = core.startswith(":")
    brackets = _NO_BRACKET.sub("", core)
    return _Between(after_key, brackets) if brackets else _KEY if after_key else _LEAF


_COMMON = (": ", ":", ", ", ",", "{", "[", "}", "]", ": {", ":{", ": [", ":[", "}, {", "},{", "}, ", "},", "], ", "],",
           ":true,", ": true, ", ":false,", ": false, ", ":null,", ": null, ", "]}", "}}", "}]", "}]}")  # fmt: skip
_KNOWN = {raw: found for raw in _COMMON if (found := _between(raw)) is not None}


class JsonText:
    """A JSON text, or what is said to be one.

    Args:
        text: The text.
        exact: False where it is UTF-8 that was read as latin-1.
        place: Where its strings stand.
        name: Of the value that it is; nothing for a body.
        inside: Takes strings apart that are JSON again; None where they stay as they are.
        depth: How many texts of JSON it is within.

    Attributes:
        broken_at: Where it is no JSON any more, once the parts before that are given; None for JSON.
    """

    def __init__(
        self,
        text: str,
        *,
        exact: bool = True,
        place: Place = Place.JSON,
        name: str = "",
        inside: Inside | None = None,
        depth: int = 0,
    ) -> None:
        self.broken_at: int | None = None
        self._text = text
        self._exact = exact
        self._origin = Origin(place, name, inside, depth)
        self._place, self._name, self._inside, self._depth = self._origin
        self._prefix, self._key = "", name
        self._stack: list[str] = []
        self._memory = _KNOWN.copy()

    def parts(self) -> Iterator[Part]:
        """Its strings, and of its keys those that are more than identifiers. Ends where it is no JSON any more."""
        return chain.from_iterable(self.runs())

    def runs(self) -> Iterator[Iterable[Part]]:
        """The same in runs: a value that is handed from generator to generator costs at each of them."""
        text = self._text
        position = (yield from self._elements()) if self._exact and len(text) > CHUNK else 0
        while position < len(text) and self.broken_at is None:
            window = _evenly(text[position : position + CHUNK])
            pieces, rest = _masked(window).split('"'), 0
            if position + len(window) < len(text):
                if len(pieces) == 2 and not pieces[0]:
                    position = yield from self._long_string(position)
                    continue
                pieces, rest = _complete(pieces, len(window))
            plain = self._exact and "\\" not in window
            strings = pieces[1::2] if plain else [*map(self._decoded, pieces[1::2])]
            yield self._units(position, pieces, strings, self._inside if may_nest(window) else None)
            position += len(window) - rest
            if position < len(text):
                yield (PAUSE,)

    def _elements(self) -> Generator[Iterable[Part], None, int]:
        """What fits in a window of the documents of NDJSON, or of the elements of an array; where the rest begins."""
        position = yield from self._records(0)
        if position:
            return position
        keys: dict[str, None] = {}
        while (found := _FIRST.match(self._text, position)) is not None:
            position, key = found.end(), found[1]
            self._prefix = _nested(self._stack, self._prefix, self._key, "[" if key is None else "{", self._name)
            self._key = key or ""
            if key is None:
                position = yield from self._records(position)
                break
            keys[key] = None
        yield telling_names(self._place, keys)
        return position

    def _records(self, position: int) -> Generator[Iterable[Part], None, int]:
        while position < len(self._text):
            window = self._text[position : position + CHUNK]
            parts, size = elements_at_once(window, self._prefix, self._key, self._origin)
            if not size:
                break
            yield parts
            yield (PAUSE,)
            position += size
        return position

    def _units(self, start: int, pieces: list[str], strings: list[str], inside: Inside | None) -> Iterator[Part]:
        """The strings of a window, ``pieces`` being what is between quotes and what is within them by turns."""
        if not self._starts(pieces[0]):
            self.broken_at = start
            return
        betweens = pieces[2::2]
        keys: list[str] = []
        known, place = self._memory.get, self._place
        key, prefix = self._key, self._prefix
        for string, raw in zip(strings, betweens, strict=False):
            between = known(raw) or self._learned(raw)
            if between is _KEY:
                keys.append(string)
                key = string
                continue
            if between is not None and between.after_key:
                keys.append(string)
                key = string
            else:
                yield _new(Value, (place, prefix + key, string, False, 0))
                if inside is not None and string[:1] in BEGINNINGS:
                    yield from inside(place, prefix + key, string, self._depth + 1)
            if between is None:
                before = 2 * betweens.index(raw) + 2
                self.broken_at = start + sum(map(len, pieces[:before])) + before
                break
            if between is not _LEAF:
                prefix = _nested(self._stack, prefix, key, between.brackets, self._name)
                key = "" if self._stack else self._name
        else:
            if len(pieces) % 2 == 0:
                # A string that does not end: the body was cut off there.
                yield value(place, prefix + key, strings[-1])
        self._key, self._prefix = key, prefix
        yield from telling_names(place, dict.fromkeys(keys))

    def _starts(self, raw: str) -> bool:
        """Take note of what stands before a window's first string; whether that is JSON."""
        between = self._learned(raw)
        if between is not None and between.brackets:
            self._prefix = _nested(self._stack, self._prefix, self._key, between.brackets, self._name)
            self._key = "" if self._stack else self._name
        return between is not None

    def _learned(self, raw: str) -> _Between | None:
        """What stands between two strings, if that is JSON; remembered, since it comes again."""
        found = _between(raw)
        if found is not None and len(raw) <= _LONGEST_REMEMBERED and len(self._memory) < _MOST_REMEMBERED:
            self._memory[raw] = found
        return found

    def _decoded(self, string: str) -> str:
        """A string without its escapes."""
        if not self._exact:
            string = repaired(string)
        if "\\" not in string and _BACKSLASH not in string:
            return string
        string = string.replace(_BACKSLASH, "\\").replace(_QUOTE, '"')
        try:
            return str(_scanstring(string + '"', 0, False)[0])
        except ValueError:
            return _ESCAPE.sub(_unescaped, string)

    def _long_string(self, position: int) -> Generator[Iterable[Part], None, int]:
        """The pieces of a string that is longer than a window, and what is inside; where it ends."""
        end = position + 1
        kept: list[str] = []
        name = (self._prefix + self._key)[:LONGEST_NAME]
        tail, offset = "", 0
        closed = False
        while not closed and end < len(self._text):
            raw = _masked(_evenly(self._text[end : end + CHUNK]))
            raw, closed = _to_quote(raw)
            if not closed and end + len(raw) < len(self._text):
                raw = _without_torn(raw)
            end += len(raw) + closed
            text = self._decoded(raw)
            yield (Value(self._place, name, tail + text, False, offset - len(tail)),)
            offset += len(text)
            tail = (tail + text)[-OVERLAP:]
            kept.append(text)
        if self._inside is not None and kept[0][:1] in BEGINNINGS:
            yield self._inside(self._place, name, "".join(kept), self._depth + 1)
        return end


def _nested(stack: list[str], prefix: str, key: str, brackets: str, root: str) -> str:
    """What paths begin with after some brackets; ``stack`` has that of the containers around, ``root`` names all."""
    for bracket in brackets:
        if bracket in "{[":
            stack.append(prefix)
            prefix = name_below(prefix, key, "[]" if bracket == "[" else ".")
        else:
            prefix = stack.pop() if stack else ""
        key = "" if stack else root
    return prefix


def _evenly(window: str) -> str:
    """A window that does not end within an escape of one character."""
    backslashes = len(window) - len(window.rstrip("\\"))
    return window[:-1] if backslashes % 2 and len(window) > 1 else window


def _masked(window: str) -> str:
    """A window without escaped quotes; of the same length."""
    if "\\" not in window:
        return window
    return window.replace("\\\\", _BACKSLASH * 2).replace('\\"', "\\" + _QUOTE)


def _complete(pieces: list[str], size: int) -> tuple[list[str], int]:
    """Of a window that is not the last the pieces that are complete, and how many characters are left for the next."""
    last = pieces[-1]
    if len(pieces) % 2 == 0:
        return pieces[:-1], len(last) + 1
    with_string = len(last) + len(pieces[-2]) + 2 if len(pieces) > 1 else size
    if with_string < size:
        return pieces[:-2], with_string
    token = len(last) - len(last.rstrip(_TOKEN))
    if token > _LONGEST_TOKEN or token == size:
        return pieces, 0
    return [*pieces[:-1], last[: len(last) - token]], token


def _to_quote(masked: str) -> tuple[str, bool]:
    end = masked.find('"')
    return (masked, False) if end < 0 else (masked[:end], True)


def _without_torn(masked: str) -> str:
    found = _TORN.search(masked, len(masked) - 14)
    return masked if found is None else masked[: found.start()]


def _unescaped(escape: re.Match[str]) -> str:
    digits, short = escape.groups()
    return chr(int(digits, 16)) if digits else _SHORT.get(short or "", short or "")
