"""What an operator gets to see."""

from __future__ import annotations

import logging

import pytest
from tests.unit.walking import PEER, Says, allows, denies, raises, request

from doorward import Doorward, sliding_window
from doorward.decision import Conclusion
from doorward.journal import MOST_CAUSES, Journal, masked
from doorward.testing import FakeClock


class Records(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def records() -> Records:
    return Records()


@pytest.fixture
def logger(records: Records) -> logging.Logger:
    found = logging.Logger("doorward.test", logging.INFO)  # noqa: LOG001  (one of its own, which no test inherits)
    found.addHandler(records)
    return found


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def journal(logger: logging.Logger, clock: FakeClock) -> Journal:
    return Journal(logger, "default", clock, mask_addresses=False)


def test_a_decision_is_one_record(logger: logging.Logger, records: Records, clock: FakeClock) -> None:
    """With what an operator looks for, and as fields for machines."""
    decision = Doorward([Says(does=denies)], logger=logger, clock=clock).protect(request(path="/a b", method="POST"))
    (record,) = records.records
    assert record.levelno == logging.INFO
    assert record.getMessage() == (
        f"doorward decision client=default id={decision.id} conclusion=DENY status=403 rule=says reason=RULE "
        f'why="double: deny" ip={PEER} method=POST path="/a b" dry_run="" would_deny="" failed=""'
    )
    assert record.doorward["conclusion"] == "DENY"


def test_a_record_holds_no_secrets(logger: logging.Logger, records: Records) -> None:
    """Neither query nor headers nor body, where secrets are."""
    Doorward([Says()], logger=logger).protect(
        request(query="token=hunter2", headers=[("Cookie", "hunter2"), ("Authorization", "hunter2")], body=b"hunter2")
    )
    assert "hunter2" not in records.records[0].getMessage()


@pytest.mark.parametrize(
    "path", ['/" conclusion=ALLOW ip="1.1.1.1', "/a\nb conclusion=ALLOW", '/x\\" y=1', '/"', "/\u202e"]
)
def test_a_client_cannot_forge_a_record(path: str, logger: logging.Logger, records: Records) -> None:
    """Whatever stands in the path, it stays inside its field and its line."""
    Doorward([Says(does=denies)], logger=logger).protect(request(path=path))
    message = records.records[0].getMessage()
    assert message.isascii()
    assert "\n" not in message
    outside = ""
    quoted = escaped = False
    for character in message:
        quoted ^= character == '"' and not escaped
        escaped = character == "\\" and not escaped
        outside += "" if quoted else character
    assert outside.count("conclusion=") == 1
    assert not quoted


def test_nothing_is_written_where_nobody_listens(logger: logging.Logger, records: Records) -> None:
    """At level WARNING, which is the default of Python, an ordinary decision costs no text."""
    logger.setLevel(logging.WARNING)
    aj = Doorward([Says()], logger=logger)
    aj.protect(request())
    assert records.records == []
    assert aj.health()["counts"] == {"decision.ALLOW": 1}


def test_a_failure_is_a_warning_once_a_minute_and_counted_each_time(
    logger: logging.Logger, records: Records, clock: FakeClock
) -> None:
    """A store that is down for an hour does not fill the disk."""
    aj = Doorward([Says(does=raises)], logger=logger, clock=clock)
    for _ in range(3):
        aj.protect(request())
    clock.advance(60)
    aj.protect(request())
    decisions = [record for record in records.records if record.getMessage().startswith("doorward decision")]
    assert [record.levelname for record in decisions] == ["WARNING", "INFO", "INFO", "WARNING"]
    assert 'failed="says: RuntimeError: a bug"' in records.records[0].getMessage()
    assert aj.health()["counts"] == {
        "decision.ERROR": 4, "error.rule says: RuntimeError: a bug": 4, "rule.says.erred": 4
    }  # fmt: skip


def test_a_clock_that_steps_back_does_not_silence_warnings(
    journal: Journal, records: Records, clock: FakeClock
) -> None:
    """A time in the future is not waited for."""
    journal.warn("a", "first")
    clock.advance(-3600)
    journal.warn("a", "second")
    assert [record.getMessage() for record in records.records] == [
        "doorward default: first",
        "doorward default: second",
    ]


def test_a_missing_characteristic_is_a_warning(logger: logging.Logger, records: Records) -> None:
    """The note says what the limit counted by instead."""
    aj = Doorward([sliding_window(max=5, interval=60, characteristics=["userId"])], logger=logger)
    aj.protect(request())
    assert records.records[0].levelname == "WARNING"
    assert "userId not given to protect" in records.records[0].getMessage()


def test_dry_runs_are_counted_by_rule() -> None:
    """What an operator wants to know before switching a rule on."""
    aj = Doorward([Says(does=denies, mode="DRY_RUN", name="new")])
    aj.protect(request())
    assert aj.health()["counts"] == {
        "decision.ALLOW": 1, "dry_run.new": 1, "rule.new.asked": 1, "rule.new.would_deny": 1
    }  # fmt: skip


def test_causes_are_bounded(journal: Journal, clock: FakeClock) -> None:
    """Whoever makes up causes fills one counter."""
    for number in range(MOST_CAUSES + 50):
        journal.warn(str(number), "x")
    counts = journal.counts()
    assert (len(counts), counts["other"]) == (MOST_CAUSES + 1, 50)


def _lose(what: str) -> None:
    raise LookupError(what)


@pytest.mark.swallows_errors
def test_a_swallowed_error_says_where_it_was_raised(journal: Journal, records: Records) -> None:
    """In one line; again only after a minute, counted each time."""
    for _ in range(2):
        try:
            _lose("gone\n")
        except LookupError as error:
            journal.swallowed("on_decision", error)
    (record,) = records.records
    assert record.levelname == "ERROR"
    assert record.getMessage().startswith(
        "doorward on_decision failed, the request goes on: LookupError: gone\\x0a (in _lose"
    )
    assert journal.counts() == {"error.on_decision: LookupError": 2}
    journal.swallowed("elsewhere", LookupError())
    assert records.records[1].getMessage().endswith(": LookupError")


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


@pytest.mark.swallows_errors
def test_an_error_that_cannot_be_printed_does_not_reach_the_application() -> None:
    """Not even through the record of it."""

    def broken(*_: object) -> None:
        raise Mute

    aj = Doorward([Says(does=allows)], on_decision=broken)
    assert aj.protect(request()).conclusion is Conclusion.ALLOW


@pytest.mark.swallows_errors
def test_a_logger_that_raises_does_not_reach_the_application(logger: logging.Logger) -> None:
    """Filters and handlers are the application's own; theirs are counted where they cannot be logged."""

    def broken(record: logging.LogRecord) -> bool:
        raise RuntimeError("a bug in a filter")

    def callback(*_: object) -> None:
        raise RuntimeError("a bug in a callback")

    logger.addFilter(broken)
    aj = Doorward([Says(does=raises)], logger=logger, on_decision=callback)
    assert aj.protect(request()).conclusion is Conclusion.ERROR
    assert aj.health()["counts"]["error.logger"] == 2


@pytest.mark.parametrize(
    ("address", "shown"), [("203.0.113.9", "203.0.113.0/24"), ("2001:db8:1:2::3", "2001:db8:1::/48"), ("", "")]
)
def test_an_address_is_masked_to_its_network(
    address: str, shown: str, logger: logging.Logger, records: Records
) -> None:
    """/24 of IPv4, /48 of IPv6, nothing of nothing."""
    assert masked(address) == shown
    Doorward([Says()], logger=logger, mask_addresses=True).protect(request(peer=address))
    assert records.records[0].doorward["ip"] == shown
