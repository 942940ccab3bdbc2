"""The loop that performs effects by awaiting. Imported when first needed: asyncio is half of what an import costs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Generator
from typing import TYPE_CHECKING, Any, TypeVar

from doorward.context import Body
from doorward.drivers import Deadline, Limiter, at_hand, failed, is_async, keeps_deadline, reachable
from doorward.effects import (
    AskProvider,
    AskService,
    AskStore,
    AskWeb,
    Compute,
    CountHits,
    Effect,
    Gather,
    Pause,
    ReadBody,
    ResolveDns,
)

if TYPE_CHECKING:
    from doorward.drivers import Service
    from doorward.network import Network
    from doorward.offload import Offload
    from doorward.silence import Silence
    from doorward.stores.base import AsyncStore, Store

T = TypeVar("T")

ReadBodyAsync = Callable[[], Awaitable[Body | None]]


class AsyncPorts:
    """Performs effects by awaiting; arguments as of :class:`SyncPorts`, the store of either kind."""

    __slots__ = (
        "_awaitable",
        "_deadline",
        "_local",
        "_network",
        "_offload",
        "_read_body",
        "_service",
        "_silence",
        "_store",
    )

    def __init__(
        self,
        store: Store | AsyncStore,
        local: Callable[[], Limiter],
        offload: Callable[[], Offload],
        timeout: float,
        read_body: ReadBodyAsync | None = None,
        *,
        network: Network | None = None,
        silence: Silence | None = None,
        service: Service | None = None,
    ) -> None:
        self._silence = silence
        self._service = service
        self._store: Any = store
        self._awaitable = is_async(store)
        self._local = local
        self._offload = offload
        self._deadline = Deadline(timeout)
        self._read_body = read_body
        self._network = network

    async def perform(self, effect: Effect) -> Any:  # noqa: PLR0911  (one for each effect)
        """The answer to ``effect``."""
        match effect:
            case CountHits(hits, local=True):
                return self._local().count(hits)
            case CountHits(hits):
                return await self._ask("count", (hits,))
            case AskStore(method, arguments):
                return await self._ask(method, arguments)
            case ReadBody():
                return await self._read_body() if self._read_body is not None else None
            case Gather((only,)):
                return [await self._attempt(only)]
            case Gather(effects):
                return await asyncio.gather(*(self._attempt(each) for each in effects))
            case Pause():
                return await asyncio.sleep(0)
            case Compute(pool, call, arguments):
                return await asyncio.wrap_future(pool.submit(call, *arguments))
            case AskService(question):
                return await at_hand(self._service).aask(question, self._deadline.left())
            case AskProvider(wire, call):
                with self._deadline.apart():
                    return await wire.asend(call)
            case ResolveDns() | AskWeb():
                return await reachable(self._network).perform_async(effect, self._deadline)

    async def _ask(self, method: str, arguments: tuple[object, ...]) -> Any:
        call = getattr(self._store, method)
        if not self._awaitable and not self._store.blocking:
            return call(*arguments)
        left = self._deadline.left()
        if self._awaitable and (keeps_deadline(self._store, left)):
            return await call(*arguments)
        silence = self._silence
        if silence is not None and method != "close":
            silence.check(awaitable=self._awaitable)
        began = time.monotonic()
        try:
            async with asyncio.timeout(left):
                return await self._called(call, arguments)
        except TimeoutError:
            if silence is not None:
                silence.met(began)
            raise self._deadline.exceeded() from None

    async def _called(self, call: Any, arguments: tuple[object, ...]) -> Any:
        future = None if self._awaitable else self._offload().submit(call, *arguments)
        try:
            answer = await (call(*arguments) if future is None else asyncio.wrap_future(future))
        except Exception:
            if self._silence is not None:
                self._silence.heard()
            raise
        if self._silence is not None:
            self._silence.heard()
        return answer

    async def _attempt(self, effect: Effect) -> Any:
        try:
            return await self.perform(effect)
        except Exception as error:
            return failed(error)


async def run_async(flow: Generator[Effect, Any, T], ports: AsyncPorts) -> T:
    """Drive ``flow`` to its end, awaiting."""
    try:
        effect = next(flow)
        while True:
            try:
                answer = await ports.perform(effect)
            except Exception as error:
                effect = flow.throw(error)
            else:
                effect = flow.send(answer)
    except StopIteration as stop:
        result: T = stop.value
        return result
