"""``shared://`` where the platform has no locks for the table: SQLite behind a lock of our own.

SQLite's own locks are right but unfair: whoever waits sleeps longer and longer while others come and go, for seconds.
So a lock file stands in front (``flock``, on Windows ``msvcrt.locking``), which is asked for often and never for longer
than the patience, and SQLite is told to trust it.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from contextlib import contextmanager
from struct import Struct
from typing import TYPE_CHECKING

from doorward.clock import SystemClock
from doorward.errors import ConfigurationError, StoreError
from doorward.stores.algorithms import COUNT_BITS, COUNT_MASK, State, Tally, add_weight, expiry_of, seconds
from doorward.stores.closing import Closing
from doorward.stores.grouped import GroupedCounters, lifetime

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from doorward.clock import Clock
    from doorward.effects import Charge, Hit, Verdict

_INT = Struct("<qQ")
_TALLY = Struct("<qqdd")
_COUNTER, _TALLY_KIND, _VALUE, _BAN = "counters", "tallies", "values", "bans"
_KINDS = (_COUNTER, _TALLY_KIND, _VALUE, _BAN)
_BYTES_PER_KEY = 200
_PAUSE = 0.0005
_SCHEMA_VERSION = 1
_APPLICATION = 0x646F6F72  # "door"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (kind TEXT, key TEXT, state BLOB, expiry INTEGER, spared INTEGER, written INTEGER,
                                    PRIMARY KEY (kind, key)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_expiry ON entries (expiry);
CREATE INDEX IF NOT EXISTS by_age ON entries (written);
CREATE INDEX IF NOT EXISTS by_end ON entries (spared);
CREATE TABLE IF NOT EXISTS figures (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT OR IGNORE INTO figures VALUES ('held', 0);
CREATE TRIGGER IF NOT EXISTS added AFTER INSERT ON entries BEGIN
    UPDATE figures SET value = value + 1 WHERE name = 'held';
END;
CREATE TRIGGER IF NOT EXISTS taken AFTER DELETE ON entries BEGIN
    UPDATE figures SET value = value - 1 WHERE name = 'held';
END;
"""
_UPSERT = (
    "INSERT INTO entries VALUES (:kind, :key, :state, :expiry, :spared, :now) ON CONFLICT DO UPDATE "
    "SET state = :state, expiry = :expiry, spared = max(spared, :spared), written = :now"
)
_EXPIRED = "SELECT kind, key FROM entries WHERE expiry <= ? AND spared <= ? ORDER BY expiry LIMIT 50"
_DELETE = "DELETE FROM entries WHERE kind = ? AND key = ?"
_OLDEST = "SELECT kind, key, spared FROM entries WHERE spared <= ? ORDER BY written LIMIT 1"
_SOONEST_FREE = "SELECT kind, key, spared FROM entries ORDER BY spared LIMIT 1"


class SQLiteStore(GroupedCounters, Closing):
    """Counters in an SQLite database; see :class:`~doorward.stores.base.Store` and :class:`SharedStore` beside it.

    Args:
        path: The database; made if it is not there. The lock is a file beside it.
        size: Bytes, as for the table: there is room for an entry in each 200 of them.
        clock: Where time comes from.
        timeout: Seconds that a decision may wait; half of it for the lock.

    Raises:
        ConfigurationError: The database cannot be used; says why.
    """

    blocking = True

    def __init__(self, path: Path, size: int | None = None, clock: Clock | None = None, timeout: float = 0.5) -> None:
        self._path = path
        self._most = max(1, (size or 32 << 20) // _BYTES_PER_KEY)
        # The wall clock itself: the system's own clock, begun at the start of each process, would set them apart.
        self._now = time.time_ns if clock is None or type(clock) is SystemClock else clock.now_ns
        self._patience = timeout / 2
        self._mutex = threading.Lock()
        self._owner = 0
        self._closed = False
        try:
            with self._locked():
                pass
        except (StoreError, OSError) as error:
            raise ConfigurationError("store", f"{path}: {error}") from None

    # The lock, and what belongs to the process

    @contextmanager
    def _locked(self) -> Iterator[sqlite3.Connection]:
        """The database, in a transaction that nobody else is in."""
        if not self._mutex.acquire(timeout=self._patience):
            raise StoreError(f"the shared database was not free within {self._patience:g} s")
        try:
            self._open()
            _lock_file(self._lock, self._patience)
            try:
                with self._connection:
                    yield self._connection
            finally:
                _unlock_file(self._lock)
        except sqlite3.Error as error:
            raise StoreError(f"the shared database failed: {error}") from error
        finally:
            self._mutex.release()

    def _open(self) -> None:
        """Open the database, in this process if it is a fork of the one that did: neither may be used by both."""
        if self._closed:
            raise StoreError("the shared store is closed")
        if self._owner == os.getpid():
            return
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
        os.close(os.open(self._path, flags, 0o600))
        self._lock = os.open(self._path.with_name(f"{self._path.name}.lock"), flags, 0o600)
        self._connection = sqlite3.connect(self._path, check_same_thread=False, timeout=self._patience)
        _lock_file(self._lock, self._patience)
        try:
            _prepare(self._connection)
        finally:
            _unlock_file(self._lock)
        self._owner = os.getpid()

    # Counting

    def count(self, hits: Sequence[Hit]) -> Sequence[Verdict]:
        """Charge ``hits``, all or none within each group."""
        with self._locked():
            return self._count_many(hits, self._now())

    def peek(self, hits: Sequence[Hit]) -> Sequence[Verdict]:
        """What ``count`` would answer to each hit alone, without charging."""
        with self._locked():
            now = self._now()
            return [self._peek_one(hit, now) for hit in hits]

    def refund(self, charges: Sequence[Charge]) -> None:
        """Take charges back, as far as they still weigh."""
        with self._locked():
            self._refund_all(charges, self._now())

    def _read(self, key: str) -> State | None:
        state = self._get(_COUNTER, key)
        if state is not None and len(state) == _INT.size:
            expiry, count = _INT.unpack(state)
            return int(expiry << COUNT_BITS | count)
        return state

    def _write(self, key: str, state: State | None, now: int) -> None:
        if state is None:
            self._delete(_COUNTER, key)
            return
        data = _INT.pack(state >> COUNT_BITS, state & COUNT_MASK) if isinstance(state, int) else state
        self._set(_COUNTER, key, data, expiry_of(state), now)

    def _set_aside(self, key: str, state: State | None, end: int, now: int) -> None:
        del state, now
        self._execute(
            "UPDATE entries SET spared = max(spared, ?) WHERE kind = ? AND key = ?", end, _COUNTER, _kept(key)
        )

    # Bans

    def ban(self, key: str, ttl: float) -> None:
        """Refuse ``key`` (hits of algorithm ``BAN``) for ``ttl`` seconds."""
        with self._locked():
            now = self._now()
            end = now + lifetime(ttl)
            self._set(_BAN, key, b"", end, now, end)

    def unban(self, key: str) -> bool:
        """Lift a ban; whether there was one."""
        with self._locked():
            left = self._ban_left(key, self._now())
            self._delete(_BAN, key)
            return left > 0

    def _ban_left(self, key: str, now: int) -> int:
        row = self._execute("SELECT expiry FROM entries WHERE kind = ? AND key = ?", _BAN, _kept(key)).fetchone()
        return max(0, row[0] - now) if row else 0

    def bans(self) -> Mapping[str, float]:
        """Banned keys, and the seconds left to each."""
        with self._locked():
            now = self._now()
            rows = self._execute("SELECT key, expiry FROM entries WHERE kind = ? AND expiry > ?", _BAN, now).fetchall()
        return {_text(key): seconds(end - now) for key, end in rows}

    # Sums, marks and values

    def tally(self, key: str, weight: float, window: float) -> float:
        """Add ``weight`` to a sum that sinks to nothing within ``window`` seconds; the new sum."""
        with self._locked():
            now = self._now()
            state = self._get(_TALLY_KIND, key)
            held: Tally | None = _TALLY.unpack(state) if state is not None else None
            tally, total = add_weight(held, weight, lifetime(window), now)
            self._set(_TALLY_KIND, key, _TALLY.pack(*tally), tally[0], now)
            return total

    def add_if_absent(self, key: str, ttl: float) -> bool:
        """Whether ``key`` was not there; it is now, for ``ttl`` seconds. A mark reads as an empty value."""
        with self._locked():
            now = self._now()
            if self._live(key, now) is not None:
                return False
            self._set(_VALUE, key, b"", now + lifetime(ttl), now)
            return True

    def get(self, key: str) -> bytes | None:
        """The value of ``key``, or None."""
        with self._locked():
            return self._live(key, self._now())

    def put(self, key: str, value: bytes, ttl: float) -> None:
        """Keep ``value`` for ``ttl`` seconds."""
        with self._locked():
            now = self._now()
            self._set(_VALUE, key, value, now + lifetime(ttl), now)

    def delete(self, key: str) -> None:
        """Forget the value or mark of ``key``."""
        with self._locked():
            self._delete(_VALUE, key)

    # Housekeeping

    def reset(self, prefix: str) -> int:
        """Forget all counters and sums whose key starts with ``prefix``; how many. Bans stay."""
        with self._locked():
            start = _kept(prefix)
            statement = "DELETE FROM entries WHERE kind IN (?, ?) AND substr(key, 1, ?) = ?"
            return self._execute(statement, _COUNTER, _TALLY_KIND, len(start), start).rowcount

    def stats(self) -> Mapping[str, int]:
        """What is held (some of it may have ended), and what went before its time."""
        with self._locked():
            held = dict(self._execute("SELECT kind, count(*) FROM entries GROUP BY kind").fetchall())
            evicted = dict(self._execute("SELECT name, value FROM figures").fetchall())
        held["keys"] = held.get(_COUNTER, 0)
        names = ("keys", _TALLY_KIND, _VALUE, _BAN)
        figures = {name: int(held.get(name, 0)) for name in names}
        gone = {f"{name}_evicted": int(evicted.get(name, 0)) for name in (*names, "refusals")}
        return {**figures, **gone}

    def close(self) -> None:
        """Close the database. Calls after it raise ``StoreError``; another ``close`` does nothing."""
        with self._mutex:
            if self._owner == os.getpid():
                self._connection.close()
                os.close(self._lock)
            self._owner = 0
            self._closed = True

    # Entries

    def _execute(self, statement: str, *values: object) -> sqlite3.Cursor:
        return self._connection.execute(statement, values)

    def _get(self, kind: str, key: str) -> bytes | None:
        row = self._execute("SELECT state FROM entries WHERE kind = ? AND key = ?", kind, _kept(key)).fetchone()
        return row[0] if row else None

    def _live(self, key: str, now: int) -> bytes | None:
        row = self._execute(
            "SELECT state FROM entries WHERE kind = ? AND key = ? AND expiry > ?", _VALUE, _kept(key), now
        ).fetchone()
        return row[0] if row else None

    def _delete(self, kind: str, key: str) -> None:
        self._execute(_DELETE, kind, _kept(key))

    def _set(self, kind: str, key: str, state: bytes, expiry: int, now: int, spared: int = 0) -> None:
        entry = {"kind": kind, "key": _kept(key), "state": state, "expiry": expiry, "spared": spared, "now": now}
        if self._get(kind, key) is None and self._held() >= self._most:
            self._make_room(now)
        self._connection.execute(_UPSERT, entry)

    def _held(self) -> int:
        return int(self._execute("SELECT value FROM figures WHERE name = 'held'").fetchone()[0])

    def _make_room(self, now: int) -> None:
        """Some expired entries first; else the one written longest ago; refusals and bans last, by their end."""
        expired = self._execute(_EXPIRED, now, now).fetchall()
        self._connection.executemany(_DELETE, expired)
        if expired:
            return
        found = self._execute(_OLDEST, now).fetchone() or self._execute(_SOONEST_FREE).fetchone()
        kind, key, spared = found
        self._execute(_DELETE, kind, key)
        name = "refusals" if kind == _COUNTER and spared > now else "keys" if kind == _COUNTER else kind
        self._execute("INSERT INTO figures VALUES (?, 1) ON CONFLICT DO UPDATE SET value = value + 1", name)


def _prepare(connection: sqlite3.Connection) -> None:
    """Settings and tables.

    Raises:
        StoreError: The file is somebody else's database.
    """
    application, version = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
    )
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if tables and application != _APPLICATION:
        raise StoreError("it is a database of something else")
    if tables and version != _SCHEMA_VERSION:
        raise StoreError(f"its format is version {version}, this doorward reads version {_SCHEMA_VERSION}")
    connection.executescript(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;"
        f"PRAGMA application_id = {_APPLICATION}; PRAGMA user_version = {_SCHEMA_VERSION};" + _SCHEMA
    )


def _kept(key: str) -> str:
    """A key as SQLite takes it, which knows neither lone surrogates nor, in ``substr``, NUL."""
    return key.encode("utf-8", "surrogatepass").decode("latin-1").replace("\0", "\u0100")


def _text(kept: str) -> str:
    return kept.replace("\u0100", "\0").encode("latin-1").decode("utf-8", "surrogatepass")


def _retried(take: Callable[[], None], patience: float) -> None:
    ends = time.monotonic() + patience
    while True:
        try:
            take()
        except OSError:
            if time.monotonic() >= ends:
                raise StoreError(f"the lock of the shared database was not free within {patience:g} s") from None
            time.sleep(_PAUSE)
        else:
            return


try:
    import fcntl
except ImportError:  # Windows
    import msvcrt

    def _lock_file(descriptor: int, patience: float) -> None:
        _retried(lambda: msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1), patience)  # type: ignore[attr-defined]

    def _unlock_file(descriptor: int) -> None:
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)  # type: ignore[attr-defined]
else:

    def _lock_file(descriptor: int, patience: float) -> None:
        _retried(lambda: fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB), patience)

    def _unlock_file(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
