"""What is done about a store of somebody's that does not answer: it costs the deadline once, not for each request.

The store is then asked in the background from time to time, with a hit on a counter of its own, and asked for
requests again as soon as it answers in time. A store that raises answers: it is always tried.
"""

from __future__ import annotations

import asyncio
import os
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from doorward.chance import chance
from doorward.clock import NANOSECONDS
from doorward.effects import Algorithm, Hit
from doorward.errors import StoreError
from doorward.stores.outage import Breaker

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from doorward.offload import Offload

PROBE = (Hit("doorward:probe", Algorithm.FIXED_WINDOW, 1_000_000, 60 * NANOSECONDS),)
SILENT = "the store has not answered within the deadline; it is asked in the background until it does"


class Silence:
    """Whether a store that may block is known not to answer. Thread safe; each process finds out for itself.

    Args:
        store: The store.
        offload: Threads for calls that block.
        timeout: Seconds within which it should answer.
    """

    def __init__(self, store: Any, offload: Callable[[], Offload], timeout: float) -> None:
        self._store = store
        self._offload = offload
        self._timeout = timeout
        self._breakers: dict[int, Breaker] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._has_background = True

    @property
    def breaker(self) -> Breaker:
        """That of this process: its lock may have been held when this process was forked."""
        pid = os.getpid()
        return self._breakers.get(pid) or self._breakers.setdefault(pid, Breaker(time.monotonic, chance))

    def check(self, *, awaitable: bool = False) -> None:
        """Whether to ask the store now.

        Raises:
            StoreError: It is known to be silent.
        """
        breaker = self.breaker
        if breaker.closed:
            return
        if breaker.begin_probe():
            if awaitable and not self._has_background:
                return
            if awaitable:
                self._probe_awaiting(breaker)
            else:
                self._probe(breaker)
        raise StoreError(SILENT)

    def heard(self) -> None:
        """A call was answered in time, if only by an error."""
        breaker = self.breaker
        if not breaker.closed:
            breaker.succeeded()

    def met(self, began: float, future: Future[Any] | None = None) -> None:
        """A call that began at ``began`` (by ``time.monotonic``) was given up. Its late answer counts too."""
        # Who had little of the deadline left has learnt nothing from silence.
        if time.monotonic() - began >= self._timeout / 2:
            breaker = self.breaker
            breaker.failed(SILENT, began)
            if future is not None:
                future.add_done_callback(partial(_answered_late, breaker))

    def _probe(self, breaker: Breaker) -> None:
        began = time.monotonic()
        try:
            future = self._offload().submit(self._store.count, PROBE)
        except StoreError:  # threads that hang are as many as may be
            breaker.failed(SILENT, began)
            return
        future.add_done_callback(lambda _: self._probed(breaker, began))

    def _probed(self, breaker: Breaker, began: float) -> None:
        if time.monotonic() - began <= self._timeout:
            breaker.succeeded()
        else:
            breaker.failed(SILENT, began)

    def _probe_awaiting(self, breaker: Breaker) -> None:
        task = asyncio.get_running_loop().create_task(self._ask(breaker))
        self._tasks.add(task)  # a loop refers weakly to its tasks
        task.add_done_callback(self._tasks.discard)

    async def _ask(self, breaker: Breaker) -> None:
        began = time.monotonic()
        try:
            async with asyncio.timeout(self._timeout):
                await self._store.count(PROBE)
        except TimeoutError:
            breaker.failed(SILENT, began)
        except asyncio.CancelledError:
            # The loop ends with each request, as it does around an async view under WSGI: a request has to ask.
            self._has_background = False
            breaker.failed(SILENT, began)
            raise
        except Exception:
            self._probed(breaker, began)
        else:
            breaker.succeeded()


def _answered_late(breaker: Breaker, future: Future[Any]) -> None:
    """Close the breaker if a call that was given up came to something."""
    if not future.cancelled() and future.exception() is None:
        breaker.succeeded()


__all__ = ["Silence"]
