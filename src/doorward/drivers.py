"""The loop that performs effects by blocking; its twin that awaits is :mod:`doorward.async_driver`.

Nothing is decided here. A failure is thrown into the generator: what follows from it is the engine's business.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, TypeVar

from doorward.context import Body
from doorward.effects import AskStore, CountHits, Effect, Failed, Gather, Pause, ReadBody
from doorward.errors import DeadlineExceeded

if TYPE_CHECKING:
    from doorward.offload import Offload
    from doorward.stores.base import Store

T = TypeVar("T")

ReadBodySync = Callable[[], Body | None]


def no_body() -> None:
    """For requests whose body is out of reach."""
    return


class Deadline:
    """What is left of the time that one decision may spend on remote work; counted from the first such work."""

    __slots__ = ("_ends", "_timeout")

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._ends = 0.0

    def left(self) -> float:
        """Seconds left.

        Raises:
            DeadlineExceeded: None are.
        """
        now = time.monotonic()
        self._ends = self._ends or now + self._timeout
        if now >= self._ends:
            raise self.exceeded()
        return self._ends - now

    def exceeded(self) -> DeadlineExceeded:
        """The error to raise."""
        return DeadlineExceeded(f"no answer within the deadline of {self._timeout:g} s")


class SyncPorts:
    """Performs effects by blocking.

    Args:
        store: Where counters live.
        local: The limiter of this process, for when the store fails.
        offload: Threads for stores that may block, so that the deadline holds whatever they do.
        timeout: Seconds for the remote work of one decision.
        read_body: Holds the request's body.
    """

    __slots__ = ("_deadline", "_local", "_offload", "_read_body", "_store", "inline_count")

    def __init__(
        self,
        store: Store,
        local: Callable[[], Store],
        offload: Callable[[], Offload],
        timeout: float,
        read_body: ReadBodySync = no_body,
    ) -> None:
        self._store = store
        self._local = local
        self._offload = offload
        self._deadline = Deadline(timeout)
        self._read_body = read_body
        self.inline_count = None if store.blocking else store.count

    def perform(self, effect: Effect) -> Any:
        """The answer to ``effect``."""
        match effect:
            case CountHits(hits, local=True):
                return self._local().count(hits)
            case CountHits(hits):
                return self._ask("count", (hits,))
            case AskStore(method, arguments):
                return self._ask(method, arguments)
            case ReadBody():
                return self._read_body()
            case Gather(effects):
                return [self._attempt(each) for each in effects]
            case Pause():
                return None

    def _ask(self, method: str, arguments: tuple[object, ...]) -> Any:
        call = getattr(self._store, method)
        if not self._store.blocking:
            return call(*arguments)
        left = self._deadline.left()
        try:
            return self._offload().submit(call, *arguments).result(left)
        except TimeoutError:
            raise self._deadline.exceeded() from None

    def _attempt(self, effect: Effect) -> Any:
        try:
            return self.perform(effect)
        except Exception as error:
            return Failed(error)


def is_async(store: object) -> bool:
    """Whether a store's calls are awaitable."""
    return inspect.iscoroutinefunction(getattr(store, "count", None))


def run(flow: Generator[Effect, Any, T], ports: SyncPorts) -> T:
    """Drive ``flow`` to its end, blocking."""
    count = ports.inline_count
    try:
        effect = next(flow)
        while True:
            try:
                # The one effect of almost every request goes past ``perform``.
                if count is not None and type(effect) is CountHits and not effect[1]:
                    answer = count(effect[0])
                else:
                    answer = ports.perform(effect)
            except Exception as error:
                effect = flow.throw(error)
            else:
                effect = flow.send(answer)
    except StopIteration as stop:
        result: T = stop.value
        return result
