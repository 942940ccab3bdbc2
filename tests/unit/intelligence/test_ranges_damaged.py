"""Damaged files of ranges: an error that says so, never a crash, a hang or another exception."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.intelligence.tables import labels_at

from doorward.errors import DataError
from doorward.intelligence import range_writer
from doorward.intelligence.container import DataFile, Meta, Source, open_file, verify
from doorward.intelligence.range_writer import write_ranges
from doorward.intelligence.ranges import KIND, VERSION, RangeTable

META = Meta("2026-01-02", (Source("test", "1", "CC0-1.0", "2026-01-01"),), ("tor",))
ENTRIES = [
    ("192.0.2.0/24", "tor:a"),
    ("192.0.2.128/25", "hosting:b"),
    ("2001:db8::/32", "tor:a"),
    ("2001:db8::7", "country:DE"),
    ("2001:db8::7:0/112", "hosting:b"),
]
ASKED = [(4, 0), (4, 0xC0000281), (4, 2**32 - 1), (6, 0), (6, 0x20010DB8 << 96 | 7), (6, 2**128 - 1)]
SECTIONS = ("v4", "v4_sets", "v6", "v6_sets", "low", "low_sets", "low_ends", "set_ends", "set_members", "label_ends")


@cache
def sound(*, indexed: bool = False) -> bytes:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        if indexed:
            patch.setattr(range_writer, "_INDEXED", 0)
        write_ranges(Path(folder) / "x.dwd", ENTRIES, META)
        return (Path(folder) / "x.dwd").read_bytes()


def use(content: bytes, check: Callable[[Path], object] = RangeTable.open) -> list[tuple[str, ...]]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "x.dwd"
        path.write_bytes(content)
        table = check(path)
        return [labels_at(table, version, number) for version, number in ASKED] if table else []


def use_all(table: RangeTable) -> None:
    """Everything that a table can be asked; a DataError is a right answer."""
    for version, number in ASKED:
        with suppress(DataError):
            table.labels(table.find(version, number))
    for number in range(20):
        with suppress(DataError):
            table.labels(number)
    with suppress(DataError):
        list(table.every_label())


@given(st.data())
def test_truncated(data: st.DataObject) -> None:
    """A file that ends early is refused when it is opened, or has lost nothing but its digest; which tells."""
    whole = sound()
    start = whole[: data.draw(st.integers(0, len(whole) - 1))]
    with suppress(DataError):
        assert use(start) == use(whole)
    with pytest.raises(DataError):
        use(start, verify)


@given(st.data())
def test_with_a_flipped_bit(data: st.DataObject) -> None:
    """A changed bit gives an error or an answer; and the digest always tells."""
    changed = bytearray(sound())
    position = data.draw(st.integers(0, len(changed) - 1))
    changed[position] ^= 1 << data.draw(st.integers(0, 7))
    with suppress(DataError):
        use(bytes(changed))
    with pytest.raises(DataError):
        use(bytes(changed), verify)


@given(st.sampled_from(SECTIONS), st.binary(max_size=200))
def test_with_any_bytes_in_a_section(section: str, content: bytes) -> None:
    """Numbers that lead nowhere are found out where they are used."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "x.dwd"
        path.write_bytes(sound())
        file = open_file(path, KIND, VERSION)
    sections = {name: file.section(name) for name in (*SECTIONS, "labels", "kinds", "v4_index", "v6_index")}
    with suppress(DataError):
        use_all(RangeTable(DataFile(path, META, {**sections, section: memoryview(content)})))


@given(st.sampled_from(["v4_index", "v6_index"]), st.binary(min_size=4, max_size=4))
def test_with_an_index_that_leads_nowhere(section: str, number: bytes) -> None:
    """The same for the index of a large table."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "x.dwd"
        path.write_bytes(sound(indexed=True))
        file = open_file(path, KIND, VERSION)
    names = (*SECTIONS, "labels", "kinds", "v4_index", "v6_index")
    sections = {name: file.section(name) for name in names}
    sections[section] = memoryview(number * (len(sections[section]) // 4))
    use_all(RangeTable(DataFile(path, META, sections)))


@pytest.mark.parametrize("kinds", [b"", b"[]", b'{"4": 1, "6": 2}', b'{"4": []}', b"\xff"])
def test_with_nonsense_instead_of_kinds(kinds: bytes, tmp_path: Path) -> None:
    """What is no list of kinds is an error when the file is opened."""
    path = tmp_path / "x.dwd"
    path.write_bytes(sound())
    file = open_file(path, KIND, VERSION)
    sections = {name: file.section(name) for name in (*SECTIONS, "labels", "v4_index", "v6_index")}
    with pytest.raises(DataError, match="is damaged"):
        RangeTable(DataFile(path, META, {**sections, "kinds": memoryview(kinds)}))


@given(st.binary(max_size=300))
def test_any_bytes(content: bytes) -> None:
    """What is no file of ours is refused."""
    with pytest.raises(DataError):
        use(content)


def test_missing(tmp_path: Path) -> None:
    """The error says what brings the file."""
    with pytest.raises(DataError, match="doorward data update"):
        RangeTable.open(tmp_path / "x.dwd")
