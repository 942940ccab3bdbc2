"""What is appended is read again, bounded and clean; what is old goes."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.service.log.records import HOUR, NOON, SECOND, record, until

from doorward.errors import ConfigurationError
from doorward.service.server import log_rows
from doorward.service.server.log_file import LogFile, LogFileReader
from doorward.service.server.log_rows import LONGEST, MOST_BYTES, clipped, record_of, rows_of
from doorward.service.server.ports import LogQuery
from doorward.testing import FakeClock

HOSTILE = "a\r\nb\x1b[31m\x00\x7f\x9b\u2028\u202e\u2066\ud800\udfff\ufeff<script>"


def test_a_decision_is_read_as_it_was_written(log: LogFile, reader: LogFileReader) -> None:
    """Every field comes back, for both ways of looking."""
    one = record(1, dry_run="bots", reported=True)
    log.append(one)
    assert log.flush()
    assert reader.find(one.id) == one
    assert reader.latest(LogQuery(), 10) == [one]
    assert log.figures() == {"written": 1, "dropped": 0, "waiting": 0, "failures": 0}


def test_files_are_for_their_owner_only(log: LogFile, path: Path) -> None:
    """Also those that SQLite makes beside the log, and the folder."""
    log.append(record())
    assert log.flush()
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert set(modes) == {path.name + ending for ending in ("", "-wal", "-shm", ".lock")}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_log_that_is_not_there_is_an_empty_one(reader: LogFileReader) -> None:
    """A service that has decided nothing yet has pages all the same."""
    assert reader.find("req_1") is None
    assert reader.latest(LogQuery(), 5) == []
    assert reader.after(LogQuery(), 7, 5) == ([], 7)
    assert reader.top(LogQuery(), "ip", 5) == []
    assert len(reader.rates(LogQuery(since_ns=NOON, before_ns=NOON + HOUR), 60)) == 60


def test_start_makes_the_file(log: LogFile, path: Path, reader: LogFileReader) -> None:
    """So that an operator sees at the start whether it can be made."""
    log.start()
    until(lambda: path.exists() and reader.latest(LogQuery(), 1) == [])
    assert log.flush()


@pytest.mark.parametrize("name", ["days", "rows", "queue"])
def test_numbers_that_make_no_sense_are_refused(path: Path, name: str) -> None:
    """With the name of the argument."""
    with pytest.raises(ConfigurationError, match=name):
        LogFile(path, **{name: 0})


# --- what is kept of a record


def test_hostile_values_are_bounded_and_clean(log: LogFile, reader: LogFileReader) -> None:
    """A megabyte of control characters, surrogates and deep nonsense is a row like any other."""
    deep: Any = "x"
    for _ in range(5_000):
        deep = [deep]
    texts = dict.fromkeys(LONGEST, HOSTILE * 40_000)
    results = [{"a": HOSTILE * 1_000, "b": float("nan"), "c": 2**100, HOSTILE: deep, "d": object()}] * 300
    log.append(record(1, **texts, results=results, ip_details={"x": [HOSTILE * 5_000] * 100}, took_us=-(2**70)))
    assert log.flush()
    [kept] = reader.latest(LogQuery(), 5)
    for name, most in LONGEST.items():
        assert 0 < len(getattr(kept, name)) <= most
    assert len(json.dumps(kept.results, ensure_ascii=False).encode()) <= MOST_BYTES + 2 * len(kept.results)
    assert kept.ip_details is None
    assert kept.took_us == 0
    assert not log_rows._UNFIT.search("".join(_texts(kept._asdict())))
    assert log.figures()["dropped"] == 0


def test_a_queue_of_long_records_is_bounded_in_bytes() -> None:
    """What waits is clipped already; what is short is not copied."""
    short = record()
    assert clipped(short) is short
    assert len(clipped(record(path="/" * 10**6)).path) == LONGEST["path"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters()), inner, max_size=4),
    max_leaves=20,
)


@given(text=st.text(st.characters(codec=None)), results=st.lists(st.dictionaries(st.text(), JSON)), details=JSON)
def test_whatever_a_record_holds_its_row_is_clean(text: str, results: list[Any], details: Any) -> None:
    """Any text, and any value where JSON is expected, becomes a row, and a record again, without control characters."""
    details = details if isinstance(details, dict) else None
    columns, (decision, _, rest) = rows_of(record(path=text, why=text, id=text, results=results, ip_details=details))
    kept = record_of(decision, columns, rest)
    assert not log_rows._UNFIT.search("".join(_texts(kept._asdict())))
    kept.path.encode()


def test_a_value_that_cannot_be_read_leaves_what_is_found_by(log: LogFile, reader: LogFileReader, path: Path) -> None:
    """One row that somebody has spoilt does not hide the others."""
    log.append(record(1))
    assert log.close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE details SET rest = x'00'")
    connection.close()
    assert reader.latest(LogQuery(), 5)[0].path == "/signup"


@pytest.mark.swallows_errors
def test_what_is_no_record_is_counted_and_the_others_are_kept(log: LogFile, reader: LogFileReader) -> None:
    """A mistake of ours in one decision costs that row."""
    for each in (record(1), record(2, ip=None), record(3, results=5), record(4)):
        log.append(each)
    assert log.flush()
    assert [kept.id for kept in reader.latest(LogQuery(), 5)] == [record(4).id, record(1).id]
    assert log.figures()["dropped"] == log.figures()["failures"] == 2


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for pair in value.items() for each in pair for text in _texts(each)]
    if isinstance(value, list | tuple):
        return [text for each in value for text in _texts(each)]
    return [value] if isinstance(value, str) else []


# --- the queue


def test_a_full_queue_drops_and_counts(make_log: Callable[..., LogFile], path: Path) -> None:
    """While nothing can be written, the queue keeps the first of what comes; it is written when that works again."""
    path.parent.mkdir()
    path.mkdir()  # no file can be there
    log = make_log(queue=50)
    for number in range(200):
        log.append(record(number))
    until(lambda: log.figures()["failures"])
    assert log.figures()["dropped"] == 150
    path.rmdir()
    assert log.flush(20)
    assert LogFileReader(path).latest(LogQuery(), 500)[-1] == record(0)
    assert log.figures()["written"] == 50


def test_closing_is_bounded_and_says_what_is_lost(make_log: Callable[..., LogFile], path: Path) -> None:
    """A service ends though its log cannot be written."""
    path.mkdir(parents=True)
    log = make_log()
    log.append(record())
    assert not log.flush(0.01)
    assert not log.close(0.01)
    log.append(record())
    assert log.figures()["dropped"] >= 1


def test_many_threads_append(log: LogFile, reader: LogFileReader) -> None:
    """Each row once."""
    threads = [
        threading.Thread(target=lambda n=n: [log.append(record(n * 100 + i)) for i in range(100)]) for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert log.flush()
    wanted = {record(number).id for number in range(800)}
    assert {each.id for page in (reader.latest(LogQuery(before_ns=NOON + n * 400 * SECOND), 400) for n in (1, 2))
            for each in page} == wanted  # fmt: skip


@pytest.mark.filterwarnings("ignore:This process.*multi-threaded")  # that is the point of it
def test_a_fork_writes_by_itself(log: LogFile, reader: LogFileReader) -> None:
    """The child's thread and connection are its own; what waited in the parent is written once."""
    for number in range(40):  # while the parent's thread is at any point of its work
        log.append(record(2 * number))
        threading.Event().wait(random.random() / 50)
        pid = os.fork()
        if pid == 0:
            log.append(record(2 * number + 1))
            os._exit(0 if log.flush(20) and log.close(20) else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    log.append(record(80))
    assert log.flush()
    assert [each.id for each in reader.latest(LogQuery(), 99)] == [record(number).id for number in range(80, -1, -1)]


# --- what is old


def test_old_rows_go_and_new_ones_stay(
    make_log: Callable[..., LogFile], clock: FakeClock, reader: LogFileReader
) -> None:
    """By age, in small steps, also while nothing else is written."""
    log = make_log(days=1)
    for number in range(1_500):
        log.append(record(number))
    assert log.flush()
    clock.advance(86_400 + 1_000 - 3_600)
    log._of_this_process()._look_after()
    assert log.flush()
    kept = reader.latest(LogQuery(), 500)
    assert len(kept) == 500
    assert [each.id for each in kept] == [record(number).id for number in range(1_499, 999, -1)]


def test_there_are_never_many_more_rows_than_may_be(make_log: Callable[..., LogFile], path: Path) -> None:
    """The oldest go first, and the file does not grow."""
    log = make_log(rows=300)
    sizes = []
    for turn in range(8):
        for number in range(400):
            log.append(record(turn * 400 + number))
        assert log.flush()
        sizes.append(_pages(path))
    log.append(record(9_999))
    assert log.close()
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT count(*), (SELECT value FROM figures), min(at_ns) FROM decisions").fetchone()
        assert connection.execute("SELECT count(*) FROM details").fetchone()[0] == 300
    connection.close()
    assert rows == (300, 300, record(3_200 - 299).at_ns)
    assert max(sizes[2:]) <= 1.5 * sizes[1]


def test_a_file_becomes_smaller_again(make_log: Callable[..., LogFile], clock: FakeClock, path: Path) -> None:
    """What most rows left is given back to the disk."""
    log = make_log(days=1)
    for number in range(3_000):
        log.append(record(number, path=f"/{number:0400d}"))
    assert log.flush()
    clock.advance(3 * 86_400)
    log.append(record(5, at_ns=clock.now_ns()))
    assert log.close()
    before = _pages(path)
    again = make_log(days=1)
    again.start()
    until(lambda: _pages(path) < before / 3)


def _pages(path: Path) -> int:
    connection = sqlite3.connect(path)
    try:
        return connection.execute("PRAGMA page_count").fetchone()[0]
    finally:
        connection.close()


def test_a_clock_that_goes_back_an_hour_loses_nothing(make_log: Callable[..., LogFile], reader: LogFileReader) -> None:
    """Rows follow each other as they came for whoever follows them, and by their time for whoever looks back."""
    log = make_log()
    late, early = record(1, at_ns=NOON), record(2, at_ns=NOON - HOUR)
    _, cursor = reader.after(LogQuery(), 0, 5)
    log.append(late)
    assert log.flush()
    log.append(early)
    assert log.flush()
    found, following = reader.after(LogQuery(), cursor, 5)
    assert {each.id for each in found} == {late.id, early.id}
    assert reader.after(LogQuery(), following, 5) == ([], following)
    assert reader.latest(LogQuery(), 5) == [late, early]
    assert reader.latest(LogQuery(before_ns=NOON), 5) == [early]
