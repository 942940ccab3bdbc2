"""Where data files are, and when there are new ones."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest

from doorward.client_ip import ClientIPPolicy
from doorward.errors import DataError
from doorward.intelligence.container import Meta, Source, replace
from doorward.intelligence.library import MANIFEST, Library, user_folder, wheel_folder, write_edges
from doorward.testing import FakeClock


@pytest.mark.parametrize(
    ("environ", "platform", "expected"),
    [
        ({"DOORWARD_DATA": "/srv/data", "HOME": "/home/a"}, "linux", "/srv/data"),
        ({"XDG_DATA_HOME": "/x", "HOME": "/home/a"}, "linux", "/x/doorward"),
        ({"XDG_DATA_HOME": "x", "HOME": "/home/a"}, "linux", "/home/a/.local/share/doorward"),
        ({"HOME": "/home/a"}, "linux", "/home/a/.local/share/doorward"),
        ({"HOME": "/Users/a"}, "darwin", "/Users/a/Library/Application Support/doorward"),
        ({"LOCALAPPDATA": "/c/a"}, "win32", "/c/a/doorward"),
    ],
)
def test_the_users_folder(environ: dict[str, str], platform: str, expected: str) -> None:
    """The variable counts first, then what the platform says."""
    assert user_folder(environ, platform) == Path(expected)


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_without_a_home_there_is_no_folder(platform: str) -> None:
    """Nothing is guessed, and the wheel's data still work."""
    assert user_folder({}, platform) is None


def test_the_wheels_folder_is_inside_the_package() -> None:
    """The data travel with the code."""
    assert wheel_folder().parent.name == "intelligence"


def test_a_generation_lasts_until_the_manifest_changes(tmp_path: Path) -> None:
    """Other files may come and go; the manifest is what says that an update is complete."""
    clock = FakeClock()
    library = Library(tmp_path, clock=clock)
    first = library.generation()
    (tmp_path / "x.dwd").write_bytes(b"")
    clock.advance(100)
    assert library.generation() == first
    replace(tmp_path / MANIFEST, b"{}")
    assert library.generation() == first
    clock.advance(10)
    second = library.generation()
    assert second != first
    replace(tmp_path / MANIFEST, b"{}")
    clock.advance(10)
    assert library.generation() != second


def test_files_are_those_of_ours(tmp_path: Path) -> None:
    """Half-written ones, which begin with a dot, and others are left out."""
    for name in ("b.dwd", "a.dwd", ".c.dwd.tmp", MANIFEST, "d.txt"):
        (tmp_path / name).write_bytes(b"")
    assert [path.name for path in Library(tmp_path).files()] == ["a.dwd", "b.dwd"]


def test_a_folder_that_is_not_there_has_no_files(tmp_path: Path) -> None:
    """Before the first update there is nothing, which is no error."""
    library = Library(tmp_path / "no", wheel=tmp_path)
    assert library.files() == []
    assert library.candidates("x.dwd") == []
    assert library.generation() == library.generation()


def test_candidates_are_the_users_then_the_wheels(tmp_path: Path) -> None:
    """Whoever opens one can fall back to the other."""
    user, wheel = tmp_path / "user", tmp_path / "wheel"
    for folder in (user, wheel):
        folder.mkdir()
        (folder / "x.dwd").write_bytes(b"")
    assert Library(user, wheel=wheel).candidates("x.dwd") == [user / "x.dwd", wheel / "x.dwd"]


def edges(folder: Path, network: str, date: str) -> None:
    folder.mkdir(exist_ok=True)
    source = Source("cloudflare", "", "published", date)
    write_edges(folder / "edges.dwd", {"cloudflare": [network, "2400:cb00::/32"]}, Meta(date, (source,)))


@pytest.mark.parametrize(
    ("user_date", "expected"), [("2026-06-01", "203.0.113.0/24"), ("2025-01-01", "198.51.100.0/24")]
)
def test_the_newest_networks_of_an_edge_count(tmp_path: Path, user_date: str, expected: str) -> None:
    """An update wins over the wheel it is newer than, and a new wheel over an old update."""
    edges(tmp_path / "wheel", "198.51.100.0/24", "2026-01-01")
    edges(tmp_path / "user", "203.0.113.0/24", user_date)
    library = Library(tmp_path / "user", wheel=tmp_path / "wheel")
    assert library.edge_ranges() == {"cloudflare": (expected, "2400:cb00::/32")}


def test_a_damaged_file_of_edges_does_not_count(tmp_path: Path) -> None:
    """The wheel's is there."""
    edges(tmp_path / "wheel", "198.51.100.0/24", "2026-01-01")
    (tmp_path / "user").mkdir()
    (tmp_path / "user" / "edges.dwd").write_bytes(b"garbage")
    library = Library(tmp_path / "user", wheel=tmp_path / "wheel")
    assert library.edge_ranges()["cloudflare"][0] == "198.51.100.0/24"


def test_without_any_file_of_edges_the_error_says_so(tmp_path: Path) -> None:
    """Trusting nobody silently would make every client look like the edge."""
    with pytest.raises(DataError, match="edges"):
        Library(tmp_path / "user", wheel=tmp_path).edge_ranges()


def test_edges_fit_the_policy(tmp_path: Path) -> None:
    """The client behind the edge is found by its header, from the published networks only."""
    edges(tmp_path, "198.51.100.0/24", "2026-01-01")
    ranges = Library(tmp_path / "user", wheel=tmp_path).edge_ranges()
    policy = ClientIPPolicy("cloudflare", edge_ranges=ranges)
    headers = {"cf-connecting-ip": ["9.9.9.9"]}
    assert policy.resolve("198.51.100.7", lambda name: headers.get(name, [])).address == "9.9.9.9"
    assert policy.resolve("198.51.101.7", lambda name: headers.get(name, [])).address == "198.51.101.7"
    assert all(ip_network(network) for network in ranges["cloudflare"])
