"""The ALTCHA protocol, version 1: the number is looked for whose digest, after the salt, is the challenge.

For widgets before version 3 of them, and servers that others have. SHA-256 alone is a hundred times faster natively
than in a browser, so that version 2 is the better one wherever there is a choice.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from doorward.challenges.work.protocol import Solved

if TYPE_CHECKING:
    from collections.abc import Mapping

ALGORITHM = "SHA-256"
LONGEST_SALT = 1_024
_FIELDS = ("algorithm", "challenge", "salt", "signature")


def pose(
    salt: bytes, number: int, most: int, secret: bytes, *, expires_s: int, data: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """A challenge whose solution is ``number``, which is at most ``most``.

    Args:
        salt: Random, 16 bytes.
        number: Chosen by chance; nobody else may know it.
        most: The largest that has to be tried.
        secret: What it is signed with.
        expires_s: When it ends, in seconds since the Unix epoch.
        data: What else to sign.
    """
    query = urlencode({**(data or {}), "expires": str(expires_s)})
    # With a delimiter at its end: else digits could be moved from the number to the end of the query, its expiry.
    salted = f"{salt.hex()}?{query}&"
    challenge = _digest(salted, number)
    signature = hmac.digest(secret, challenge.encode(), "sha256").hex()
    return {
        "algorithm": ALGORITHM,
        "challenge": challenge,
        "maxnumber": most,
        "salt": salted,
        "signature": signature,
    }


def verify_decoded(found: Mapping[str, Any], secret: bytes, now_s: float) -> Solved:
    """Whether a payload solves a challenge of ours that has not ended. Never raises."""
    texts = [found.get(name) for name in _FIELDS]
    number = found.get("number")
    if not all(isinstance(text, str) and text.isascii() and len(text) <= LONGEST_SALT for text in texts):
        return Solved("malformed")
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < 2**53:
        return Solved("malformed")
    algorithm, challenge, salt, signature = map(str, texts)
    # Without the delimiter there are two readings of one digest.
    if algorithm != ALGORITHM or not salt.endswith("&"):
        return Solved("malformed")
    if not hmac.compare_digest(hmac.digest(secret, challenge.encode(), "sha256").hex(), signature):
        return Solved("forged")
    if not hmac.compare_digest(_digest(salt, number), challenge):
        return Solved("wrong")
    return _in_time(challenge, salt, now_s)


def _in_time(challenge: str, salt: str, now_s: float) -> Solved:
    data = dict(parse_qsl(salt.partition("?")[2]))
    expires = data.pop("expires", "0")
    if not expires.isdecimal() or len(expires) > 15:
        return Solved("malformed")
    if int(expires) and now_s >= int(expires):
        return Solved("expired")
    return Solved("", challenge, float(expires), data)


def _digest(salt: str, number: int) -> str:
    return hashlib.sha256(f"{salt}{number}".encode()).hexdigest()
