"""A user's own MMDB files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import maxminddb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from doorward.errors import ConfigurationError
from doorward.intelligence.geo import GeoFile, names_of, open_geo, place_of

MAXMIND = {
    "city": {"geoname_id": 1, "names": {"de": "Zürich", "en": "Zurich"}},
    "continent": {"code": "EU", "names": {"en": "Europe"}},
    "country": {"iso_code": "CH", "names": {"en": "Switzerland"}},
    "registered_country": {"iso_code": "DE", "names": {"en": "Germany"}},
    "location": {"latitude": 47.3667, "longitude": 0.0, "accuracy_radius": 20, "time_zone": "Europe/Zurich"},
    "postal": {"code": "8001"},
    "subdivisions": [{"iso_code": "ZH", "names": {"en": "Zurich"}}, {"names": {"en": "inner"}}],
    "traits": {"autonomous_system_number": 13030, "autonomous_system_organization": "Init7"},
}


def written(path: Path, records: dict[str, Any], **options: Any) -> Path:
    writer = MMDBWriter(**{"ip_version": 6, "database_type": "Test", "ipv4_compatible": True, **options})
    for network, record in records.items():
        writer.insert_network(IPSet([network]), record)
    writer.to_db_file(str(path))
    return path


def opened(path: Path) -> GeoFile:
    (file,) = open_geo([path])
    return file


def test_the_layout_of_geoip2() -> None:
    """GeoLite2, GeoIP2 and DB-IP nest; the country is that of the address, not of whom it is registered for."""
    assert place_of(MAXMIND) == {
        "country": "CH",
        "country_name": "Switzerland",
        "continent": "EU",
        "continent_name": "Europe",
        "region": "Zurich",
        "city": "Zurich",
        "postal_code": "8001",
        "latitude": "47.3667",
        "longitude": "0.0",
        "accuracy_radius": "20",
        "timezone": "Europe/Zurich",
        "asn": "13030",
        "asn_name": "Init7",
    }


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (
            {"autonomous_system_number": 15169, "autonomous_system_organization": "GOOGLE"},
            {"asn": "15169", "asn_name": "GOOGLE"},
        ),
        (
            # IPinfo Lite
            {
                "asn": "AS15169",
                "as_name": "Google LLC",
                "as_domain": "google.com",
                "continent": "North America",
                "continent_code": "NA",
                "country": "United States",
                "country_code": "US",
            },
            {
                "asn": "15169",
                "asn_name": "Google LLC",
                "asn_domain": "google.com",
                "continent": "NA",
                "continent_name": "North America",
                "country": "US",
                "country_name": "United States",
            },
        ),
        (
            # IPinfo's older country file
            {"country": "US", "country_name": "United States", "continent": "NA", "continent_name": "North America"},
            {
                "country": "US",
                "country_name": "United States",
                "continent": "NA",
                "continent_name": "North America",
            },
        ),
        (
            # IPinfo's file of networks
            {"route": "8.8.8.0/24", "asn": "AS1", "name": "A", "domain": "a.example", "type": "isp", "country": "us"},
            {"asn": "1", "asn_name": "A", "asn_domain": "a.example", "asn_type": "isp", "asn_country": "US"},
        ),
        (
            {"city": "X", "country_code": "de", "latitude": 1.5, "postcode": "1", "state1": "Y", "timezone": "Z"},
            {"city": "X", "country": "DE", "latitude": "1.5", "postal_code": "1", "region": "Y", "timezone": "Z"},
        ),
        ({"registered_country": {"iso_code": "AQ"}}, {"country": "AQ"}),
        ({"country": "not a code", "asn": "none", "city": "", "latitude": True}, {"country_name": "not a code"}),
    ],
)
def test_other_layouts(record: dict[str, Any], expected: dict[str, str]) -> None:
    """Each maker's names become ours."""
    assert place_of(record) == expected


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*MAXMIND, "names", "en", "iso_code", "code", "route", "asn"]), inner)
    ),
)


@given(json)
def test_any_record(record: Any) -> None:
    """A record of any shape gives texts or nothing."""
    assert all(isinstance(value, str) and value for value in place_of(record).values())
    assert all(name == ("x",) for name in names_of(record, "x").values())


def test_reads_a_file(tmp_path: Path) -> None:
    """IPv4 and IPv6 are found in one file, and what it knows is found out when it is opened."""
    file = opened(
        written(tmp_path / "city.mmdb", {"9.9.9.0/24": MAXMIND, "2a00::/16": {"country": {"iso_code": "SE"}}})
    )
    assert file.about(4, "9.9.9.9")[1]["city"] == "Zurich"
    assert file.about(6, "2a00::1") == ({}, {"country": "SE"})
    assert file.about(4, "8.8.8.8") == ({}, {})
    assert {"city", "country", "timezone"} <= file.places
    assert file.meta.sources[0].name == "Test"
    file.close()


def test_a_file_of_ipv4_knows_nothing_of_ipv6(tmp_path: Path) -> None:
    """It is not asked, and its kinds are unknown there."""
    path = written(
        tmp_path / "a.mmdb",
        {"9.9.9.0/24": {"is_tor_exit_node": True}},
        ip_version=4,
        ipv4_compatible=False,
        database_type="GeoIP2-Anonymous-IP",
    )
    file = opened(path)
    assert file.about(6, "2a00::1") == ({}, {})
    assert "tor" in file.known[4]
    assert file.known[6] == frozenset()


@pytest.mark.parametrize(
    ("database_type", "record", "kinds"),
    [
        ("GeoIP2-Anonymous-IP", {"is_anonymous": True, "is_anonymous_vpn": True}, {"vpn"}),
        ("GeoIP2-Anonymous-IP", {"is_hosting_provider": True, "is_residential_proxy": True}, {"hosting", "proxy"}),
        (
            "ipinfo standard_privacy.mmdb",
            {"vpn": "true", "relay": "", "tor": "false", "hosting": True},
            {"vpn", "hosting"},
        ),
        ("GeoLite2-City", {"traits": {"is_anonymous_vpn": True}}, set()),
    ],
)
def test_files_on_anonymous_networks(
    tmp_path: Path, database_type: str, record: dict[str, Any], kinds: set[str]
) -> None:
    """They say what an address is, by the file's name; others say nothing about that."""
    file = opened(written(tmp_path / "anonymous.mmdb", {"9.9.9.9/32": record}, database_type=database_type))
    assert file.about(4, "9.9.9.9")[0] == dict.fromkeys(kinds, ("anonymous",))
    assert kinds <= file.known[4]


@pytest.mark.parametrize("content", [None, b"", b"garbage" * 100])
def test_a_wrong_path_is_an_error_at_construction(tmp_path: Path, content: bytes | None) -> None:
    """The error names the argument and the file."""
    path = tmp_path / "city.mmdb"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"geo: .*city\.mmdb"):
        open_geo([path])


def test_without_the_package_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of it is needed by who has no such files."""
    monkeypatch.setitem(sys.modules, "maxminddb", None)
    assert open_geo([]) == ()
    with pytest.raises(ConfigurationError, match=r"doorward\[geo\]"):
        open_geo([Path("city.mmdb")])


def test_the_pure_reader_does_as_well(tmp_path: Path) -> None:
    """Where the C extension is not there, the answers are the same."""
    path = written(tmp_path / "city.mmdb", {"9.9.9.0/24": MAXMIND})
    file = GeoFile(path, maxminddb.open_database(path, maxminddb.MODE_MMAP))
    assert file.about(4, "9.9.9.9")[1] == place_of(MAXMIND)
    file.close()
