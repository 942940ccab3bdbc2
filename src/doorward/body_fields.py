"""The fields of a held body, as a condition asks for them: of forms by name, of JSON by dotted path.

Nothing here raises for what a client sent. A body of which a part is missing, or that is broken, does not say that a
field is absent: whatever is not found there is unknown.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from doorward.attacks.body import FORM, JSON, MULTIPART, kind_of
from doorward.multipart_fields import multipart_fields

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from doorward.context import RequestContext

LARGEST_JSON = 128 * 1024
"""Bytes of JSON that are read: Python takes some 5 ms for the slowest of that size. Of more, nothing is known."""
MOST_VALUES = 1_024
"""Values that one name or path may come to, through lists and repeated names. Of more, the others are unknown."""
_EMPTY = re.compile(rb"&&++")
_BEGINNINGS = (b"{", b"[")
_BEFORE_JSON = b"\xef\xbb\xbf\xff\xfe\0 \t\r\n"
"""Marks of the byte order, the zeroes of UTF-16 and UTF-32, white space: ``json.loads`` reads all that."""
_WORDS = {None: "null", True: "true", False: "false"}


class _Object(tuple[tuple[str, Any], ...]):
    """A JSON object with every pair of it: who reads a name twice may take either value."""

    __slots__ = ()


class BodyFields:
    """What stands in the body of one request; taken apart once, when first asked.

    Args:
        request: The request, whose body is held as far as it ever will be.
    """

    def __init__(self, request: RequestContext) -> None:
        self._held = request.body
        self._complete = request.body_complete
        self._type = request.headers.get("content-type")
        self._coded = any(
            coding.strip().lower() not in ("", "identity") for coding in request.headers.values("content-encoding")
        )
        self._form: tuple[Mapping[str, Sequence[str]], bool] | None = None
        self._json: tuple[Any, bool] | None = None

    def form(self, name: str) -> tuple[Sequence[str], bool]:
        """The values of a form's field, and whether those are all: without files, of which nothing is told."""
        if self._held is None or self._coded:
            return (), False
        kind = kind_of(self._type)
        if kind == FORM:
            body = _EMPTY.sub(b"&", self._held) if b"&&" in self._held else self._held
            found = list(islice(_values_of(name).finditer(body), MOST_VALUES))
            values = [unquote_plus((text[1] or b"").decode("utf-8", "replace")) for text in found]
            return values, self._complete and len(found) < MOST_VALUES
        if kind != MULTIPART:
            return (), True
        if self._form is None:
            self._form = self._read_multipart(self._held)
        fields, is_all = self._form
        return fields.get(name, ()), is_all and self._complete

    def json(self, path: Sequence[str]) -> tuple[Sequence[str], bool]:
        """What stands at a path in the JSON, scalars as their JSON text, and whether that is all.

        A step of the path is a name, or a position in a list; ``*`` is each item of a list.
        """
        if self._json is None:
            self._json = self._read_json()
        tree, is_all = self._json
        found = _at(tree, path)
        return [_text(value) for value in found], is_all and len(found) < MOST_VALUES

    def _read_multipart(self, held: bytes) -> tuple[dict[str, list[str]], bool]:
        fields: dict[str, list[str]] = {}
        is_all = True
        for field in multipart_fields(held, self._type):
            if field is None:
                is_all = False
            else:
                fields.setdefault(field[0], []).append(field[1])
        return fields, is_all

    def _read_json(self) -> tuple[Any, bool]:
        held = self._held
        if held is None or self._coded:
            return None, False
        if kind_of(self._type) != JSON and not held.lstrip(_BEFORE_JSON).startswith(_BEGINNINGS):
            return None, True  # no JSON, so no field of it
        if not held.strip() and self._complete:
            return None, True
        if not self._complete or len(held) > LARGEST_JSON:
            return None, False
        try:
            return json.loads(held, object_pairs_hook=_Object), True
        except (ValueError, RecursionError):
            return None, False


@lru_cache(256)
def _values_of(name: str) -> re.Pattern[bytes]:
    """The values of an urlencoded field, however its name is escaped.

    Looked for by name, since a body may have more fields than can be taken apart: Werkzeug bounds only its length.
    """
    letters = [rb"(?:%s|%%%s)" % (re.escape(bytes([byte])), _digits(byte)) for byte in name.encode()]
    spaced = [rb"(?:\+|%20)" if byte == 0x20 else letter for byte, letter in zip(name.encode(), letters, strict=True)]
    return re.compile(rb"(?<![^&])" + b"".join(spaced) + rb"(?:=([^&]*)|(?![^&]))")


def _digits(byte: int) -> bytes:
    return "".join([f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in f"{byte:02x}"]).encode()


def _at(tree: Any, path: Sequence[str]) -> list[Any]:
    found = [tree] if isinstance(tree, _Object | list) else []
    for step in path:
        found = [inner for value in found for inner in _inside(value, step)][:MOST_VALUES]
    return found


def _inside(value: Any, step: str) -> Sequence[Any]:
    if isinstance(value, _Object):
        return [inner for name, inner in value if name == step]
    if not isinstance(value, list):
        return ()
    if step == "*":
        return value[:MOST_VALUES]
    # No more digits than a list can have items, and no others than ASCII's.
    if len(step) <= 9 and step.isascii() and step.isdigit() and int(step) < len(value):
        return (value[int(step)],)
    return ()


def _text(value: Any) -> str:
    """A scalar as text; an object is ``{}`` and a list ``[]``, whatever they hold."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, bool):
        return _WORDS[value]
    if isinstance(value, int | float):
        return _number(value)
    return "{}" if isinstance(value, _Object) else "[]"


def _number(value: float) -> str:
    try:
        return str(int(value)) if float(value).is_integer() else repr(value)
    except (OverflowError, ValueError):  # larger than any float, or with more digits than are written out
        return "inf"


__all__ = ["LARGEST_JSON", "BodyFields"]
