"""What is appended is read again, bounded and clean; what is old goes."""

from __future__ import annotations

import json
import logging
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

from doorward.errors import ConfigurationError, DataError
from doorward.service.server import log_rows
from doorward.service.server.log_file import LogFile, LogFileReader
from doorward.service.server.log_rows import LONGEST, MOST_BYTES, clipped, record_of, rows_of
from doorward.service.server.ports import LogQuery, LogRecord
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


# --- looking


def test_every_filter_is_exact(log: LogFile, reader: LogFileReader) -> None:
    """Each narrows down to what a plain scan finds, alone and with others."""
    log_all(log)
    queries = [
        LogQuery(site="blog"),
        LogQuery(conclusion="ALLOW"),
        LogQuery(conclusion="DENY", site="shop"),
        LogQuery(conclusion="ALLOW", site="shop"),
        LogQuery(reason="BOT"),
        LogQuery(rule="bots"),
        LogQuery(rule="bots", ip="203.0.113.2", site="shop"),
        LogQuery(dry_run="*"),
        LogQuery(dry_run="trial"),
        LogQuery(ip="203.0.113.1"),
        LogQuery(path="/a%"),
        LogQuery(path="/a"),
        LogQuery(since_ns=NOON + 20 * SECOND, before_ns=NOON + 60 * SECOND),
        LogQuery(site="none' OR '1'='1"),
        LogQuery(ip="\ud800"),
    ]
    for query in queries:
        wanted = [each for each in reversed(MIXED) if _matches(query, each)]
        assert reader.latest(query, 500) == wanted, query
        assert reader.after(query, 1, 500)[0] in (wanted[::-1], wanted[-500:][::-1]), query
        assert sum(share.times for share in reader.top(query, "site", 9)) == len(wanted), query
        rates = reader.rates(query, 60)
        assert sum(sum(rate.counts.values()) for rate in rates) == len(wanted), query
        assert sum(rate.dry for rate in rates) == sum(bool(each.dry_run) for each in wanted), query


MIXED = [
    record(
        number,
        site=("shop", "blog")[number % 2],
        conclusion=("ALLOW", "DENY", "CHALLENGE")[number % 3],
        reason=("", "BOT")[number % 3 > 0],
        rule=("", "bots", "humans")[number % 3],
        dry_run=("", "", "", "", "trial", "other")[number % 6],
        ip=f"203.0.113.{number % 7}",
        path=("/a", "/a%b", "/b", "/é")[number % 4],
    )
    for number in range(120)
]


def log_all(log: LogFile) -> None:
    """Keep all of them."""
    for each in MIXED:
        log.append(each)
    assert log.flush()


def _matches(query: LogQuery, each: LogRecord) -> bool:
    plain = ("site", "conclusion", "reason", "rule", "ip")
    return (
        all(getattr(query, name) in ("", getattr(each, name)) for name in plain)
        and (query.dry_run in ("", each.dry_run) or (query.dry_run == "*" and each.dry_run != ""))
        and each.path.startswith(query.path)
        and query.since_ns <= each.at_ns < (query.before_ns or 2**63)
    )


def test_the_newest_few_come_first_and_then_what_follows(log: LogFile, reader: LogFileReader) -> None:
    """Nothing is missed and nothing is told twice, also in small pages."""
    log_all(log)
    found, cursor = reader.after(LogQuery(), 0, 5)
    assert found == MIXED[-5:]
    for number in range(200, 213):
        log.append(record(number))
    assert log.flush()
    seen: list[str] = []
    while True:
        found, following = reader.after(LogQuery(), cursor, 4)
        if following == cursor:
            break
        seen += [each.id for each in found]
        cursor = following
    assert seen == [record(number).id for number in range(200, 213)]


def test_a_cursor_of_the_future_begins_again(log: LogFile, reader: LogFileReader) -> None:
    """Whoever followed a log that was lost follows the new one."""
    log_all(log)
    assert reader.after(LogQuery(), 2**63 - 1, 3)[0] == MIXED[-3:]


def test_rates_have_no_gaps_and_count_only_what_was_asked_for(log: LogFile, reader: LogFileReader) -> None:
    """A step that the time cuts counts its part."""
    log_all(log)
    rates = reader.rates(LogQuery(since_ns=NOON + 30 * SECOND, before_ns=NOON + 200 * SECOND), 60)
    assert [rate.at_ns for rate in rates] == [NOON + n * 60 * SECOND for n in range(4)]
    assert [sum(rate.counts.values()) for rate in rates] == [30, 60, 0, 0]
    assert set(rates[0].counts) == {"ALLOW", "DENY", "CHALLENGE", "ERROR"}


def test_too_many_steps_are_refused(reader: LogFileReader) -> None:
    """As is a step of nothing."""
    for seconds in (1, 0, -5):
        with pytest.raises(DataError, match="steps"):
            reader.rates(LogQuery(), seconds)


def test_top_counts_values_and_denials(log: LogFile, reader: LogFileReader) -> None:
    """The most frequent first; empty values are none."""
    log_all(log)
    assert reader.top(LogQuery(), "rule", 5) == [("bots", 40, 40), ("humans", 40, 0)]
    assert reader.top(LogQuery(), "dry_run", 1) == [("other", 20, 0)]
    assert [share.times for share in reader.top(LogQuery(), "ip", 7)] == [18, 17, 17, 17, 17, 17, 17]
    with pytest.raises(DataError, match="ip, path"):
        reader.top(LogQuery(), "agent", 5)


def test_an_id_that_two_sites_have_is_each_ones_own(log: LogFile, reader: LogFileReader) -> None:
    """A site that reports the id of another one's decision does not hide it."""
    for site in ("shop", "blog", "shop"):
        log.append(record(7, site=site, path=f"/{site}"))
    assert log.flush()
    for site in ("shop", "blog"):
        assert reader.find(record(7).id, site).path == f"/{site}"
    assert reader.find(record(7).id, "other") is None
    assert reader.find("", "shop") is None


INDEXED = {
    "nothing": (LogQuery(), "by_time"),
    "site": (LogQuery(site="a"), "by_site"),
    "time": (LogQuery(since_ns=5), "by_time"),
    "conclusion": (LogQuery(conclusion="DENY", site="a"), "by_conclusion"),
    "allowed": (LogQuery(conclusion="ALLOW", site="a"), "by_site"),
    "reason": (LogQuery(reason="BOT"), "by_reason"),
    "rule": (LogQuery(rule="r", conclusion="DENY"), "by_rule"),
    "dry-run": (LogQuery(dry_run="*"), "by_dry_run"),
    "one-dry-run": (LogQuery(dry_run="r", site="a"), "by_dry_run"),
    "ip": (LogQuery(ip="x", conclusion="DENY"), "by_ip"),
    "path": (LogQuery(path="/a"), "by_time"),
}


@pytest.mark.parametrize(("query", "index"), INDEXED.values(), ids=INDEXED)
def test_every_question_goes_by_an_index(
    log: LogFile, reader: LogFileReader, query: LogQuery, index: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And sorts nothing, so that a log of millions answers like one of a hundred."""
    log_all(log)
    plans = _plans(monkeypatch, lambda: reader.latest(query, 5))
    assert any(f"INDEX {index}" in plan for plan in plans)
    assert not any("TEMP B-TREE" in plan or plan.startswith("SCAN details") for plan in plans)
    assert any("SEARCH details USING INTEGER PRIMARY KEY" in plan for plan in plans)


def test_an_id_and_a_cursor_go_by_an_index(
    log: LogFile, reader: LogFileReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither scans a table."""
    log_all(log)
    for ask in (
        lambda: reader.find("x", "shop"),
        lambda: reader.find("x"),
        lambda: reader.after(LogQuery(ip="x"), NOON, 5),
    ):
        plans = _plans(monkeypatch, ask)
        assert plans
        assert not [plan for plan in plans if plan.startswith("SCAN")]
    assert any("by_id (id=? AND site=?)" in plan for plan in _plans(monkeypatch, lambda: reader.find("x", "shop")))


def _plans(monkeypatch: pytest.MonkeyPatch, ask: Callable[[], object]) -> list[str]:
    """How SQLite goes about each question about decisions."""
    plans: list[str] = []

    class Explaining(sqlite3.Connection):
        def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
            if " details" in statement:
                rows = super().execute(f"EXPLAIN QUERY PLAN {statement}", *values)
                plans.extend(row[-1] for row in rows)
            return super().execute(statement, *values)

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *a, **k: connect(*a, **k, factory=Explaining))
    ask()
    monkeypatch.undo()
    return plans


def test_a_question_that_takes_too_long_is_given_up(log: LogFile, path: Path) -> None:
    """With words that say what to ask instead."""
    for number in range(20_000):
        log.append(record(number % 1_000))
    assert log.flush(30)
    with pytest.raises(DataError, match="shorter time"):
        LogFileReader(path, seconds=-1).top(LogQuery(since_ns=1, before_ns=2 * NOON), "path", 5)


@pytest.mark.parametrize(
    "content", [b"", b"no database" * 1_000, b"SQLite format 3\0" + b"\xff" * 5_000], ids=["empty", "text", "damaged"]
)
def test_what_is_no_log_is_told_as_such(path: Path, content: bytes) -> None:
    """Or, if it is about to become one, reads as an empty log."""
    path.parent.mkdir()
    path.write_bytes(content)
    if not content:
        assert LogFileReader(path).latest(LogQuery(), 5) == []
        return
    with pytest.raises(DataError, match="cannot be read"):
        LogFileReader(path).latest(LogQuery(), 5)


# --- files that cannot be written


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
