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

    ``concurrent.futures`` would do, but its threads are joined at interpreter exit, where a hanging store would keep
    the process alive for ever.
    """

    def __init__(self, most: int = MOST_IN_FLIGHT) -> None:
        self._most = most
        self._reset()

    def _reset(self) -> None:
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        self._in_flight = 0
        self._pid = os.getpid()

    def submit(self, call: Callable[..., Any], *arguments: object) -> Future[Any]:
        """Run ``call`` on a thread.

        Raises:
            StoreError: ``most`` calls are in flight.
        """
        if self._pid != os.getpid():
            self._reset()  # threads do not survive a fork
        future: Future[Any] = Future()
        with self._lock:
            if self._in_flight >= self._most:
                raise StoreError(f"{self._most} calls to the store are in flight; this one is not waited for")
            self._in_flight += 1
            starting = self._in_flight > self._threads
            self._threads += starting
        self._tasks.put((future, call, arguments))
        if starting:
            threading.Thread(target=self._work, name="doorward-store", daemon=True).start()
        return future

    def close(self) -> None:
        """Let idle threads end."""
        with self._lock:
            tasks, threads = self._tasks, self._threads
        self._reset()
        for _ in range(threads):
            tasks.put(None)

    def _work(self) -> None:
        tasks = self._tasks
        while (task := tasks.get()) is not None:
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
