"""JSON inside of values: in a parameter, a cookie, a header, or a string of JSON; also percent-encoded or as Base64.

Looked at as one text, an attack in it is surrounded by quotes and braces that are not its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.attacks import base64_text, escapes
from doorward.attacks.json_text import JsonText
from doorward.attacks.json_tree import BEGINNINGS, Origin, parts_at_once
from doorward.attacks.parts import in_pieces

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from doorward.attacks.evidence import Place
    from doorward.attacks.parts import Part

DEEPEST = 3
"""JSON in JSON in JSON is looked at; what is deeper is text."""
_ROUNDS = 3
_BEGINNING = 512
_OPENING, _CLOSING = ("{", "["), ("}", "]")
_OF_BASE64 = ("ey", "ew", "Wy", "W3", "Ww")
"""What Base64 of ``{"``, of ``{``, ``["``, ``[{`` and ``[`` and white space begins with."""


def json_inside(place: Place, name: str, text: str, depth: int = 1) -> Iterable[Part]:
    """The strings of the JSON that a value is, named ``data.user.name``, and the keys that tell something.

    Args:
        place: Where the value stands.
        name: Its name.
        text: The value, at its full length.
        depth: 1 for a value that is not within other JSON.

    Returns:
        Nothing for a value that is no JSON, or has no strings in it.
    """
    content = _json(text)
    if content is None:
        return ()
    inside = json_inside if depth < DEEPEST else None
    parts = parts_at_once(content, Origin(place, name, inside, depth))
    if parts is not None:
        return parts
    return JsonText(content, place=place, name=name, inside=inside, depth=depth).parts()


def long_value_inside(place: Place, name: str, chunks: Iterable[str]) -> Iterator[Part]:
    """A value that comes in chunks, in pieces; then the strings of the JSON that it is."""
    kept: list[str] = []
    yield from in_pieces(place, name, _noted(chunks, kept))
    if kept and kept[0][:1] in BEGINNINGS:
        yield from json_inside(place, name, "".join(kept))


def _noted(chunks: Iterable[str], kept: list[str]) -> Iterator[str]:
    for chunk in chunks:
        kept.append(chunk)
        yield chunk


def _json(text: str) -> str | None:
    text = text.strip()
    if not text.startswith(_OPENING):
        text = _decoded(text)
    return text if text.startswith(_OPENING) and text.endswith(_CLOSING) and '"' in text else None


def _decoded(text: str) -> str:
    # Of a megabyte, the beginning tells.
    if len(text) > _BEGINNING and not _unescaped(text[:_BEGINNING]).startswith((*_OPENING, *_OF_BASE64)):
        return text
    text = _unescaped(text)
    if text.startswith(_OF_BASE64):
        # The padding may be percent-encoded still.
        found = base64_text.unwrapped(escapes.percent(text))
        if found is not None:
            return found[0].strip()
    return text


def _unescaped(text: str) -> str:
    for _ in range(_ROUNDS):
        if text[:1] != "%":
            break
        text = escapes.percent(text).strip()
    return text
