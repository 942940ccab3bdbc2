"""The store of many hosts: Redis or Valkey, one server, a Cluster, or a group under Sentinel.

Every decision is one script on the server, so it is atomic, and uses the server's clock. See ``docs/stores-redis.md``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.errors import ConfigurationError
from doorward.stores.closing import Closing
from doorward.stores.redis.awaiting import Awaiting
from doorward.stores.redis.blocking import Processes
from doorward.stores.redis.commands import Names
from doorward.stores.redis.flows import Flows
from doorward.stores.redis.library import Library
from doorward.stores.redis.target import CLUSTER, SCHEMES, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from doorward.clock import Clock
    from doorward.effects import Charge, Hit, Verdict

__all__ = ["SCHEMES", "AsyncRedisStore", "RedisStore", "open_redis"]


class RedisStore(Closing):
    """Counters on Redis or Valkey; see :class:`~doorward.stores.base.Store` for what each call does.

    A call takes ``timeout`` seconds at most, whatever the servers do; ``reset`` and ``bans``, which look at a large
    store piece by piece, that long for each piece. A server that has failed a call is known to be down: calls raise at
    once, while a thread finds out when it is back. Nothing that may have been carried out is sent twice.

    Connections are made when they are first needed, and never shared with another process: safe over forks.

    Args:
        url: As in :data:`doorward.stores.redis.target.ACCEPTED`.
        timeout: Seconds.
        time: Microseconds since the epoch in place of the server's time, for tests.

    Attributes:
        aio: The same store for code that awaits.

    Raises:
        ConfigurationError: The URL is none, or no client library is installed.
    """

    blocking = True
    keeps_deadline = True

    def __init__(self, url: str, *, timeout: float = 0.5, time: Callable[[], int] | None = None) -> None:
        if not 0 < timeout <= 60:
            raise ConfigurationError("timeout", f"must be over 0 and at most 60 seconds, not {timeout!r}")
        self.timeout = timeout
        self._target = target = parse(url)
        library = Library(target)
        names = Names(target.namespace, tagged=target.kind == CLUSTER)
        self._processes = Processes(target, library, timeout, names.probe)
        self._flows = Flows(lambda: self._processes.current().router, names, time)
        awaiting = Awaiting(self._processes.current, library, timeout, target.max_connections)
        self.aio = AsyncRedisStore(self, self._flows, awaiting)

    def __repr__(self) -> str:
        return f"RedisStore({str(self._target)!r})"

    def count(self, hits: Sequence[Hit]) -> Sequence[Verdict]:
        """Charge ``hits``, all or none within each group."""
        return self._processes.current().run(self._flows.count(hits))

    def peek(self, hits: Sequence[Hit]) -> Sequence[Verdict]:
        """What ``count`` would answer to each hit alone, without charging."""
        return self._processes.current().run(self._flows.peek(hits))

    def refund(self, charges: Sequence[Charge]) -> None:
        """Take charges back, as far as they still weigh."""
        self._processes.current().run(self._flows.refund(charges))

    def tally(self, key: str, weight: float, window: float) -> float:
        """Add ``weight`` to a sum that sinks to nothing within ``window`` seconds; the new sum."""
        return self._processes.current().run(self._flows.tally(key, weight, window))

    def add_if_absent(self, key: str, ttl: float) -> bool:
        """Whether ``key`` was not there; it is now, for ``ttl`` seconds. A mark reads as an empty value."""
        return self._processes.current().run(self._flows.add_if_absent(key, ttl))

    def get(self, key: str) -> bytes | None:
        """The value of ``key``, or None."""
        return self._processes.current().run(self._flows.get(key))

    def put(self, key: str, value: bytes, ttl: float) -> None:
        """Keep ``value`` for ``ttl`` seconds."""
        self._processes.current().run(self._flows.put(key, value, ttl))

    def delete(self, key: str) -> None:
        """Forget the value or mark of ``key``."""
        self._processes.current().run(self._flows.delete(key))

    def reset(self, prefix: str) -> int:
        """Forget all counters and sums whose key starts with ``prefix``; how many. Looks at every key there is."""
        return self._processes.current().run(self._flows.reset(prefix), piecewise=True)

    def stats(self) -> Mapping[str, int]:
        """Figures of the servers, and of this process's connections to them."""
        process = self._processes.current()
        return {**process.run(self._flows.stats()), **process.figures()}

    def ban(self, key: str, ttl: float) -> None:
        """Refuse ``key`` (hits of algorithm ``BAN``) for ``ttl`` seconds."""
        self._processes.current().run(self._flows.ban(key, ttl))

    def unban(self, key: str) -> bool:
        """Lift a ban; whether there was one."""
        return self._processes.current().run(self._flows.unban(key))

    def bans(self) -> Mapping[str, float]:
        """Banned keys, and the seconds left to each."""
        return self._processes.current().run(self._flows.bans(), piecewise=True)

    def close(self) -> None:
        """Close the connections of this process. Calls after it raise ``StoreError``."""
        self._processes.close()

    def figures(self) -> dict[str, int]:
        """How this process's connections stand; asks no server."""
        return self._processes.current().figures()


class AsyncRedisStore:
    """:class:`RedisStore` for code that awaits, under asyncio; made by it, as its ``aio``.

    Each event loop has connections of its own; what is known about the servers is shared. A call that is cancelled
    takes its connection with it.
    """

    blocking = True
    keeps_deadline = True

    def __init__(self, store: RedisStore, flows: Flows, awaiting: Awaiting) -> None:
        self.timeout = store.timeout
        self._store = store
        self._flows = flows
        self._run = awaiting.run
        self._awaiting = awaiting

    def __repr__(self) -> str:
        return f"{self._store!r}.aio"

    async def count(self, hits: Sequence[Hit]) -> Sequence[Verdict]:
        """As :meth:`RedisStore.count`."""
        return await self._run(self._flows.count(hits))

    async def peek(self, hits: Sequence[Hit]) -> Sequence[Verdict]:
        """As :meth:`RedisStore.peek`."""
        return await self._run(self._flows.peek(hits))

    async def refund(self, charges: Sequence[Charge]) -> None:
        """As :meth:`RedisStore.refund`."""
        await self._run(self._flows.refund(charges))

    async def tally(self, key: str, weight: float, window: float) -> float:
        """As :meth:`RedisStore.tally`."""
        return await self._run(self._flows.tally(key, weight, window))

    async def add_if_absent(self, key: str, ttl: float) -> bool:
        """As :meth:`RedisStore.add_if_absent`."""
        return await self._run(self._flows.add_if_absent(key, ttl))

    async def get(self, key: str) -> bytes | None:
        """As :meth:`RedisStore.get`."""
        return await self._run(self._flows.get(key))

    async def put(self, key: str, value: bytes, ttl: float) -> None:
        """As :meth:`RedisStore.put`."""
        await self._run(self._flows.put(key, value, ttl))

    async def delete(self, key: str) -> None:
        """As :meth:`RedisStore.delete`."""
        await self._run(self._flows.delete(key))

    async def reset(self, prefix: str) -> int:
        """As :meth:`RedisStore.reset`."""
        return await self._run(self._flows.reset(prefix), piecewise=True)

    async def stats(self) -> Mapping[str, int]:
        """As :meth:`RedisStore.stats`."""
        return {**await self._run(self._flows.stats()), **self._store.figures()}

    async def ban(self, key: str, ttl: float) -> None:
        """As :meth:`RedisStore.ban`."""
        await self._run(self._flows.ban(key, ttl))

    async def unban(self, key: str) -> bool:
        """As :meth:`RedisStore.unban`."""
        return await self._run(self._flows.unban(key))

    async def bans(self) -> Mapping[str, float]:
        """As :meth:`RedisStore.bans`."""
        return await self._run(self._flows.bans(), piecewise=True)

    async def close(self) -> None:
        """Close the connections of this event loop, and the store."""
        await self._awaiting.close()
        self._store.close()


def open_redis(url: str, clock: Clock, timeout: float) -> RedisStore:  # noqa: ARG001
    """The store that ``url`` names. The servers' clock counts, not the client's.

    Args:
        url: See :class:`RedisStore`.
        clock: The client's clock.
        timeout: Seconds that a decision may wait.

    Raises:
        ConfigurationError: The URL is none, or no client library is installed.
    """
    return RedisStore(url, timeout=timeout)
