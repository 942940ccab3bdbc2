"""Performs conversations by awaiting: the pool of each event loop. Breakers, routes and repair are the twin's."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from weakref import WeakKeyDictionary

from doorward.errors import DeadlineExceeded, StoreError
from doorward.stores.redis.blocking import BECAME_REPLICA, Process, unconnected
from doorward.stores.redis.talk import Batch, Outcome, is_outage
from doorward.stores.redis.wires import AsyncWire

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from doorward.stores.redis.library import Library
    from doorward.stores.redis.routing import Node

T = TypeVar("T")

MOST_FROM_A_LOOP = 16
"""Connections from one event loop: more would only share the one thread that serves them all."""
_NEARLY = 0.9
"""Of the deadline: a call that is cancelled after that was not cancelled by a client that left."""


class AsyncLink(NamedTuple):
    """One connection, and the generation of its server's connections that it belongs to."""

    connection: Any
    wire: AsyncWire
    generation: int

    async def drop(self) -> None:
        """Close at once: whatever still comes is nobody's answer."""
        self.wire.abort()
        await self.connection.disconnect(nowait=True)  # waits for nothing


class Pool:
    """The connections of one event loop to one server."""

    def __init__(self, most: int) -> None:
        self.idle: deque[AsyncLink] = deque()
        self.permits = asyncio.Semaphore(most)


class Awaiting:
    """The pools of all event loops.

    Args:
        process: Gives what this process has open.
        library: Makes connections.
        timeout: Seconds for one conversation.
        most: Connections to each server, from each event loop.
    """

    def __init__(self, process: Callable[[], Process], library: Library, timeout: float, most: int) -> None:
        self._process = process
        self._library = library
        self._timeout = timeout
        self._most = min(most, MOST_FROM_A_LOOP)
        self._pools: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Node, Pool]] = WeakKeyDictionary()

    async def run(self, talk: Generator[Sequence[Batch], Sequence[Outcome], T], *, piecewise: bool = False) -> T:
        """Perform ``talk``; within the timeout, or ``piecewise`` each exchange within it."""
        process = self._process()
        ends = time.monotonic() + self._timeout
        try:
            batches = next(talk)
            while True:
                outcomes = await self._exchange(process, batches, ends)
                batches = talk.send(outcomes)
                if piecewise:
                    ends = time.monotonic() + self._timeout
        except StopIteration as stop:
            result: T = stop.value
            return result

    async def _exchange(self, process: Process, batches: Sequence[Batch], ends: float) -> Sequence[Outcome]:
        if len(batches) == 1:
            return [await self._converse(process, batches[0], ends)]
        return await asyncio.gather(*[self._converse(process, batch, ends) for batch in batches])

    async def _converse(self, process: Process, batch: Batch, ends: float) -> Outcome:
        began = time.monotonic()
        try:
            batch.node.check()
            async with asyncio.timeout((ends - began) * batch.share):
                return await self._on_link(process, batch, ends, began)
        except TimeoutError:
            return DeadlineExceeded("the server did not answer within the deadline")
        except StoreError as error:
            error.__traceback__ = None
            return error

    async def _on_link(self, process: Process, batch: Batch, ends: float, asked: float) -> list[Any]:
        node = batch.node
        patience = batch.share * max(self._timeout / 2, _NEARLY * (ends - asked))
        pool = self._pool(process, node)
        async with pool.permits:
            began = time.monotonic()
            link = None
            try:
                link = await self._link(pool, node, ends)
                link.wire.send(batch.data)
                replies = await link.wire.receive(batch.replies)
            except BaseException as error:
                if link is not None:
                    await link.drop()
                _note(process, node, error, began, patience)
                raise
            if any([is_outage(reply) for reply in replies]):
                await link.drop()
                process.note_failure(node, BECAME_REPLICA, began)
            elif link.generation != node.generation:
                await link.drop()
            else:
                node.breaker.succeeded()
                pool.idle.append(link)
            return replies

    def _pool(self, process: Process, node: Node) -> Pool:
        loop = asyncio.get_running_loop()
        pools = self._pools.get(loop)
        if pools is None:
            # Connections refer to their loop: one that has ended would be kept for ever.
            for ended in [other for other in list(self._pools) if other.is_closed()]:
                self._pools.pop(ended, None)
            pools = self._pools[loop] = {}
        pool = pools.get(node)
        if pool is None:
            pool = pools[node] = Pool(self._most)
        return pool

    async def _link(self, pool: Pool, node: Node, ends: float) -> AsyncLink:
        while pool.idle:
            link = pool.idle.pop()
            if link.generation == node.generation and link.wire.is_quiet():
                return link
            await link.drop()
        return await self._connect(node, ends)

    async def _connect(self, node: Node, ends: float) -> AsyncLink:
        generation = node.generation
        wire = AsyncWire(self._library)
        # The library's own time-out is behind the deadline, which is watched here.
        timeout = max(0.001, ends - time.monotonic()) + self._timeout
        connection = self._library.async_connection(wire, node.address, timeout, sentinel=node.sentinel)
        link = AsyncLink(connection, wire, generation)
        try:
            await connection.connect()
        except BaseException as error:
            await link.drop()
            if isinstance(error, StoreError) or not isinstance(error, Exception):
                raise
            raise StoreError(unconnected(node, error)) from None
        return link

    async def close(self) -> None:
        """Close the connections of the running event loop."""
        pools = self._pools.pop(asyncio.get_running_loop(), {})
        for pool in pools.values():
            while pool.idle:
                await pool.idle.pop().drop()


def _note(process: Process, node: Node, error: BaseException, began: float, patience: float) -> None:
    """Tell the breaker of a failure; a call that was cancelled before ``patience`` seconds is none of the server's."""
    if isinstance(error, StoreError):
        process.note_failure(node, str(error), began)
    elif isinstance(error, Exception):
        process.note_failure(node, f"the client library failed: {type(error).__name__}", began)
    elif time.monotonic() - began >= patience:
        process.note_failure(node, "the server did not answer within the deadline", began)
