"""Decisions are found by what is known of them, and quickly."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.service.log.records import NOON, SECOND, record

from doorward.errors import DataError
from doorward.service.server.log_file import LogFile, LogFileReader
from doorward.service.server.ports import LogQuery, LogRecord


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
