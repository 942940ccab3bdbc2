"""The password of the pages: made at the first start, shown once, and kept as a hash.

The hash is scrypt (RFC 7914) with N=2**14, r=8, p=5: the second of the equal settings of OWASP's Password Storage Cheat
Sheet that needs 16 MiB, so that several attempts at once do not take the service's memory.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from typing import TYPE_CHECKING

from doorward.errors import ConfigurationError, DataError

if TYPE_CHECKING:
    from pathlib import Path

COST, BLOCK, PARALLEL, LENGTH = 2**14, 8, 5, 32
MEMORY = 64 * 2**20
LONGEST = 1024
"""Characters of a password that are looked at."""


def hash_of(password: str) -> str:
    """``scrypt$16384$8$5$salt$hash``, with a new salt."""
    salt = os.urandom(16)
    return "$".join(["scrypt", str(COST), str(BLOCK), str(PARALLEL), _text(salt), _text(_derived(password, salt))])


def matches(password: str, hashed: str) -> bool:
    """Whether ``password`` is the one; takes as long either way. Blocks for some 100 ms."""
    parts = hashed.strip().split("$")
    if len(parts) != 6 or parts[:4] != ["scrypt", str(COST), str(BLOCK), str(PARALLEL)]:
        return False
    return hmac.compare_digest(_derived(password, base64.b64decode(parts[4])), base64.b64decode(parts[5]))


def ensure(path: Path) -> str | None:
    """Make a password where there is none; it, the only time that it can be had.

    Raises:
        ConfigurationError: The file cannot be written.
    """
    password = secrets.token_urlsafe(15)
    try:
        # In one step, and for its owner only: of two workers that start at once, one makes it.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return None
    except OSError as error:
        raise ConfigurationError("admin_password_file", f"{path} cannot be written: {error.strerror}") from error
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(hash_of(password) + "\n")
    return password


def read(path: Path) -> str:
    """The hash.

    Raises:
        DataError: There is none that can be read.
    """
    try:
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(path, "cannot be read; delete it, and the next `doorward serve` makes a new password") from error
    if not text.startswith("scrypt$"):
        raise DataError(path, "holds no hash; delete it, and the next `doorward serve` makes a new password")
    return text


def _derived(password: str, salt: bytes) -> bytes:
    plain = password[:LONGEST].encode("utf-8", "surrogatepass")
    return hashlib.scrypt(plain, salt=salt, n=COST, r=BLOCK, p=PARALLEL, maxmem=MEMORY, dklen=LENGTH)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


__all__ = ["ensure", "hash_of", "matches", "read"]
