"""What a store does, over one open table: each call locks the stripes of its keys, and no others."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, TypeVar

from doorward.effects import Algorithm, Verdict
from doorward.errors import StoreError
from doorward.stores.algorithms import COUNT_BITS, COUNT_MASK, DECIDE, State, Tally, add_weight, seconds
from doorward.stores.grouped import GroupedCounters, lifetime
from doorward.stores.shared.header import BANS_UNTIL
from doorward.stores.shared.locks import Stripe, while_locked
from doorward.stores.shared.table import (
    BAN,
    COUNTER,
    EVICTED,
    FIRST_CELL,
    HEAD,
    JOURNAL_DATA,
    KINDS,
    MOST_BYTES,
    RECOVERED,
    REFUSALS_EVICTED,
    SCALE_SHIFT,
    TAGS,
    TALLY,
    VALUE,
    Place,
    Table,
)  # fmt: skip

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from doorward.effects import Charge, Hit

T = TypeVar("T")

_BAN = Algorithm.BAN
_new = tuple.__new__
_read_word = Struct("q").unpack_from
_pack_word = Struct("q").pack
_INT = Struct("qQ")
_TALLY = Struct("qqdd")
_read_counter = Struct("=BxHHxxqqqQ").unpack_from
_journal_counter = Struct("=qqBxHHxxqqqQ").pack_into
_INT_SIZE, HEAD_SIZE = _INT.size, HEAD.size
_INT_ENTRY = HEAD_SIZE + _INT_SIZE
_JOURNAL_END = JOURNAL_DATA + _INT_ENTRY


def encoded(state: State) -> bytes:
    """A counter's state as it is in the table; it begins with its expiry."""
    return _INT.pack(state >> COUNT_BITS, state & COUNT_MASK) if isinstance(state, int) else state


def decoded(state: bytes) -> State | None:
    """The state of :func:`encoded`; None for what is none."""
    if len(state) == _INT.size:
        expiry, count = _INT.unpack(state)
        return int(expiry << COUNT_BITS | count)
    return state if len(state) > _INT.size and not len(state) % 8 else None


class TableCounters(GroupedCounters):
    """Counters, sums, values and bans of one table.

    Args:
        table: Where they are.
        clock: A clock in nanoseconds.
        offset: What to add to it for the time.
    """

    def __init__(self, table: Table, clock: Callable[[], int], offset: int) -> None:
        self.table = table
        self._data = table.data
        self._clock = clock
        self._offset = offset

    def _now(self) -> int:
        return self._clock() + self._offset

    def _locked(self, places: Sequence[Place], work: Callable[[], T]) -> T:
        """Do ``work`` with the stripes of ``places`` locked."""
        stripes = {place.stripe for place in places}
        if len(stripes) > 1:
            return while_locked(sorted(stripes, key=_position), lambda: self._whole(stripes, work))
        return while_locked(list(stripes), lambda: self._whole(stripes, work))

    def _whole(self, stripes: set[Stripe], work: Callable[[], T]) -> T:
        for stripe in stripes:
            if self.table.data[stripe.at]:
                self.table.replay(stripe)
        return work()

    # Counting

    def count_one(self, hit: Hit) -> Verdict:
        """Charge one hit: the hot path."""
        if hit[1] is _BAN:
            return self._ban_verdict(hit, self._now())
        place = self.table.place(COUNTER, hit[0])
        stripe = place[3]
        with stripe.mutex:
            try:
                problem = stripe.take()
                if problem:
                    stripe.wait(problem)
                if self._data[stripe.at]:
                    self.table.replay(stripe)
                return self._charge(place, hit)
            finally:
                stripe.give()

    def _charge(self, place: Place, hit: Hit) -> Verdict:
        """Charge one hit under its lock. What finds and writes in ``Table`` is written out here."""
        _, algorithm, limit, interval, cost, _, _ = hit
        tag, first, second, stripe, _ = place
        data, now = self._data, self._clock() + self._offset
        at = data.find(tag, first, first + TAGS)
        if at < 0:
            first = second
            at = data.find(tag, first, first + TAGS)
            if at < 0:
                return self._count_new(place, hit, now)
        at = first + FIRST_CELL + (at - first << SCALE_SHIFT)
        cells, key_length, length, spared_until, _, expiry, low = _read_counter(data, at)
        is_int = length == _INT_SIZE
        state = expiry << COUNT_BITS | low if is_int else decoded(data[at + HEAD_SIZE : at + HEAD_SIZE + length])
        new, left, reset, retry = DECIDE[algorithm](state, limit, interval, cost, now)
        if new is None:
            if spared_until < now + retry:
                self.table.spare(at, now + retry)
            return _new(Verdict, (False, left, seconds(reset), seconds(retry), now))
        if is_int and type(new) is int:
            journal, expiry, low = stripe.at, new >> COUNT_BITS, new & COUNT_MASK
            _journal_counter(
                data, journal + 8, at, _INT_ENTRY, cells, key_length, _INT_SIZE, spared_until, now, expiry, low
            )
            data[journal] = 1
            data[at : at + _INT_ENTRY] = data[journal + JOURNAL_DATA : journal + _JOURNAL_END]
            data[journal] = 0
        else:
            self.table.rewrite(place, at, encoded(new), now)
        return _new(Verdict, (True, left, seconds(reset), 0.0, now))

    def _count_new(self, place: Place, hit: Hit, now: int) -> Verdict:
        """Charge a counter that is not there."""
        new, left, reset, retry = DECIDE[hit.algorithm](None, hit.max, hit.interval, hit.cost, now)
        if new is not None:
            self.table.insert(place, encoded(new), now)
        return Verdict(new is not None, left, seconds(reset), seconds(retry), now)

    def count(self, hits: Sequence[Hit]) -> Sequence[Verdict]:
        """Charge several."""
        # A ban and one limit are what most requests ask for. Alone in their calls, they need no roll-back.
        if len(hits) == 2 and hits[0].algorithm is _BAN:
            banned = self._ban_verdict(hits[0], self._now())
            if banned.admitted:
                return banned, self.count_one(hits[1])
        return self._locked(self._places(hits), lambda: self._count_many(hits, self._now()))

    def peek(self, hits: Sequence[Hit]) -> Sequence[Verdict]:
        """What ``count`` would answer to each hit alone."""

        def look() -> list[Verdict]:
            now = self._now()
            return [self._peek_one(hit, now) for hit in hits]

        return self._locked(self._places(hits), look)

    def refund(self, charges: Sequence[Charge]) -> None:
        """Take charges back."""
        hits = [charge.hit for charge in charges]
        self._locked(self._places(hits), lambda: self._refund_all(charges, self._now()))

    def _places(self, hits: Sequence[Hit]) -> list[Place]:
        return [self.table.place(COUNTER, hit.key) for hit in hits if hit.algorithm is not _BAN]

    def _read(self, key: str) -> State | None:
        cell = self.table.find(self.table.place(COUNTER, key))
        return decoded(self.table.state(cell)) if cell else None

    def _write(self, key: str, state: State | None, now: int) -> None:
        place = self.table.place(COUNTER, key)
        if state is not None:
            self.table.write(place, encoded(state), now)
        elif cell := self.table.find(place):
            self.table.forget(place.stripe, cell)

    def _set_aside(self, key: str, state: State | None, end: int, now: int) -> None:
        cell = self.table.find(self.table.place(COUNTER, key))
        if cell:
            self.table.spare(cell, end)

    # Bans: found without a lock while hits are counted, changed under that of the first stripe and their own

    def ban(self, key: str, ttl: float) -> None:
        """Refuse ``key`` for ``ttl`` seconds."""
        place = self.table.place(BAN, key)

        def add() -> None:
            now = self._now()
            end = now + lifetime(ttl)
            self.table.write(place, _INT.pack(end, 0), now, spared_until=end)
            self.table.bans_until = max(self.table.bans_until, end)

        self._locked([place, self._first_place(place)], add)

    def unban(self, key: str) -> bool:
        """Lift a ban."""
        place = self.table.place(BAN, key)

        def lift() -> bool:
            left = self.table.ban_left(place, self._now())
            if cell := self.table.find(place):
                self.table.forget(place.stripe, cell)
            if not self.table.counts()[KINDS.index(BAN)]:
                self.table.bans_until = 0
            return left > 0

        return self._locked([place, self._first_place(place)], lift)

    def _first_place(self, place: Place) -> Place:
        return place._replace(stripe=self.table.stripes[0])

    def _ban_left(self, key: str, now: int) -> int:
        table = self.table
        if _read_word(table.data, BANS_UNTIL)[0] <= now:
            return 0
        return table.ban_left(table.place(BAN, key), now)

    def bans(self) -> Mapping[str, float]:
        """Banned keys, and the seconds left to each."""
        found: dict[str, float] = {}
        if self.table.bans_until > self._now():
            self._walk(lambda _, bucket: found.update(self._bans_in(bucket)))
        return found

    def _bans_in(self, bucket: int) -> Mapping[str, float]:
        now, table = self._now(), self.table
        keys = {table.key(entry): entry.expiry for entry in table.entries(bucket) if entry.expiry > now}
        return {_text(key): seconds(end - now) for key, end in keys.items() if key[:1] == BAN}

    # Sums, marks and values

    def tally(self, key: str, weight: float, window: float) -> float:
        """Add to a sum."""
        place = self.table.place(TALLY, key)

        def add() -> float:
            now, cell = self._now(), self.table.find(place)
            state = self.table.state(cell) if cell else b""
            held: Tally | None = _TALLY.unpack(state) if len(state) == _TALLY.size else None
            tally, total = add_weight(held, weight, lifetime(window), now)
            self.table.write(place, _TALLY.pack(*tally), now)
            return total

        return self._locked([place], add)

    def add_if_absent(self, key: str, ttl: float) -> bool:
        """Whether the key was absent."""
        place = self.table.place(VALUE, key)

        def add() -> bool:
            now = self._now()
            if self._value(place, now) is not None:
                return False
            self.table.write(place, _pack_word(now + lifetime(ttl)), now)
            return True

        return self._locked([place], add)

    def get(self, key: str) -> bytes | None:
        """The value."""
        place = self.table.place(VALUE, key)
        return self._locked([place], lambda: self._value(place, self._now()))

    def put(self, key: str, value: bytes, ttl: float) -> None:
        """Keep a value."""
        place = self.table.place(VALUE, key)
        if len(place.stored) + len(value) > MOST_BYTES:
            raise StoreError(
                f"a value of {len(value):,} bytes is too long: a shared table keeps {MOST_BYTES - 1:,} with its key"
            )

        def keep() -> None:
            now = self._now()
            self.table.write(place, _pack_word(now + lifetime(ttl)) + value, now)

        self._locked([place], keep)

    def delete(self, key: str) -> None:
        """Forget a value."""
        place = self.table.place(VALUE, key)

        def forget() -> None:
            if cell := self.table.find(place):
                self.table.forget(place.stripe, cell)

        self._locked([place], forget)

    def _value(self, place: Place, now: int) -> bytes | None:
        cell = self.table.find(place)
        state = self.table.state(cell) if cell else b""
        return state[8:] if len(state) >= 8 and _read_word(state)[0] > now else None

    # Housekeeping

    def reset(self, prefix: str) -> int:
        """Forget counters and sums."""
        start = prefix.encode("utf-8", "surrogatepass")
        doomed = (COUNTER + start, TALLY + start)
        forgotten = 0

        def forget(stripe: Stripe, bucket: int) -> None:
            nonlocal forgotten
            for entry in list(self.table.entries(bucket)):
                if self.table.key(entry).startswith(doomed):
                    self.table.forget(stripe, entry.cell)
                    forgotten += 1

        self._walk(forget)
        return forgotten

    def _walk(self, visit: Callable[[Stripe, int], None]) -> None:
        """Visit all buckets that hold anything, each under its lock, which is free in between."""
        for number, stripe in enumerate(self.table.stripes):
            for bucket in self.table.buckets(number):
                if any(self.table.data[bucket : bucket + TAGS]):
                    self._visit(stripe, bucket, visit)

    def _visit(self, stripe: Stripe, bucket: int, visit: Callable[[Stripe, int], None]) -> None:
        while_locked([stripe], lambda: self._whole({stripe}, lambda: visit(stripe, bucket)))

    def stats(self) -> Mapping[str, int]:
        """Figures for operators."""
        counts = self.table.counts()
        named = zip(("keys", "tallies", "values", "bans"), counts, counts[EVICTED:], strict=False)
        figures = {}
        for name, held, evicted in named:
            figures[name] = held
            figures[f"{name}_evicted"] = evicted
        return {
            **figures,
            "refusals_evicted": counts[REFUSALS_EVICTED],
            "writes_recovered": counts[RECOVERED],
            "bytes": self.table.header.size,
        }


def _position(stripe: Stripe) -> int:
    return stripe.at


def _text(stored: bytes) -> str:
    return stored[1:].decode("utf-8", "surrogatepass")
