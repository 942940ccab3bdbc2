"""Content-Transfer-Encoding of parts, undone (RFC 2045 section 6).

Few servers undo it in forms (RFC 7578 section 4.7 deprecates it), so that what stands there is looked at both ways.
"""

from __future__ import annotations

import binascii
from typing import TYPE_CHECKING

from doorward.attacks.parts import CHUNK

if TYPE_CHECKING:
    from collections.abc import Iterator

_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_OTHER = bytes(set(range(256)) - set(_LETTERS))


def undone(data: bytes, encoding: str) -> Iterator[bytes]:
    """The content as it stands and, if it is encoded, what it decodes to."""
    if encoding == "base64":
        yield _base64(data)
    elif encoding == "quoted-printable":
        yield binascii.a2b_qp(data)
    yield data


def _base64(data: bytes) -> bytes:
    letters = data.translate(None, _OTHER)
    pieces = [_group(letters[start : start + CHUNK]) for start in range(0, len(letters), CHUNK)]
    return b"".join(pieces)


def _group(letters: bytes) -> bytes:
    # A rest of one letter stands for nothing (RFC 4648 section 3.2).
    letters = letters[:-1] if len(letters) % 4 == 1 else letters
    return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))
