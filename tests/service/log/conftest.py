"""A log, closed at the end of its test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.service.log.records import HOUR, NOON

from doorward.service.server.log_file import LogFile, LogFileReader
from doorward.testing import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    """Stands an hour after the first record."""
    return FakeClock((NOON + HOUR) / 10**9)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Of a log that is not there yet."""
    return tmp_path / "service" / "decisions.sqlite"


@pytest.fixture
def make_log(path: Path, clock: FakeClock) -> Iterator[Callable[..., LogFile]]:
    """Makes logs."""
    made: list[LogFile] = []

    def make(where: Path = path, **options: Any) -> LogFile:
        made.append(LogFile(where, **{"clock": clock, **options}))
        return made[-1]

    yield make
    for log in made:
        log.close(0.5)


@pytest.fixture
def log(make_log: Callable[..., LogFile]) -> LogFile:
    """The log."""
    return make_log()


@pytest.fixture
def reader(path: Path, clock: FakeClock) -> LogFileReader:
    """Of the log."""
    return LogFileReader(path, clock=clock, seconds=30)
