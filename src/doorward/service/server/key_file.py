"""The file of the site keys."""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple

from doorward.errors import DataError
from doorward.printable import describe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

MOST_KEYS = 10_000
_VERSION = 1
_APPLICATION = 0x646B6579  # "dkey"
_PATIENCE = 5.0
_GLANCE = 0.05
_COLUMNS = "id, site, digest, made_ns, used_ns, ends_ns, quota, note"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS keys (
    id TEXT PRIMARY KEY, site TEXT NOT NULL, digest BLOB NOT NULL, made_ns INTEGER NOT NULL, used_ns INTEGER NOT NULL,
    ends_ns INTEGER NOT NULL, quota TEXT NOT NULL, note TEXT NOT NULL) WITHOUT ROWID;
"""


class KeyRow(NamedTuple):
    """A key, as it is kept.

    Attributes:
        id: Its name; no secret.
        site: Whose it is.
        digest: SHA-256 of the key.
        made_ns: When it was made, in nanoseconds since the Unix epoch.
        used_ns: When it was used, give or take a minute; 0 for never.
        ends_ns: When it ends; 0 for never.
        quota: Decisions that it may ask for; empty for no end.
        note: Of whoever made it.
    """

    id: str
    site: str
    digest: bytes
    made_ns: int
    used_ns: int = 0
    ends_ns: int = 0
    quota: str = ""
    note: str = ""

    def is_over(self, now_ns: int) -> bool:
        """Whether it has ended."""
        return 0 < self.ends_ns <= now_ns


class KeyFile:
    """Keys in an SQLite file that only its owner may read. Any number of processes may use it.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def changing(self, *, make: bool = False) -> Iterator[sqlite3.Connection]:
        """A connection in a transaction that nobody else is in.

        Args:
            make: Whether to make the file if it is not there. An empty one where there was one would revoke all keys.

        Raises:
            DataError: It cannot be used.
        """
        with self._telling():
            if make:
                self._make()
            self._check_there()
            connection = sqlite3.connect(self._address("rw"), uri=True, timeout=_PATIENCE, isolation_level=None)
            try:
                self._prepare(connection)
                connection.execute("BEGIN IMMEDIATE")
                with connection:
                    yield connection
            finally:
                connection.close()

    def open(self) -> sqlite3.Connection:
        """A connection for reading, by any thread.

        Raises:
            DataError: There is no such file, or it cannot be read.
        """
        with self._telling():
            self._check_there()
            connection = sqlite3.connect(self._address("ro"), uri=True, timeout=_GLANCE, check_same_thread=False)
            try:
                self._check(connection)
            except BaseException:
                connection.close()
                raise
            return connection

    def read(self, connection: sqlite3.Connection) -> list[KeyRow]:
        """All keys, by site and age.

        Raises:
            DataError: They cannot be read.
        """
        with self._telling():
            statement = f"SELECT {_COLUMNS} FROM keys ORDER BY site, made_ns, id LIMIT ?"  # noqa: S608  (names of ours)
            return [KeyRow(*row) for row in connection.execute(statement, (MOST_KEYS,))]

    def version(self, connection: sqlite3.Connection) -> tuple[int, ...]:
        """Changes when the file does, by whomever, or when another one takes its place."""
        with self._telling():
            found = self.path.stat()
            return found.st_dev, found.st_ino, int(connection.execute("PRAGMA data_version").fetchone()[0])

    def _address(self, mode: str) -> str:
        return f"{self.path.absolute().as_uri()}?mode={mode}"

    def _check_there(self) -> None:
        if not self.path.exists():
            raise DataError(self.path, "there is no such file: `doorward keys add SITE` makes it")

    def _make(self) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
        # Never where there is a file: closing a descriptor of it would drop the locks of SQLite in this process.
        with suppress(FileExistsError):
            os.close(os.open(self.path, flags, 0o600))

    def _prepare(self, connection: sqlite3.Connection) -> None:
        if self._tables(connection):
            self._check(connection)
            return
        connection.executescript(
            f"PRAGMA journal_mode = WAL; BEGIN IMMEDIATE; {_SCHEMA} PRAGMA application_id = {_APPLICATION};"
            f"PRAGMA user_version = {_VERSION}; COMMIT;"
        )

    def _check(self, connection: sqlite3.Connection) -> None:
        application, version = (
            connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
        )
        if not self._tables(connection) or application != _APPLICATION:
            raise DataError(self.path, "it is no file of site keys")
        if version != _VERSION:
            raise DataError(self.path, f"its format is version {version}, this doorward reads version {_VERSION}")

    @staticmethod
    def _tables(connection: sqlite3.Connection) -> int:
        return int(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Errors of the file as ``DataError``."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise DataError(self.path, f"the site keys cannot be used: {describe(error)}") from error


def insert(connection: sqlite3.Connection, row: KeyRow) -> None:
    """Add a key."""
    connection.execute(f"INSERT INTO keys ({_COLUMNS}) VALUES ({', '.join('?' * len(row))})", row)  # noqa: S608  (names of ours)


def end(connection: sqlite3.Connection, keys: Iterable[str], ends_ns: int) -> None:
    """Let keys end then, if they do not end before."""
    statement = "UPDATE keys SET ends_ns = ? WHERE id = ? AND (ends_ns = 0 OR ends_ns > ?)"
    connection.executemany(statement, [(ends_ns, key, ends_ns) for key in keys])


def delete(connection: sqlite3.Connection, keys: Iterable[str]) -> None:
    """Forget keys."""
    connection.executemany("DELETE FROM keys WHERE id = ?", [(key,) for key in keys])


def note_use(connection: sqlite3.Connection, used: Iterable[tuple[str, int]]) -> None:
    """Write down when keys were used."""
    statement = "UPDATE keys SET used_ns = max(used_ns, ?) WHERE id = ?"
    connection.executemany(statement, [(at, key) for key, at in used])


__all__ = ["MOST_KEYS", "KeyFile", "KeyRow", "delete", "end", "insert", "note_use"]
