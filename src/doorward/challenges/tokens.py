"""Signed tokens: what a client is handed to bring back, and cannot change.

A token is the base64url (RFC 4648 section 5, without padding) of a head, a body, and a MAC over both::

    version (1 byte) | purpose (1) | key id (4) | issued (8) | expires (8) | body (JSON) | HMAC-SHA256 (32)

Who it is bound to is under the MAC and not in the token: nothing of it can be read from one, nor guessed by trying all
addresses. Times are milliseconds since the Unix epoch. Every purpose has a key of its own, derived from the secret
(HKDF-SHA256, RFC 5869), and its number is under the MAC too: what was signed as one thing is never accepted as another.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from enum import IntEnum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

VERSION = 1
LONGEST_TOKEN = 8_192
"""Characters; more is refused before anything is decoded."""
CLOCK_SKEW_MS = 60_000
"""How far ahead the clock of another worker that signed may be."""

_HEAD = struct.Struct(">BB4sQQ")
_MAC_BYTES = 32


class Purpose(IntEnum):
    """What a token is for."""

    CHALLENGE = 1
    CLEARANCE = 2
    CLIENT = 3
    FORM = 4


class Refused(Exception):
    """A token is not accepted.

    Attributes:
        why: One word: ``malformed``, ``forged``, ``expired``, ``future`` or ``revoked``.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Token(NamedTuple):
    """What a valid token says.

    Attributes:
        purpose: What it is for.
        issued_ms: When it was signed.
        expires_ms: Until when it holds.
        body: What else was signed.
    """

    purpose: Purpose
    issued_ms: int
    expires_ms: int
    body: Mapping[str, Any]


class Signer:
    """Signs and opens tokens.

    Args:
        secrets: The first signs; all are accepted, so that one can be exchanged for another.
        audience: Keeps clients with one secret apart: their names.
        not_before_ms: The revocation epoch: what was issued before is refused. It may be moved while this is in use.
    """

    def __init__(self, secrets: Sequence[bytes], audience: str, *, not_before_ms: int = 0) -> None:
        self._keys = {purpose: [_derived(secret, audience, purpose) for secret in secrets] for purpose in Purpose}
        self.not_before_ms = not_before_ms
        self._secrets, self._audience = tuple(secrets), audience

    def keys(self, what_for: str) -> list[bytes]:
        """Keys for what is no token, such as protocols of others: one for each secret, in their order."""
        return [_expanded(secret, f"other:{what_for}:{self._audience}") for secret in self._secrets]

    def sign(self, purpose: Purpose, body: Mapping[str, Any], now_ms: int, ttl_ms: int, bound_to: str = "") -> str:
        """A token that holds for ``ttl_ms`` milliseconds from ``now_ms``, for who is ``bound_to``."""
        key_id, key = self._keys[purpose][0]
        head = _HEAD.pack(VERSION, purpose, key_id, now_ms, now_ms + ttl_ms)
        signed = head + json.dumps(body, separators=(",", ":"), sort_keys=True).encode()
        return urlsafe_b64encode(signed + _mac(key, signed, bound_to)).rstrip(b"=").decode()

    def open(self, purpose: Purpose, token: str, now_ms: int, bound_to: str = "", *, late_ms: int = 0) -> Token:
        """What ``token`` says; ``late_ms`` is for how long after its end it is still read.

        Raises:
            Refused: It is not ours, not for this, or not valid now.
        """
        signed, mac = _decoded(token)
        version, kind, key_id, issued, expires = _HEAD.unpack_from(signed)
        keys = [key for known, key in self._keys[purpose] if known == key_id]
        if version != VERSION or kind != purpose or not any([_matches(key, signed, mac, bound_to) for key in keys]):
            raise Refused("forged")
        check_times(issued, expires + late_ms, now_ms, self.not_before_ms)
        return Token(purpose, issued, expires, _body(signed[_HEAD.size :]))


def check_times(issued_ms: int, expires_ms: int, now_ms: int, not_before_ms: int) -> None:
    """Whether what was found genuine holds now.

    Raises:
        Refused: It does not.
    """
    if issued_ms > now_ms + CLOCK_SKEW_MS:
        raise Refused("future")
    if now_ms >= expires_ms:
        raise Refused("expired")
    if issued_ms < not_before_ms:
        raise Refused("revoked")


def _body(text: bytes) -> Mapping[str, Any]:
    """The body of a genuine token, which a version of ours to come may have signed."""
    try:
        body = json.loads(text)
    except ValueError:
        raise Refused("malformed") from None
    if not isinstance(body, dict):
        raise Refused("malformed")
    return body


def _derived(secret: bytes, audience: str, purpose: Purpose) -> tuple[bytes, bytes]:
    key = _expanded(secret, f"{purpose.name}:{audience}")
    return hashlib.sha256(b"key id" + key).digest()[:4], key


def _expanded(secret: bytes, info: str) -> bytes:
    # HKDF (RFC 5869 sections 2.2 and 2.3), one block: extract with a fixed salt, expand with what the key is for.
    extracted = hmac.digest(b"doorward tokens", secret, "sha256")
    return hmac.digest(extracted, info.encode() + b"\x01", "sha256")


def _mac(key: bytes, signed: bytes, bound_to: str) -> bytes:
    # With its length in front, so that nothing can be moved from one part to the other.
    return hmac.digest(key, len(signed).to_bytes(4) + signed + bound_to.encode("utf-8", "surrogatepass"), "sha256")


def _matches(key: bytes, signed: bytes, mac: bytes, bound_to: str) -> bool:
    return hmac.compare_digest(_mac(key, signed, bound_to), mac)


def _decoded(token: str) -> tuple[bytes, bytes]:
    if not token.isascii() or len(token) > LONGEST_TOKEN:
        raise Refused("malformed")
    try:
        raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (Base64Error, ValueError):
        raise Refused("malformed") from None
    # One token, one spelling: base64 readers pass over foreign characters and spare bits.
    if len(raw) < _HEAD.size + 2 + _MAC_BYTES or urlsafe_b64encode(raw).rstrip(b"=").decode() != token:
        raise Refused("malformed")
    return raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
