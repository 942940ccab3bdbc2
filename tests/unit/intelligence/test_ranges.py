"""Compiled ranges: the same answers as a search through the list that they were compiled from."""

from __future__ import annotations

import json
from array import array
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.intelligence.tables import labels_at

from doorward.errors import DataError
from doorward.intelligence import range_writer
from doorward.intelligence.addresses import Network, parse_network, text
from doorward.intelligence.container import Meta, Source
from doorward.intelligence.range_writer import table_of, write_ranges
from doorward.intelligence.ranges import LARGEST_SET, RangeTable, numbers

META = Meta("2026-01-02", (Source("test", "1", "CC0-1.0", "2026-01-01"),), ("hosting", "tor"))
BITS = {4: 32, 6: 128}

Entry = tuple[Network, str]

labels = st.sampled_from(["hosting:aws", "hosting:gcp", "tor:torproject", "country:DE", "asn:64500", "abuse:ü:é"])
# A few bits in a few places, so that networks overlap, touch and divide the same /64 all the time.
ipv4_numbers = st.integers(0, 15).map(lambda n: n << 28) | st.integers(0, 2**32 - 1)
ipv6_numbers = st.builds(
    lambda upper, lower: 0x2001 << 112 | upper << 64 | lower,
    st.integers(0, 3) | st.just(2**46),
    st.sampled_from([0, 1, 2, 2**32, 2**63, 2**64 - 1]),
) | st.sampled_from([0, 1, 2**128 - 1, 2**128 - 2**64, 0x2000 << 112, 0x4000 << 112])


def network(version: int, number: int, prefix: int) -> Network:
    free = BITS[version] - prefix
    return Network(version, number >> free << free, number | (1 << free) - 1)


networks = st.builds(network, st.just(4), ipv4_numbers, st.integers(0, 32)) | st.builds(
    network, st.just(6), ipv6_numbers, st.sampled_from([0, 1, 16, 48, 63, 64, 65, 80, 112, 126, 127, 128])
)
entries = st.lists(st.tuples(networks, labels), max_size=12)


def written(entry: Entry) -> tuple[str, str]:
    (version, first, last), label = entry
    return f"{text(version, first)}-{text(version, last)}", label


def opened(found: Sequence[tuple[str, str]], meta: Meta = META, **options) -> RangeTable:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "x.dwd"
        write_ranges(path, found, meta, **options)
        return RangeTable.open(path)


def by_hand(found: Sequence[Entry], version: int, number: int) -> tuple[str, ...]:
    return tuple(sorted({label for (v, first, last), label in found if v == version and first <= number <= last}))


def near(found: Sequence[Entry], version: int) -> set[int]:
    """All borders with their neighbours, in IPv6 also those in the next /64, and the ends of the address space."""
    borders = {border for (v, first, last), _ in found if v == version for border in (first, last)}
    around = {border + step for border in borders for step in (-1, 0, 1, 2**64)} | {0, 2 ** BITS[version] - 1}
    return {number for number in around if 0 <= number < 2 ** BITS[version]}


@given(entries)
def test_finds_what_a_list_has(found: list[Entry]) -> None:
    """At every border and beside it, exactly the labels of the overlapping ranges hold, in both families."""
    table = opened([written(entry) for entry in found])
    for version in (4, 6):
        for number in near(found, version):
            assert labels_at(table, version, number) == by_hand(found, version, number)


@settings(max_examples=25)
@given(entries, st.data())
def test_finds_what_a_list_has_through_the_index(found: list[Entry], data: st.DataObject) -> None:
    """The index of large tables changes no answer, inside and outside of what it covers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(range_writer, "_INDEXED", 0)
        table = opened([written(entry) for entry in found])
    for version in (4, 6):
        for number in near(found, version) | {data.draw(st.integers(0, 2 ** BITS[version] - 1))}:
            assert labels_at(table, version, number) == by_hand(found, version, number)


@given(st.lists(st.tuples(networks, labels), max_size=8))
def test_a_table_in_memory_says_the_same(found: list[Entry]) -> None:
    """Ranges in order that do not overlap need no sweep."""
    apart: list[Entry] = []
    for entry in sorted(found):
        if not apart or apart[-1][0].version != entry[0].version or apart[-1][0].last < entry[0].first:
            apart.append(entry)
    table = table_of([(range_, (label,)) for range_, label in apart], META)
    for version in (4, 6):
        for number in near(apart, version):
            assert labels_at(table, version, number) == by_hand(apart, version, number)


def test_a_table_in_memory_refuses_ranges_that_overlap() -> None:
    """Out of order they would give wrong answers."""
    first, second = Network(4, 0, 9), Network(4, 5, 20)
    with pytest.raises(ValueError, match="overlap"):
        table_of([(first, ("tor:x",)), (second, ("tor:x",))], META)


def test_single_addresses_in_one_subnet_are_told_apart() -> None:
    """IPv6 is exact: one address of a /64 can be listed, and its neighbours are not."""
    table = opened([("2001:db8::5", "tor:a"), ("2001:db8::8000:0:0:0/65", "hosting:b")])
    found = {end: labels_at(table, 6, int(ip_address(f"2001:db8::{end}"))) for end in ("4", "5", "6", "8000:0:0:1")}
    assert found == {"4": (), "5": ("tor:a",), "6": (), "8000:0:0:1": ("hosting:b",)}
    assert labels_at(table, 6, int(ip_address("2001:db8:0:1::5"))) == ()


def test_places_hold_wherever_their_label_does() -> None:
    """The name of a network is stored once and comes with its number."""
    places = {"asn:64500": {"asn_name": "Example: a net", "asn_domain": ""}, "asn:1": {"asn_name": "unused"}}
    table = opened([("192.0.2.0/24", "asn:64500")], places=places)
    assert labels_at(table, *parse_network("192.0.2.7")[:2]) == ("asn:64500", "asn_name:Example: a net")
    assert set(table.every_label()) == {"asn:64500", "asn_name:Example: a net"}


def test_kinds_are_known_by_family() -> None:
    """A list without IPv6 has nothing to say about IPv6."""
    table = opened([("192.0.2.0/24", "tor:a"), ("2001:db8::/32", "hosting:b")])
    assert table.kinds == {4: {"tor"}, 6: {"hosting"}}


def test_an_empty_table_finds_nothing() -> None:
    """A feed that lists nobody makes a file like any other."""
    table = opened([])
    assert labels_at(table, 4, 1) == labels_at(table, 6, 1) == ()
    assert table.kinds == {4: frozenset(), 6: frozenset()}


def test_many_sets_of_labels_are_kept_apart() -> None:
    """More sets than 16 bits can number are numbered by 32."""
    table = opened([(str(ip_address(number << 4)), f"asn:{number}") for number in range(1, 66_000)])
    for number in (1, 65_535, 65_536, 65_999):
        assert labels_at(table, 4, number << 4) == (f"asn:{number}",)


@pytest.mark.parametrize("label", ["tor", "tor:", ":x", ""])
def test_labels_have_a_kind_and_a_name(label: str, tmp_path: Path) -> None:
    """Anything else is a mistake of whoever compiles the file, which is not written then."""
    with pytest.raises(ValueError, match="is no label"):
        write_ranges(tmp_path / "x.dwd", [("192.0.2.0/24", label)], META)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("extra", [0, 1])
def test_labels_at_an_address_are_bounded(extra: int, tmp_path: Path) -> None:
    """Nonsense that covers everything a thousand times is refused before it costs anything."""
    found = [("0.0.0.0/0", f"abuse:{number}") for number in range(LARGEST_SET + extra)]
    if not extra:
        assert len(labels_at(opened(found), 4, 7)) == LARGEST_SET
        return
    with pytest.raises(ValueError, match="labels hold at one address"):
        write_ranges(tmp_path / "x.dwd", found, META)


def test_details_of_places_count_as_labels(tmp_path: Path) -> None:
    """What the reader refuses is not written."""
    places = {"asn:1": {f"x{number}": "y" for number in range(LARGEST_SET)}}
    with pytest.raises(ValueError, match="labels hold at one address"):
        write_ranges(tmp_path / "x.dwd", [("0.0.0.0/0", "asn:1")], META, places=places)


@given(st.lists(st.integers(0, 2**32 - 1)))
def test_numbers_are_little_endian_on_every_host(found: list[int]) -> None:
    """A big-endian host turns them round, and reads what was written."""
    stored = b"".join(number.to_bytes(4, "little") for number in found)
    assert list(numbers(memoryview(stored), "I", "little")) == found
    swapped = array("I", stored)
    swapped.byteswap()
    assert list(numbers(memoryview(stored), "I", "big")) == list(swapped)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    """The error names the file and what it holds."""
    from doorward.intelligence.container import write

    write(tmp_path / "x.dwd", "domains", 1, META, {"x": json.dumps({}).encode()})
    with pytest.raises(DataError, match="domains"):
        RangeTable.open(tmp_path / "x.dwd")
