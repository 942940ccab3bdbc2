"""Who has signed up. In memory, bounded, gone when the demonstration ends."""

from __future__ import annotations

import hashlib
import hmac
import os

MOST_ACCOUNTS = 1000
LONGEST_PASSWORD = 200


class Accounts:
    """E-mail addresses and hashed passwords."""

    def __init__(self) -> None:
        self._hashes: dict[str, tuple[bytes, bytes]] = {}

    def add(self, email: str, password: str) -> None:
        """Sign somebody up. Who is known already stays as they are: the answer does not say which."""
        key = email.casefold()
        if key in self._hashes:
            return
        while len(self._hashes) >= MOST_ACCOUNTS:
            del self._hashes[next(iter(self._hashes))]
        salt = os.urandom(16)
        self._hashes[key] = (salt, _hashed(password, salt))

    def knows(self, email: str, password: str) -> bool:
        """Whether this is somebody's password. Costs the same for addresses that nobody has."""
        salt, expected = self._hashes.get(email.casefold(), (b"nobody", b""))
        return hmac.compare_digest(_hashed(password, salt), expected)


def _hashed(password: str, salt: bytes) -> bytes:
    # Far cheaper than a real application would choose: the demonstration guards nothing.
    return hashlib.scrypt(password[:LONGEST_PASSWORD].encode(), salt=salt, n=2**10, r=8, p=1)
