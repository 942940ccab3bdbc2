"""The offline set of the package iporigin, read as a table of ranges."""

from __future__ import annotations

import random
import struct
from importlib.metadata import PackageNotFoundError
from ipaddress import ip_address
from pathlib import Path

import iporigin
import pytest
from data_build.ranges import compile_ranges
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.intelligence.tables import labels_at

from doorward.errors import DataError
from doorward.intelligence import address_book, iporigin_set
from doorward.intelligence.address_book import AddressBook
from doorward.intelligence.iporigin_set import open_offline_set
from doorward.intelligence.library import Library
from doorward.intelligence.ranges import RangeTable

EXPECTED = {"hosting": "hosting", "cdn": "hosting", "vpn": "vpn", "tor": "tor", "bot": "crawler"}


@pytest.fixture(scope="module")
def table() -> RangeTable:
    found = open_offline_set()
    assert found is not None
    return found


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> AddressBook:
    wheel = tmp_path_factory.mktemp("wheel")
    compile_ranges(wheel)
    return AddressBook(Library(wheel / "no", wheel=wheel))


def asked() -> list[tuple[int, int]]:
    """Borders of the set's own ranges with their neighbours, and addresses anywhere."""
    from iporigin._data import dataset

    rng, data = random.Random(5), dataset()
    found = [(4, rng.getrandbits(32)) for _ in range(1000)] + [(6, 2 << 124 | rng.getrandbits(124)) for _ in range(200)]
    for version, starts, ends in ((4, data.v4_starts, data.v4_ends), (6, data.v6_starts, data.v6_ends)):
        for place in rng.sample(range(len(starts)), 1500):
            found += [(version, starts[place] - 1), (version, starts[place]), (version, ends[place] + 1)]
    return found


def test_agrees_with_the_package(table: RangeTable) -> None:
    """At every address it says what the package itself answers, in our kinds."""
    for version, number in asked():
        origin = iporigin.classify(ip_address(number))
        kind = "relay" if origin.provider == "Apple Private Relay" else EXPECTED.get(origin.kind)
        found = {label.partition(":")[0] for label in labels_at(table, version, number)} - {"unsure"}
        if origin.kind != "reserved":
            assert found == ({kind} if kind else set()), origin


@pytest.mark.parametrize(
    ("provider", "kind"),
    [
        ("Tor", "tor"),
        ("Mullvad", "vpn"),
        ("ProtonVPN", "vpn"),
        ("Apple Private Relay", "relay"),
        ("Hetzner", "hosting"),
    ],
)
def test_every_kind_comes_out_of_a_book(book: AddressBook, provider: str, kind: str) -> None:
    """An address of each provider is of its kind, in its mapped form too, and of no other of these kinds."""
    from iporigin._data import dataset

    data = dataset()
    label = next(number for number, (name, _) in enumerate(data.labels) if name == provider)
    address = str(ip_address(data.v4_starts[data.v4_labels.index(label)]))
    for form in (address, f"::ffff:{address}", f"64:ff9b::{address}"):
        facts = book.about(form)
        assert facts.is_kind(kind) is True
        assert not any(facts.is_kind(other) for other in {"vpn", "tor", "relay", "hosting"} - {kind})
        assert facts.is_kind("proxy") is facts.is_kind("abuse") is None


def test_one_label_a_range_leaves_hosting_open(book: AddressBook) -> None:
    """That a Tor exit is labelled as one says nothing about the data centre it may be in."""
    from iporigin._data import dataset

    data = dataset()
    label = next(number for number, (name, _) in enumerate(data.labels) if name == "Tor")
    address = str(ip_address(data.v4_starts[data.v4_labels.index(label)]))
    assert book.about(address).is_kind("hosting") is None
    assert book.about("8.8.4.1").is_kind("tor") is False


def test_its_bots_do_not_count_as_complete(table: RangeTable, book: AddressBook) -> None:
    """Crawlers are verified by what their operators publish."""
    assert "crawler" not in table.meta.knows
    assert not any(known.startswith("crawler:googlebot") for known in book.known())


def test_its_notice_is_pointed_at(table: RangeTable) -> None:
    """Status shows that the licence of the data is mixed, and their date."""
    (source,) = table.meta.sources
    assert "NOTICE" in source.licence
    assert source.date.startswith("20")
    assert source.entries > 30_000


def test_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra there is no such table, which is no error."""

    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(iporigin_set, "version", missing)
    assert open_offline_set() is None


@pytest.mark.parametrize("where", ["address_book", "iporigin_set"])
def test_a_book_without_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, where: str) -> None:
    """A folder of that name which is no package with data is none either."""
    compile_ranges(tmp_path)
    if where == "address_book":
        monkeypatch.setattr(address_book, "find_spec", lambda name: None)
    else:
        monkeypatch.setattr(iporigin_set, "open_offline_set", lambda: None)
    book = AddressBook(Library(tmp_path / "no", wheel=tmp_path))
    assert "vpn" not in book.known()
    assert len(book.sources()) == 2


def content() -> bytes:
    return (Path(iporigin.__file__).parent / "data" / "ranges.bin").read_bytes()


def install(monkeypatch: pytest.MonkeyPatch, folder: Path, found: bytes) -> None:
    (folder / "data").mkdir(exist_ok=True)
    (folder / "data" / "ranges.bin").write_bytes(found)
    monkeypatch.setattr(iporigin_set, "files", lambda name: folder)


@given(st.one_of(st.binary(max_size=60), st.integers(0, 3000).map(lambda end: content()[:end])))
def test_a_file_of_another_kind_is_an_error(tmp_path_factory: pytest.TempPathFactory, found: bytes) -> None:
    """Truncated or of another layout: a DataError that names the file."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        install(monkeypatch, tmp_path_factory.mktemp("iporigin"), found)
        with pytest.raises(DataError, match=r"ranges\.bin"):
            open_offline_set()


@pytest.mark.parametrize(
    ("position", "value"), [(8, struct.pack("<H", 2)), (28, b"\xff" * 4), (32, b"\xff\xff"), (1_000, b"\xff" * 8)]
)
def test_a_damaged_file_is_left_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, position: int, value: bytes
) -> None:
    """The book says so and goes on without it."""
    changed = bytearray(content())
    changed[position : position + len(value)] = value
    install(monkeypatch, tmp_path, bytes(changed))
    compile_ranges(tmp_path)
    reports: list[str] = []
    book = AddressBook(Library(tmp_path / "no", wheel=tmp_path), report=reports.append)
    assert book.about("127.0.0.1").is_kind("reserved") is True
    assert book.about("127.0.0.1").is_kind("vpn") is None
    assert "iporigin" in reports[0]


def test_can_be_left_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Who wants only doorward's own data does not pay for it."""
    compile_ranges(tmp_path)
    monkeypatch.setattr(iporigin_set, "open_offline_set", lambda: 1 / 0)
    book = AddressBook(Library(tmp_path / "no", wheel=tmp_path), installed_sets=False)
    assert "vpn" not in book.known()
