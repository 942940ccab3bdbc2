"""Site keys as text: ``dwk_<id>_<secret><checksum>``.

The secret is 256 random bits in base 62. The checksum (CRC-32 of all before it, in base 62) makes a key known to tools
that look for leaked ones, and tells a mistyped one without a look at the file; it protects nothing.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import string
import zlib
from typing import NamedTuple

PREFIX = "dwk"
LONGEST = 64
_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_ID_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
_ID_LENGTH = 8
_SECRET_BITS = 256
_SECRET_LENGTH = 43  # 62 ** 43 > 2 ** 256
_CHECK_LENGTH = 6  # 62 ** 6 > 2 ** 32
_TOKEN = re.compile(rf"{PREFIX}_([{_ID_DIGITS}]{{{_ID_LENGTH}}})_[0-9A-Za-z]{{{_SECRET_LENGTH + _CHECK_LENGTH}}}")


class Token(NamedTuple):
    """A new key.

    Attributes:
        text: What the application is given. Nobody keeps it.
        key_id: Names the key; no secret.
        digest: What is kept.
    """

    text: str
    key_id: str
    digest: bytes


def new_token() -> Token:
    """A key of fresh random bits."""
    key_id = "".join(secrets.choice(_ID_DIGITS) for _ in range(_ID_LENGTH))
    body = f"{PREFIX}_{key_id}_{_base62(secrets.randbits(_SECRET_BITS), _SECRET_LENGTH)}"
    text = body + _checksum(body)
    return Token(text, key_id, digest_of(text))


def digest_of(text: str) -> bytes:
    """SHA-256. A slow hash is for what people make up: nobody guesses 256 random bits, however fast the hash is."""
    return hashlib.sha256(text.encode("ascii")).digest()


def key_id_of(text: str) -> str | None:
    """The id in what looks like a key; None for what is none, or mistyped, whatever it is."""
    if len(text) > LONGEST:
        return None
    match = _TOKEN.fullmatch(text)
    if match is None or _checksum(text[:-_CHECK_LENGTH]) != text[-_CHECK_LENGTH:]:
        return None
    return match[1]


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode("ascii")), _CHECK_LENGTH)


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))


__all__ = ["Token", "digest_of", "key_id_of", "new_token"]
