"""The thread that writes the decision log of one process."""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
import time
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, NamedTuple

from doorward import journal
from doorward.locks import lock_over_forks
from doorward.printable import describe, printable
from doorward.service.server import log_schema
from doorward.service.server.log_rows import COLUMNS, rows_of

if TYPE_CHECKING:
    import logging
    from collections.abc import Sequence
    from pathlib import Path

    from doorward.clock import Clock
    from doorward.service.server.log_rows import Row
    from doorward.service.server.ports import LogRecord

_no_fork = lock_over_forks()
"""Held while SQLite is at work, which has locks of its own: a child that is forked meanwhile would find them held for
ever, and hold the lock of the folder by a descriptor that it knows nothing of."""

_MOST_AT_ONCE = 500
_GATHERING = 0.05
_IDLE = 30.0
_PAUSE = 0.01
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 2.0
_MINUTE = 60.0
_FREE_PAGES = 64
_INSERT = f"INSERT INTO decisions ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608  (names of ours)
_OLD = "SELECT seq FROM decisions INDEXED BY by_time WHERE at_ns < ? ORDER BY at_ns LIMIT ?"
_FIRST = "SELECT seq FROM decisions ORDER BY seq LIMIT ?"
_CAUSES = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_READONLY: "it cannot be written",
    sqlite3.SQLITE_BUSY: "another process holds it",
    sqlite3.SQLITE_LOCKED: "another process holds it",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened",
    sqlite3.SQLITE_IOERR: "the disk fails",
    sqlite3.SQLITE_CORRUPT: "it is damaged",
    sqlite3.SQLITE_NOTADB: "it is damaged",
}


class Retention(NamedTuple):
    """How much is kept.

    Attributes:
        clock: Tells how old a row is.
        age: Nanoseconds.
        rows: How many.
    """

    clock: Clock
    age: int
    rows: int


class Writer:
    """A queue, and the thread that empties it into the file, as many records in one transaction as there are.

    Args:
        path: The file.
        retention: What is kept.
        logger: Where failures are said.
    """

    def __init__(self, path: Path, retention: Retention, logger: logging.Logger) -> None:
        self._path = path
        self._retention = retention
        self._logger = logger
        # A marker is set when all before it is written; None ends the thread.
        self._queue: SimpleQueue[LogRecord | threading.Event | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._said: dict[str, float] = {}
        self._failing = self._tidied = False
        self._kept_back = 0
        self._written = self._dropped = self._failures = 0
        self._ending = threading.Event()

    # Called by whoever decides

    def put(self, record: LogRecord) -> None:
        """Queue a record."""
        if self._thread is None:
            self.start()
        self._queue.put(record)

    def waiting(self) -> int:
        """How many are not yet written."""
        return self._queue.qsize() + self._kept_back

    def drop(self) -> None:
        """Count what there was no room for."""
        self._dropped += 1

    def refuse(self, error: Exception) -> None:
        """Count a record that cannot be kept."""
        self._dropped += 1
        self._failed(f"a record cannot be kept: {describe(error)}")
        for observer in journal.observers:
            observer("decision log", error)

    def start(self) -> None:
        """Start the thread, if it is not."""
        with self._starting:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="doorward-log", daemon=True)
                thread.start()
                self._thread = thread

    def flush(self, seconds: float) -> bool:
        """Wait for what was queued; whether it is written."""
        if self._thread is None or not self._thread.is_alive():
            return not self.waiting()
        marker = threading.Event()
        self._queue.put(marker)
        return marker.wait(seconds)

    def stop(self, ends: float) -> bool:
        """Write what waits, until ``ends`` by ``time.monotonic``, and end the thread; whether all is written."""
        thread = self._thread
        if thread is not None:
            self._queue.put(None)
            thread.join(max(0.0, ends - time.monotonic()))
            self._ending.set()  # for a thread that cannot write: what it holds is lost
        return not self.waiting()

    def figures(self) -> dict[str, int]:
        """Counts since the process began."""
        return {
            "written": self._written,
            "dropped": self._dropped,
            "waiting": self.waiting(),
            "failures": self._failures,
        }

    # The thread

    def _run(self) -> None:
        going = True
        self._look_after()
        while going and not self._ending.is_set():
            records, markers, going = self._gathered()
            if records:
                self._write_at_last(records)
            elif going and not markers:
                self._look_after()
            for marker in markers:
                marker.set()
        self._close()

    def _gathered(self) -> tuple[list[LogRecord], list[threading.Event], bool]:
        """What is to be written together: waits for the first, then a little for others, unless somebody waits."""
        records: list[LogRecord] = []
        patience = _IDLE
        ends = time.monotonic() + patience
        while len(records) < _MOST_AT_ONCE:
            try:
                item = self._queue.get(timeout=max(0.0, ends - time.monotonic()))
            except Empty:
                break
            if item is None:
                return records, [], False
            if isinstance(item, threading.Event):
                return records, [item], True
            if not records:
                ends = time.monotonic() + _GATHERING
            records.append(item)
            self._kept_back = len(records)
        return records, [], True

    def _write_at_last(self, records: Sequence[LogRecord]) -> None:
        """Write records; again and again where it fails, until the writer is to end."""
        rows = [row for record in records if (row := self._row(record)) is not None]
        pause = _FIRST_PAUSE
        while not self._try_to_write(rows):
            if self._ending.wait(pause):
                self._dropped += len(rows)
                return
            pause = min(2 * pause, _LONGEST_PAUSE)
        self._written += len(rows)
        self._kept_back = 0

    def _row(self, record: LogRecord) -> tuple[Row, Row] | None:
        try:
            return rows_of(record)
        except Exception as error:
            self.refuse(error)
            return None

    def _look_after(self) -> None:
        """Remove what is too old, and make the file smaller, while nothing is written."""
        while self._try_to_write([]) and not self._tidied and not self._queue.qsize():
            if self._ending.wait(_PAUSE):  # for others to write
                return

    def _try_to_write(self, rows: Sequence[tuple[Row, Row]]) -> bool:
        try:
            with _no_fork:
                self._write(self._opened(), rows)
        except Exception as error:
            self._close()
            self._tell(error)
            return False
        if self._failing:
            self._failing = False
            self._logger.warning("doorward: the decision log is written again; %d records were dropped", self._dropped)
        return True

    def _write(self, connection: sqlite3.Connection, rows: Sequence[tuple[Row, Row]]) -> None:
        connection.execute("BEGIN IMMEDIATE")
        try:
            for columns, details in rows:
                seq = connection.execute(_INSERT, columns).lastrowid
                connection.execute("INSERT INTO details VALUES (?, ?, ?, ?)", (seq, *details))
            removed = self._remove(connection, len(rows))
            if len(rows) != removed:
                connection.execute("UPDATE figures SET value = value + ? WHERE name = 'rows'", (len(rows) - removed,))
            connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise
        given_back = self._give_back(connection)
        self._tidied = not removed and not given_back

    def _remove(self, connection: sqlite3.Connection, added: int) -> int:
        """Remove rows that are too old or too many: a few, but more than are added."""
        step = 2 * added + 200
        cutoff = self._retention.clock.now_ns() - self._retention.age
        gone = connection.execute(_OLD, (cutoff, step)).fetchall()
        if not gone:
            held = connection.execute("SELECT value FROM figures WHERE name = 'rows'").fetchone()[0] + added
            gone = connection.execute(_FIRST, (min(max(0, held - self._retention.rows), step),)).fetchall()
        connection.executemany("DELETE FROM decisions WHERE seq = ?", gone)
        connection.executemany("DELETE FROM details WHERE seq = ?", gone)
        return len(gone)

    def _give_back(self, connection: sqlite3.Connection) -> bool:
        """Make the file smaller by a little, where over a tenth of it is free, which rows use first; whether it was."""
        free, pages = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("freelist_count", "page_count"))
        too_many: bool = free > max(_FREE_PAGES, pages // 10)
        if too_many:
            # It answers with a row without columns for each page, at which execute() would stop.
            connection.executescript(f"PRAGMA incremental_vacuum({_FREE_PAGES})")
        return too_many

    # The file

    def _opened(self) -> sqlite3.Connection:
        """The file at the path: another one, if this one was replaced or taken away."""
        if self._connection is not None and log_schema.identity(self._path) != self._file:
            self._connection.close()
            self._connection = None
        if self._connection is None:
            self._connection = self._open()
        return self._connection

    def _open(self) -> sqlite3.Connection:
        before = log_schema.identity(self._path)
        try:
            connection = log_schema.open_log(self._path)
        finally:
            self._file = log_schema.identity(self._path)  # also of what is no database, and has to be set aside
        if before not in (None, self._file):
            connection.close()
            raise OSError(errno.ESTALE, "the file was replaced meanwhile")
        return connection

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with _no_fork, suppress(sqlite3.Error):
                connection.close()

    def _tell(self, error: Exception) -> None:
        self._failing = True
        self._failed(_cause(error))
        if log_schema.is_damaged(error):
            self._set_aside()
        elif not isinstance(error, sqlite3.Error | OSError | log_schema.WrongFile):
            for observer in journal.observers:
                observer("decision log", error)

    def _set_aside(self) -> None:
        try:
            with _no_fork:
                kept = log_schema.set_aside(self._path, self._file)
        except OSError as error:
            self._failed(_cause(error))
            return
        if kept is not None:
            self._logger.warning("doorward: the damaged decision log is kept as %s", printable(str(kept)))

    def _failed(self, cause: str) -> None:
        """Count a failure, and say it: once a minute for each cause."""
        self._failures += 1
        now = time.monotonic()
        if now - self._said.get(cause, -_MINUTE) >= _MINUTE and len(self._said) < 100:
            self._said[cause] = now
            self._logger.warning("doorward: decision log %s: %s", printable(str(self._path)), printable(cause, 500))


def _cause(error: Exception) -> str:
    """Why it cannot be written, in words that are the same for the same cause."""
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", None) or 0
        return f"{_CAUSES.get(code & 0xFF, 'it cannot be used')} ({describe(error)})"
    if isinstance(error, OSError):
        return f"{os.strerror(error.errno or errno.EIO)} ({type(error).__name__})"
    return describe(error)


__all__ = ["Retention", "Writer"]
