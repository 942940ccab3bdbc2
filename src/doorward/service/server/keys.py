"""Site keys: who may ask the service, and how much.

What is kept of a key is its SHA-256. Each process holds all keys in memory, and looks twice a second whether the file
has changed: a wrong key costs no look at the file, and a revoked one is refused by all processes within a second. Where
the file cannot be read any more, keys are judged by what was read last; that is logged, once a minute.
"""

from __future__ import annotations

import hmac
import logging
import os
import re
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from doorward import duration
from doorward.clock import SystemClock
from doorward.effects import Algorithm
from doorward.errors import ConfigurationError, DataError
from doorward.locks import lock_over_forks
from doorward.printable import printable
from doorward.rules.limits import text_quotas
from doorward.service.server import key_file
from doorward.service.server.key_file import MOST_KEYS, KeyFile, KeyRow
from doorward.service.server.key_tokens import digest_of, key_id_of, new_token
from doorward.service.server.ports import Site

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from pathlib import Path

    from doorward.clock import Clock

LONGEST_NOTE = 200
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LOOK = 0.5
_MINUTE = 60.0
_NOBODY = bytes(32)


class NewKey(NamedTuple):
    """A key that was made.

    Attributes:
        token: For the application; it can never be shown again.
        row: What is kept.
    """

    token: str
    row: KeyRow


class _Held(NamedTuple):
    """What a process knows of the file.

    Attributes:
        pid: The process.
        connection: Its connection.
        version: Of what was read.
        keys: By id.
    """

    pid: int
    connection: sqlite3.Connection
    version: tuple[int, ...]
    keys: dict[str, KeyRow]


_inherited: list[_Held] = []
"""Of the processes that this one was forked from: their connections must be neither used nor closed here."""


class Keys:
    """The site keys in a file.

    Args:
        path: The file; ``add`` makes it.
        clock: Tells whether a key has ended.
        logger: Where is said that the file cannot be read.
    """

    def __init__(self, path: Path, *, clock: Clock | None = None, logger: logging.Logger | None = None) -> None:
        self._file = KeyFile(path)
        self._clock = clock or SystemClock()
        self._logger = logger or logging.getLogger("doorward")
        self._lock = lock_over_forks()
        self._writing = lock_over_forks()
        self._held: _Held | None = None
        self._looked = self._said = self._noted = float("-inf")
        self._used: dict[str, int] = {}

    # For the service

    def find(self, token: str) -> Site | None:
        """Whose key it is; None for one that was never given out, has ended or was revoked, and for any other text.

        Looks at the file at most twice a second, and waits for it no longer than 50 ms.

        Raises:
            DataError: The file cannot be read, and never could by this process.
        """
        keys = self._current()
        key_id = key_id_of(token)
        if key_id is None:
            return None
        row = keys.get(key_id)
        same = hmac.compare_digest(digest_of(token), row.digest if row else _NOBODY)
        now = self._clock.now_ns()
        if row is None or not same or row.is_over(now):
            return None
        self._note(key_id, now)
        return Site(row.site, key_id, row.quota)

    def close(self) -> None:
        """Write down when keys were used, and close the file. ``find`` opens it again."""
        self._write_used()
        with self._lock:
            self._let_go()

    # For operators

    def add(self, site: str, *, quota: str = "", note: str = "", expires: duration.Duration | None = None) -> NewKey:
        """Make a key for a site, which may have several.

        Args:
            site: Letters, digits, ``-`` and ``_``, 64 at most.
            quota: Decisions that the key may ask for, as ``rate_limit`` takes it; empty for no end.
            note: For whoever reads the list.
            expires: How long the key is good; None for ever.

        Raises:
            ConfigurationError: An argument is wrong, or there are too many keys.
            DataError: The file cannot be written.
        """
        _check(site, quota, note)
        now = self._clock.now_ns()
        ends = now + duration.nanoseconds(expires, "expires") if expires is not None else 0
        with self._file.changing(make=True) as connection:
            return _insert(connection, self._file.read(connection), KeyRow("", site, b"", now, 0, ends, quota, note))

    def rotate(self, site: str, *, grace: duration.Duration = "7d") -> NewKey:
        """Make a new key for a site, as its last one is; its others end after ``grace``.

        Raises:
            ConfigurationError: There is no such site, or the time makes no sense.
            DataError: The file cannot be written.
        """
        now = self._clock.now_ns()
        ends = now + round(duration.seconds(grace, "grace") * 1e9)
        with self._file.changing() as connection:
            rows = self._file.read(connection)
            own = [row for row in rows if row.site == site]
            if not own:
                raise ConfigurationError("SITE", f"{printable(site)!r} has no key")
            key_file.end(connection, [row.id for row in own], ends)
            return _insert(connection, rows, own[-1]._replace(made_ns=now, used_ns=0, ends_ns=0))

    def revoke(self, name: str) -> Sequence[KeyRow]:
        """Forget a key, by its id, or all keys of a site; what is forgotten, if anything.

        Raises:
            DataError: The file cannot be written.
        """
        with self._file.changing() as connection:
            rows = self._file.read(connection)
            gone = [row for row in rows if row.id == name] or [row for row in rows if row.site == name]
            key_file.delete(connection, [row.id for row in gone])
            return gone

    def list(self) -> Sequence[KeyRow]:
        """All keys, by site and age.

        Raises:
            DataError: The file cannot be read.
        """
        connection = self._file.open()
        try:
            return self._file.read(connection)
        finally:
            connection.close()

    # What is known

    def _current(self) -> dict[str, KeyRow]:
        held = self._held
        if held is None or held.pid != os.getpid():
            with self._lock:
                return self._look()
        # Whoever comes while another one looks goes by what is known.
        if time.monotonic() - self._looked >= _LOOK and self._lock.acquire(blocking=False):
            try:
                return self._look()
            finally:
                self._lock.release()
        return held.keys

    def _look(self) -> dict[str, KeyRow]:
        """Read the file if it has changed."""
        held = self._held
        if held is not None and held.pid != os.getpid():
            _inherited.append(held)
            held = self._held = None
        if held is not None and time.monotonic() - self._looked < _LOOK:
            return held.keys
        try:
            self._held = self._read(held)
        except DataError as error:
            if held is None:
                raise
            self._say(error)
        self._looked = time.monotonic()
        assert self._held is not None
        return self._held.keys

    def _read(self, held: _Held | None) -> _Held:
        if held is None:
            return self._opened()
        version = self._file.version(held.connection)
        if version == held.version:
            return held
        if version[:2] != held.version[:2]:  # another file is in its place
            opened = self._opened()
            held.connection.close()
            return opened
        return self._filled(held.connection)

    def _opened(self) -> _Held:
        connection = self._file.open()
        try:
            return self._filled(connection)
        except BaseException:
            connection.close()
            raise

    def _filled(self, connection: sqlite3.Connection) -> _Held:
        # In this order: what changes between the two is read once more.
        version = self._file.version(connection)
        return _Held(os.getpid(), connection, version, {row.id: row for row in self._file.read(connection)})

    def _say(self, error: DataError) -> None:
        if time.monotonic() - self._said >= _MINUTE:
            self._said = time.monotonic()
            self._logger.warning("doorward: %s; keys that were read before stay good", printable(str(error), 500))

    def _let_go(self) -> None:
        held, self._held = self._held, None
        if held is not None and held.pid == os.getpid():
            held.connection.close()
        elif held is not None:
            _inherited.append(held)

    # When keys were used

    def _note(self, key_id: str, now_ns: int) -> None:
        """Remember that a key was used; write that down once a minute, in a thread, since it may have to wait."""
        self._used[key_id] = now_ns
        if time.monotonic() - self._noted >= _MINUTE:
            self._noted = time.monotonic()
            with suppress(RuntimeError):  # no thread is to be had: later, then
                threading.Thread(target=self._write_used, name="doorward-keys", daemon=True).start()

    def _write_used(self) -> None:
        used, self._used = self._used, {}
        if not used:
            return
        try:
            # No fork meanwhile: SQLite has locks of its own, which a child would find held for ever.
            with self._writing, self._file.changing() as connection:
                key_file.note_use(connection, used.items())
        except DataError as error:
            self._say(error)


def _check(site: str, quota: str, note: str) -> None:
    if not _NAME.fullmatch(site):
        raise ConfigurationError("SITE", f"must be letters, digits, - and _, 64 at most, not {printable(site)!r}")
    if quota:
        text_quotas(quota, Algorithm.SLIDING_WINDOW, "quota")
    if len(note) > LONGEST_NOTE or not note.isprintable():
        raise ConfigurationError("note", f"must be printable, and {LONGEST_NOTE} characters at most")


def _insert(connection: sqlite3.Connection, rows: Sequence[KeyRow], model: KeyRow) -> NewKey:
    """Add a key that is as ``model`` but for its id and digest."""
    if len(rows) >= MOST_KEYS:
        raise ConfigurationError("SITE", f"there are {MOST_KEYS} keys, which is the most: revoke some")
    names = {name for row in rows for name in (row.id, row.site)}
    if model.site in {row.id for row in rows}:
        raise ConfigurationError("SITE", f"{model.site} is the id of a key: revoking by name would be ambiguous")
    token = next(token for token in iter(new_token, None) if token.key_id not in names)
    row = model._replace(id=token.key_id, digest=token.digest)
    key_file.insert(connection, row)
    return NewKey(token.text, row)


__all__ = ["Keys", "NewKey"]
