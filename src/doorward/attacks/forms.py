"""Queries and forms: names and values, percent-decoded (WHATWG URL, "application/x-www-form-urlencoded").

Only ``&`` separates, as in today's servers and the WHATWG's parser. Where a server of old separates at ``;`` as well,
the value that is looked at here holds both of its values, and whatever is in them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from doorward.attacks.charsets import repaired, utf8
from doorward.attacks.evidence import Value
from doorward.attacks.json_tree import BEGINNINGS
from doorward.attacks.nested import json_inside, long_value_inside
from doorward.attacks.parts import (
    CHUNK,
    LONGEST_NAME,
    PAUSE,
    TOKENS_BETWEEN_PAUSES,
    in_pieces,
    telling_names,
    value,
)

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from doorward.attacks.evidence import Place
    from doorward.attacks.parts import Part

MOST_WATCHED = 1_024
"""Names that are watched for repetition; servers accept no more fields (Django, Werkzeug and PHP: 1,000)."""
_LONGEST_JOINED = 8_192
_MOST_JOINED = 64
_ITEM = re.compile("[^&]++")
_ESCAPES = re.compile("(?:%[0-9A-Fa-f]{2})++")
_RUNS = re.compile("((?:%[0-9A-Fa-f]{2})++)")
_ASCII = {write % code: chr(code) for code in range(128) for write in ("%%%02X", "%%%02x")}
"""Most escapes are of one character; a look-up takes a fifth of the time that decoding takes."""
_HELD_BACK = re.compile(
    "%[0-9A-Fa-f]?\\Z|(?:%[Cc][2-9A-Fa-f]|%[DdEe][0-9A-Fa-f]|%[Ff][0-4])(?:%[89ABab][0-9A-Fa-f]){0,2}(?:%[0-9A-Fa-f]?)?\\Z"
)
_SMALL = 4_096
_new = tuple.__new__
"""Makes a :class:`Value` in half the time that its constructor takes."""


def unquoted(text: str) -> str:
    """``text`` percent-decoded once, as UTF-8; what is no escape stays, and bytes that are no UTF-8 are latin-1."""
    if "%" in text:
        if not text.isascii():
            # Raw bytes next to escapes make up characters together with them.
            text = _ESCAPES.sub(_as_latin_1, _bytes_of(text))
            return repaired(text)
        pieces = _RUNS.split(text)
        pieces[1::2] = [_ASCII.get(run) or _unescaped(run) for run in pieces[1::2]]
        return "".join(pieces)
    return text if text.isascii() else repaired(text)


def unquoted_chunks(text: str, *, plus: bool = False) -> Iterator[str]:
    """The same for a text of any length; no character is torn apart. ``plus``: it stands for a space."""
    start = 0
    while start < len(text):
        chunk = text[start : start + CHUNK]
        if start + CHUNK < len(text):
            held = _HELD_BACK.search(chunk, len(chunk) - 14)
            if held is not None:
                chunk = chunk[: held.start()]
        start += len(chunk)
        yield unquoted(chunk.replace("+", " ") if plus else chunk)


def pairs(raw: str, place: Place) -> Iterator[Part]:
    """The names and values of a query or a form.

    A name that is repeated gives one more value, all of its values joined by commas, as ASP.NET does it: an attack may
    be spread over them.
    """
    first: dict[str, str] = {}
    repeated: dict[str, list[str]] = {}
    is_loose = False
    items = raw.split("&") if len(raw) <= _SMALL else (found[0] for found in _ITEM.finditer(raw))
    for number, item in enumerate(items):
        if number % TOKENS_BETWEEN_PAUSES == TOKENS_BETWEEN_PAUSES - 1:
            yield PAUSE
        name, equals, text = item.partition("=")
        if not equals:
            name, text = "", item
            is_loose = is_loose or (number > 0 and item != "")
        elif "%" in name or "+" in name or len(name) > LONGEST_NAME or not name.isascii():
            name = yield from _odd_name(place, name)
        if name not in first and len(first) < MOST_WATCHED:
            first[name] = text
        elif name not in first:
            yield from telling_names(place, (name,))
        elif name:
            _add(repeated.setdefault(name, [first[name]]), text)
        if len(text) > CHUNK:
            yield from long_value_inside(place, name, unquoted_chunks(text, plus=True))
        elif text:
            text = text.replace("+", " ")
            if "%" in text or not text.isascii():
                text = unquoted(text)
            yield _new(Value, (place, name, text, False, 0))
            if text[0] in BEGINNINGS:
                yield from json_inside(place, name, text)
    yield from telling_names(place, first)
    yield from _joined(place, repeated)
    if is_loose and len(raw) <= _LONGEST_JOINED:
        # Whoever wrote `a=x&&y` did not encode it, and the one who reads it may not split it.
        yield value(place, "", unquoted(raw.replace("+", " ")))


def _odd_name(place: Place, name: str) -> Generator[Part, None, str]:
    """A name that is encoded, or long: decoded and shortened; a long one is looked at right away."""
    if len(name) > LONGEST_NAME:
        for piece in in_pieces(place, name[:LONGEST_NAME], unquoted_chunks(name, plus=True)):
            yield piece._replace(is_name=True)
    return unquoted(name[:LONGEST_NAME].replace("+", " "))


def _add(texts: list[str], text: str) -> None:
    if len(texts) < _MOST_JOINED:
        texts.append(text[:_LONGEST_JOINED])


def _joined(place: Place, repeated: dict[str, list[str]]) -> Iterator[Part]:
    for name, texts in repeated.items():
        text = ",".join(texts)[:_LONGEST_JOINED]
        yield value(place, name, unquoted(text.replace("+", " ")))


def _bytes_of(text: str) -> str:
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass").decode("latin-1")
    return text


def _unescaped(run: str) -> str:
    return utf8(bytes.fromhex(run.replace("%", " ")))


def _as_latin_1(run: re.Match[str]) -> str:
    return bytes.fromhex(run[0].replace("%", " ")).decode("latin-1")
