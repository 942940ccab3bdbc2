"""What is known about addresses, from all layers of data."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from data_build.ranges import compile_ranges
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.intelligence.tables import labels_at

from doorward.address_facts import KINDS, NOTHING_KNOWN
from doorward.errors import DataError
from doorward.intelligence import address_book, container, geo
from doorward.intelligence.address_book import AddressBook
from doorward.intelligence.container import Meta, Source
from doorward.intelligence.library import MANIFEST, Library
from doorward.intelligence.range_writer import write_ranges
from doorward.testing import FakeClock


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    compile_ranges(folder)
    return folder


class Setting:
    """A book over a folder that a test fills, as an update would."""

    def __init__(self, wheel: Path, folder: Path) -> None:
        self.folder = folder
        self.clock = FakeClock()
        self.library = Library(folder, clock=self.clock, wheel=wheel)
        self.reports: list[str] = []
        self.updates = 0

    def book(self) -> AddressBook:
        return AddressBook(self.library, installed_sets=False, report=self.reports.append)

    def write(self, name: str, *entries: tuple[str, str], date: str = "2026-10-01", **options) -> None:
        """A file that is complete for the kinds of its labels, each of its names a source."""
        kinds = sorted({label.partition(":")[0] for _, label in entries})
        sources = [Source(label.partition(":")[2], "", "CC0-1.0", date) for _, label in entries]
        write_ranges(self.folder / name, entries, Meta(date, sources, kinds), **options)

    def finish_update(self) -> None:
        """Write the manifest, and let the time pass after which it is looked at."""
        self.updates += 1
        container.replace(self.folder / MANIFEST, b"{}" + b" " * self.updates)
        self.clock.advance(10)


@pytest.fixture
def setting(wheel: Path, tmp_path: Path) -> Setting:
    return Setting(wheel, tmp_path)


def kinds_of(book: AddressBook, address: str) -> Mapping[str, bool | None]:
    facts = book.about(address)
    return {kind: facts.is_kind(kind) for kind in KINDS}


@pytest.mark.parametrize(
    ("address", "names"),
    [
        ("127.0.0.1", {"reserved": ("loopback",)}),
        ("::1", {"reserved": ("loopback",)}),
        ("10.1.2.3", {"reserved": ("private-use",)}),
        ("::ffff:10.1.2.3", {"reserved": ("private-use",)}),
        ("64:ff9b::10.1.2.3", {"reserved": ("private-use",)}),
        ("2002:a01:203::1", {"reserved": ("private-use",)}),
        ("2001:db8::1", {"reserved": ("documentation",)}),
        ("66.249.66.1", {"crawler": ("google-googlebot",)}),
        ("::ffff:66.249.66.1", {"crawler": ("google-googlebot",)}),
        ("2001:4860:4801:10::1", {"crawler": ("google-googlebot",)}),
        ("162.142.125.7", {"crawler": ("static:censys-inspect",)}),
        ("2602:80d:1003::ffff", {"crawler": ("static:censys-inspect",)}),
        ("2602:80d:1003::1:0", {}),
        ("8.8.8.8", {}),
        ("2001:4860:4860::8888", {}),
    ],
)
def test_the_wheel_knows_crawlers_and_reserved_ranges(
    setting: Setting, address: str, names: dict[str, tuple[str, ...]]
) -> None:
    """With nothing but the wheel these two kinds are known for every address, and the others are unknown."""
    book = setting.book()
    expected = {kind: kind in names if kind in ("crawler", "reserved") else None for kind in KINDS}
    assert kinds_of(book, address) == expected
    assert book.about(address).names == names
    assert book.about(address).place == {}
    assert {kind for kind in book.known() if ":" not in kind} == {"crawler", "reserved"}


@pytest.mark.parametrize("address", ["", "unknown", "1.2.3", "1" * 70_000, "\0", "\ud800", "::ffff:1.2.3.4.5"])
def test_nothing_is_known_about_what_is_no_address(setting: Setting, address: str) -> None:
    """Absence of an address is no evidence of anything."""
    assert setting.book().about(address) == NOTHING_KNOWN


@given(st.text(max_size=100))
def test_never_raises(wheel: Path, address: str) -> None:
    """Any text gets an answer."""
    book = AddressBook(Library(wheel / "nothing", wheel=wheel), installed_sets=False)
    assert book.about(address).is_kind("vpn") is None


def test_layers_add_up(setting: Setting) -> None:
    """An address can be several things at once, by several files."""
    setting.write("hosting.dwd", ("66.249.0.0/16", "hosting:gcp"), ("66.249.66.0/24", "hosting:other"))
    setting.write("places.dwd", ("66.0.0.0/8", "country:US"), ("66.249.0.0/16", "asn:15169"))
    facts = setting.book().about("66.249.66.1")
    assert facts.names == {"hosting": ("gcp", "other"), "crawler": ("google-googlebot",)}
    assert facts.place == {"country": "US", "asn": "15169"}
    assert facts.is_kind("hosting") is True
    assert facts.is_kind("tor") is None


def test_what_one_file_is_unsure_of_another_may_know(setting: Setting) -> None:
    """A file that cannot tell somewhere takes back only its own word."""
    setting.write("some.dwd", ("9.9.9.9", "vpn:x"), ("9.9.9.9", "unsure:hosting"), ("7.7.7.7", "hosting:x"))
    assert setting.book().about("9.9.9.9").is_kind("hosting") is None
    assert setting.book().about("8.8.8.8").is_kind("hosting") is False
    setting.write("whole.dwd", ("7.7.7.7", "hosting:y"))
    book = setting.book()
    assert book.about("9.9.9.9").is_kind("hosting") is False
    assert "unsure" not in book.known()


def test_answers_stay_right_when_they_are_forgotten(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is remembered is bounded, and found again."""
    monkeypatch.setattr(address_book, "_COMBINATIONS", 2)
    monkeypatch.setattr(address_book, "_REMEMBERED", 2)
    setting.write("places.dwd", *[(f"9.9.9.{number}", f"asn:{number}") for number in range(1, 9)])
    book = setting.book()
    for number in [*range(1, 9)] * 2:
        assert book.about(f"9.9.9.{number}").place == {"asn": str(number)}


def test_what_a_list_covers_is_known_by_family(setting: Setting) -> None:
    """A list of IPv4 exits says of an IPv4 address that it is none, and of an IPv6 address nothing."""
    setting.write("tor.dwd", ("192.0.2.1", "tor:torproject"))
    book = setting.book()
    assert book.about("192.0.2.2").is_kind("tor") is False
    assert book.about("::ffff:192.0.2.2").is_kind("tor") is False
    assert book.about("2a00::1").is_kind("tor") is None
    assert "tor" in book.known()


def test_known_lists_places_and_published_sets(setting: Setting) -> None:
    """Rules learn before the first request what there is data for."""
    setting.write("places.dwd", ("66.0.0.0/8", "asn:1"), places={"asn:1": {"asn_name": "One"}})
    known = setting.book().known()
    assert {"asn", "asn_name", "crawler:google-googlebot", "crawler:static:oncrawl"} <= known
    assert not known & {"country", "hosting", "crawler:nobody"}


def test_a_newer_copy_of_a_source_replaces_the_older(setting: Setting) -> None:
    """What an operator has withdrawn is gone, and sources that the update did not bring are still there."""
    setting.write("crawlers.dwd", ("9.9.9.0/24", "crawler:google-googlebot"), date="2099-01-01")
    book = setting.book()
    assert book.about("66.249.66.1").names == {}
    assert book.about("66.249.66.1").is_kind("crawler") is False
    assert book.about("9.9.9.9").names == {"crawler": ("google-googlebot",)}
    assert book.about("40.77.167.1").names == {"crawler": ("bing-bingbot",)}


def test_an_older_copy_of_a_source_does_not_come_back(setting: Setting) -> None:
    """Who installs a newer doorward has its ranges, although an old update is still there."""
    setting.write("crawlers.dwd", ("9.9.9.0/24", "crawler:google-googlebot"), date="2020-01-01")
    book = setting.book()
    assert book.about("66.249.66.1").names == {"crawler": ("google-googlebot",)}
    assert book.about("9.9.9.9").names == {}


def test_takes_up_new_files(setting: Setting) -> None:
    """A running process sees an update when its manifest is there, and not before."""
    setting.write("tor.dwd", ("192.0.2.1", "tor:torproject"))
    book = setting.book()
    assert book.about("198.51.100.7").is_kind("tor") is False
    setting.write("tor.dwd", ("198.51.100.7", "tor:torproject"))
    setting.write("vpn.dwd", ("198.51.100.7", "vpn:x"))
    setting.clock.advance(60)
    assert book.about("198.51.100.7").is_kind("tor") is False
    setting.finish_update()
    assert book.about("198.51.100.7").names == {"reserved": ("documentation",), "tor": ("torproject",), "vpn": ("x",)}
    assert book.about("192.0.2.1").is_kind("tor") is False


def test_unchanged_files_are_not_opened_again(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    """An update of one feed costs a running process one file."""
    setting.write("tor.dwd", ("192.0.2.1", "tor:torproject"))
    book = setting.book()
    setting.write("vpn.dwd", ("9.9.9.9", "vpn:x"))
    setting.finish_update()
    opened: list[str] = []
    open_table = address_book.RangeTable.open
    monkeypatch.setattr(address_book.RangeTable, "open", lambda path: opened.append(path.name) or open_table(path))
    assert book.about("9.9.9.9").names == {"vpn": ("x",)}
    assert opened == ["vpn.dwd"]


def test_forgets_files_that_are_gone(setting: Setting) -> None:
    """What is taken away is unknown again."""
    setting.write("tor.dwd", ("192.0.2.1", "tor:torproject"))
    book = setting.book()
    (setting.folder / "tor.dwd").unlink()
    setting.finish_update()
    assert book.about("192.0.2.1").is_kind("tor") is None


def test_looks_for_new_files_now_and_then(setting: Setting) -> None:
    """Between two looks the file system is left alone."""
    book = setting.book()
    setting.write("tor.dwd", ("192.0.2.1", "tor:torproject"))
    container.replace(setting.folder / MANIFEST, b"{}")
    assert book.about("192.0.2.1").is_kind("tor") is None
    setting.clock.advance(9.9)
    assert book.about("192.0.2.1").is_kind("tor") is None
    setting.clock.advance(0.1)
    assert book.about("192.0.2.1").is_kind("tor") is True


@pytest.mark.parametrize("damage", [b"", b"garbage", b"doorward" + b"\xff" * 200])
def test_a_damaged_file_of_the_user_is_left_out(setting: Setting, damage: bytes) -> None:
    """It is reported by name, and everything else works."""
    setting.write("vpn.dwd", ("9.9.9.9", "vpn:x"))
    (setting.folder / "tor.dwd").write_bytes(damage)
    book = setting.book()
    assert book.about("9.9.9.9").names == {"vpn": ("x",)}
    assert book.about("9.9.9.9").is_kind("tor") is None
    (report,) = setting.reports
    assert "tor.dwd" in report
    assert "left out" in report


def test_a_changed_bit_in_a_file_of_the_user_is_found(setting: Setting) -> None:
    """Small files are compared with their digest when they are opened."""
    setting.write("tor.dwd", ("9.9.9.9", "tor:torproject"))
    content = bytearray((setting.folder / "tor.dwd").read_bytes())
    content[-40] ^= 1
    (setting.folder / "tor.dwd").write_bytes(content)
    assert setting.book().about("9.9.9.9").is_kind("tor") is None
    assert "digest" in setting.reports[0]


def test_the_previous_file_stays_when_the_new_one_is_damaged(setting: Setting) -> None:
    """An update that went wrong costs nothing but its news."""
    setting.write("tor.dwd", ("9.9.9.9", "tor:torproject"))
    book = setting.book()
    container.replace(setting.folder / "tor.dwd", b"garbage")
    setting.finish_update()
    assert book.about("9.9.9.9").names == {"tor": ("torproject",)}
    assert "previous one stays" in setting.reports[0]


def test_files_of_another_kind_are_left_alone(setting: Setting) -> None:
    """The folder holds lists of domains too."""
    container.write(setting.folder / "domains.dwd", "domains", 1, Meta("2026-01-01", ()), {"x": b""})
    setting.book()
    assert setting.reports == []


def test_a_table_that_turns_out_to_be_damaged_is_dropped(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    """What opening did not find costs the file, once, and not the request."""
    monkeypatch.setattr(address_book, "_VERIFIED_BYTES", 0)
    setting.write("tor.dwd", ("9.9.9.9", "tor:torproject"), ("7.7.7.7", "tor:other"))
    path = setting.folder / "tor.dwd"
    path.write_bytes(path.read_bytes().replace(b"tor:torproject", b"tor:torprojec\xff"))
    book = setting.book()
    assert book.about("9.9.9.9").is_kind("tor") is None
    assert book.about("66.249.66.1").is_kind("crawler") is True
    assert [report.endswith("left out from now on") for report in setting.reports] == [True]


def test_the_wheels_own_files_must_be_there(setting: Setting, tmp_path: Path, wheel: Path) -> None:
    """A broken installation is an error at the start that says what to do."""
    (tmp_path / "special.dwd").write_bytes((wheel / "special.dwd").read_bytes())
    with pytest.raises(DataError, match=r"crawlers\.dwd.*install doorward again"):
        AddressBook(Library(tmp_path / "user", wheel=tmp_path))


def test_trouble_with_the_folder_stays_out_of_requests(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was there stays in use, and the trouble is reported."""
    setting.write("tor.dwd", ("9.9.9.9", "tor:torproject"))
    book = setting.book()
    monkeypatch.setattr(Library, "files", lambda self: 1 / 0)
    setting.finish_update()
    assert book.about("9.9.9.9").is_kind("tor") is True
    assert "ZeroDivisionError" in setting.reports[0]


def test_sources_tells_where_data_is_from(setting: Setting) -> None:
    """`doorward data status` has path, date, licence and kinds of each file."""
    setting.write("tor.dwd", ("9.9.9.9", "tor:torproject"), date="2026-10-01")
    by_name = {source.path.name: source for source in setting.book().sources()}
    assert list(by_name) == ["special.dwd", "crawlers.dwd", "tor.dwd"]
    assert by_name["tor.dwd"].meta.sources[0].date == "2026-10-01"
    assert by_name["tor.dwd"].known == {"tor"}
    assert by_name["crawlers.dwd"].ranges > 1000


class Reader:
    """What an MMDB reader does, for one address."""

    ip_version = 6
    database_type = "Test-City"
    build_epoch = 1_790_000_000

    def __init__(self, record: object) -> None:
        self.record = record

    def metadata(self) -> Reader:
        return self

    def get(self, address: str) -> object:
        if isinstance(self.record, Exception):
            raise self.record
        return self.record if address == "9.9.9.9" else None

    closed = False

    def close(self) -> None:
        self.closed = True

    def __iter__(self) -> Iterator[tuple[str, object]]:
        return iter([("9.9.9.9/32", self.record)])


def test_the_users_own_files_come_first_for_places(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    """They add what the feeds do not know, and win where both do; unwrapped addresses are looked up too."""
    file = geo.GeoFile(Path("city.mmdb"), Reader({"city": "Zürich", "country_code": "CH"}))
    monkeypatch.setattr(address_book, "open_geo", lambda paths: (file,))
    setting.write("places.dwd", ("9.9.9.0/24", "country:US"), ("9.9.9.0/24", "asn:19281"))
    book = setting.book()
    assert book.about("::ffff:9.9.9.9").place == {"city": "Zürich", "country": "CH", "asn": "19281"}
    assert book.about("9.9.9.1").place == {"country": "US", "asn": "19281"}
    assert "city" in book.known()
    assert book.sources()[-1].known == {"city", "country"}
    book.close()
    assert file._reader.closed


def test_a_damaged_file_of_places_costs_only_its_places(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever its reader raises, the answer has the rest."""
    reader = Reader({"city": "Zürich"})
    file = geo.GeoFile(Path("city.mmdb"), reader)
    reader.record = ValueError("corrupt")
    monkeypatch.setattr(address_book, "open_geo", lambda paths: (file,))
    assert setting.book().about("9.9.9.9").is_kind("crawler") is False
    assert "corrupt" in setting.reports[0]


def test_threads_see_one_state_or_the_other(setting: Setting) -> None:
    """While files are exchanged, every answer is wholly the old one or wholly the new one."""
    old, new = {"tor": ("old",), "vpn": ("old",)}, {"tor": ("new",), "vpn": ("new",)}
    setting.write("both.dwd", ("9.9.9.9", "tor:old"), ("9.9.9.9", "vpn:old"))
    book = setting.book()
    stop, seen = threading.Event(), []

    def ask() -> None:
        while not stop.is_set():
            seen.append(book.about("9.9.9.9").names)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for name in ("new", "old") * 10:
        setting.write("both.dwd", ("9.9.9.9", f"tor:{name}"), ("9.9.9.9", f"vpn:{name}"))
        setting.finish_update()
        book.about("9.9.9.9")
    stop.set()
    for thread in threads:
        thread.join()
    assert all(names in (old, new) for names in seen)
    assert setting.reports == []


def test_a_fork_can_take_up_new_files(setting: Setting) -> None:
    """A worker that was forked after the book was opened sees updates of its own."""
    book = setting.book()
    setting.write("tor.dwd", ("9.9.9.9", "tor:torproject"))
    setting.finish_update()
    child = os.fork()
    if not child:
        os._exit(0 if book.about("9.9.9.9").is_kind("tor") else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_old_tables_stay_valid_for_who_holds_them(setting: Setting) -> None:
    """Replacing a file does not pull its memory from under a reader."""
    setting.write("tor.dwd", ("9.9.9.9", "tor:old"))
    book = setting.book()
    facts = book.about("9.9.9.9")
    table = next(layer.table for layer in book._snapshot.layers if layer.table.path.name == "tor.dwd")
    setting.write("tor.dwd", ("9.9.9.9", "tor:new"))
    setting.finish_update()
    assert book.about("9.9.9.9").names == {"tor": ("new",)}
    assert facts.names == {"tor": ("old",)}
    assert labels_at(table, 4, 0x09090909) == ("tor:old",)
