"""``shared://PATH``: limits, bans and marks of all the workers of one host, in a file that they map into memory.

It is made for 64-bit Linux, whose locks it needs. Elsewhere ``shared://`` keeps its entries in an
SQLite database: as exact, but slower; see :mod:`doorward.stores.shared.sqlite`.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from doorward.errors import ConfigurationError

if TYPE_CHECKING:
    from doorward.clock import Clock
    from doorward.stores.base import Store

HAS_LOCKS = sys.platform == "linux" and sys.maxsize > 1 << 32
"""Whether the platform has the table's locks: robust mutexes, and file locks laid out as ``locks`` expects."""

ACCEPTED = "shared:///absolute/path, with ?size=32MB if need be"
SMALLEST_SIZE, LARGEST_SIZE = 1 << 20, 64 << 30
_SIZE = re.compile(r"([0-9]{1,12})(|K|M|G)(|B|iB)", re.IGNORECASE)
_FACTORS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def open_shared(url: str, clock: Clock, timeout: float) -> Store:
    """The store that a ``shared://`` URL names.

    Args:
        url: ``shared:///run/app/doorward.table?size=64MB``. The folder has to be there, on a file system of this
            machine; the file is made by whoever comes first. ``locks=file`` is for a table that several containers use.
        clock: Where time comes from. The system's own is replaced by one that all processes agree on.
        timeout: Seconds that a decision may wait; a lock is waited for half as long, and a quarter of a second at most.

    Raises:
        ConfigurationError: The URL or the file cannot be used; says why.
    """
    path, size, file_locks = parse(url)
    if not HAS_LOCKS:
        from doorward.stores.shared.sqlite import SQLiteStore

        return SQLiteStore(path, size, clock=clock, timeout=timeout)
    from doorward.stores.shared.store import SharedStore

    return SharedStore(path, size, clock=clock, timeout=timeout, file_locks=file_locks)


def parse(url: str) -> tuple[Path, int | None, bool]:
    """The path that a URL names, the size in bytes if it names one, and whether it asks for file locks.

    Raises:
        ConfigurationError: It is no such URL.
    """
    parts = urlsplit(url)
    text = unquote(parts.path)
    path = Path(text.lstrip("/") if os.name == "nt" else text)
    if parts.scheme != "shared" or parts.netloc or not path.is_absolute() or not path.name or "\0" in text:
        named = repr(url) if not parts.netloc else "a URL with a host"  # which would have a password
        raise ConfigurationError("store", f"must be {ACCEPTED}, not {named}")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    size = options.pop("size", None)
    locks = options.pop("locks", "mutex")
    if locks not in ("mutex", "file"):
        raise ConfigurationError("store", f"locks must be mutex or file, not {locks!r}")
    if options or parts.fragment:
        unknown = ", ".join(options) or f"#{parts.fragment}"
        raise ConfigurationError("store", f"must be {ACCEPTED}; {url!r} has {unknown}")
    return path, None if size is None else _bytes(size), locks == "file"


def _bytes(text: str) -> int:
    match = _SIZE.fullmatch(text)
    size = int(match[1]) * _FACTORS[match[2].upper()] if match else 0
    if not SMALLEST_SIZE <= size <= LARGEST_SIZE:
        raise ConfigurationError("store", f"size must be from 1MB to 64GB, such as 64MB, not {text!r}")
    return size
