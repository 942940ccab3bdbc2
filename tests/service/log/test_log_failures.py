"""Files that cannot be written cost rows, and no decision."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.service.log.records import record, until

from doorward.service.server.log_file import LogFile, LogFileReader
from doorward.service.server.ports import LogQuery


def test_a_database_of_something_else_is_left_alone(make_log: Callable[..., LogFile], path: Path) -> None:
    """It is said, and nothing is renamed."""
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE precious (x)")
    connection.close()
    before = path.read_bytes()
    log = make_log()
    log.append(record())
    until(lambda: log.figures()["failures"])
    assert not log.close(0.05)
    assert path.read_bytes() == before
    assert {file.name for file in path.parent.iterdir()} <= {path.name, f"{path.name}.lock"}


def test_a_log_of_another_version_is_left_alone(
    make_log: Callable[..., LogFile], path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A newer doorward's rows are not lost to an older one."""
    log = make_log()
    log.append(record())
    assert log.close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    again = make_log()
    with caplog.at_level(logging.WARNING, "doorward"):
        again.append(record(2))
        until(lambda: "version 99" in caplog.text)


def test_a_damaged_log_is_kept_aside_and_a_new_one_begun(
    make_log: Callable[..., LogFile], path: Path, caplog: pytest.LogCaptureFixture, reader: LogFileReader
) -> None:
    """Rows are written again at once; what can be saved of the others is beside it."""
    path.parent.mkdir()
    path.write_bytes(b"no database at all" * 1_000)
    log = make_log()
    with caplog.at_level(logging.WARNING, "doorward"):
        log.append(record(1))
        assert log.flush(20)
    assert reader.find(record(1).id) == record(1)
    [kept] = path.parent.glob("*.damaged-*")
    assert kept.read_bytes() == b"no database at all" * 1_000
    assert kept.name in caplog.text
    assert "is written again" in caplog.text


def test_damage_while_it_is_written_is_found(
    make_log: Callable[..., LogFile], path: Path, reader: LogFileReader
) -> None:
    """A file that another program writes over, under our hands."""
    log = make_log()
    for number in range(2_000):
        log.append(record(number))
    assert log.flush()
    _, cursor = reader.after(LogQuery(), 0, 1)
    log.close()
    with path.open("r+b") as file:
        file.seek(4_096)
        file.write(b"\xaa" * (path.stat().st_size - 4_096))
    again = make_log()
    again.append(record(5_000))
    assert again.flush(20)
    assert list(path.parent.glob("*.damaged-*"))
    found, _ = reader.after(LogQuery(), cursor, 5)
    assert [each.id for each in found] == [record(5_000).id]


def test_a_log_that_is_taken_away_is_made_again(log: LogFile, path: Path, reader: LogFileReader) -> None:
    """An operator may remove or rotate it under a running service."""
    log.append(record(1))
    assert log.flush()
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()
    log.append(record(2))
    assert log.flush()
    assert [each.id for each in reader.latest(LogQuery(), 5)] == [record(2).id]


def test_a_locked_log_is_waited_for(log: LogFile, path: Path, reader: LogFileReader) -> None:
    """Another program that holds it delays the rows, and no decision."""
    log.append(record(1))
    assert log.flush()
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    log.append(record(2))
    until(lambda: log.figures()["failures"])
    assert reader.find(record(2).id) is None
    holder.execute("ROLLBACK")
    holder.close()
    assert log.flush(20)
    assert reader.find(record(2).id) == record(2)


def test_a_cause_is_said_once(make_log: Callable[..., LogFile], path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """However often it is tried; and once more when it works again."""
    path.mkdir(parents=True)
    log = make_log()
    with caplog.at_level(logging.WARNING, "doorward"):
        log.append(record(1))
        until(lambda: log.figures()["failures"] >= 3)
        path.rmdir()
        assert log.flush(20)
    told = [each.getMessage() for each in caplog.records]
    assert len(told) == 2
    assert "cannot be opened" in told[0]
    assert "written again" in told[1]


def test_appending_is_quick_beside_a_log_that_hangs(log: LogFile, path: Path) -> None:
    """Nothing of the file is waited for: a lock that is held for seconds costs a thousand decisions nothing."""
    log.append(record(1))
    assert log.flush()
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    thread = threading.Thread(target=lambda: [log.append(record(number)) for number in range(1_000)])
    thread.start()
    thread.join(20)
    assert not thread.is_alive()
    assert log.figures()["written"] == 1  # the lock was held all the while
    holder.execute("ROLLBACK")
    holder.close()
