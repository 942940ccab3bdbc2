"""The compiled file of domains: what goes in comes out, as slowly looking at lists would have it."""

from __future__ import annotations

import tomllib
from array import array
from pathlib import Path

import pytest
from data_build.domains import REGISTRY, compile_domains
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doorward.errors import DataError
from doorward.intelligence import container, domains
from doorward.intelligence.container import Meta, Source
from doorward.intelligence.domains import FILE, KINDS, WIDE_FILE, DomainSets, WideDomains, to_ascii, write_domains
from doorward.intelligence.library import MANIFEST, Library
from doorward.testing import FakeClock

META = Meta("2026-11-21", (Source("test", "1", "CC0-1.0", "2026-11-20"),), KINDS)
LABEL = st.sampled_from(["a", "b", "c", "mail", "x-y"])
NAME = st.lists(LABEL, min_size=2, max_size=5).map(".".join)
SETS = st.dictionaries(st.sampled_from(KINDS), st.sets(NAME, max_size=8))


def opened(folder: Path, sets, name: str = FILE) -> DomainSets:
    write_domains(folder / name, sets, META)
    return DomainSets.open(folder / name)


def slowly(sets, domain: str) -> set[str]:
    """The rules of ``kinds_of``, read off the lists."""

    def listed(kind: str, *, below: bool) -> bool:
        return any(domain == name or (below and domain.endswith(f".{name}")) for name in sets.get(kind, ()))

    kinds = {kind for kind in KINDS if listed(kind, below=kind in ("disposable", "relay"))}
    if "provider" in kinds or "relay" in kinds:
        kinds.discard("disposable")
    if "relay" in kinds or "disposable" in kinds:
        kinds.discard("free")
    return kinds


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sets=SETS, domain=st.one_of(NAME, st.text(max_size=20)))
def test_a_look_up_says_what_the_lists_say(tmp_path, sets, domain) -> None:
    """Exact names, parents where they count, and what outweighs what; any text may be asked about."""
    assert opened(tmp_path, sets).kinds_of(domain) == slowly(sets, domain)


def test_names_below_a_throw_away_domain_and_a_relay_belong_to_it(tmp_path) -> None:
    """Not those below a free provider: nobody has a mailbox there."""
    sets = opened(tmp_path, {"disposable": ["temp.example"], "relay": ["alias.example"], "free": ["free.example"]})
    assert sets.kinds_of("a.b.temp.example") == {"disposable"}
    assert sets.kinds_of("ann.alias.example") == {"relay"}
    assert sets.kinds_of("shop.free.example") == set()
    assert sets.kinds_of("nottemp.example") == set()


def test_a_domain_of_many_labels_is_walked_no_deeper_than_the_lists_are(tmp_path, monkeypatch) -> None:
    """What 126 labels cost is bounded by the lists, not by the client."""
    sets = opened(tmp_path, {"disposable": ["temp.example", "a.b.temp.example"]})
    asked = []
    monkeypatch.setattr(sets, "_listed", lambda domain: asked.append(domain) or 0)
    sets.kinds_of(".".join(["a"] * 126))
    assert len(asked) == 4


def test_names_are_written_in_one_form(tmp_path) -> None:
    """Unicode, capitals, a final dot and spaces around are the lists' business."""
    sets = opened(tmp_path, {"disposable": [" Bücher.Example. ", "TEMP.example"]})
    assert sets.kinds_of("xn--bcher-kva.example") == sets.kinds_of("temp.example") == {"disposable"}
    assert len(sets) == 2


@pytest.mark.parametrize(
    "name", ["com", "", ".", "a..example", "-a.example", "a b.example", "@a.example", "a" * 64 + ".example", "a.\ud800"]
)
def test_what_is_no_domain_is_not_written(tmp_path, name) -> None:
    """A list that holds a top-level domain would refuse half of the world."""
    assert to_ascii(name) is None
    with pytest.raises(ValueError, match="is no domain name"):
        write_domains(tmp_path / FILE, {"disposable": [name]}, META)


@given(st.text())
def test_reading_a_name_never_raises(name) -> None:
    """What comes out is ASCII, and reads as itself."""
    domain = to_ascii(name)
    assert domain is None or to_ascii(domain) == domain


def test_an_unknown_kind_is_not_written(tmp_path) -> None:
    """It is a mistake of ours."""
    with pytest.raises(ValueError, match="tuple"):
        write_domains(tmp_path / FILE, {"spam": ["a.example"]}, META)


def test_a_file_says_where_it_came_from(tmp_path) -> None:
    """Sources, licences and dates go in and come out."""
    assert opened(tmp_path, {}).meta == META


@pytest.mark.parametrize("damage", [lambda _: b"", lambda content: content[:60], lambda content: b"x" * len(content)])
def test_a_damaged_file_is_an_error_that_names_it(tmp_path, damage) -> None:
    """Empty, truncated, something else."""
    path = tmp_path / FILE
    write_domains(path, {"free": ["free.example"]}, META)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DataError, match=FILE):
        DomainSets.open(path)


def test_a_missing_file_and_another_version_are_errors(tmp_path) -> None:
    """What this doorward does not read it does not guess at."""
    with pytest.raises(DataError, match="cannot be opened"):
        DomainSets.open(tmp_path / FILE)
    container.write(tmp_path / FILE, "domains", 99, META, {})
    with pytest.raises(DataError, match="version 99"):
        DomainSets.open(tmp_path / FILE)


@pytest.mark.parametrize("sections", [{"kinds": b"12", "depth": b"\2"}, {"kinds": b"1", "depth": b""}])
def test_sections_that_do_not_fit_are_damage(tmp_path, sections) -> None:
    """One kind for each digest, and one depth."""
    container.write(tmp_path / FILE, "domains", 1, META, {"digests": bytes(8), "providers": b"", **sections})
    with pytest.raises(DataError, match="do not fit together"):
        DomainSets.open(tmp_path / FILE)


def test_numbers_are_little_endian_on_any_machine(monkeypatch) -> None:
    """A machine of the other order swaps what it reads and what it writes."""
    there = array("Q", [1, 2**40]).tobytes()
    swapped = array("Q", [1, 2**40])
    swapped.byteswap()
    monkeypatch.setattr(domains.sys, "byteorder", "big")
    assert list(domains._numbers(memoryview(there))) == list(swapped)
    assert domains._little_endian(array("Q", [1, 2**40])) == swapped


def test_a_slip_is_taken_for_the_first_provider_it_could_mean(tmp_path) -> None:
    """In the order in which they were written; short names, and providers themselves, are nobody's slip."""
    sets = opened(tmp_path, {"provider": ["yahoo.com", "yahoo.ca", "me.com", "gmx.de"]})
    assert sets.resembling("yahoo.co") == "yahoo.com"
    assert sets.resembling("yahooo.ca") == "yahoo.ca"
    assert sets.resembling("gxm.de") == "gmx.de"
    assert [sets.resembling(name) for name in ("ne.com", "yahoo.ca", "yahoo", "", "x" * 10**6)] == [""] * 5


@given(domain=st.text("yaho.cm", max_size=12))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_index_of_slips_finds_what_comparing_all_would(tmp_path, domain) -> None:
    """It leaves letters out instead of comparing with every name."""
    names = ["yahoo.com", "yahoo.ca", "ymail.com"]
    sets = opened(tmp_path, {"provider": names})
    near = [name for name in names if domains.one_edit_apart(domain, name)]
    assert sets.resembling(domain) == ("" if domain in names or not near else near[0])


class Wide:
    """Both lists in folders of a test's own, and a clock for when to look for a new one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = FakeClock()
        self.library = Library(folder, clock=self.clock, wheel=folder)
        self.narrow = opened(
            folder, {"relay": ["alias.example"], "provider": ["big.example"], "free": ["free.example"]}
        )

    def bring(self, *names: str) -> None:
        """What ``doorward data update`` does: the list, and then the manifest."""
        write_domains(self.folder / WIDE_FILE, {"disposable": names}, META)
        (self.folder / MANIFEST).write_text(" ".join(names))
        self.clock.advance(60)

    def domains(self) -> WideDomains:
        return WideDomains(self.narrow, self.library)


@pytest.fixture
def wide(tmp_path) -> Wide:
    return Wide(tmp_path)


def test_the_wide_list_flags_no_relay_and_no_provider(wide) -> None:
    """Wide lists hold them; a person with such an address is to pass."""
    wide.bring("alias.example", "big.example", "free.example", "temp.example")
    both = wide.domains()
    assert both.kinds_of("temp.example") == both.kinds_of("x.temp.example") == {"disposable"}
    assert both.kinds_of("free.example") == {"disposable"}
    assert both.kinds_of("x.alias.example") == {"relay"}
    assert both.kinds_of("big.example") == {"provider"}
    assert both.kinds_of("company.example") == set()


def test_a_running_process_takes_the_new_wide_list(wide) -> None:
    """A look-up after the update sees it."""
    wide.bring("old.example")
    both = wide.domains()
    wide.bring("new.example", "newer.example")
    assert both.kinds_of("new.example") == {"disposable"}
    assert both.kinds_of("old.example") == set()


def test_a_broken_update_leaves_the_list_of_before(wide, caplog) -> None:
    """It is said in the log, once."""
    wide.bring("old.example")
    both = wide.domains()
    (wide.folder / WIDE_FILE).rename(wide.folder / "elsewhere")
    (wide.folder / MANIFEST).write_text("something new")
    wide.clock.advance(60)
    assert both.kinds_of("old.example") == both.kinds_of("old.example") == {"disposable"}
    assert [record.getMessage()[:37] for record in caplog.records] == [
        "the list of before stays in use: " + str(wide.folder)[:4]
    ]


def test_without_a_folder_there_is_no_wide_list(tmp_path, monkeypatch) -> None:
    """In a container without a home nothing says where it would be."""
    monkeypatch.setattr("doorward.intelligence.library.user_folder", lambda: None)
    with pytest.raises(DataError, match="DOORWARD_DATA"):
        WideDomains(opened(tmp_path, {}), Library(wheel=tmp_path))


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> DomainSets:
    folder = tmp_path_factory.mktemp("built")
    compile_domains(folder)
    return DomainSets.open(folder / FILE)


@pytest.mark.parametrize(
    ("domain", "kinds"),
    [
        ("mailinator.com", {"disposable"}),
        ("yopmail.com", {"disposable"}),
        ("inbox.mailinator.com", {"disposable"}),
        ("gmail.com", {"free", "provider"}),
        ("fastmail.com", {"free", "provider"}),
        ("comcast.net", {"free", "provider"}),
        ("duck.com", {"relay"}),
        ("privaterelay.appleid.com", {"relay"}),
        ("ann.anonaddy.com", {"relay"}),
        ("opayq.com", {"relay"}),
        ("python.org", set()),
    ],
)
def test_the_package_knows_the_usual_domains(built, domain, kinds) -> None:
    """Throw-away ones that the list of free ones holds too, forwarders that the list of throw-away ones holds too."""
    assert built.kinds_of(domain) == kinds


def test_the_package_says_what_is_in_it(built) -> None:
    """Each source with its version or date, licence and size."""
    assert built.meta.knows == KINDS
    assert [source.name.split(":")[0] for source in built.meta.sources][2:] == ["doorward registry"] * 2
    assert all(source.licence and source.date and source.entries for source in built.meta.sources)
    assert len(built) > 14_000


def test_well_known_names_are_never_throw_away(built) -> None:
    """Whatever the lists say: not one provider or forwarder of our registry."""
    relays = tomllib.loads((REGISTRY / "relays.toml").read_text())["service"]
    providers = tomllib.loads((REGISTRY / "mail_providers.toml").read_text())
    names = [name for service in relays for name in service["domains"]]
    names += providers["free"]["domains"] + providers["subscribers"]["domains"]
    assert [name for name in names if "disposable" in built.kinds_of(name)] == []
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("gmial.com", "gmail.com"),
        ("gmail.con", "gmail.com"),
        ("hotmial.com", "hotmail.com"),
        ("outlok.com", "outlook.com"),
        ("yahoo.co", "yahoo.com"),
        ("iclod.com", "icloud.com"),
        ("python.org", ""),
    ],
)
def test_the_usual_slips_mean_the_usual_providers(built, typed, meant) -> None:
    """The most used name comes first."""
    assert built.resembling(typed) == meant


def test_a_build_can_be_repeated(tmp_path, monkeypatch) -> None:
    """The same sources give the same bytes, whenever they are compiled."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        compile_domains(folder)
    assert (first / FILE).read_bytes() == (second / FILE).read_bytes()
    assert DomainSets.open(first / FILE).meta.made == "2023-11-14"
