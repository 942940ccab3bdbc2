"""The store is lost, and comes back: what is said, counted and remembered, and who decides meanwhile."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from tests.unit.walking import PEER, request

from doorward import Doorward, fixed_window, shield, sliding_window, token_bucket
from doorward.degraded import LocalLimiter, ServiceWatch, StoreWatch
from doorward.effects import Algorithm, Hit, Verdict
from doorward.journal import MOST_CHANGES, Journal
from doorward.stores.memory import MemoryStore
from doorward.testing import FakeClock

MINUTE = 60 * 10**9


class Shaky(MemoryStore):
    """A store that can be lost."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock=clock)
        self.lost = False

    def count(self, hits):
        if self.lost:
            raise ConnectionError("connection refused")
        return super().count(hits)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(clock: FakeClock) -> Shaky:
    return Shaky(clock)


def client(store: Shaky, clock: FakeClock, *rules: Any, **options: Any) -> Doorward:
    return Doorward(rules or [sliding_window(max=4, interval="1m")], store=store, clock=clock, **options)


def let_in(aj: Doorward, count: int = 6) -> int:
    return sum(aj.protect(request()).is_allowed() for _ in range(count))


def changes(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if "store lost" in r.getMessage() or "store back" in r.getMessage()]


def test_a_change_is_logged_once(store: Shaky, clock: FakeClock, caplog: pytest.LogCaptureFixture) -> None:
    """One line when the store is lost, one when it is back, whatever the number of requests."""
    caplog.set_level(logging.INFO)
    aj = client(store, clock)
    for lost in (False, True, False):
        store.lost = lost
        let_in(aj, 5)
        clock.advance(2.5)
    assert changes(caplog) == [
        "doorward default: store lost, each limit goes on as its on_error says: ConnectionError: connection refused",
        "doorward default: store back after 2.5 s; 5 decisions were made without it",
    ]


def test_a_store_that_comes_and_goes_does_not_flood_the_log(clock: FakeClock, caplog: pytest.LogCaptureFixture) -> None:
    """Ten changes a minute are told, the others counted."""
    journal = Journal(logging.getLogger("doorward"), "default", clock, mask_addresses=False)
    watch = StoreWatch(journal, clock)
    for _ in range(100):
        watch.lost(ConnectionError("down"))
        watch.answered([], [])
    assert len(changes(caplog)) == MOST_CHANGES
    assert journal.counts()["change.store"] == 200
    clock.advance(61)
    watch.lost(ConnectionError("down"))
    assert len(changes(caplog)) == MOST_CHANGES + 1


def test_what_was_on_its_way_changes_nothing(clock: FakeClock, caplog: pytest.LogCaptureFixture) -> None:
    """An answer to what was asked before the loss, a failure of what was asked before the return: counted, not told."""
    watch = StoreWatch(Journal(logging.getLogger("doorward"), "default", clock, mask_addresses=False), clock)
    before = watch.turns
    watch.lost(ConnectionError("down"), before)
    watch.answered([], [], before)
    assert watch.down
    during = watch.turns
    watch.answered([], [], during)
    watch.lost(ConnectionError("down"), during)
    assert not watch.down
    assert (watch.changes, watch.failures, len(changes(caplog))) == (1, 2, 2)


def test_a_service_that_stays_lost_is_said_again_each_minute(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """A fail-open that goes on is impossible to overlook, and does not flood."""
    watch = ServiceWatch(Journal(logging.getLogger("doorward"), "default", clock, mask_addresses=False), clock)
    for _ in range(25):
        watch.lost(ConnectionError("down"))
        clock.advance(5)
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert said == [
        "doorward default: service lost, each rule goes on as its on_error says: ConnectionError: down",
        "doorward default: service still lost after 60 s; 13 decisions were made without it: ConnectionError: down",
        "doorward default: service still lost after 120 s; 25 decisions were made without it: ConnectionError: down",
    ]


def test_an_outage_is_counted(store: Shaky, clock: FakeClock) -> None:
    """``stats()`` says how many calls failed, how many decisions were made without, and since when."""
    aj = client(store, clock)
    let_in(aj, 2)
    assert {name: n for name, n in aj.stats().items() if name.startswith("outage.")} == {
        "outage.failures": 0,
        "outage.degraded": 0,
        "outage.times": 0,
        "outage.since": 0,
    }
    store.lost = True
    let_in(aj, 3)
    clock.advance(7)
    stats = aj.stats()
    assert (stats["outage.failures"], stats["outage.degraded"], stats["outage.times"]) == (3, 3, 1)
    assert stats["outage.since"] == int(clock.now()) - 7
    store.lost = False
    let_in(aj, 1)
    assert (aj.stats()["outage.since"], aj.stats()["outage.degraded"]) == (0, 3)


def test_memory_has_no_outages(clock: FakeClock) -> None:
    """Where nothing can fail, nothing is said about failing."""
    aj = Doorward([sliding_window(max=4, interval="1m")], clock=clock)
    assert not any(name.startswith("outage.") for name in aj.stats())


def test_a_decision_says_that_it_was_made_without_the_store(store: Shaky, clock: FakeClock) -> None:
    """In the reason, its wire form and its explanation."""
    store.lost = True
    reason: Any = client(store, clock).protect(request()).reason
    assert reason.degraded == "ConnectionError: connection refused"
    assert "local limiter: ConnectionError" in reason.explain()


@pytest.mark.parametrize("used", [0, 1, 3, 4])
def test_p8_the_local_limiter_goes_on_where_the_store_left_off(store: Shaky, clock: FakeClock, used: int) -> None:
    """P8: what the store had counted is not forgotten because it is lost."""
    aj = client(store, clock)
    assert let_in(aj, used) == used
    store.lost = True
    assert let_in(aj) == 4 - used


def test_p8_each_process_admits_its_part(store: Shaky, clock: FakeClock) -> None:
    """P8: ``max // workers``, and one at least; of what the store had left, no more than that."""
    store.lost = True
    assert let_in(client(store, clock, workers=2)) == 2
    assert let_in(client(store, clock, workers=100)) == 1
    store.lost = False
    aj = client(store, clock, workers=2, name="used")
    let_in(aj, 3)
    store.lost = True
    assert let_in(aj) == 1


@pytest.mark.parametrize(
    "rule",
    [
        sliding_window(max=4, interval="1m"),
        fixed_window(max=4, window="1m"),
        token_bucket(capacity=4, refill_rate=4, interval="1m"),
    ],
    ids=["sliding", "fixed", "bucket"],
)
def test_p8_a_switch_admits_at_most_max_more(store: Shaky, clock: FakeClock, rule: Any) -> None:
    """P8: however often the store comes and goes within a window."""
    aj = client(store, clock, rule)
    admitted = 0
    for number in range(40):
        store.lost = number % 2 == 1
        admitted += let_in(aj, 1)
        clock.advance(0.1)
    assert 4 <= admitted <= 8


def test_p8_what_the_store_said_is_forgotten_when_its_window_is_over(store: Shaky, clock: FakeClock) -> None:
    """P8: an outage later on begins with all that this process may admit."""
    aj = client(store, clock)
    let_in(aj)
    clock.advance(61)
    store.lost = True
    assert let_in(aj) == 4


def test_p8_a_store_that_is_back_decides_at_once(store: Shaky, clock: FakeClock) -> None:
    """P8: the first question that it answers is its own again, without a restart."""
    aj = client(store, clock)
    store.lost = True
    let_in(aj)
    store.lost = False
    reason: Any = aj.protect(request()).reason
    assert (reason.degraded, reason.remaining) == ("", 3)


def test_p3_what_is_remembered_of_the_store_is_bounded(clock: FakeClock) -> None:
    """P3: of many counters, those heard of first are forgotten first."""
    limiter = LocalLimiter(clock, most=100)
    for number in range(1000):
        limiter.hear([hit(f"k{number}")], [Verdict(True, 0, 60.0, 0.0)])
    assert len(limiter._heard) == 100
    assert limiter.count([hit("k0")])[0].admitted
    assert not limiter.count([hit("k999")])[0].admitted


def test_bans_are_not_taken_for_counters(clock: FakeClock) -> None:
    """What the store says about bans is no remainder of a limit."""
    limiter = LocalLimiter(clock)
    limiter.hear([Hit("k", Algorithm.BAN, 1, 1)], [Verdict(False, 0, 60.0, 60.0)])
    assert limiter.count([hit("k")])[0].admitted


def hit(key: str) -> Hit:
    return Hit(key, Algorithm.SLIDING_WINDOW, 5, MINUTE)


def test_sums_that_cannot_be_added_up_are_counted_as_failures(clock: FakeClock) -> None:
    """They decide about no limit, and yet the store has failed."""

    class NoSums(MemoryStore):
        def tally(self, key, weight, window):
            raise ConnectionError("down")

    aj = Doorward([shield()], store=NoSums(clock=clock), clock=clock)
    aj.protect(request(path="/etc/passwd", query="q=1'+OR+'1'='1"))
    aj.protect(request(query="q=union+select"))
    stats = aj.stats()
    assert (stats["outage.failures"] > 0, stats["outage.degraded"]) == (True, 0)


def test_who_is_banned_is_let_in_while_bans_cannot_be_read(store: Shaky, clock: FakeClock) -> None:
    """Unless failures are to deny: then nobody is."""
    aj = client(store, clock)
    aj.ban(PEER)
    assert let_in(aj, 1) == 0
    store.lost = True
    clock.advance(1)  # for which a refusal is believed without asking
    assert let_in(aj, 1) == 1
    assert client(store, clock, on_error="deny").protect(request()).status == 503
