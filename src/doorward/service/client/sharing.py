"""One call for all who ask the same at the same time: single flight.

(The name is that of Go's ``golang.org/x/sync/singleflight``.) Threads share among themselves, and the tasks of one
event loop among themselves.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from doorward.errors import ServiceError
from doorward.service.client.trouble import NotAsked, TooLate

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Hashable

T = TypeVar("T")


class _Flight:
    """A task of an event loop, and how many wait for it."""

    def __init__(self, task: asyncio.Task[Any]) -> None:
        self.task = task
        self.waiting = 0


class Shared:
    """The calls that are in flight. Thread safe, for one process.

    Attributes:
        count: Answers that were another's.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._blocking: dict[Hashable, Future[Any]] = {}
        self._awaiting: dict[tuple[asyncio.AbstractEventLoop, Hashable], _Flight] = {}
        self.count = 0

    def do(self, question: Hashable, ask: Callable[[], T], seconds: float) -> T:
        """What ``ask`` answers, or has just been asked by another thread.

        Args:
            question: What makes two of them the same.
            ask: Asks; raises ServiceError.
            seconds: To wait for another's answer.

        Raises:
            ServiceError: There is none.
        """
        own: Future[T] = Future()
        with self._lock:
            other = self._blocking.setdefault(question, own)
        if other is not own:
            answer: T = self._others(other, seconds)
            return answer
        try:
            answer = ask()
        except BaseException as error:  # also what ends this thread's work: others wait for it
            self._land(question)
            own.set_exception(error if isinstance(error, ServiceError) else ServiceError(_GIVEN_UP))
            raise
        self._land(question)
        own.set_result(answer)
        return answer

    def _land(self, question: Hashable) -> None:
        with self._lock:
            del self._blocking[question]

    def _others(self, other: Future[T], seconds: float) -> T:
        with self._lock:
            self.count += 1
        try:
            return other.result(seconds)
        except TimeoutError:
            raise TooLate from None
        except ServiceError as error:
            raise _again(error) from None

    async def ado(self, question: Hashable, ask: Callable[[], Coroutine[Any, Any, T]], seconds: float) -> T:
        """As :meth:`do`, awaiting: the call is a task of its own, which ends early only when nobody waits for it."""
        key = asyncio.get_running_loop(), question
        flight = self._awaiting.get(key)
        # Whoever asks keeps the deadline, and finds out whether the service does: nobody is to end that before.
        patience = None if flight is None else seconds
        if flight is None:
            flight = self._awaiting[key] = _Flight(asyncio.create_task(ask()))
        else:
            with self._lock:
                self.count += 1
        flight.waiting += 1
        try:
            return await self._awaited(flight.task, patience)
        finally:
            flight.waiting -= 1
            if self._awaiting.get(key) is flight and (flight.task.done() or not flight.waiting):
                del self._awaiting[key]  # whoever comes now begins another
                flight.task.cancel()

    async def _awaited(self, task: asyncio.Task[T], seconds: float | None) -> T:
        try:
            async with asyncio.timeout(seconds):
                await asyncio.wait([task])
        except TimeoutError:
            raise TooLate from None
        if task.cancelled():
            raise ServiceError(_GIVEN_UP)
        error = task.exception()
        if isinstance(error, ServiceError):
            raise _again(error)
        return task.result()


_GIVEN_UP = "the call to the decision service was given up"


def _again(error: ServiceError) -> ServiceError:
    """One for each who waits: tracebacks add up."""
    kind = next((kind for kind in (NotAsked, TooLate) if isinstance(error, kind)), ServiceError)
    return kind(str(error), error.code)


__all__ = ["Shared"]
