"""What the checks of the store suite stand on: a store of their own each, the time, and threads."""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
import unittest
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, ClassVar

from doorward.clock import NANOSECONDS
from doorward.effects import Algorithm, Hit
from doorward.errors import StoreError
from doorward.testing import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from doorward.stores.base import AsyncStore, Store

COUNTING = (Algorithm.FIXED_WINDOW, Algorithm.SLIDING_WINDOW, Algorithm.TOKEN_BUCKET)
DAY = 86_400 * NANOSECONDS
THREADS = 16
_PATIENCE = 30.0
"""Seconds of real time after which what should have come true counts as never coming true."""
_POLL = 0.01


class StoreChecks:
    """What every check has at hand; see :class:`doorward.testing.store_suite.StoreSuite`.

    Attributes:
        store: The store under test. An asynchronous one is called through an event loop of its own.
        clock: The time, where the store goes by it.
    """

    own_time: ClassVar[bool] = False

    store: Any
    clock: FakeClock

    def make_store(self, clock: FakeClock) -> Store | AsyncStore:
        """A store to test; override this."""
        raise NotImplementedError("override make_store: it returns the store to test")

    def setup_method(self) -> None:
        """Called before each check: by pytest, by :func:`doorward.testing.store_suite.failures`."""
        self.clock = FakeClock()
        self._prefix = f"suite-{uuid.uuid4().hex[:12]}:"
        self._loop: EventLoopThread | None = None
        self._opened: list[Any] = []
        self.store = self.open()

    def teardown_method(self) -> None:
        """Called after each check."""
        for store in self._opened:
            store.close()
        if self._loop is not None:
            self._loop.stop()

    def open(self) -> Any:
        """One more store, which the check need not close."""
        made: Any = self.make_store(self.clock)
        if inspect.iscoroutinefunction(getattr(made, "count", None)) or inspect.isawaitable(made):
            made = self.blocking(made)
        self._opened.append(made)
        return made

    def blocking(self, store: Any) -> Blocking:
        """An asynchronous store, to be called by blocking."""
        self._loop = self._loop or EventLoopThread()
        return Blocking(self._loop.run(_awaited(store)), self._loop)

    def key(self, name: str) -> str:
        """A key that no other check uses, in case the store outlives this one."""
        return self._prefix + name

    def hit(self, name: str, limit: int = 3, interval: int = DAY, **options: Any) -> Hit:
        """A hit on ``key(name)``; a sliding window of a day, as a rule."""
        return Hit(self.key(name), options.pop("algorithm", Algorithm.SLIDING_WINDOW), limit, interval, **options)

    def admitted(self, *hits: Hit) -> list[bool]:
        """Which of ``hits``, counted in one call, had room."""
        return [verdict.admitted for verdict in self.store.count(hits)]

    def room(self, hit: Hit) -> int:
        """Units left, without charging."""
        return int(self.store.peek([hit])[0].remaining)

    def becomes_true(self, seconds: float, happens: Callable[[], bool], what: str) -> None:
        """Check that ``happens`` turns true once ``seconds`` are over."""
        if not self.own_time:
            self.clock.advance(seconds)
            expect(happens(), what)
            return
        ends = time.monotonic() + seconds + _PATIENCE
        while not happens():
            expect(time.monotonic() < ends, what)
            time.sleep(_POLL)

    def needs_clock(self) -> None:
        """Skip the check of a store that has a time of its own."""
        if self.own_time:
            raise unittest.SkipTest("needs a store that goes by the clock it is given")


class EventLoopThread:
    """An event loop on a thread, which runs coroutines for callers that block."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="store-suite", daemon=True)
        self._thread.start()

    def run(self, coroutine: Any) -> Any:
        """What ``coroutine`` returns."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(_PATIENCE)

    def stop(self) -> None:
        """End the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE)
        self._loop.close()


class Blocking:
    """An asynchronous store whose calls block.

    Attributes:
        awaited: The store itself.
        loop: Where it is called.
    """

    def __init__(self, awaited: Any, loop: EventLoopThread) -> None:
        self.awaited = awaited
        self.loop = loop

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self.awaited, name)
        if not callable(attribute):
            return attribute
        return lambda *arguments: self.loop.run(attribute(*arguments))


async def _awaited(store: Any) -> Any:
    """The store, where making it has to be awaited."""
    return await store if inspect.isawaitable(store) else store


def expect(holds: object, what: str) -> None:
    """Fail unless ``holds``.

    Raises:
        AssertionError: It does not. Raised here, since ``python -O`` leaves assert statements out.
    """
    if not holds:
        raise AssertionError(what)


def expect_equal(found: object, expected: object, what: str) -> None:
    """Fail unless both are equal; the message shows them."""
    expect(found == expected, f"{what}: expected {expected!r}, found {found!r}")


def expect_store_error(call: Callable[[], object], what: str) -> None:
    """Fail unless ``call`` raises :class:`~doorward.errors.StoreError`."""
    try:
        found = call()
    except StoreError:
        return
    except Exception as error:
        raise AssertionError(f"{what} must raise StoreError, not {error!r}") from error
    raise AssertionError(f"{what} must raise StoreError, and returned {found!r}")


def at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """What ``calls`` return, each made on a thread of its own, all begun together."""
    start = threading.Barrier(len(calls))

    def begin(call: Callable[[], Any]) -> Any:
        start.wait(_PATIENCE)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(begin, call) for call in calls]]


__all__: list[str] = []
