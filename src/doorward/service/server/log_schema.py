"""The file of the decision log: its tables, how it is opened, and what is done about one that is damaged.

What decisions are looked for by is in ``decisions``, whose rows are narrow, so that a scan of a day reads little;
everything else is in ``details``. ``seq`` tells the order in which rows came, over all processes: a row gets it in the
transaction that writes it, and there is one at a time. It begins at the microsecond in which the file was made, so that
whoever follows the log by it (``LogReader.after``) goes on where a damaged file was replaced by a new one.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

try:
    import fcntl
except ImportError:  # on Windows: processes that begin a file at the same moment try again there
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VERSION = 1
_APPLICATION = 0x646C6F67  # "dlog"
_PATIENCE = 2.0
_PAUSE = 0.01
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

SCHEMA = """
CREATE TABLE IF NOT EXISTS decisions (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at_ns INTEGER NOT NULL, site TEXT NOT NULL, conclusion TEXT NOT NULL,
    reason TEXT NOT NULL, rule TEXT NOT NULL, dry_run TEXT NOT NULL, ip TEXT NOT NULL, country TEXT NOT NULL,
    method TEXT NOT NULL, path TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS by_time ON decisions (at_ns, site, conclusion, dry_run);
CREATE INDEX IF NOT EXISTS by_site ON decisions (site, at_ns, conclusion, dry_run);
CREATE INDEX IF NOT EXISTS by_conclusion ON decisions (conclusion, at_ns, site, dry_run);
CREATE INDEX IF NOT EXISTS by_reason ON decisions (reason, at_ns, site) WHERE reason <> '';
CREATE INDEX IF NOT EXISTS by_ip ON decisions (ip, at_ns, conclusion, site);
CREATE INDEX IF NOT EXISTS by_rule ON decisions (at_ns, rule, site) WHERE rule <> '';
CREATE INDEX IF NOT EXISTS by_dry_run ON decisions (at_ns, dry_run, site) WHERE dry_run <> '';
CREATE TABLE IF NOT EXISTS details (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL, site TEXT NOT NULL, rest BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS by_id ON details (id, site) WHERE id <> '';
CREATE TABLE IF NOT EXISTS figures (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT OR IGNORE INTO figures VALUES ('rows', 0);
"""


class WrongFile(Exception):
    """The file is in order, but it is not one of ours, or not of this version: it is left as it is."""


def is_damaged(error: BaseException) -> bool:
    """Whether an error says that the file is no whole database."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _DAMAGED


def open_log(path: Path) -> sqlite3.Connection:
    """Open the log to write it; make it, readable by its owner only, where there is none.

    Raises:
        OSError: The folder cannot be used.
        sqlite3.Error: The file cannot be used.
        WrongFile: It is something else.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _folder_lock(path):
        _make(path)
        connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
        try:
            _prepare(connection)
        except BaseException:
            connection.close()
            raise
    return connection


def identity(path: Path) -> tuple[int, int] | None:
    """Which file is at the path now."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def set_aside(path: Path, damaged: tuple[int, int] | None) -> Path | None:
    """Rename the damaged file, and what belongs to it; its new path, None where another process has done so before.

    Raises:
        OSError: It cannot be renamed.
    """
    with _folder_lock(path):
        if damaged is None or identity(path) != damaged:
            return None
        kept = path.with_name(f"{path.name}.damaged-{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{os.getpid()}")
        for ending in ("-wal", "-shm"):
            with suppress(FileNotFoundError):
                path.with_name(path.name + ending).rename(kept.with_name(kept.name + ending))
        path.rename(kept)
        return kept


def _make(path: Path) -> None:
    """An empty file that nobody else may read: SQLite gives its other files the same mode."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
    # Never where there is a file: closing a descriptor of it would drop the locks of SQLite in this process.
    with suppress(FileExistsError):
        os.close(os.open(path, flags, 0o600))


def _prepare(connection: sqlite3.Connection) -> None:
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    application, version = (_pragma(connection, name) for name in ("application_id", "user_version"))
    if tables and application != _APPLICATION:
        raise WrongFile("it is a database of something else")
    if tables and version != VERSION:
        raise WrongFile(f"its format is version {version}, this doorward writes version {VERSION}")
    if not tables:
        connection.executescript(
            "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;"
            f"BEGIN; {SCHEMA} PRAGMA application_id = {_APPLICATION}; PRAGMA user_version = {VERSION};"
        )
        connection.execute("INSERT INTO sqlite_sequence VALUES ('decisions', ?)", (time.time_ns() // 1000,))
        connection.execute("COMMIT")
    # In WAL mode NORMAL loses the last rows when the power goes, and never the file.
    connection.executescript("PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 16777216;")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


@contextmanager
def _folder_lock(path: Path) -> Iterator[None]:
    """Held by whoever begins a file or sets one aside."""
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
    lock = os.open(path.with_name(f"{path.name}.lock"), flags, 0o600)
    try:
        _wait_for(lock)
        yield
    finally:
        os.close(lock)  # which gives it back


def _wait_for(lock: int) -> None:
    ends = time.monotonic() + _PATIENCE
    while fcntl is not None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= ends:
                raise
            time.sleep(_PAUSE)
        else:
            return


__all__ = ["VERSION", "WrongFile", "identity", "is_damaged", "open_log", "set_aside"]
