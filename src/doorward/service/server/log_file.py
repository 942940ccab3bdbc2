"""The decision log in a file: what is decided goes into a queue, and a thread of each process writes it down.

Whatever becomes of the file, decisions go on: what cannot be written is tried again while there is room in the queue,
and dropped, and counted, when there is none.
"""

from __future__ import annotations

import logging
import os
import time
from typing import TYPE_CHECKING

from doorward.clock import NANOSECONDS, SystemClock
from doorward.errors import ConfigurationError
from doorward.locks import lock_over_forks
from doorward.service.server.log_reader import LogFileReader
from doorward.service.server.log_rows import clipped
from doorward.service.server.log_writer import Retention, Writer

if TYPE_CHECKING:
    from pathlib import Path

    from doorward.clock import Clock
    from doorward.service.server.ports import LogRecord

_DAY_NS = 86_400 * NANOSECONDS
_inherited: list[Writer] = []
"""Writers of the processes that this one was forked from. Their connections must be neither used nor closed here."""


class LogFile:
    """Keeps decisions in an SQLite file, for any number of processes; see :class:`~.ports.DecisionLog`.

    Args:
        path: The file. It is made, with its folder, when there is something to write. Its name with ``.lock``,
            ``-wal`` and ``-shm`` is used, too, and with ``.damaged-…`` for one that had to be replaced.
        clock: Tells how old a row is.
        days: How long rows are kept.
        rows: How many are kept; the oldest go first.
        queue: How many may wait to be written, in each process.
        logger: Where is said that the log cannot be written.

    Raises:
        ConfigurationError: A number makes no sense.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Clock | None = None,
        days: float = 30,
        rows: int = 5_000_000,
        queue: int = 10_000,
        logger: logging.Logger | None = None,
    ) -> None:
        for name, value in (("days", days), ("rows", rows), ("queue", queue)):
            if not value > 0:
                raise ConfigurationError(name, f"must be more than 0, not {value!r}")
        self._path = path
        self._retention = Retention(clock or SystemClock(), round(days * _DAY_NS), rows)
        self._most = queue
        self._logger = logger or logging.getLogger("doorward")
        self._lock = lock_over_forks()
        self._closed = False
        self._pid = os.getpid()
        self._writer = self._new_writer()

    def append(self, record: LogRecord) -> None:
        """Keep it, soon. Never blocks and never raises: what there is no room for is dropped, and counted."""
        writer = self._writer if self._pid == os.getpid() else self._of_this_process()
        if self._closed or writer.waiting() >= self._most:
            writer.drop()
            return
        try:
            writer.put(clipped(record))
        except Exception as error:  # no record, or no thread to be had
            writer.refuse(error)

    def start(self) -> None:
        """Make the file, and begin to remove what is too old, before there is anything to write. Never raises."""
        writer = self._of_this_process()
        try:
            writer.start()
        except Exception as error:
            writer.refuse(error)

    def flush(self, seconds: float = 5.0) -> bool:
        """Wait until all that was appended in this process before is written; whether it is, within ``seconds``."""
        return self._of_this_process().flush(seconds)

    def close(self, seconds: float = 5.0) -> bool:
        """Write what waits, for ``seconds`` at most, and end the thread; whether all is written.

        What is appended afterwards is dropped.
        """
        self._closed = True
        return self._of_this_process().stop(time.monotonic() + seconds)

    def figures(self) -> dict[str, int]:
        """Of this process: rows ``written``, ``dropped``, ``waiting``, and ``failures`` to write."""
        return self._of_this_process().figures()

    def _of_this_process(self) -> Writer:
        with self._lock:
            if self._pid != os.getpid():
                _inherited.append(self._writer)
                self._writer = self._new_writer()
                self._pid = os.getpid()
            return self._writer

    def _new_writer(self) -> Writer:
        return Writer(self._path, self._retention, self._logger)


__all__ = ["LogFile", "LogFileReader"]
