"""Threads for calls that may hang. The caller waits as long as its deadline says, and never longer."""

from __future__ import annotations

import os
import queue
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from doorward.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_IN_FLIGHT = 32

_Task = tuple[Future[Any], "Callable[..., Any]", tuple[object, ...]]


class Offload:
    """At most ``most`` calls at once; one more fails at once instead of queueing behind those that hang.

    Args:
        most: Calls, those included that wait for a thread.
        threads: How many there are at most; as many as calls by default, for calls that may hang. Few are for calls
            that keep a processor busy: many of those at once would keep the event loop from running.

    ``concurrent.futures`` would do, but its threads are joined at interpreter exit, where a hanging store would keep
    the process alive for ever.
    """

    def __init__(self, most: int = MOST_IN_FLIGHT, threads: int | None = None) -> None:
        self._most = most
        self._threads = most if threads is None else threads
        self._pools: dict[int, _Pool] = {}

    def submit(self, call: Callable[..., Any], *arguments: object) -> Future[Any]:
        """Run ``call`` on a thread.

        Raises:
            StoreError: ``most`` calls are in flight.
        """
        # By process, since threads do not survive a fork; and in one step, since two threads may come first.
        pid = os.getpid()
        pool = self._pools.get(pid) or self._pools.setdefault(pid, _Pool(self._most, self._threads))
        return pool.submit(call, arguments)

    def close(self) -> None:
        """Let threads end when they are idle."""
        pool = self._pools.pop(os.getpid(), None)
        if pool is not None:
            pool.close()


class _Pool:
    """The threads of one process."""

    def __init__(self, most: int, most_threads: int) -> None:
        self._most = most
        self._most_threads = most_threads
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        self._in_flight = 0

    def submit(self, call: Callable[..., Any], arguments: tuple[object, ...]) -> Future[Any]:
        future: Future[Any] = Future()
        with self._lock:
            if self._in_flight >= self._most:
                raise StoreError(f"{self._most} calls to the store are in flight; this one is not waited for")
            if self._in_flight >= self._threads and self._threads < self._most_threads:
                threading.Thread(target=self._work, name="doorward-offload", daemon=True).start()
                self._threads += 1
            self._in_flight += 1
        self._tasks.put((future, call, arguments))
        return future

    def close(self) -> None:
        with self._lock:
            threads = self._threads
        for _ in range(threads):
            self._tasks.put(None)

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            self._perform(*task)

    def _perform(self, future: Future[Any], call: Callable[..., Any], arguments: tuple[object, ...]) -> None:
        try:
            result = call(*arguments)
        except BaseException as error:
            self._done()
            _resolve(future, None, error)
        else:
            self._done()
            _resolve(future, result, None)

    def _done(self) -> None:
        with self._lock:
            self._in_flight -= 1


def _resolve(future: Future[Any], result: object, error: BaseException | None) -> None:
    # A caller that gave up at its deadline has cancelled its future.
    if future.set_running_or_notify_cancel():
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)
