"""The store of one process: counters in memory, bounded, exact under threads, and a microsecond or two a hit."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING

from doorward.clock import SystemClock
from doorward.effects import Algorithm, Verdict
from doorward.errors import ConfigurationError, StoreError
from doorward.locks import lock_over_forks
from doorward.stores.algorithms import DECIDE, State, Tally, add_weight, expiry_of, seconds
from doorward.stores.closing import Closing
from doorward.stores.expiring import SHARD_SHIFT, ExpiringMap, SoonestEndMap
from doorward.stores.grouped import GroupedCounters, lifetime

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence, Sized

    from doorward.clock import Clock
    from doorward.effects import Charge, Hit

_BAN = Algorithm.BAN
_new = tuple.__new__
"""What a NamedTuple's own ``__new__`` calls: without the detour a twentieth of a hit is saved."""


class MemoryStore(GroupedCounters, Closing):
    """Counters in this process (``memory://``); see :class:`~doorward.stores.base.Store` for what each call does.

    Nothing grows without bound: when a map is full its expired entries go first, then the oldest. A counter that has
    refused a hit is set aside until that refusal ends, out of reach of a flood of new keys. Everything that went
    before its time is counted in :meth:`stats`.

    One lock guards everything. It is held over a fork, so that a child finds it free and the counters whole.

    Args:
        max_keys: The most counters held, without those set aside.
        max_refusals: The most counters set aside, and the most bans; beyond, the one that ends soonest goes. Also the
            most sums of ``tally``.
        max_values: The most values and marks.
        clock: Where time comes from.

    Raises:
        ConfigurationError: A bound is below 1.
    """

    blocking = False

    def __init__(
        self,
        max_keys: int = 250_000,
        max_refusals: int = 100_000,
        max_values: int = 100_000,
        clock: Clock | None = None,
    ) -> None:
        for name, bound in (("max_keys", max_keys), ("max_refusals", max_refusals), ("max_values", max_values)):
            if bound < 1:
                raise ConfigurationError(name, f"{bound!r} is too few; at least 1")
        self._bounds = max_keys, max_refusals, max_values
        self._now = (clock or SystemClock()).now_ns
        self._lock = lock_over_forks()
        self._start()

    def _start(self) -> None:
        max_keys, max_refusals, max_values = self._bounds
        self._counters: ExpiringMap[State] = ExpiringMap(max_keys, expiry_of)
        self._refused: SoonestEndMap[State | None] = SoonestEndMap(max_refusals)
        self._bans: SoonestEndMap[None] = SoonestEndMap(max_refusals)
        self._tallies: ExpiringMap[Tally] = ExpiringMap(max_refusals, itemgetter(0))
        self._values: ExpiringMap[tuple[int, bytes]] = ExpiringMap(max_values, itemgetter(0))

    # Counting

    def count(self, hits: Sequence[Hit]) -> Sequence[Verdict]:
        """Charge ``hits``, all or none within each group."""
        with self._lock:
            now = self._now()
            if len(hits) == 1:
                return (self._count_one(hits[0], now),)
            # A ban and one limit are what most requests ask for. Alone in their calls, they need no roll-back.
            if len(hits) == 2 and hits[0].algorithm is _BAN and not self._ban_left(hits[0].key, now):
                return self._ban_verdict(hits[0], now), self._count_one(hits[1], now)
            return self._count_many(hits, now)

    def peek(self, hits: Sequence[Hit]) -> Sequence[Verdict]:
        """What ``count`` would answer to each hit alone, without charging."""
        with self._lock:
            now = self._now()
            return [self._peek_one(hit, now) for hit in hits]

    def refund(self, charges: Sequence[Charge]) -> None:
        """Take charges back, as far as they still weigh."""
        with self._lock:
            now = self._now()
            self._refund_all(charges, now)

    def _count_one(self, hit: Hit, now: int) -> Verdict:
        """One hit on its own. The hot path: look-ups that ``_read`` and ``_write`` would do are written out."""
        key, algorithm, limit, interval, cost, _, _ = hit
        if algorithm is _BAN:
            return self._ban_verdict(hit, now)
        counters = self._counters
        entries = counters.shards[hash(key) >> SHARD_SHIFT & counters.mask].entries
        state = entries.get(key)
        aside = self._refused.get(key) if state is None and self._refused.held else None
        if aside is not None:
            state = aside[1]
        new, left, reset, retry = DECIDE[algorithm](state, limit, interval, cost, now)
        if new is None:
            if aside is None or aside[0] < now + retry:
                self._set_aside(key, state, now + retry, now)
            return _new(Verdict, (False, left, seconds(reset), seconds(retry), now))
        if aside is not None:
            self._refused.set(key, aside[0], new)
        elif state is None:
            counters.add(key, new, now)
            self._take_back_ended(now)
        else:
            entries[key] = new
        return _new(Verdict, (True, left, seconds(reset), 0.0, now))

    # Where a counter is: among the counters, or set aside. Never both.

    def _read(self, key: str) -> State | None:
        state = self._counters.get(key)
        if state is None and self._refused.held:
            entry = self._refused.get(key)
            return entry[1] if entry else None
        return state

    def _write(self, key: str, state: State | None, now: int) -> None:
        entry = self._refused.get(key)
        if entry is not None:
            self._refused.set(key, entry[0], state)
        elif state is None:
            self._counters.discard(key)
        else:
            self._counters.set(key, state, now)

    def _set_aside(self, key: str, state: State | None, end: int, now: int) -> None:
        """Keep the counter of a refused key out of reach of a flood until ``end``."""
        if state is None:
            return
        entry = self._refused.get(key)
        if entry is not None and entry[0] >= end:
            return
        self._take_back_ended(now)
        self._counters.discard(key)
        self._take_back(self._refused.set(key, end, state), now)

    def _take_back_ended(self, now: int) -> None:
        """Two at most, so that no call takes long; as each call sets aside one at most, that keeps pace."""
        if self._refused.held:
            self._take_back(self._refused.pop_ended(now), now)
            self._take_back(self._refused.pop_ended(now), now)

    def _take_back(self, entry: tuple[str, State | None] | None, now: int) -> None:
        if entry is not None and entry[1] is not None and expiry_of(entry[1]) > now:
            self._counters.add(entry[0], entry[1], now)

    # Bans

    def ban(self, key: str, ttl: float) -> None:
        """Refuse ``key`` (hits of algorithm ``BAN``) for ``ttl`` seconds."""
        with self._lock:
            now = self._now()
            self._bans.pop_ended(now)
            self._bans.set(key, now + lifetime(ttl), None)

    def unban(self, key: str) -> bool:
        """Lift a ban; whether there was one."""
        with self._lock:
            now = self._now()
            banned = self._ban_left(key, now) > 0
            if banned:
                self._bans.set(key, 0, None)
                if not any(self._bans_left(now)):
                    self._bans.clear()
            return banned

    def bans(self) -> Mapping[str, float]:
        """Banned keys, and the seconds left to each."""
        found: dict[str, float] = {}
        for place in range(len(self._bans.shards)):
            with self._lock:
                now = self._now()
                entries = self._bans.shards[place].items()
                found.update((key, seconds(end - now)) for key, (end, _) in entries if end > now)
        return found

    def _bans_left(self, now: int) -> Iterator[bool]:
        return (end > now for shard in self._bans.shards for end, _ in shard.values())

    @property
    def ban_table(self) -> Sized:
        """The bans themselves: while it is empty, nobody has to be asked about."""
        return self._bans

    def _ban_left(self, key: str, now: int) -> int:
        entry = self._bans.get(key) if self._bans.held else None
        return max(0, entry[0] - now) if entry else 0

    # Sums, marks and values

    def tally(self, key: str, weight: float, window: float) -> float:
        """Add ``weight`` to a sum that sinks to nothing within ``window`` seconds; the new sum.

        See :func:`~doorward.stores.algorithms.add_weight`: all of the last half window, nothing older than a window.
        """
        with self._lock:
            now = self._now()
            tally, total = add_weight(self._tallies.get(key), weight, lifetime(window), now)
            self._tallies.set(key, tally, now)
            return total

    def add_if_absent(self, key: str, ttl: float) -> bool:
        """Whether ``key`` was not there; it is now, for ``ttl`` seconds. A mark reads as an empty value."""
        with self._lock:
            now = self._now()
            if self._values.live(key, now) is not None:
                return False
            self._values.set(key, (now + lifetime(ttl), b""), now)
            return True

    def get(self, key: str) -> bytes | None:
        """The value of ``key``, or None."""
        with self._lock:
            entry = self._values.live(key, self._now())
            return entry[1] if entry else None

    def put(self, key: str, value: bytes, ttl: float) -> None:
        """Keep ``value`` for ``ttl`` seconds."""
        with self._lock:
            now = self._now()
            self._values.set(key, (now + lifetime(ttl), value), now)

    def delete(self, key: str) -> None:
        """Forget the value or mark of ``key``."""
        with self._lock:
            self._now()
            self._values.discard(key)

    # Housekeeping

    def reset(self, prefix: str) -> int:
        """Forget all counters and sums whose key starts with ``prefix``; how many.

        The lock is let go between shards, so that hits never wait for the whole walk.
        """
        forgotten = 0
        for place in range(len(self._counters.shards)):
            with self._lock:
                self._now()
                forgotten += self._counters.discard_prefix(self._counters.shards[place], prefix)
        for place in range(len(self._tallies.shards)):
            with self._lock:
                forgotten += self._tallies.discard_prefix(self._tallies.shards[place], prefix)
        for place in range(len(self._refused.shards)):
            with self._lock:
                entries = self._refused.shards[place]
                doomed = [key for key, (_, state) in entries.items() if state is not None and key.startswith(prefix)]
                for key in doomed:
                    self._refused.set(key, 0, None)
                forgotten += len(doomed)
        return forgotten

    def stats(self) -> Mapping[str, int]:
        """What is held (some of it may have ended), and what went before its time since the start."""
        with self._lock:
            self._now()
            return {
                "keys": self._counters.held,
                "keys_evicted": self._counters.evicted,
                "refusals": self._refused.held,
                "refusals_evicted": self._refused.evicted,
                "bans": self._bans.held,
                "bans_evicted": self._bans.evicted,
                "tallies": self._tallies.held,
                "tallies_evicted": self._tallies.evicted,
                "values": self._values.held,
                "values_evicted": self._values.evicted,
            }

    def close(self) -> None:
        """Give the memory back. Calls after it raise ``StoreError``; another ``close`` does nothing."""
        with self._lock:
            # Every call asks for the time, so that being closed costs an open store nothing.
            self._now = _raise_closed
            self._start()


def _raise_closed() -> int:
    raise StoreError("the memory store is closed")
