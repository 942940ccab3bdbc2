"""Bytes of no known form, looked at as text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from doorward.attacks.charsets import decode_now, is_like_ascii, known_charset, repaired, utf8
from doorward.attacks.parts import CHUNK, in_pieces, value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorward.attacks.evidence import Place
    from doorward.attacks.parts import Part

_TORN = re.compile("[\xc2-\xf4][\x80-\xbf]{0,2}\\Z")


def raw_parts(place: Place, name: str, data: bytes, charset: str = "") -> Iterator[Part]:
    """A value as UTF-8 and, where that makes a difference, by the charset that is declared for it."""
    if not data:
        return
    if len(data) <= CHUNK:
        yield value(place, name, utf8(data))
    else:
        yield from in_pieces(place, name, _utf8_chunks(data))
    known = known_charset(charset) if charset else None
    if known is not None and not is_like_ascii(known):
        chunks = (data[start : start + CHUNK] for start in range(0, len(data), CHUNK))
        yield from in_pieces(place, name, (decode_now(chunk, known) for chunk in chunks))


def _utf8_chunks(data: bytes) -> Iterator[str]:
    start = 0
    while start < len(data):
        chunk = data[start : start + CHUNK].decode("latin-1")
        if start + CHUNK < len(data):
            torn = _TORN.search(chunk, len(chunk) - 3)
            chunk = chunk if torn is None else chunk[: torn.start()]
        start += len(chunk)
        yield repaired(chunk)
