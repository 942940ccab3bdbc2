"""P8, P5: a store that raises, hangs or lies, in every framework: no error of ours, and never far over the limit."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.behaviour.clients.base import AppUnderTest, Setup
from tests.behaviour.clients.every import EVERY
from tests.behaviour.doubles import AwaitedStore, ShakyStore

from doorward import sliding_window
from doorward.testing import FakeClock

MAX = 4
DEADLINES = {"raises": 20.0, "lies": 20.0, "hangs": 0.3}
"""Seconds. A store that is well must not seem lost because the computer is busy."""
INLINE, BLOCKING, AWAITED = "inline", "blocking", "awaited"
FAILURES = [
    (kind, store, mode)
    for kind in EVERY
    for store in (INLINE, BLOCKING, AWAITED)
    for mode in ("raises", "hangs", "lies")
    if (kind.awaits or store != AWAITED) and (store, mode) != (INLINE, "hangs")
]
failing = pytest.mark.parametrize(
    ("kind", "store", "mode"), FAILURES, ids=[f"{kind.name}-{store}-{mode}" for kind, store, mode in FAILURES]
)


class Story:
    """An application whose store fails and gets well, and all that was seen of it."""

    def __init__(self, kind: type[AppUnderTest], store: str, on_error: str, **options: Any) -> None:
        self.clock = FakeClock()
        made: Any = AwaitedStore(self.clock) if store == AWAITED else ShakyStore(self.clock, blocking=store == BLOCKING)
        self.store: ShakyStore = made.within if store == AWAITED else made
        self.decisions: list[Any] = []
        rule = sliding_window(max=MAX, interval="1m", name="limit", on_error=on_error)  # type: ignore[arg-type]
        given = {"store": made, "clock": self.clock, **options}
        given["on_decision"] = lambda decision, _: self.decisions.append(decision)
        self.app = kind(Setup(rules=[rule], options=given))

    def ask(self, times: int) -> list[int]:
        """Statuses; whatever the store does, the host answers."""
        replies = [self.app.get() for _ in range(times)]
        assert [reply.error for reply in replies] == [None] * times
        return [reply.status for reply in replies]

    def until_well(self) -> None:
        """Let the store get well, and go on asking in windows of their own until that is noticed."""
        self.store.get_well()
        ends = time.monotonic() + 30
        while True:
            self.clock.advance(61)
            self.ask(1)
            reason = self.decisions[-1].reason
            if not (reason.is_error() or reason.degraded):
                return
            assert time.monotonic() < ends, "the store is well, and nobody asks it"
            time.sleep(0.01)


@pytest.fixture
def story() -> Iterator[Callable[..., Story]]:
    stories: list[Story] = []

    def begin(*arguments: Any, **options: Any) -> Story:
        stories.append(Story(*arguments, **options))
        return stories[-1]

    yield begin
    for each in stories:
        each.store.get_well()
        each.app.close()


@failing
def test_p8_no_window_admits_more_than_max_but_that_of_the_switch(
    story: Callable[..., Story], kind: type[AppUnderTest], store: str, mode: str
) -> None:
    """P8: on_error="local": ``max`` in a window within the outage, ``max`` more where it begins, and ``max`` after."""
    told = story(kind, store, "local", timeout=DEADLINES[mode])
    assert Counter(told.ask(MAX - 1)) == {200: MAX - 1}
    told.store.mode = mode
    assert Counter(told.ask(9)) == {200: 1, 429: 8}, "the local limiter goes on where the store left off"
    told.clock.advance(61)
    assert Counter(told.ask(9)) == {200: MAX, 429: 9 - MAX}
    told.until_well()
    told.clock.advance(61)
    assert Counter(told.ask(9)) == {200: MAX, 429: 9 - MAX}


@failing
@pytest.mark.parametrize(("on_error", "status"), [("allow", 200), ("deny", 503)])
def test_p8_failures_lead_to_what_was_configured_and_to_nothing_else(
    story: Callable[..., Story], kind: type[AppUnderTest], store: str, mode: str, on_error: str, status: int
) -> None:
    """P8: on_error="allow" lets everybody in, "deny" answers 503 itself; never a 5xx of the host's."""
    told = story(kind, store, on_error, timeout=DEADLINES[mode])
    assert told.ask(1) == [200]
    told.store.mode = mode
    assert Counter(told.ask(6)) == {status: 6}
    told.until_well()
    assert told.ask(1) == [200]


@failing
def test_p8_an_outage_is_said_in_decisions_log_and_counters(
    story: Callable[..., Story], kind: type[AppUnderTest], store: str, mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    """P8: each decision says that it was made without the store; the log says each change once."""
    caplog.set_level(logging.INFO)
    told = story(kind, store, "local", timeout=DEADLINES[mode])
    told.ask(2)
    told.store.mode = mode
    told.ask(5)
    assert [bool(decision.reason.degraded) for decision in told.decisions] == [False] * 2 + [True] * 5
    assert _changes(caplog) == ["lost"]
    assert _figures(told) == {"failures": 5, "degraded": 5, "times": 1, "since": int(told.clock.now())}
    told.until_well()
    assert _changes(caplog) == ["lost", "back"]
    assert _figures(told)["since"] == 0


def _changes(caplog: pytest.LogCaptureFixture) -> list[str]:
    messages = [record.getMessage() for record in caplog.records]
    return [word for message in messages for word in ("lost", "back") if f"default: store {word}" in message]


def _figures(told: Story) -> dict[str, int]:
    figures: dict[str, int] = told.app.aj.runtime.watch.figures()
    return {name.removeprefix("outage."): value for name, value in figures.items()}


@pytest.mark.parametrize(
    ("kind", "store"),
    [(kind, store) for kind in EVERY for store in (BLOCKING, AWAITED) if kind.awaits or store == BLOCKING],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_p5_a_silent_store_costs_the_deadline_once(
    story: Callable[..., Story], kind: type[AppUnderTest], store: str
) -> None:
    """P5: the first request waits for it; the next hundred do not ask it, but for one now and then that finds out."""
    told = story(kind, store, "allow", timeout=0.02)
    told.store.mode = "hangs"
    assert Counter(told.ask(101)) == {200: 101}
    assert told.store.asked <= 10
