"""The contract between doorward and a place where counters live.

Write one by implementing :class:`Store`, or :class:`AsyncStore`, the same names awaitable. Whether it keeps the
contract is what :mod:`doorward.testing.store_suite` checks. A store bounds its memory, and says what calls may cost:

``blocking`` (required)
    Whether a call may wait for a disk, a lock of another process or the network. Calls of one that does are made on a
    thread, under the decision's deadline; one that does not answer at all is asked in the background until it does.
``keeps_deadline`` (optional, of a store that blocks)
    True where each call ends in time by itself, whatever happens: calls need no thread. With an attribute ``timeout``,
    the seconds that a call takes at most, this holds while as much is left of the decision's deadline.
``aio`` (optional, of a :class:`Store`)
    An :class:`AsyncStore` with the same counters, which code that awaits uses. Closing either closes both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from doorward.effects import Charge, Hit, Verdict


@runtime_checkable
class Store(Protocol):
    """Counters, bans, one-time marks and small values. Safe from any thread.

    Every call is atomic but ``reset``, ``stats`` and ``bans``, which may look at a large store piece by piece.

    Keys are text, at most 512 characters; counters, sums, values and bans of the same key are four things. Values are
    kept up to 1,024 bytes at least. Durations (``window``, ``ttl``) are seconds, endless ones too. Failures are raised
    as :class:`~doorward.errors.StoreError`, whose first words say the cause.
    """

    blocking: bool
    """Whether a call may wait for a disk, a lock of another process or the network."""

    def count(self, hits: Sequence[Hit]) -> Sequence[Verdict]:
        """Charge ``hits``, all or none within each group.

        If one live hit of a group has no room, none of the group is charged, and the verdict of each says whether
        *it* had room. Groups of dry-run hits come after the live ones; if a live hit was refused they are only
        looked at. A refused hit changes nothing: it never prolongs the refusal.
        """
        ...

    def peek(self, hits: Sequence[Hit]) -> Sequence[Verdict]:
        """What ``count`` would answer to each hit alone, without charging; ``remaining`` is before the charge."""
        ...

    def refund(self, charges: Sequence[Charge]) -> None:
        """Take charges back, as far as they still weigh. Never lets a window admit more than its ``max``."""
        ...

    def tally(self, key: str, weight: float, window: float) -> float:
        """Add ``weight`` to a sum that sinks to nothing within ``window`` seconds; the new sum."""
        ...

    def add_if_absent(self, key: str, ttl: float) -> bool:
        """Whether ``key`` was not there; it is now, for ``ttl`` seconds. One caller wins."""
        ...

    def get(self, key: str) -> bytes | None:
        """The value of ``key``, or None."""
        ...

    def put(self, key: str, value: bytes, ttl: float) -> None:
        """Keep ``value`` for ``ttl`` seconds."""
        ...

    def delete(self, key: str) -> None:
        """Forget the value or mark of ``key``."""
        ...

    def reset(self, prefix: str) -> int:
        """Forget all counters and sums whose key starts with ``prefix``; how many. Bans, marks and values stay."""
        ...

    def stats(self) -> Mapping[str, int]:
        """Figures for operators, whole numbers: keys held, evictions and the like."""
        ...

    def ban(self, key: str, ttl: float) -> None:
        """Refuse ``key`` (hits of algorithm ``BAN``) for ``ttl`` seconds."""
        ...

    def unban(self, key: str) -> bool:
        """Lift a ban; whether there was one."""
        ...

    def bans(self) -> Mapping[str, float]:
        """Banned keys, and the seconds left to each."""
        ...

    def close(self) -> None:
        """Give back what the store holds open. Calls after it raise ``StoreError``; another ``close`` does nothing."""
        ...


@runtime_checkable
class AsyncStore(Protocol):
    """:class:`Store` with every method awaitable."""

    blocking: bool

    async def count(self, hits: Sequence[Hit]) -> Sequence[Verdict]:
        """As :meth:`Store.count`."""
        ...

    async def peek(self, hits: Sequence[Hit]) -> Sequence[Verdict]:
        """As :meth:`Store.peek`."""
        ...

    async def refund(self, charges: Sequence[Charge]) -> None:
        """As :meth:`Store.refund`."""
        ...

    async def tally(self, key: str, weight: float, window: float) -> float:
        """As :meth:`Store.tally`."""
        ...

    async def add_if_absent(self, key: str, ttl: float) -> bool:
        """As :meth:`Store.add_if_absent`."""
        ...

    async def get(self, key: str) -> bytes | None:
        """As :meth:`Store.get`."""
        ...

    async def put(self, key: str, value: bytes, ttl: float) -> None:
        """As :meth:`Store.put`."""
        ...

    async def delete(self, key: str) -> None:
        """As :meth:`Store.delete`."""
        ...

    async def reset(self, prefix: str) -> int:
        """As :meth:`Store.reset`."""
        ...

    async def stats(self) -> Mapping[str, int]:
        """As :meth:`Store.stats`."""
        ...

    async def ban(self, key: str, ttl: float) -> None:
        """As :meth:`Store.ban`."""
        ...

    async def unban(self, key: str) -> bool:
        """As :meth:`Store.unban`."""
        ...

    async def bans(self) -> Mapping[str, float]:
        """As :meth:`Store.bans`."""
        ...

    async def close(self) -> None:
        """As :meth:`Store.close`."""
        ...
