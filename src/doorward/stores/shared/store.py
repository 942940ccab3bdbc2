"""The store over a table file: what :class:`~doorward.stores.base.Store` promises, for all processes that share it."""

from __future__ import annotations

import logging
import struct
import time
from typing import TYPE_CHECKING, NoReturn, TypeVar, cast

from doorward.clock import NANOSECONDS, SystemClock
from doorward.errors import ConfigurationError, StoreError
from doorward.stores.closing import Closing
from doorward.stores.shared.counters import TableCounters
from doorward.stores.shared.files import Wish, open_table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from doorward.clock import Clock
    from doorward.effects import Charge, Hit, Verdict

T = TypeVar("T")
logger = logging.getLogger("doorward")

_LONGEST_WAIT = 0.25
_LOOK_EVERY = NANOSECONDS
_QUICKLY = 0.05
_DAMAGED = (struct.error, IndexError, OverflowError, ValueError)


class SharedStore(Closing):
    """Counters in a file that all workers of a host map into memory; see :class:`~doorward.stores.base.Store`.

    All processes that have the file open count together, whenever they started and however they were forked. Nothing
    grows: when there is no room for a new entry, expired ones nearby go first, then the one written longest ago that
    is neither a live refusal nor a ban; what went before its time is counted in :meth:`stats`.

    A call takes microseconds. It waits only where a process was stopped while it held the lock of the same stripe:
    then for a bounded time, and fails.

    Args:
        path: The file; made if it is not there.
        size: Its bytes; None for what is there, or 32 MB.
        clock: Where time comes from. Without one, or with the system's, all processes use the time that the table
            began with, carried on by the monotonic clock, so that no step of the wall clock sets them apart.
        file_locks: Lock with the kernel's file locks, slower, rather than with mutexes of the C library: for a table
            that is used from several containers.
        timeout: Seconds that a decision may wait. Half of that, at most a quarter of a second, is for one lock.

    Raises:
        ConfigurationError: The file cannot be used; says why.
    """

    blocking = False

    def __init__(
        self,
        path: Path,
        size: int | None = None,
        clock: Clock | None = None,
        timeout: float = 0.5,
        *,
        file_locks: bool = False,
    ) -> None:
        self._path = path
        self._wish = Wish(size, file_locks)
        self._clock = None if type(clock) is SystemClock else clock
        self._patience = min(timeout / 2, _LONGEST_WAIT)
        self._told = False
        self._counters = self._attach()

    def _attach(self, **patience: float) -> TableCounters:
        opened = open_table(self._path, self._wish, self._patience, **patience)
        self._identity = opened.identity
        clock, offset = (self._clock.now_ns, 0) if self._clock else (time.monotonic_ns, opened.table.header.offset)
        self._look_at = clock() + offset + _LOOK_EVERY
        return TableCounters(opened.table, clock, offset)

    # Counting

    def count(self, hits: Sequence[Hit]) -> Sequence[Verdict]:
        """Charge ``hits``, all or none within each group."""
        counters = self._counters
        try:
            verdicts = (counters.count_one(hits[0]),) if len(hits) == 1 else counters.count(hits)
        except _DAMAGED as error:
            raise _damaged(error) from error
        if verdicts and verdicts[0][4] >= self._look_at:
            self._look(verdicts[0][4])
        return verdicts

    def peek(self, hits: Sequence[Hit]) -> Sequence[Verdict]:
        """What ``count`` would answer to each hit alone, without charging."""
        return self._guarded(lambda: self._counters.peek(hits))

    def refund(self, charges: Sequence[Charge]) -> None:
        """Take charges back, as far as they still weigh."""
        self._guarded(lambda: self._counters.refund(charges))

    # Bans

    def ban(self, key: str, ttl: float) -> None:
        """Refuse ``key`` (hits of algorithm ``BAN``) for ``ttl`` seconds."""
        self._guarded(lambda: self._counters.ban(key, ttl))

    def unban(self, key: str) -> bool:
        """Lift a ban; whether there was one."""
        return self._guarded(lambda: self._counters.unban(key))

    def bans(self) -> Mapping[str, float]:
        """Banned keys, and the seconds left to each."""
        return self._guarded(self._counters.bans)

    # Sums, marks and values

    def tally(self, key: str, weight: float, window: float) -> float:
        """Add ``weight`` to a sum that sinks to nothing within ``window`` seconds; the new sum."""
        return self._guarded(lambda: self._counters.tally(key, weight, window))

    def add_if_absent(self, key: str, ttl: float) -> bool:
        """Whether ``key`` was not there; it is now, for ``ttl`` seconds. A mark reads as an empty value."""
        return self._guarded(lambda: self._counters.add_if_absent(key, ttl))

    def get(self, key: str) -> bytes | None:
        """The value of ``key``, or None."""
        return self._guarded(lambda: self._counters.get(key))

    def put(self, key: str, value: bytes, ttl: float) -> None:
        """Keep ``value`` for ``ttl`` seconds; with its key at most 3,551 bytes."""
        self._guarded(lambda: self._counters.put(key, value, ttl))

    def delete(self, key: str) -> None:
        """Forget the value or mark of ``key``."""
        self._guarded(lambda: self._counters.delete(key))

    # Housekeeping

    def reset(self, prefix: str) -> int:
        """Forget all counters and sums whose key starts with ``prefix``; how many. Looks at the whole table."""
        return self._guarded(lambda: self._counters.reset(prefix))

    def stats(self) -> Mapping[str, int]:
        """What is held (some of it may have ended), and what went before its time since the table was made."""
        return self._guarded(self._counters.stats)

    def close(self) -> None:
        """Let go of the file. Calls after it raise ``StoreError``; another ``close`` does nothing."""
        # Calls of other threads may be on their way: the file is closed when the last of them has let go.
        self._counters = cast("TableCounters", _Closed())
        self._look_at = 0

    def _guarded(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except _DAMAGED as error:
            raise _damaged(error) from error

    def _look(self, now: int) -> None:
        """Once a second, see whether the file was taken away from under its users; then all meet at a new one."""
        self._look_at = now + _LOOK_EVERY
        try:
            status = self._path.stat()
            moved = (status.st_dev, status.st_ino) != self._identity
        except FileNotFoundError:
            moved = True
        except OSError:
            return
        if moved:
            self._attach_again()

    def _attach_again(self) -> None:
        try:
            self._counters = self._attach(folder_patience=_QUICKLY)
            self._told = False
        except ConfigurationError as error:
            if not self._told:
                self._told = True
                logger.warning("the shared table is no longer at its path, and this process goes on alone: %s", error)


class _Closed:
    """Takes the place of the counters of a closed store."""

    def __getattr__(self, name: str) -> NoReturn:
        raise StoreError("the shared store is closed")


def _damaged(error: Exception) -> StoreError:
    return StoreError(f"the shared table holds what it cannot: {error}")
