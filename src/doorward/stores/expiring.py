"""Two bounded maps that make room in constant time and never stop the caller for long. Neither locks; the store does.

Both are split into shards of some hundred keys, because a dict that grows copies itself: at a million keys in one
piece that takes over 10 ms. A shard is chosen by the hash of the key, which a client cannot predict.
"""

from __future__ import annotations

from heapq import heappop, heappush, heapreplace
from itertools import islice
from typing import TYPE_CHECKING, Generic, TypeVar

from doorward.clock import NANOSECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

V = TypeVar("V")

SHARD_SHIFT = 16
"""A shard is chosen by higher bits of the hash than those that a dict starts with, or all its keys would collide."""

_SHARD_KEYS = 512
_ONE_SHARD = 2048
_SMALLEST_SWEEP = 32
_SWEEP_EVERY = 60 * NANOSECONDS
_RESCAN_AFTER = NANOSECONDS
_CHEAP_SCAN = 64
_SCAN_SHARE = 8
_CORRECTIONS = 32
_NEVER = 1 << 100


def shard_count(max_entries: int) -> int:
    """A power of two; one shard for small maps, so that their order of eviction is that of the whole map."""
    return 1 if max_entries < _ONE_SHARD else 1 << ((max_entries - 1) // _SHARD_KEYS).bit_length()


class Shard(Generic[V]):
    """Part of an :class:`ExpiringMap`: its entries, oldest first, and when they were last looked through."""

    __slots__ = ("_oldest", "entries", "evictions", "soonest", "sweep_size", "swept_at")

    def __init__(self) -> None:
        self.entries: dict[str, V] = {}
        self.evictions = 0
        self.soonest = _NEVER
        self.sweep_size = _SMALLEST_SWEEP
        self.swept_at = 0
        self._oldest: Iterator[str] = iter(())

    def sweep(self, now: int, expiry_of: Callable[[V], int]) -> int:
        """Drop what has expired; how many. Free while nothing can have: ``soonest`` is before every expiry."""
        self.evictions = 0
        self.swept_at = now
        before = len(self.entries)
        if now >= self.soonest:
            # Into a new dict: one that only loses keys never gives its memory back.
            expiries = list(map(expiry_of, self.entries.values()))
            pairs = zip(self.entries.items(), expiries, strict=True)
            self.entries = {key: value for (key, value), expiry in pairs if expiry > now}
            self.soonest = min((expiry for expiry in expiries if expiry > now), default=_NEVER)
            self._oldest = iter(())
        self.sweep_size = max(_SMALLEST_SWEEP, 2 * len(self.entries))
        return before - len(self.entries)

    def evict_oldest(self) -> None:
        """Drop the oldest entry of a shard that is not empty.

        The oldest keys are listed in batches: asking a dict for its first key skips the holes that earlier
        evictions left, each time anew.
        """
        self.evictions += 1
        while True:
            for key in self._oldest:
                if self.entries.pop(key, None) is not None:
                    return
            self._oldest = iter(list(islice(self.entries, 1 + len(self.entries) // _SCAN_SHARE)))


class ExpiringMap(Generic[V]):
    """At most ``max_entries`` values that expire. When full, the expired go first, then the oldest.

    Expired entries are swept when their shard would grow, or once a minute when it gains a key: the cost per new key
    is constant, and memory follows the live keys without a thread.

    Args:
        max_entries: The most it holds; never exceeded.
        expiry_of: The nanosecond at which a value is as good as absent.
    """

    def __init__(self, max_entries: int, expiry_of: Callable[[V], int]) -> None:
        self.max_entries = max_entries
        self.held = 0
        self.evicted = 0
        self.shards: list[Shard[V]] = [Shard() for _ in range(shard_count(max_entries))]
        self.mask = len(self.shards) - 1
        self._expiry_of = expiry_of

    def shard(self, key: str) -> Shard[V]:
        """Where ``key`` is, if it is held."""
        return self.shards[hash(key) >> SHARD_SHIFT & self.mask]

    def get(self, key: str) -> V | None:
        """The value, which may have expired."""
        return self.shard(key).entries.get(key)

    def live(self, key: str, now: int) -> V | None:
        """The value, if it has not expired."""
        value = self.get(key)
        return value if value is not None and self._expiry_of(value) > now else None

    def set(self, key: str, value: V, now: int) -> None:
        """Replace the value of ``key``, or add it."""
        entries = self.shard(key).entries
        if key in entries:
            entries[key] = value
        else:
            self.add(key, value, now)

    def add(self, key: str, value: V, now: int) -> None:
        """Add a key that is not there, making room first."""
        shard = self.shard(key)
        if len(shard.entries) >= shard.sweep_size or now - shard.swept_at >= _SWEEP_EVERY:
            self._sweep(shard, now)
        if self.held >= self.max_entries:
            self._make_room(shard, now)
        shard.entries[key] = value
        self.held += 1
        shard.soonest = min(shard.soonest, self._expiry_of(value))

    def discard(self, key: str) -> V | None:
        """Take ``key`` out; its value, if it was there."""
        value = self.shard(key).entries.pop(key, None)
        if value is not None:
            self.held -= 1
        return value

    def discard_prefix(self, shard: Shard[V], prefix: str) -> int:
        """Drop the keys of one shard that start with ``prefix``; how many."""
        doomed = [key for key in shard.entries if key.startswith(prefix)]
        for key in doomed:
            del shard.entries[key]
        self.held -= len(doomed)
        return len(doomed)

    def _sweep(self, shard: Shard[V], now: int) -> int:
        gone = shard.sweep(now, self._expiry_of)
        self.held -= gone
        return gone

    def _make_room(self, shard: Shard[V], now: int) -> None:
        if not shard.entries:
            shard = max(self.shards, key=lambda other: len(other.entries))
        size = len(shard.entries)
        # Looking for expired keys costs time in proportion to the shard: do it where that is little, where as many
        # evictions have paid for it, or where the clock has moved far enough for an answer to be new.
        worth_it = size <= _CHEAP_SCAN or shard.evictions * _SCAN_SHARE >= size or now - shard.swept_at >= _RESCAN_AFTER
        if not (worth_it and self._sweep(shard, now)):
            shard.evict_oldest()
            self.held -= 1
            self.evicted += 1


class SoonestEndMap(Generic[V]):
    """At most ``max_entries`` values with an end. When full, the one that ends soonest goes.

    Each key has exactly one entry in the heap, whatever happens to it, so the heap is bounded too. An end that has
    moved is corrected when its entry comes up; to forget a key is to give it an end in the past.
    """

    def __init__(self, max_entries: int) -> None:
        self.max_entries = max_entries
        self.held = 0
        self.evicted = 0
        self.shards: list[dict[str, tuple[int, V]]] = [{} for _ in range(shard_count(max_entries))]
        self._mask = len(self.shards) - 1
        self._heap: list[tuple[int, str]] = []

    def __len__(self) -> int:
        return self.held

    def get(self, key: str) -> tuple[int, V] | None:
        """The end and the value; it may have ended."""
        return self.shards[hash(key) >> SHARD_SHIFT & self._mask].get(key)

    def set(self, key: str, end: int, value: V) -> tuple[str, V] | None:
        """Add or replace; what had to go for it, which may be the new one itself."""
        entries = self.shards[hash(key) >> SHARD_SHIFT & self._mask]
        known = key in entries
        entries[key] = (end, value)
        if known:
            return None
        heappush(self._heap, (end, key))
        self.held += 1
        if self.held <= self.max_entries:
            return None
        self.evicted += 1
        return self._pop_soonest()

    def clear(self) -> None:
        """Forget all."""
        for shard in self.shards:
            shard.clear()
        self._heap.clear()
        self.held = 0

    def pop_ended(self, now: int) -> tuple[str, V] | None:
        """Take out one that has ended, if it is at hand; constant work."""
        if not self._heap or self._heap[0][0] > now or self._correct_top():
            return None
        return self._pop_top()

    def _pop_soonest(self) -> tuple[str, V]:
        for _ in range(_CORRECTIONS):
            if not self._correct_top():
                break
        return self._pop_top()

    def _correct_top(self) -> bool:
        """Whether the entry on top had moved to a later end, and was put in its place."""
        end, key = self._heap[0]
        actual = self.shards[hash(key) >> SHARD_SHIFT & self._mask][key][0]
        if actual <= end:
            return False
        heapreplace(self._heap, (actual, key))
        return True

    def _pop_top(self) -> tuple[str, V]:
        _, key = heappop(self._heap)
        self.held -= 1
        return key, self.shards[hash(key) >> SHARD_SHIFT & self._mask].pop(key)[1]
