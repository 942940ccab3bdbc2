"""JSON that fits in a window, parsed at once: in half the time that :mod:`doorward.attacks.json_text` takes for it.

The parser is the standard library's, in C. What it does not take is left to the reader that forgives. Of what both
take, the values are the same, in the same order.
"""

from __future__ import annotations

import re
from itertools import repeat
from json import JSONDecoder
from typing import TYPE_CHECKING, Any, NamedTuple

from doorward.attacks.evidence import Value
from doorward.attacks.parts import CHUNK, LONGEST_NAME, telling_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from doorward.attacks.evidence import Place
    from doorward.attacks.parts import Part

    Inside = Callable[[Place, str, str, int], Iterable[Part]]

_BACKSLASHED, _PERCENT, _BASE64 = "\\", "%", "yJ"
"""Of a string that is JSON again, plain or encoded, one of these is in the text; Base64 of ``{"`` and ``["`` is."""
BEGINNINGS = frozenset("{[%eW \t\r\n")
"""What a value that is JSON begins with, also percent-encoded or as Base64. To ask first saves a call for most."""
_OPENING = ("{", "[")
_SPACE = re.compile(r"[ \t\n\r]*+")
_SEPARATORS = re.compile(r"[ \t\n\r,]*+")
_new = tuple.__new__
"""Makes a :class:`Value` in half the time that its constructor takes."""

# Of numbers only that they are no strings is of interest: any of the ways to read them would take longer, and of a
# number of 8,000 digits quadratic time. Objects are tuples of pairs, so that no key hides another that is equal.
_decoder = JSONDecoder(object_pairs_hook=tuple, parse_int=len, parse_float=len, parse_constant=len, strict=False)
_scan = _decoder.scan_once  # type: ignore[attr-defined]  # written in C; missing from typeshed
_NO_JSON = (ValueError, RecursionError, StopIteration)


def may_nest(text: str) -> bool:
    """Whether a string in a text of JSON may be JSON again."""
    return _BACKSLASHED in text or _PERCENT in text or _BASE64 in text


def name_below(prefix: str, key: str, mark: str) -> str:
    """What paths begin with in a container that is ``key`` of what ``prefix`` names; ``mark``: ``.`` or ``[]``."""
    name = prefix + key
    if len(name) >= LONGEST_NAME:
        return prefix if len(prefix) >= LONGEST_NAME else prefix + key[:LONGEST_NAME] + mark
    return name + mark if name or mark == "[]" else ""


class Origin(NamedTuple):
    """Where a document comes from.

    Attributes:
        place: Where its strings stand.
        name: Of the value that it is; nothing for a body.
        inside: Takes strings apart that are JSON again; None where they stay as they are.
        depth: How many texts of JSON it is within.
    """

    place: Place
    name: str
    inside: Inside | None
    depth: int


def parts_at_once(text: str, origin: Origin) -> list[Part] | None:
    """The strings of a small document, or of several (NDJSON), then the keys that tell something.

    Args:
        text: The document.
        origin: Where it comes from.

    Returns:
        None for what is no array or object, is nested deep, is no JSON for a parser that does not forgive, or is longer
        than a window: its tree would not stay in the processor's cache, and nobody else could run meanwhile.
    """
    if len(text) > CHUNK:
        return None
    parts: list[Part] = []
    keys: dict[str, None] = {}
    try:
        _add_documents(text, _asking(text, origin), parts, keys)
    except _NO_JSON:
        return None
    return _with_names(origin.place, parts, keys)


def elements_at_once(window: str, prefix: str, key: str, origin: Origin) -> tuple[list[Part], int]:
    """The same of those elements of an array, or lines of NDJSON, that a window has as a whole, and where they end.

    Args:
        window: Begins between two of them.
        prefix: What their paths begin with.
        key: What they are called, after that.
        origin: Where the document comes from.
    """
    parts: list[Part] = []
    keys: dict[str, None] = {}
    asking = _asking(window, origin)
    of_object, of_array = name_below(prefix, key, "."), name_below(prefix, key, "[]")
    end = 0
    while True:
        start = _past(_SEPARATORS, window, end)
        if window[start : start + 1] not in _OPENING:
            break
        before = len(parts)
        try:
            tree, after = _scan(window, start)
            _walk(tree, of_object if type(tree) is tuple else of_array, asking, parts, keys)
        except _NO_JSON:
            del parts[before:]
            break
        end = after
    return _with_names(origin.place, parts, keys), end


def _asking(text: str, origin: Origin) -> Origin:
    """An origin that asks for JSON within strings if there may be any."""
    return origin if may_nest(text) else origin._replace(inside=None)


def _with_names(place: Place, parts: list[Part], keys: dict[str, None]) -> list[Part]:
    # Elements of arrays have no name, and an empty one tells nothing.
    keys.pop("", None)
    parts += telling_names(place, keys)
    return parts


def _add_documents(text: str, origin: Origin, parts: list[Part], keys: dict[str, None]) -> None:
    """Add the strings and keys of all documents in a text.

    Raises:
        ValueError: Something in it is neither an array nor an object.
        StopIteration: It is cut off.
        RecursionError: It is nested deep.
    """
    end = _past(_SPACE, text, 0)
    while True:
        if text[end : end + 1] not in _OPENING:
            raise ValueError("no array, and no object")
        tree, end = _scan(text, end)
        _walk(tree, name_below("", origin.name, "." if type(tree) is tuple else "[]"), origin, parts, keys)
        end = _past(_SPACE, text, end)
        if end == len(text):
            return


def _past(run: re.Pattern[str], text: str, position: int) -> int:
    found = run.match(text, position)
    assert found is not None
    return found.end()


def _walk(container: Any, prefix: str, origin: Origin, parts: list[Part], keys: dict[str, None]) -> None:
    """Add the strings below a container to ``parts``, and its keys to ``keys``, in the order in which they come.

    Args:
        container: A tuple of pairs, or a list.
        prefix: What the paths of its members begin with.
        origin: Where the document comes from.
        parts: The strings.
        keys: The keys; an empty one for elements of arrays.
    """
    place, _, inside, depth = origin
    for key, member in zip(repeat(""), container) if type(container) is list else container:
        keys[key] = None
        kind = type(member)
        if kind is str:
            parts.append(_new(Value, (place, prefix + key, member, False, 0)))
            if inside is not None and member[:1] in BEGINNINGS:
                parts += inside(place, prefix + key, member, depth + 1)
        elif kind is tuple:
            _walk(member, name_below(prefix, key, "."), origin, parts, keys)
        elif kind is list:
            _walk(member, name_below(prefix, key, "[]"), origin, parts, keys)
