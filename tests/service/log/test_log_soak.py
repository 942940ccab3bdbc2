"""A log of a million decisions: what a row costs, and that questions about it are answered in time.

``DOORWARD_SOAK=1 python -m pytest tests/service/log/test_log_soak.py -s`` prints the figures.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.service.log.records import NOON, SECOND, record

from doorward.service.server.log_file import LogFile, LogFileReader
from doorward.service.server.ports import LogQuery, LogRecord
from doorward.testing import FakeClock

ROWS = int(os.environ.get("DOORWARD_LOG_ROWS", "1000000"))
DAY = 86_400 * SECOND
RESULTS = [
    {
        "ruleId": f"{number:064x}",
        "state": "RULE_STATE_RUN",
        "conclusion": "CONCLUSION_ALLOW",
        "reason": {"rateLimit": {"max": 100, "remaining": 93, "resetInSeconds": 41, "windowInSeconds": 60}},
        "fingerprint": f"fp::3::{number * 7919:064x}",
        "rule": f"rule-{number}",
        "tookUs": 12,
    }
    for number in range(4)
]


def made(number: int, chance: random.Random) -> LogRecord:
    """One of a day's decisions; a tenth are denials."""
    denied = chance.random() < 0.1
    return record(
        id=f"req_{chance.getrandbits(128):026x}",
        at_ns=NOON - DAY + number * DAY // ROWS,
        site=chance.choice(["shop", "blog", "api"]),
        conclusion="DENY" if denied else "ALLOW",
        reason="RATE_LIMIT" if denied else "",
        why="5 of 5 requests are used, 12 s left" if denied else "",
        rule="signup" if denied else "",
        dry_run="bots" if chance.random() < 0.02 else "",
        ip=f"198.51.{chance.randrange(200)}.{min(255, int(chance.expovariate(0.02)))}",
        path=f"/products/{int(chance.expovariate(0.01))}",
        agent="Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
        results=RESULTS,
    )


def timed(name: str, ask: Callable[[], object]) -> None:
    """Ask three times; print the median."""
    took = []
    for _ in range(3):
        began = time.perf_counter()
        ask()
        took.append(time.perf_counter() - began)
    print(f"{name:45} {sorted(took)[1] * 1e3:9.2f} ms")  # noqa: T201  (under -s)


@pytest.mark.soak
def test_a_million_decisions(path: Path, make_log: Callable[..., LogFile], clock: FakeClock) -> None:
    """Every question is answered within its two seconds."""
    log, chance = make_log(queue=50_000), random.Random(1)
    spent, began = 0.0, time.perf_counter()
    for first in range(0, ROWS, 20_000):
        records = [made(number, chance) for number in range(first, min(first + 20_000, ROWS))]
        start = time.perf_counter()
        for each in records:
            log.append(each)
        spent += time.perf_counter() - start
        assert log.flush(60)
    total = time.perf_counter() - began
    assert log.figures() == {"written": ROWS, "dropped": 0, "waiting": 0, "failures": 0}
    assert log.close(30)
    print(f"\nappend {spent / ROWS * 1e6:.2f} us (beside the writer), {ROWS / total:,.0f} rows/s made and written, ")  # noqa: T201
    print(f"{path.stat().st_size / ROWS:,.0f} bytes a row, {path.stat().st_size / 1e6:,.0f} MB")  # noqa: T201
    ask(LogFileReader(path, clock=FakeClock(NOON / SECOND)))


def ask(reader: LogFileReader) -> None:
    """All kinds of questions."""
    last = reader.latest(LogQuery(), 1)[0]
    timed("find", lambda: reader.find(last.id, last.site))
    timed("find, another site's", lambda: reader.find(last.id, "other"))
    for name, query in QUERIES.items():
        timed(f"latest 50: {name}", lambda query=query: reader.latest(query, 50))
    _, cursor = reader.after(LogQuery(), 0, 1)
    timed("after: nothing new", lambda: reader.after(LogQuery(site="shop"), cursor, 50))
    timed("after: 500 of old ones", lambda: reader.after(LogQuery(), cursor - ROWS // 2, 500))
    for name, query in {
        "all": LogQuery(),
        "one site": LogQuery(site="shop"),
        "denials": LogQuery(conclusion="DENY"),
    }.items():
        timed(f"rates by minute over a day: {name}", lambda query=query: reader.rates(query, 60))
        for field in ("ip", "path", "rule", "dry_run"):
            timed(f"top {field} over a day: {name}", lambda query=query, field=field: reader.top(query, field, 10))


QUERIES = {
    "all": LogQuery(),
    "site": LogQuery(site="shop"),
    "denials of a site": LogQuery(site="shop", conclusion="DENY"),
    "dry run": LogQuery(dry_run="*"),
    "address": LogQuery(ip="198.51.7.1"),
    "rule that is rare": LogQuery(rule="none"),
    "path that nobody asked for": LogQuery(path="/none"),
    "an hour, half a day ago": LogQuery(since_ns=NOON - DAY // 2, before_ns=NOON - DAY // 2 + 3_600 * SECOND),
}
