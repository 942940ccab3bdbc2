"""A store that does not answer costs the deadline once; it is asked in the background until it does."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.unit.walking import request

from doorward import AsyncDoorward, Doorward, sliding_window
from doorward.errors import StoreError
from doorward.offload import Offload
from doorward.silence import PROBE, SILENT, Silence
from doorward.stores.memory import MemoryStore

SOON, PATIENCE = 0.05, 20.0
RULES = [sliding_window(max=1000, interval="1h", on_error="allow")]


class Mute(MemoryStore):
    """A store that can fall silent. ``asked`` counts questions of requests, ``probed`` those of the background."""

    blocking = True

    def __init__(self) -> None:
        super().__init__()
        self.speaks = threading.Event()
        self.asked = self.probed = 0

    def count(self, hits):
        if hits == PROBE:
            self.probed += 1
        else:
            self.asked += 1
        self.speaks.wait(PATIENCE)
        return super().count(hits)


class Awaited:
    """The same, to be awaited."""

    blocking = True

    def __init__(self) -> None:
        self.within = MemoryStore()
        self.speaks = False
        self.asked = self.probed = 0

    async def count(self, hits):
        if hits == PROBE:
            self.probed += 1
        else:
            self.asked += 1
        while not self.speaks:  # noqa: ASYNC110  (set from outside any loop)
            await asyncio.sleep(0.005)
        return self.within.count(hits)

    def __getattr__(self, name: str) -> Any:
        async def call(*arguments: Any) -> Any:
            return getattr(self.within, name)(*arguments)

        return call


@pytest.fixture
def mute() -> Iterator[Mute]:
    store = Mute()
    yield store
    store.speaks.set()


def until(holds: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.005)


def test_p5_one_request_pays_the_deadline(mute: Mute) -> None:
    """P5: those after it are answered without asking, and say why."""
    aj = Doorward(RULES, store=mute, timeout=SOON)
    decisions = [aj.protect(request()) for _ in range(200)]
    assert mute.asked == 1
    assert "DeadlineExceeded" in decisions[0].reason.message
    assert {decision.reason.message for decision in decisions[1:]} == {f"StoreError: {SILENT}"}


def test_p8_a_late_answer_ends_the_silence(mute: Mute) -> None:
    """P8: the call that was given up comes back: the store is asked again, by requests, without a restart."""
    aj = Doorward(RULES, store=mute, timeout=SOON)
    aj.protect(request())
    mute.speaks.set()
    until(lambda: not aj.protect(request()).is_errored())
    assert aj.stats()["outage.since"] == 0


def test_p8_the_background_finds_out_when_the_store_is_back(mute: Mute) -> None:
    """P8: probes hang like any call, and a new one is begun when the last is taken for lost."""
    aj = Doorward(RULES, store=mute, timeout=SOON)
    aj.protect(request())

    def probed() -> bool:
        aj.protect(request())
        return mute.probed > 0

    until(probed)
    mute.speaks.set()
    until(lambda: not aj.protect(request()).is_errored())
    assert mute.asked >= 2


def test_p8_a_store_that_is_awaited_costs_the_deadline_once_too() -> None:
    """P8: and is found again by a task in the background."""
    store = Awaited()

    async def story() -> None:
        aj = AsyncDoorward(RULES, store=store, timeout=SOON)
        for _ in range(100):
            await aj.protect(request())
        assert store.asked == 1
        store.speaks = True
        ends = time.monotonic() + PATIENCE
        while (await aj.protect(request())).is_errored():
            assert time.monotonic() < ends
            await asyncio.sleep(0.005)
        assert store.probed > 0
        await aj.aclose()

    asyncio.run(story())


def test_p8_where_each_request_has_a_loop_of_its_own_a_request_asks() -> None:
    """P8: nothing goes on in the background of a loop that ends with the request."""
    store = Awaited()
    aj = AsyncDoorward(RULES, store=store, timeout=SOON)

    def errored() -> bool:
        async def ask() -> bool:
            return (await aj.protect(request())).is_errored()

        return asyncio.run(ask())

    until(lambda: errored() and store.probed > 0)
    store.speaks = True
    until(lambda: not errored())


def test_an_error_is_an_answer() -> None:
    """A store that raises is asked by every request: it may be well again for the next."""

    class Raising(Mute):
        def count(self, hits):
            self.asked += 1
            raise ConnectionError("refused")

    store = Raising()
    aj = Doorward(RULES, store=store, timeout=SOON)
    for _ in range(50):
        aj.protect(request())
    assert store.asked == 50


def test_who_has_waited_little_has_learnt_nothing(mute: Mute) -> None:
    """A call that was given the last moments of a deadline says nothing about the store."""
    silence = Silence(mute, Offload, PATIENCE)
    silence.check()
    silence.met(time.monotonic())
    silence.check()
    silence = Silence(mute, Offload, 0.0)
    silence.check()
    silence.met(time.monotonic())
    with pytest.raises(StoreError, match="has not answered"):
        silence.check()


def test_a_store_that_keeps_its_deadline_is_called_without_a_thread() -> None:
    """It says so, and is believed; what awaits is called through its part for that."""
    callers: list[str] = []

    class Prompt(MemoryStore):
        blocking = True
        keeps_deadline = True

        def count(self, hits):
            callers.append(threading.current_thread().name)
            return super().count(hits)

    class Aio(Awaited):
        keeps_deadline = True

        async def count(self, hits):
            callers.append("awaited")
            return self.within.count(hits)

    store = Prompt()
    store.aio = Aio()  # type: ignore[attr-defined]
    aj = Doorward(RULES, store=store)
    aj.protect(request())
    waiting = aj.as_async()

    async def ask() -> bool:
        return (await waiting.protect(request())).is_allowed()

    assert asyncio.run(ask())
    assert callers == [threading.current_thread().name, "awaited"]
    assert aj.runtime.silence is None
