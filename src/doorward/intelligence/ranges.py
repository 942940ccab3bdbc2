"""Reads compiled address ranges: which labels hold at an address.

A label is ``kind:name`` such as ``hosting:aws``, or says where an address is, such as ``country:DE``. What holds at an
address is a *set* of labels; each set has a number, and set 0 is empty. The table stores borders only: addresses in
order, and the number of the set that holds from each of them to the next. A search is one bisection of an array that is
used in place in the mapped file: nothing is copied, opening takes as long for 500,000 ranges as for one, and processes
share the memory. Large columns have an index by 16 bits of the address, which makes that twice as fast.

IPv6 borders are bisected by their upper 64 bits, since nearly all of them are on a /64 (all but 183 of 103,197 in a
table of all routed networks). Where a /64 is divided, its number points behind the last set to a *block*: a slice of
two further arrays, with the lower 64 bits of the borders inside.
"""

from __future__ import annotations

import json
import sys
from array import array
from bisect import bisect_right
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Literal, NamedTuple

from doorward.errors import DataError
from doorward.intelligence.container import DataFile, open_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from doorward.intelligence.container import Meta

__all__ = ["KIND", "LARGEST_SET", "UNSURE", "VERSION", "RangeTable"]

KIND = "ranges"
VERSION = 1

LARGEST_SET = 64
"""Labels that can hold at one address. Real data has three; the bound keeps a damaged or hostile file harmless."""

UNSURE = "unsure"
"""The kind of labels that name a kind of which the file can say nothing where they hold: ``unsure:hosting``."""

_LOWER = 2**64 - 1

CELLS = 2**16
CELL_OF = {4: (16, 0), 6: (45, 1 << 16)}
"""By IP version, how far to shift a border, and what to take off, to come to its cell in the index: each /16 of IPv4,
each /19 of 2000::/3, which is all of IPv6 that is in use (RFC 4291 2.4)."""

_Code = Literal["H", "I", "Q"]
_WIDTHS: Mapping[int, _Code] = {2: "H", 4: "I"}

Search = Callable[[int], int]
"""Finds the number of the set of labels that holds at an address."""


class RangeTable:
    """One file of ranges.

    Args:
        file: The opened file, or the same sections in memory.

    Attributes:
        path: Where it is.
        meta: Where its data came from.
        kinds: By IP version (4, 6), the kinds of labels that have any range there at all.
        searches: By IP version, finds the number of the set of labels that holds at an address; 0 where none does.
            Raises DataError where the file is damaged.

    Raises:
        DataError: Its sections do not fit together.
    """

    __slots__ = ("_ends", "_label_ends", "_label_text", "_members", "_size", "kinds", "meta", "path", "searches")

    def __init__(self, file: DataFile) -> None:
        self.path: Path = file.path
        self.meta: Meta = file.meta
        try:
            ipv4, ipv6, low = _column(file, "v4", "I"), _column(file, "v6", "Q"), _column(file, "low", "Q")
            low_ends = numbers(file.section("low_ends"), "I")
            indexes = {4: numbers(file.section("v4_index"), "I"), 6: numbers(file.section("v6_index"), "I")}
            self._ends = numbers(file.section("set_ends"), "I")
            self._members = numbers(file.section("set_members"), "I")
            self._label_ends = numbers(file.section("label_ends"), "I")
            self._label_text = file.section("labels")
            self.kinds: Mapping[int, frozenset[str]] = _kinds(file.section("kinds"))
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise _damaged(self.path, error) from error
        damaged = partial(_damaged, self.path)  # not a method: the file is let go of with the table, without a cycle
        sized = all(len(index) in (0, CELLS + 1) for index in indexes.values())
        if not (ipv4.borders and ipv6.borders and self._ends and low_ends and sized):
            raise damaged("a section has not the size that it should have")
        self._size = sum(len(column.borders) for column in (ipv4, ipv6, low))
        upper = _search_cells(ipv6, indexes[6], 6, damaged)
        self.searches: Mapping[int, Search] = {
            4: _search_cells(ipv4, indexes[4], 4, damaged),
            6: _search_halves(upper, len(self._ends), _search_blocks(low, low_ends, damaged)),
        }

    @classmethod
    def open(cls, path: Path) -> RangeTable:
        """Map a file.

        Raises:
            DataError: It is missing, damaged, of another kind or of another version.
        """
        return cls(open_file(path, KIND, VERSION))

    def __len__(self) -> int:
        """Borders, which are about as many as ranges."""
        return self._size

    def find(self, version: int, number: int) -> int:
        """The number of the set of labels that holds at an address; 0 where none does.

        Args:
            version: 4 or 6.
            number: The address, of 32 or 128 bits.

        Raises:
            DataError: The file is damaged.
        """
        return self.searches[version](number)

    def labels(self, number: int) -> tuple[str, ...]:
        """The labels of a set, sorted.

        Args:
            number: As :meth:`find` returns it.

        Raises:
            DataError: The file is damaged.
        """
        if not number:
            return ()
        try:
            members = self._members[self._ends[number - 1] : self._ends[number]]
            # A damaged file may claim any number of labels for a set; an honest one has no more than these.
            return tuple([self._label(member) for member in members[:LARGEST_SET]])
        except (IndexError, ValueError) as error:  # a UnicodeDecodeError is a ValueError
            raise _damaged(self.path, error) from error

    def every_label(self) -> Iterator[str]:
        """All labels of the table; takes as long as there are many.

        Raises:
            DataError: The file is damaged.
        """
        try:
            for index in range(1, len(self._label_ends)):
                yield self._label(index)
        except ValueError as error:
            raise _damaged(self.path, error) from error

    def _label(self, index: int) -> str:
        start, end = self._label_ends[index - 1], self._label_ends[index]
        return str(self._label_text[start:end], "utf-8")


def _damaged(path: Path, what: object) -> DataError:
    return DataError(path, f"is damaged ({what!r}); run: doorward data update, or install doorward again")


def numbers(section: memoryview, code: _Code, byteorder: str = sys.byteorder) -> Sequence[int]:
    """A section as an array of unsigned numbers: in place, or turned round where the host is big-endian.

    Args:
        section: Little-endian numbers.
        code: ``"H"``, ``"I"`` or ``"Q"``: 2, 4 or 8 bytes.
        byteorder: Of the host.

    Raises:
        TypeError: The section does not divide into numbers.
    """
    view = section.cast(code)
    if byteorder == "little":
        return view
    turned = array(code, view.tobytes())
    turned.byteswap()
    return turned


class _Column(NamedTuple):
    """Borders, and for each the number of the set that holds from there on."""

    borders: Sequence[int]
    sets: Sequence[int]


def _column(file: DataFile, name: str, code: _Code) -> _Column:
    borders = numbers(file.section(name), code)
    sets = file.section(f"{name}_sets")
    found = numbers(sets, _WIDTHS[len(sets) // len(borders)] if borders else "H")  # as wide as they need to be
    if len(found) != len(borders):
        raise ValueError(f"{name} has {len(borders)} borders and {len(found)} sets")
    return _Column(borders, found)


def _search(column: _Column) -> Search:
    """Searches a column, the first border of which is 0: there always is one to the left."""
    borders, sets = column

    def search(number: int) -> int:
        return sets[bisect_right(borders, number) - 1]

    return search


def _search_cells(
    column: _Column, index: Sequence[int], version: int, damaged: Callable[[object], DataError]
) -> Search:
    """As :func:`_search`; the index has, for each cell and the end, how many borders are up to where it begins."""
    borders, sets = column
    shift, base = CELL_OF[version]
    anywhere = _search(column)

    def search(number: int) -> int:
        cell = number >> shift ^ base
        if cell >= CELLS:
            return anywhere(number)
        try:
            return sets[bisect_right(borders, number, index[cell], index[cell + 1]) - 1]
        except IndexError as error:
            raise damaged(error) from error

    return search if index else anywhere


def _search_halves(upper: Search, sets: int, inside: Callable[[int, int], int]) -> Search:
    """Searches IPv6: by the upper half, and where that leads to a block instead of a set, inside it."""

    def search(number: int) -> int:
        found = upper(number >> 64)
        return found if found < sets else inside(found - sets, number & _LOWER)

    return search


def _search_blocks(
    low: _Column, ends: Sequence[int], damaged: Callable[[object], DataError]
) -> Callable[[int, int], int]:
    borders, sets = low

    def search(block: int, number: int) -> int:
        try:
            return sets[bisect_right(borders, number, ends[block], ends[block + 1]) - 1]
        except IndexError as error:
            raise damaged(error) from error

    return search


def _kinds(section: memoryview) -> Mapping[int, frozenset[str]]:
    found: dict[str, list[str]] = json.loads(bytes(section))
    return {4: frozenset(map(str, found["4"])), 6: frozenset(map(str, found["6"]))}
