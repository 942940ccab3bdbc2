"""Compiles address ranges with labels into the table that :mod:`doorward.intelligence.ranges` reads.

Ranges may overlap in any way. A sweep over their borders, in order, keeps count of the labels that hold, and writes a
row wherever the set of them changes.
"""

from __future__ import annotations

import json
import sys
from array import array
from bisect import bisect_right
from itertools import accumulate, groupby
from pathlib import Path
from typing import TYPE_CHECKING

from doorward.intelligence.addresses import parse_network
from doorward.intelligence.container import DataFile, write
from doorward.intelligence.ranges import CELL_OF, CELLS, KIND, LARGEST_SET, VERSION, RangeTable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence, Sized

    from doorward.intelligence.addresses import Network
    from doorward.intelligence.container import Meta

    Details = Mapping[str, Mapping[str, str]]
    Row = tuple[int, int]
    """A border, and the number of the set that holds from there on. Rows are in order, the first one at 0."""

__all__ = ["table_of", "write_ranges"]

_INDEXED = 4096
"""Borders from which on the 256 KiB of an index are worth it."""

_LABEL_BITS = 24
_UPPER_BITS = 64
_LOWER = 2**64 - 1
_BITS = {4: 32, 6: 128}
_IN_MEMORY = Path("<memory>")


def write_ranges(path: Path, entries: Iterable[tuple[str, str]], meta: Meta, *, places: Details | None = None) -> None:
    """Compile ranges into a file; it appears whole, or not at all.

    Args:
        path: Where to.
        entries: (range, label): ``192.0.2.0/24``, ``192.0.2.1-192.0.2.9`` or an address; and ``kind:name``, such as
            ``crawler:google-googlebot``, ``country:DE`` or ``asn:64500``. A kind of
            :data:`doorward.address_facts.KINDS` says what an address is, any other where it is. In any order; labels
            of ranges that overlap add up.
        meta: Where the data came from. The ``name`` of a source is the name in its labels; ``knows`` has the kinds
            that the file is complete for.
        places: What else holds wherever a label does: ``{"asn:64500": {"asn_name": "Example"}}``.

    Raises:
        ValueError: A range or label is none, or more than :data:`~doorward.intelligence.ranges.LARGEST_SET` labels
            hold at one address.
        OSError: The file cannot be written.
    """
    labels = _Labels(places or {})
    rows = _swept(((parse_network(network), label) for network, label in entries), labels)
    write(path, KIND, VERSION, meta, _sections(rows, labels))


def table_of(ranges: Iterable[tuple[Network, Sequence[str]]], meta: Meta) -> RangeTable:
    """A table in memory, from what has been compiled elsewhere.

    Args:
        ranges: (range, labels), in order; they must not overlap.
        meta: Where the data came from.

    Raises:
        ValueError: They overlap, or a label is none.
    """
    labels = _Labels({})
    rows = _in_order(ranges, labels)
    sections = {name: memoryview(data) for name, data in _sections(rows, labels).items()}
    return RangeTable(DataFile(_IN_MEMORY, meta, sections))


class _Labels:
    """Labels and sets of them, by number.

    Args:
        places: What else holds wherever a label does.
    """

    def __init__(self, places: Details) -> None:
        self._numbers: dict[str, int] = {}
        self._sets: dict[tuple[int, ...], int] = {(): 0}
        self._kinds: dict[int, set[str]] = {4: set(), 6: set()}
        self._places = places

    def __len__(self) -> int:
        return len(self._sets)

    def number(self, label: str, version: int) -> int:
        """The number of a label that a range of this IP version has."""
        number = self._numbers.get(label)
        if number is None:
            kind, colon, name = label.partition(":")
            if not (kind and colon and name) or len(self._numbers) >> _LABEL_BITS:
                raise ValueError(f"{label!r} is no label: it has the form kind:name")
            number = self._numbers[label] = len(self._numbers)
        self._kinds[version].add(label.partition(":")[0])
        if label in self._places:
            self._kinds[version].update(self._places[label])
        return number

    def set_of(self, labels: Collection[int]) -> int:
        """The number of the set of these labels."""
        _check_size(labels)
        return self._sets.setdefault(tuple(sorted(labels)), len(self._sets))

    def sections(self) -> dict[str, bytes]:
        """Sets as slices of one list of labels, labels as slices of one text, both by where they end."""
        names = list(self._numbers)
        details = {label: self._details(label) for label in names if label in self._places}
        texts = sorted({*names, *(text for group in details.values() for text in group)})
        order = {text: number for number, text in enumerate(texts, 1)}
        members, ends = array("I"), array("I")
        for labels in self._sets:
            found = {text for label in labels for text in (names[label], *details.get(names[label], ()))}
            _check_size(found)
            members.extend(sorted(order[text] for text in found))
            ends.append(len(members))
        encoded = [text.encode() for text in texts]
        return {
            "set_ends": _packed("I", ends),
            "set_members": _packed("I", members),
            "label_ends": _packed("I", accumulate(map(len, encoded), initial=0)),
            "labels": b"".join(encoded),
            "kinds": json.dumps({version: sorted(kinds) for version, kinds in self._kinds.items()}).encode(),
        }

    def _details(self, label: str) -> list[str]:
        return [f"{name}:{value}" for name, value in self._places[label].items() if value]


def _check_size(labels: Sized) -> None:
    if len(labels) > LARGEST_SET:
        raise ValueError(f"more than {LARGEST_SET} labels hold at one address")


def _swept(entries: Iterable[tuple[Network, str]], labels: _Labels) -> dict[int, list[Row]]:
    """The rows of ranges that may overlap, by IP version.

    Where ranges begin and end are single integers, address above label above direction: a million of them sort in a
    third of the time and memory that tuples take.
    """
    events: dict[int, list[int]] = {4: [], 6: []}
    for (version, first, last), label in entries:
        number = labels.number(label, version)
        events[version].append((first << _LABEL_BITS | number) << 1 | 1)
        events[version].append(((last + 1) << _LABEL_BITS | number) << 1)
    return {version: _sweep(events.pop(version), bits, labels) for version, bits in _BITS.items()}


def _sweep(events: list[int], bits: int, labels: _Labels) -> list[Row]:
    events.sort()
    rows: list[Row] = [(0, 0)]
    holding: dict[int, int] = {}
    mask = (1 << _LABEL_BITS) - 1
    for border, group in groupby(events, (_LABEL_BITS + 1).__rrshift__):
        if border >> bits:
            break
        for event in group:
            label = event >> 1 & mask
            count = holding.get(label, 0) + (1 if event & 1 else -1)
            holding[label] = count
            if not count:
                del holding[label]
        _append(rows, border, labels.set_of(holding))
    return rows


def _in_order(ranges: Iterable[tuple[Network, Sequence[str]]], labels: _Labels) -> dict[int, list[Row]]:
    """The rows of ranges that do not overlap, by IP version."""
    rows: dict[int, list[Row]] = {version: [(0, 0)] for version in _BITS}
    ends = dict.fromkeys(_BITS, 0)
    numbers: dict[tuple[int, Sequence[str]], int] = {}
    for (version, first, last), texts in ranges:
        if not ends[version] <= first <= last:
            raise ValueError("ranges overlap or are not in order")
        found = numbers.get((version, texts))
        if found is None:
            found = labels.set_of({labels.number(text, version) for text in texts})
            numbers[version, texts] = found
        _append(rows[version], first, found)
        ends[version] = last + 1
        if not ends[version] >> _BITS[version]:
            rows[version].append((last + 1, 0))
    return rows


def _append(rows: list[Row], border: int, found: int) -> None:
    """Add a row that says something new; the last one of a border counts."""
    if rows[-1][0] == border:
        rows.pop()
    if not rows or rows[-1][1] != found:
        rows.append((border, found))


def _sections(rows: Mapping[int, Sequence[Row]], labels: _Labels) -> dict[str, bytes]:
    upper, low, low_ends = _by_upper_half(rows[6], len(labels))
    return {
        **_column("v4", "I", rows[4]),
        "v4_index": _index([border for border, _ in rows[4]], 4),
        **_column("v6", "Q", upper),
        "v6_index": _index([border for border, _ in upper], 6),
        **_column("low", "Q", low),
        "low_ends": _packed("I", low_ends),
        **labels.sections(),
    }


def _index(borders: Sequence[int], version: int) -> bytes:
    """How many borders are up to the start of each cell, and all of the cells; nothing for a small table."""
    if len(borders) < _INDEXED:
        return b""
    shift, base = CELL_OF[version]
    return _packed("I", [bisect_right(borders, base + cell << shift) for cell in range(CELLS + 1)])


def _by_upper_half(rows: Sequence[Row], sets: int) -> tuple[list[Row], list[Row], list[int]]:
    """The rows of IPv6 by upper half; those inside a /64 as blocks, with where each block ends behind a leading 0.

    Args:
        rows: (border of 128 bits, set), from 0 on.
        sets: How many there are: where the numbers of blocks begin.
    """
    upper: list[Row] = []
    low: list[Row] = []
    ends = [0]
    holding = 0
    due: int | None = None  # where what holds behind a block has to be said again

    for half, group in groupby(rows, lambda row: row[0] >> _UPPER_BITS):
        if due is not None and due < half:
            upper.append((due, holding))
        inside = [(border & _LOWER, found) for border, found in group]
        if inside[0][0]:
            inside.insert(0, (0, holding))
        holding, due = inside[-1][1], None
        if len(inside) == 1:
            upper.append((half, holding))
            continue
        upper.append((half, sets + len(ends) - 1))
        low += inside
        ends.append(len(low))
        due = half + 1
    if due is not None and due >> _UPPER_BITS == 0:
        upper.append((due, holding))
    return upper, low, ends


def _column(name: str, code: str, rows: Sequence[Row]) -> dict[str, bytes]:
    numbers = [found for _, found in rows]
    width = "H" if max(numbers, default=0) < 2**16 else "I"
    return {name: _packed(code, [border for border, _ in rows]), f"{name}_sets": _packed(width, numbers)}


def _packed(code: str, numbers: Iterable[int]) -> bytes:
    packed = array(code, numbers)
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tobytes()
