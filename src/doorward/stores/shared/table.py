"""The table in a file: entries of variable size in buckets of one page, found by a keyed hash in constant time.

::

    file      header page | a page for each stripe | buckets, stripe after stripe
    stripe    journal: valid byte, place, length, data | counters of the stripe
    bucket    28 tags of 16 bytes | soonest expiry | 28 cells of 128 bytes
    entry     head of 24 bytes | state, which begins with its expiry | room to grow | key; in as many cells as need be

The tag of an entry's first cell is the keyed hash of its key, so a tag found is the key found; the tags of its other
cells are ``MORE``, those of free cells zero. A key can be in two buckets of one stripe. Everything here is called with
the lock of that stripe held, but :meth:`Table.ban_left`.

What a killed writer leaves:

- A new entry is written before its tag, so that nobody reads half of it. Without its tag its cells are free.
- A change in place goes to the journal, becomes valid with one byte, is copied and becomes invalid. Whoever locks the
  stripe next copies it again (:meth:`Table.replay`).
- An entry that outgrows its cells is written anew before the old one goes. Left with both, the old one is found: the
  last hit is lost.
"""

from __future__ import annotations

from bisect import bisect_left
from functools import lru_cache, partial
from hashlib import blake2b
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple, cast

from doorward.stores.shared.header import BANS_UNTIL, PAGE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from mmap import mmap

    from doorward.stores.shared.header import Header
    from doorward.stores.shared.locks import Stripe

COUNTER, TALLY, VALUE, BAN = b"c", b"t", b"v", b"b"
"""The kinds of entries; the first byte of the key they are kept by, so that kinds never share an entry."""
KINDS = COUNTER + TALLY + VALUE + BAN

TAG, CELL, CELLS = 16, 128, 28
TAGS = TAG * CELLS
_SOONEST = TAGS
FIRST_CELL = 512
SCALE_SHIFT = 3  # a cell is 8 tags long

HEAD = Struct("=BxHHxxqq")
"""Of an entry: its cells, the bytes of its key and of its state, until when it is spared, when it was last written."""
_HEAD_AND_EXPIRY = Struct("=BxHHxxqqq")
_WORD = Struct("q")
_EXPIRY = HEAD.size

MOST_BYTES = CELL * CELLS - HEAD.size - 8
"""Bytes that a key (with its kind) and a value can have together."""

JOURNAL_PLACE = Struct("qq")
JOURNAL_DATA = 8 + JOURNAL_PLACE.size
_JOURNAL_MOST = 900  # bytes of a state that is changed in place
_COUNTERS = 1024
_FREE, _MORE = bytes(TAG), b"\xff" * TAG
_NEVER = (1 << 63) - 1
_PLACES_KEPT = 4096
_tag_numbers = Struct("=IIQ").unpack
_directory = Struct(f"={2 * CELLS}Q").unpack_from
_heads = Struct("=" + CELLS * f"BxHHxxqqq{CELL - 32}x").unpack_from
_NO_ENTRY = (0, (1 << 64) - 1)

EVICTED, REFUSALS_EVICTED, RECOVERED = 4, 8, 9
"""Where in a stripe's counters the evictions of each kind begin; before them is how many of each kind are held."""
COUNTS = 10


class Place(NamedTuple):
    """Where a key may be."""

    tag: bytes
    first: int
    second: int
    stripe: Stripe
    stored: bytes
    """The key's kind and text."""


class Entry(NamedTuple):
    """What an entry's head says."""

    cell: int
    """Its place in the file."""
    cells: int
    key_length: int
    length: int
    spared_until: int
    written: int
    expiry: int


class Table:
    """A mapped table.

    Args:
        data: The whole file, mapped; for a look from outside, its bytes.
        header: Its header.
        stripes: Its locks.
        description: Says that the file is in use, as long as this object lives.
    """

    def __init__(self, data: mmap | bytes, header: Header, stripes: list[Stripe], description: object = None) -> None:
        self.data = cast("mmap", data)
        self.header = header
        self.stripes = stripes
        self.description = description
        self._buckets_at = PAGE * (1 + header.stripes)
        # Most hits come from clients that were here a moment ago. Not a method: a table in a circle of references
        # would keep its file open until the garbage collector comes.
        self.place: Callable[[bytes, str], Place] = lru_cache(_PLACES_KEPT)(partial(_place, header, stripes))

    def buckets(self, number: int) -> range:
        """Where the buckets of stripe ``number`` begin."""
        start = self._buckets_at + number * self.header.buckets * PAGE
        return range(start, start + self.header.buckets * PAGE, PAGE)

    # Reading

    def find(self, place: Place) -> int:
        """The first cell of a key's entry; 0 if it has none. The entry may have expired."""
        tag, first, second, _, _ = place
        find = self.data.find
        at = find(tag, first, first + TAGS)
        if at >= 0:
            return first + FIRST_CELL + (at - first << SCALE_SHIFT)
        at = find(tag, second, second + TAGS)
        return second + FIRST_CELL + (at - second << SCALE_SHIFT) if at >= 0 else 0

    def head(self, cell: int) -> Entry:
        """The head of the entry at ``cell``; one that is damaged reaches no further than its bucket."""
        cells, key_length, *rest = _HEAD_AND_EXPIRY.unpack_from(self.data, cell)
        cells = min(max(1, cells), (PAGE - cell % PAGE) // CELL)
        return Entry(cell, cells, min(key_length, cells * CELL - HEAD.size), *rest)

    def state(self, cell: int) -> bytes:
        """The state of the entry at ``cell``."""
        length: int = HEAD.unpack_from(self.data, cell)[2]
        return self.data[cell + HEAD.size : cell + HEAD.size + length]

    def key(self, entry: Entry) -> bytes:
        """Kind and text of an entry's key."""
        end = entry.cell + entry.cells * CELL
        return self.data[end - entry.key_length : end]

    def _tag(self, cell: int) -> bytes:
        _, tag_at = tag_of(cell)
        return self.data[tag_at : tag_at + TAG]

    def entries(self, bucket: int) -> Iterator[Entry]:
        """The entries of a bucket. Cells that a killed writer left behind without their first are passed over."""
        tags, number = self._tags(bucket), 0
        while number < CELLS:
            cells = 1
            if tags[number] not in _NO_ENTRY:
                entry = self.head(bucket + FIRST_CELL + number * CELL)
                cells = entry.cells
                yield entry
            number += cells

    def _tags(self, bucket: int) -> tuple[int, ...]:
        """Half of each tag of a bucket: enough to tell whether an entry begins there."""
        halves: tuple[int, ...] = _directory(self.data, bucket)
        return halves[::2]

    # Writing

    def write(self, place: Place, state: bytes, now: int, spared_until: int = 0) -> None:
        """Give a key a state, which begins with its expiry."""
        cell = self.find(place)
        if cell:
            self.rewrite(place, cell, state, now, spared_until)
        else:
            self.insert(place, state, now, spared_until)

    def rewrite(self, place: Place, cell: int, state: bytes, now: int, spared_until: int = 0) -> None:
        """Give the entry at ``cell``, which is that of ``place``, a state."""
        journal, data = place.stripe.at, self.data
        cells, key_length, _, spared_before, _ = HEAD.unpack_from(data, cell)
        spared_until = max(spared_until, spared_before)
        if len(state) > _JOURNAL_MOST or HEAD.size + len(state) + key_length > min(cells * CELL, PAGE - cell % PAGE):
            new = self.insert(place, state, now, spared_until)
            if cell != new and self._tag(cell) == place.tag:
                self.forget(place.stripe, cell)
            return
        change = HEAD.pack(cells, key_length, len(state), spared_until, now) + state
        data[journal + JOURNAL_DATA : journal + JOURNAL_DATA + len(change)] = change
        JOURNAL_PLACE.pack_into(data, journal + 8, cell, len(change))
        data[journal] = 1
        data[cell : cell + len(change)] = change
        data[journal] = 0

    def replay(self, stripe: Stripe) -> None:
        """Finish the change that a killed writer had begun."""
        journal = stripe.at
        cell, length = JOURNAL_PLACE.unpack_from(self.data, journal + 8)
        self.data[cell : cell + length] = self.data[journal + JOURNAL_DATA : journal + JOURNAL_DATA + length]
        self.data[journal] = 0
        self._add(stripe, RECOVERED)

    def spare(self, cell: int, until: int) -> None:
        """Keep the entry at ``cell`` from being evicted until then; never shortens."""
        at = cell + 8
        if _WORD.unpack_from(self.data, at)[0] < until:
            _WORD.pack_into(self.data, at, until)

    def insert(self, place: Place, state: bytes, now: int, spared_until: int = 0) -> int:
        """Add an entry for a key; where it is."""
        stored, data = place.stored, self.data
        cells = -(-(HEAD.size + len(state) + len(stored)) // CELL)
        cell = self._room(place, cells, now)
        end = cell + cells * CELL
        data[cell : cell + HEAD.size] = HEAD.pack(cells, len(stored), len(state), spared_until, now)
        data[cell + HEAD.size : cell + HEAD.size + len(state)] = state
        data[end - len(stored) : end] = stored
        bucket, tag_at = tag_of(cell)
        data[tag_at + TAG : tag_at + cells * TAG] = _MORE * (cells - 1)
        data[tag_at : tag_at + TAG] = place.tag
        expiry: int = _WORD.unpack(state[:8])[0]
        if expiry < _WORD.unpack_from(data, bucket + _SOONEST)[0]:
            _WORD.pack_into(data, bucket + _SOONEST, expiry)
        self._add(place.stripe, KINDS.index(stored[0]))
        return cell

    def forget(self, stripe: Stripe, cell: int) -> None:
        """Take out the entry at ``cell``."""
        entry = self.head(cell)
        _, tag_at = tag_of(cell)
        kind = self.key(entry)[:1]
        # The first cell first: were it the last, another could use a cell of what still looks whole.
        self.data[tag_at : tag_at + TAG] = _FREE
        self.data[tag_at + TAG : tag_at + entry.cells * TAG] = _FREE * (entry.cells - 1)
        self._add(stripe, max(0, KINDS.find(kind)), -1)

    # Room for new entries: free cells, then those of expired entries, then of the oldest that nobody has to spare

    def _room(self, place: Place, cells: int, now: int) -> int:
        buckets = (place.first,) if place.first == place.second else (place.first, place.second)
        for bucket in buckets:
            cell = self._free_run(bucket, cells)
            if cell:
                return cell
        for bucket in buckets:
            if _WORD.unpack_from(self.data, bucket + _SOONEST)[0] <= now:
                self._sweep(place.stripe, bucket, now)
                cell = self._free_run(bucket, cells)
                if cell:
                    return cell
        return self._evict(place.stripe, buckets, cells, now)

    def _free_run(self, bucket: int, cells: int) -> int:
        """The first of so many free cells on end; 0 if there are none."""
        wanted, at, end = _FREE * cells, bucket, bucket + TAGS
        while (at := self.data.find(wanted, at, end)) >= 0:
            beside = (at - bucket) % TAG
            if not beside:
                return bucket + FIRST_CELL + (at - bucket << SCALE_SHIFT)
            at += TAG - beside
        return 0

    def _sweep(self, stripe: Stripe, bucket: int, now: int) -> None:
        """Free the cells of expired entries, and those that killed writers left without their first."""
        soonest, live = _NEVER, bytearray(CELLS)
        for entry in list(self.entries(bucket)):
            if entry.expiry <= now and entry.spared_until <= now:
                self.forget(stripe, entry.cell)
            else:
                soonest = min(soonest, max(entry.expiry, entry.spared_until))
                number = (entry.cell - bucket - FIRST_CELL) // CELL
                live[number : number + entry.cells] = b"\1" * entry.cells
        for number, used in enumerate(live):
            if not used:
                self.data[bucket + number * TAG : bucket + number * TAG + TAG] = _FREE
        _WORD.pack_into(self.data, bucket + _SOONEST, soonest)

    def _evict(self, stripe: Stripe, buckets: Sequence[int], cells: int, now: int) -> int:
        """Make room at the cost of live entries; the second bucket is only looked at to save a refusal or a ban."""
        doomed = self._cheapest(buckets[0], cells, now)
        if doomed.spared_until and len(buckets) > 1:
            doomed = min(doomed, self._cheapest(buckets[1], cells, now))
        for number in doomed.numbers:
            entry = self.head(doomed.bucket + FIRST_CELL + number * CELL)
            kind = max(0, KINDS.find(self.key(entry)[:1]))
            refused = kind == 0 and entry.spared_until > now
            self._add(stripe, REFUSALS_EVICTED if refused else EVICTED + kind)
            self.forget(stripe, entry.cell)
        return doomed.bucket + FIRST_CELL + doomed.numbers[0] * CELL

    def _cheapest(self, bucket: int, cells: int, now: int) -> _Run:
        """The neighbours that are best done without: none that is spared, then those written longest ago."""
        tags, heads = self._tags(bucket), _heads(self.data, bucket + FIRST_CELL)
        units = []  # entries, and free cells one by one
        number = 0
        while number < CELLS:
            size, _, _, spared_until, written, _ = heads[6 * number : 6 * number + 6]
            if tags[number] in _NO_ENTRY:
                size = spared_until = written = 0
            units.append((spared_until if spared_until > now else 0, written, number))
            number += size or 1
        if cells == 1:
            spared_until, written, number = min(units)
            return _Run(spared_until, written, bucket, [number])
        return min(self._runs(bucket, cells, units))

    def _runs(self, bucket: int, cells: int, units: list[tuple[int, int, int]]) -> Iterator[_Run]:
        numbers = [number for _, _, number in units]
        for first, start in enumerate(numbers):
            if start + cells > CELLS:
                break
            inside = units[first : bisect_left(numbers, start + cells)]
            yield _Run(max(inside)[0], max(written for _, written, _ in inside), bucket, [unit[2] for unit in inside])

    # Figures

    def _add(self, stripe: Stripe, counter: int, by: int = 1) -> None:
        at = stripe.at + _COUNTERS + 8 * counter
        _WORD.pack_into(self.data, at, _WORD.unpack_from(self.data, at)[0] + by)

    def counts(self) -> list[int]:
        """The sums of the stripes' counters: held of each kind, evicted of each kind, refusals evicted, recovered."""
        words = Struct(f"{COUNTS}q")
        pages = range(PAGE, self._buckets_at, PAGE)
        columns = zip(*(words.unpack_from(self.data, page + _COUNTERS) for page in pages), strict=True)
        return [sum(column) for column in columns]

    # Bans

    def ban_left(self, place: Place, now: int) -> int:
        """Nanoseconds left to a ban. Takes no lock: almost nobody is banned, and everybody is asked about.

        What is read is that ban's if its tag is still there afterwards; an expiry is one aligned word.
        """
        cell = self.find(place)
        if not cell:
            return 0
        expiry: int = _WORD.unpack_from(self.data, cell + _EXPIRY)[0]
        return max(0, expiry - now) if self.find(place) == cell else self.ban_left(place, now)

    @property
    def bans_until(self) -> int:
        """The nanosecond from which on nobody is banned; may be later than it has to be."""
        until: int = _WORD.unpack_from(self.data, BANS_UNTIL)[0]
        return until

    @bans_until.setter
    def bans_until(self, until: int) -> None:
        _WORD.pack_into(self.data, BANS_UNTIL, until)


class _Run(NamedTuple):
    """Neighbouring cells of a bucket, from the numbers of their entries on; compares by what would be lost."""

    spared_until: int
    written: int
    bucket: int
    numbers: list[int]


def _place(header: Header, stripes: list[Stripe], kind: bytes, key: str) -> Place:
    """Where ``key`` may be: a stripe, and two buckets of it."""
    stored = kind + key.encode("utf-8", "surrogatepass")
    tag = blake2b(stored, digest_size=TAG, key=header.hash_key).digest()
    low, high, _ = _tag_numbers(tag)
    number = low & (header.stripes - 1)
    base = PAGE * (1 + header.stripes + number * header.buckets)
    first, second = (low >> 8) % header.buckets, high % header.buckets
    return Place(tag, base + PAGE * first, base + PAGE * second, stripes[number], stored)


def tag_of(cell: int) -> tuple[int, int]:
    """The bucket of a cell, and where its tag is."""
    bucket = cell & -PAGE
    return bucket, bucket + (cell - bucket - FIRST_CELL >> SCALE_SHIFT)
