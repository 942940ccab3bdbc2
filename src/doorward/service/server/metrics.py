"""What the service counts, and how Prometheus reads it (text exposition format 0.0.4).

Each worker adds what it has counted to a table in the service's folder, now and then, when it is asked, and when it
ends. A scrape reads the table, whichever worker it comes to: what was counted by a worker that has died stays, and no
figure ever goes back, also over a restart. What a worker that is killed had counted since it last wrote, a few seconds
at most, is lost; while the folder cannot be written, figures stand still.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections import Counter
from contextlib import closing
from itertools import groupby
from typing import TYPE_CHECKING

from doorward.errors import DataError
from doorward.exposition import Family, described, sample
from doorward.printable import describe

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

PREFIX = "doorward_service_"
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Upper ends in seconds: from what a decision without look-ups takes to longer than any client waits."""
MOST_SITES = 200
MOST_LABEL = 100
BUSY_SECONDS = 1.0

Key = tuple[str, tuple[str, ...]]
"""A figure's name and the values of its labels."""


FAMILIES: Mapping[str, Family] = {
    "requests": Family("counter", "Calls answered, by method and Connect code.", ("method", "code")),
    "decisions": Family("counter", "Decisions made, by conclusion and application.", ("conclusion", "site")),
    "errors": Family("counter", "Calls that failed for a reason of the service's own."),
    "keys_refused": Family("counter", "Calls without a right key, by why.", ("why",)),
    "quota_refused": Family("counter", "Calls refused since the key's quota was used up."),
    "store_failures": Family("counter", "Calls of the store that failed, as far as the service saw them."),
    "log_dropped": Family("counter", "Decisions that there was no room for in the log."),
    "request_seconds": Family("histogram", "Time from a call's head to its answer, by method.", ("method",)),
}


class Metrics:
    """The figures of one worker that are not written yet. Thread safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[Key] = Counter()
        self._seen: dict[str, int] = {}
        self._sites: set[str] = set()

    def add(self, name: str, *labels: str, by: float = 1) -> None:
        """Count something: one of :data:`FAMILIES`, with the values of its labels."""
        with self._lock:
            self._counts[name, labels] += by  # type: ignore[assignment]  # sums of seconds too

    def request(self, method: str, code: str, seconds: float) -> None:
        """Count a call that was answered."""
        fits = next((str(end) for end in BUCKETS if seconds <= end), "+Inf")
        with self._lock:
            self._counts["requests", (method, code)] += 1
            self._counts["request_seconds", (method, fits)] += 1
            self._counts["request_seconds", (method, "sum")] += seconds  # type: ignore[assignment]

    def decision(self, conclusion: str, site: str) -> None:
        """Count a decision. Applications beyond :data:`MOST_SITES` are counted together."""
        with self._lock:
            if site not in self._sites and len(self._sites) < MOST_SITES:
                self._sites.add(site)
            known = site[:MOST_LABEL] if site in self._sites else "(other)"
            self._counts["decisions", (conclusion, known)] += 1

    def take(self, figures: Mapping[str, int]) -> None:
        """Count what others have counted: figures that only grow, by their name in :data:`FAMILIES`."""
        with self._lock:
            for name, figure in figures.items():
                if name in FAMILIES and figure > self._seen.get(name, 0):
                    self._counts[name, ()] += figure - self._seen.get(name, 0)
                    self._seen[name] = figure

    def drain(self) -> dict[Key, float]:
        """What has been counted, which from now on is the caller's."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        return dict(counts)

    def restore(self, counts: Mapping[Key, float]) -> None:
        """Take back what could not be written."""
        with self._lock:
            for key, count in counts.items():
                self._counts[key] += count  # type: ignore[assignment]


class Totals:
    """The figures of all workers, in a SQLite database. Every call blocks.

    Args:
        path: The file; made where it is not there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, metrics: Metrics) -> None:
        """Write what a worker has counted, all or nothing.

        Raises:
            DataError: It cannot be written; the worker still has it.
        """
        counts = metrics.drain()
        if not counts:
            return
        rows = [(name, json.dumps(labels), count) for (name, labels), count in counts.items()]
        try:
            with closing(self._open()) as database, database:
                database.executemany(
                    "INSERT INTO totals VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = value + excluded.value", rows
                )
        except sqlite3.Error as error:
            metrics.restore(counts)
            raise DataError(self._path, f"cannot be written: {describe(error)}") from error

    def read(self) -> dict[Key, float]:
        """All figures.

        Raises:
            DataError: They cannot be read.
        """
        try:
            with closing(self._open()) as database:
                rows = database.execute("SELECT name, labels, value FROM totals ORDER BY name, labels").fetchall()
        except sqlite3.Error as error:
            raise DataError(self._path, f"cannot be read: {describe(error)}") from error
        return {(name, tuple(json.loads(labels))): value for name, labels, value in rows}

    def _open(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._path, timeout=BUSY_SECONDS)
        try:
            database.execute(
                "CREATE TABLE IF NOT EXISTS totals"
                " (name TEXT, labels TEXT, value REAL, PRIMARY KEY (name, labels)) WITHOUT ROWID"
            )
        except BaseException:
            database.close()
            raise
        return database


def exposition(figures: Mapping[Key, float]) -> str:
    """The figures as Prometheus reads them; those without labels are there from the start."""
    return "".join(f"{line}\n" for name, family in FAMILIES.items() for line in _family(name, family, figures))


def _family(name: str, family: Family, figures: Mapping[Key, float]) -> Iterator[str]:
    own = [(labels, value) for (of, labels), value in figures.items() if of == name]
    full = PREFIX + name
    if family.kind == "histogram":
        yield from described(full, family)
        for method, series in groupby(sorted(own), key=lambda item: item[0][0]):
            yield from _histogram(full, method, {labels[1]: value for labels, value in series})
        return
    full += "_total"
    yield from described(full, family)
    for labels, value in own or ([] if family.labels else [((), 0.0)]):
        yield sample(full, zip(family.labels, labels, strict=True), value)


def _histogram(full: str, method: str, series: Mapping[str, float]) -> Iterator[str]:
    total = 0.0
    for end in (*map(str, BUCKETS), "+Inf"):
        total += series.get(end, 0.0)
        yield sample(f"{full}_bucket", [("method", method), ("le", end)], total)
    yield sample(f"{full}_sum", [("method", method)], series.get("sum", 0.0))
    yield sample(f"{full}_count", [("method", method)], total)


__all__ = ["FAMILIES", "Metrics", "Totals", "exposition"]
