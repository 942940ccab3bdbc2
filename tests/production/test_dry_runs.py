"""Figures and samples of dry-run rules in the running application, and what the log says of them."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import threading

import pytest
from tests.unit.walking import Says, allows, denies, request

from doorward import AsyncDoorward, Doorward, fixed_window, weigh
from doorward.promotion.log_lines import Line, Summary, parse
from doorward.tallies import MOST_RULES, MOST_SAMPLES, OTHER
from doorward.testing import FakeClock


class Records(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.levels: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())
        self.levels.append(record.levelname)


def logging_to(records: Records, level: int) -> logging.Logger:
    logger = logging.Logger("doorward.test", level)  # noqa: LOG001  (one of its own, which no test inherits)
    logger.addHandler(records)
    return logger


@pytest.fixture
def records() -> Records:
    return Records()


def new(most: int = 1, **options: object):
    return fixed_window(max=most, window="1h", mode="DRY_RUN", name="new", **options)


# --- figures


def test_figures_of_a_dry_run() -> None:
    """Asked, would have denied, refused anyway, when, and whom."""
    clock = FakeClock()
    aj = Doorward([new(), fixed_window(max=2, window="1h", name="old")], clock=clock)
    for n in range(3):
        aj.protect(request(path=f"/{n}", query="token=secret", headers=[("cookie", "secret=1")]))
        clock.advance(1)
    found = aj.dry_run()["new"]
    assert (found.asked, found.would_deny, found.refused_anyway, found.errors) == (3, 2, 1, 0)
    assert found.share == pytest.approx(2 / 3)
    assert found.last_ns - found.first_ns == 1_000_000_000
    assert [(sample.path, sample.conclusion) for sample in found.samples] == [("/1", "ALLOW"), ("/2", "DENY")]
    assert found.samples[0].why.startswith("0 of 1 left")
    assert "secret" not in json.dumps(aj.health())


def test_a_rule_that_was_never_asked_is_listed() -> None:
    """An operator who looks for it finds it."""
    assert Doorward([new()]).dry_run()["new"].asked == 0
    assert "dry_run" not in Doorward([fixed_window(max=1, window="1h")]).health()


def test_the_asynchronous_client_has_them_too() -> None:
    """By the same name, without waiting."""

    async def run() -> AsyncDoorward:
        aj = AsyncDoorward([new()])
        await aj.protect(request())
        await aj.protect(request())
        return aj

    assert asyncio.run(run()).dry_run()["new"].would_deny == 1


def test_a_second_call_does_not_count_again_but_a_second_charge_does() -> None:
    """As rules are asked once a request."""
    aj = Doorward([new(most=2), Says(mode="DRY_RUN", does=denies, name="says")])
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "wsgi.url_scheme": "http", "REMOTE_ADDR": "203.0.113.9"}
    for _ in range(3):
        aj.protect(environ).results  # noqa: B018  (looked at, so that admissions are written out)
    assert [aj.dry_run()[name].asked for name in ("new", "says")] == [1, 1]
    aj.protect(environ, requested=1)
    aj.protect(environ, requested=1)
    assert [aj.dry_run()[name].asked for name in ("new", "says")] == [3, 1]
    assert aj.dry_run()["new"].would_deny == 1


def test_a_sum_of_dry_weights_is_counted_as_a_rule() -> None:
    """Where no rule decides alone."""
    aj = Doorward([weigh(20, ip=["203.0.113.9"], mode="DRY_RUN", name="heavy")], thresholds={"DENY": 10})
    aj.protect(request())
    counts = aj.health()["counts"]
    assert (counts["rule.weights.would_deny"], counts["rule.heavy.asked"]) == (1, 1)


def test_refusals_that_are_remembered_are_counted() -> None:
    """They take the straight way, on which no rule is asked."""
    aj = Doorward([fixed_window(max=1, window="1h", name="only")], clock=FakeClock())
    for _ in range(10):
        aj.protect(request())
    assert aj.health()["counts"]["rule.only.denied"] == 9


def test_memory_is_bounded() -> None:
    """Samples of each rule, and rules, of which an application may make one for each tenant."""
    aj = Doorward([Says(mode="DRY_RUN", does=denies, name="always")])
    for n in range(300):
        aj.protect(request(path=f"/{n}" * 1000))
    found = aj.dry_run()["always"]
    assert (found.would_deny, len(found.samples)) == (300, MOST_SAMPLES)
    assert max(len(sample.path) for sample in found.samples) <= 200
    assert len({sample.path for sample in found.samples}) == MOST_SAMPLES
    for n in range(MOST_RULES + 5):
        aj.with_rule(Says(mode="DRY_RUN", does=denies, name=f"tenant-{n}")).protect(request())
    assert len(aj.dry_run()) <= MOST_RULES + 1
    assert aj.dry_run()[OTHER].would_deny == 6


def test_samples_are_of_the_whole_time() -> None:
    """Not the first few, and not the last few only."""
    aj = Doorward([Says(mode="DRY_RUN", does=denies, name="always")])
    for n in range(2000):
        aj.protect(request(path=f"/{n}"))
    places = [int(sample.path[1:]) for sample in aj.dry_run()["always"].samples]
    assert min(places) < 1000 < max(places)


def test_figures_are_exact_under_threads() -> None:
    """Of eight threads that decide at the same time."""
    rules = [Says(mode="DRY_RUN", does=denies, name="always"), Says(mode="DRY_RUN", does=allows, name="never")]
    aj = Doorward([*rules, Says(does=denies, name="live")])
    barrier = threading.Barrier(8)

    def work() -> None:
        barrier.wait()
        for _ in range(250):
            aj.protect(request())

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts = aj.health()["counts"]
    assert {name: counts[name] for name in counts if name.startswith("rule.")} == {
        "rule.always.asked": 2000,
        "rule.always.would_deny": 2000,
        "rule.always.refused_anyway": 2000,
        "rule.never.asked": 2000,
        "rule.live.denied": 2000,
    }
    assert len(aj.dry_run()["always"].samples) == MOST_SAMPLES


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:This process.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_process_begins_anew() -> None:
    """So that figures of workers add up to what there was."""
    aj = Doorward([new()])
    aj.protect(request())
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        aj.protect(request())
        os.write(writing, json.dumps([aj.dry_run()["new"].asked, aj.health()["counts"]["decision.ALLOW"]]).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        assert json.loads(answer.read()) == [1, 1]
    assert aj.dry_run()["new"].asked == 1


# --- the log


def test_a_would_be_refusal_is_logged_with_its_reason(records: Records) -> None:
    """Of each dry-run rule, so that a reader can take them apart."""
    rules = [Says(mode="DRY_RUN", does=denies, name="a: b|c"), Says(mode="DRY_RUN", does=denies, name="other")]
    Doorward(rules, logger=logging_to(records, logging.INFO)).protect(request())
    line = parse(records.lines[0])
    assert isinstance(line, Line)
    assert line.would == {"a: b|c": "double: deny", "other": "double: deny"}


def test_where_decisions_are_not_logged_some_would_be_refusals_are(records: Records) -> None:
    """Ten a minute for each rule, and all are counted."""
    clock = FakeClock()
    says = Says(mode="DRY_RUN", does=denies, name="new")
    aj = Doorward([says], logger=logging_to(records, logging.WARNING), clock=clock)
    for _ in range(50):
        aj.protect(request())
    assert [records.levels, [line[:17] for line in records.lines]] == [["WARNING"] * 10, ["doorward decision"] * 10]
    clock.advance(61)
    aj.protect(request())
    assert [line.split()[1] for line in records.lines[10:]] == ["decision", "summary"]
    assert aj.dry_run()["new"].would_deny == 51


def test_allowed_decisions_are_not_logged_at_the_level_of_warnings(records: Records) -> None:
    """A dry-run rule that refuses nothing is silent, but for a summary an hour."""
    clock = FakeClock()
    says = Says(mode="DRY_RUN", does=allows, name="new")
    aj = Doorward([says], logger=logging_to(records, logging.WARNING), clock=clock)
    for _ in range(130):
        aj.protect(request())
        clock.advance(60)
    assert [line.split()[1] for line in records.lines] == ["summary"] * 2


def test_summaries_hold_the_exact_figures(records: Records) -> None:
    """The last one when the client is closed."""
    clock = FakeClock()
    aj = Doorward([new(most=3)], logger=logging_to(records, logging.WARNING), clock=clock)
    for _ in range(200):
        aj.protect(request())
        clock.advance(7)
    aj.close()
    summaries = [found for found in map(parse, records.lines) if isinstance(found, Summary)]
    assert summaries[-1].counts == {"decision.ALLOW": 200, "rule.new.asked": 200, "rule.new.would_deny": 197}
    assert summaries[-1].until_ns == clock.now_ns() // 1_000_000 * 1_000_000
    assert len({summary.process for summary in summaries}) == 1


def test_nothing_is_summed_up_where_nobody_listens(records: Records) -> None:
    """Nor is anything logged at all."""
    clock = FakeClock()
    aj = Doorward([new()], logger=logging_to(records, logging.CRITICAL), clock=clock)
    for _ in range(5):
        aj.protect(request())
        clock.advance(3601)
    aj.close()
    assert not records.lines


@pytest.mark.parametrize(
    "path",
    ['/a" conclusion=DENY dry_run=forged', "/x\nWARNING doorward decision id=lreq_x", "/\x1b[31m", "/\u202egpj",
     "/\udcff", '/ would_deny="forged: x" ', "/\\", '/"', "/doorward summary process=1 until=2026-01-01T00:00:00Z"],
    ids=["quote", "line", "escape", "bidi", "surrogate", "field", "backslash", "lone quote", "summary"],
)  # fmt: skip
@pytest.mark.parametrize("level", [logging.INFO, logging.WARNING], ids=["INFO", "WARNING"])
def test_a_path_forges_nothing(path: str, level: int, records: Records) -> None:
    """What the log says is what was decided, whatever the path is."""
    aj = Doorward([Says(mode="DRY_RUN", does=denies, name="new")], logger=logging_to(records, level))
    aj.protect(request(path=path))
    (text,) = records.lines
    assert text.isascii()
    assert text.isprintable()
    line = parse(f"2026-11-22 03:00:00,123 WARNING doorward: {text}")
    assert isinstance(line, Line)
    assert (line.conclusion, dict(line.would), line.method) == ("ALLOW", {"new": "double: deny"}, "GET")
