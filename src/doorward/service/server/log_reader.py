"""Looks decisions up in the file of the decision log.

Each call reads through a connection of its own, which cannot write, and is given up after two seconds. Which index a
question uses is said in its statement, so that a question that is quick stays so however the log is filled.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from doorward.clock import NANOSECONDS, SystemClock
from doorward.errors import DataError
from doorward.printable import describe
from doorward.service.server.log_rows import COLUMNS, record_of
from doorward.service.server.ports import LogRecord, Rate, Share

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from doorward.clock import Clock
    from doorward.service.server.ports import LogQuery

FIELDS = ("site", "rule", "reason", "dry_run", "ip", "path", "country")
"""What :meth:`LogFileReader.top` counts by."""

CONCLUSIONS = ("ALLOW", "DENY", "CHALLENGE", "ERROR")
MOST_ROWS = 500
MOST_STEPS = 5_000

_SECONDS = 2.0
_STEPS_BETWEEN_LOOKS = 20_000
_PATIENCE = 0.5
_SPAN = 20_000
_DAY_NS = 86_400 * NANOSECONDS
_LARGEST = 2**63 - 1
_AFTER_TEXT = "\U0010ffff"
_WANTED = f"id, {', '.join(f'decisions.{name}' for name in COLUMNS)}, rest, decisions.seq"
_JOINED = "decisions {index} JOIN details ON details.seq = decisions.seq"
_SUMS = ", ".join(f"sum(conclusion = '{name}')" for name in CONCLUSIONS)


class Wanted(NamedTuple):
    """A question as SQL.

    Attributes:
        by: The index that finds the fewest rows.
        where: The condition.
        values: What stands for its question marks.
    """

    by: str
    where: str
    values: tuple[Any, ...]


class LogFileReader:
    """Reads what :class:`~.log_file.LogFile` writes; see :class:`~.ports.LogReader`. For any thread or process.

    A log that is not there yet reads as an empty one.

    Args:
        path: The file.
        clock: Tells where a question without an end ends.
        seconds: After which a question is given up.
    """

    def __init__(self, path: Path, *, clock: Clock | None = None, seconds: float = _SECONDS) -> None:
        self._path = path
        self._clock = clock or SystemClock()
        self._seconds = seconds

    def find(self, decision: str, site: str = "") -> LogRecord | None:
        """The decision with an id; of ``site`` only, where that is given.

        The first one of several: whoever knows an id can report another decision by it.
        """
        own, values = (" AND details.site = ?", [decision, site]) if site else ("", [decision])
        source = "details INDEXED BY by_id JOIN decisions ON decisions.seq = details.seq"
        statement = f"SELECT {_WANTED} FROM {source} WHERE id = ? AND id <> ''{own} ORDER BY details.seq LIMIT 1"  # noqa: S608
        with self._reading() as connection:
            rows = connection.execute(statement, _as_text(values)).fetchall() if connection else []
        return _records(rows)[0] if rows else None

    def latest(self, query: LogQuery, limit: int) -> list[LogRecord]:
        """The newest first; 500 at most."""
        with self._reading() as connection:
            return _records(_newest(connection, query, limit)) if connection else []

    def after(self, query: LogQuery, cursor: int, limit: int) -> tuple[list[LogRecord], int]:
        """What has come since ``cursor`` (0 for the newest few), the oldest first; and the next cursor.

        One call looks at 20,000 rows at most: where the next cursor is another one, there may be more.
        """
        with self._reading() as connection:
            if connection is None:
                return [], cursor
            first, last = connection.execute(
                "SELECT coalesce((SELECT min(seq) FROM decisions), 0), (SELECT max(seq) FROM sqlite_sequence)"
            ).fetchone()
            if not 0 < cursor <= last:  # 0, or of a log that was replaced by one whose clock is behind
                return _records(_newest(connection, query, limit))[::-1], last
            begin = max(cursor, first - 1)
            rows, reached = _following(connection, query, begin, min(last, begin + _SPAN), limit)
        return _records(rows), reached

    def rates(self, query: LogQuery, seconds: int) -> list[Rate]:
        """Decisions for each ``seconds``, the oldest first, without gaps: of the last day, if no time is given.

        The steps begin at multiples of ``seconds``; only what is in the time asked for is counted.
        """
        begin, end = self._times(query)
        step = seconds * NANOSECONDS
        if step <= 0 or (end - begin) // step > MOST_STEPS:
            raise DataError(
                self._path, f"more than {MOST_STEPS} steps of {seconds} s were asked for: ask for longer ones"
            )
        wanted = wanted_of(query, timed=False)
        statement = (
            f"SELECT count(*), sum(dry_run <> ''), {_SUMS} FROM decisions INDEXED BY {wanted.by} "  # noqa: S608
            f"WHERE {wanted.where} AND at_ns >= ? AND at_ns < ?"
        )
        rates = []
        with self._reading() as connection:
            for at in range(begin - begin % step, end, step):
                values = (*wanted.values, max(at, begin), min(at + step, end))
                row = connection.execute(statement, values).fetchone() if connection else (0,)
                rates.append(_rate(at, row))
        return rates

    def top(self, query: LogQuery, field: str, limit: int) -> list[Share]:
        """The most frequent values of a field that are not empty: of the last day, if no time is given.

        Raises:
            DataError: The log cannot be read, or there is no such field.
        """
        if field not in FIELDS:
            raise DataError(self._path, f"values can be counted of {', '.join(FIELDS)}, not of {field!r}")
        begin, end = self._times(query)
        wanted = wanted_of(query, timed=False, counted=field)
        statement = (
            f"SELECT {field}, count(*) AS times, sum(conclusion = 'DENY') FROM decisions INDEXED BY {wanted.by} "  # noqa: S608
            f"WHERE {wanted.where} AND at_ns >= ? AND at_ns < ? AND {field} <> '' "
            f"GROUP BY {field} ORDER BY times DESC, {field} LIMIT ?"
        )
        with self._reading() as connection:
            values = (*wanted.values, begin, end, _within(limit))
            rows = connection.execute(statement, values).fetchall() if connection else []
        return [Share(*row) for row in rows]

    def _times(self, query: LogQuery) -> tuple[int, int]:
        # Up to the end of this second: what was decided just now, by another process' clock, belongs to it.
        end = _number(query.before_ns) or self._clock.now_ns() + NANOSECONDS
        return _number(query.since_ns) or max(0, end - _DAY_NS), end

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection | None]:
        """A connection in a transaction, so that several questions see the same rows; None where there is no log.

        Raises:
            DataError: It cannot be read, or not in time.
        """
        if not self._path.exists():
            yield None
            return
        connection = None
        try:
            connection = sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True, timeout=_PATIENCE)
            connection.isolation_level = None
            ends = time.monotonic() + self._seconds
            connection.set_progress_handler(lambda: time.monotonic() > ends, _STEPS_BETWEEN_LOOKS)
            connection.execute("BEGIN")
            yield connection if _has_tables(connection) else None
        except (sqlite3.Error, OSError) as error:
            raise DataError(self._path, self._problem(error)) from error
        finally:
            if connection is not None:
                connection.close()

    def _problem(self, error: Exception) -> str:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
            return f"this takes longer than {self._seconds:g} s: ask for a shorter time, or for more of what is known"
        return f"the decision log cannot be read: {describe(error)}"


def wanted_of(query: LogQuery, *, timed: bool = True, counted: str = "") -> Wanted:
    """The condition of a query, and the index for it.

    Args:
        query: What is asked for.
        timed: Whether its times are part of the condition.
        counted: The field whose values are counted, if they are.
    """
    index, terms, values = _index(query, counted), ["1"], []
    for name in ("site", "conclusion", "reason", "rule", "ip"):
        if getattr(query, name):
            terms.append(f"decisions.{name} = ?")
            values.append(getattr(query, name))
    if query.dry_run not in ("", "*"):
        terms.append("dry_run = ?")
        values.append(query.dry_run)
    if query.path:
        terms.append("path >= ? AND path < ?")
        values += [query.path, query.path + _AFTER_TEXT]
    if timed:
        terms.append("at_ns >= ? AND at_ns < ?")
        values += [_number(query.since_ns), _number(query.before_ns) or _LARGEST]
    # Said once more in so many words, since an index of part of the rows is used only then.
    terms += [f"{name} <> ''" for name in ("reason", "rule", "dry_run") if index == f"by_{name}"]
    return Wanted(index, " AND ".join(terms), tuple(_as_text(values)))


def _index(query: LogQuery, counted: str) -> str:
    """The index that finds the fewest rows, as a rule: a visitor has few, a site has many."""
    if query.ip:
        return "by_ip"
    for name in ("dry_run", "rule"):
        if getattr(query, name) or (counted == name):
            return f"by_{name}"
    if query.conclusion and (query.conclusion != "ALLOW" or not query.site):
        return "by_conclusion"
    if query.reason:
        return "by_reason"
    if counted == "ip" and not query.site:
        return "by_ip"  # whose order spares the sorting
    return "by_site" if query.site else "by_time"


def _newest(connection: sqlite3.Connection, query: LogQuery, limit: int) -> list[Any]:
    wanted = wanted_of(query)
    statement = (
        f"SELECT {_WANTED} FROM {_JOINED.format(index=f'INDEXED BY {wanted.by}')} "  # noqa: S608
        f"WHERE {wanted.where} ORDER BY at_ns DESC LIMIT ?"
    )
    return connection.execute(statement, (*wanted.values, _within(limit))).fetchall()


def _following(
    connection: sqlite3.Connection, query: LogQuery, begin: int, end: int, limit: int
) -> tuple[list[Any], int]:
    wanted = wanted_of(query)
    statement = (
        f"SELECT {_WANTED} FROM {_JOINED.format(index='NOT INDEXED')} "  # noqa: S608
        f"WHERE {wanted.where} AND decisions.seq > ? AND decisions.seq <= ? ORDER BY decisions.seq LIMIT ?"
    )
    rows = connection.execute(statement, (*wanted.values, begin, end, _within(limit))).fetchall()
    return rows, rows[-1][-1] if len(rows) == _within(limit) else end


def _has_tables(connection: sqlite3.Connection) -> bool:
    """False while another process is about to make them."""
    return bool(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])


def _records(rows: list[Any]) -> list[LogRecord]:
    return [record_of(decision, columns, rest) for decision, *columns, rest, _ in rows]


def _rate(at: int, row: tuple[Any, ...]) -> Rate:
    _, dry, *counts = row if row[0] else (0,) * (2 + len(CONCLUSIONS))
    return Rate(at, dict(zip(CONCLUSIONS, counts, strict=True)), dry)


def _within(limit: int) -> int:
    return min(max(limit, 1), MOST_ROWS)


def _number(value: int) -> int:
    return min(max(value, 0), _LARGEST)


def _as_text(values: list[Any]) -> list[Any]:
    """Values as SQLite takes them, which knows no lone surrogates: there are none in the log, so that none is found."""
    return [value.encode("utf-8", "replace").decode() if isinstance(value, str) else value for value in values]


__all__ = ["CONCLUSIONS", "FIELDS", "MOST_ROWS", "LogFileReader", "Wanted", "wanted_of"]
