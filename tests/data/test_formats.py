"""What feeds look like, and what is made of them when they do not look like that."""

from __future__ import annotations

import gzip
import io
import ipaddress
import json
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.data.feed_server import IP2ASN, SAMPLES

from doorward.intelligence.addresses import Network, parse_network
from doorward.intelligence.feed_formats import FORMS, FeedRefused, Parsed, parse, picked
from doorward.intelligence.feeds import CATALOGUE, Feed

LIST = Feed("list", "https://feeds.example/", "tor:list", largest=100_000)
JSON = LIST._replace(form="json", select="prefixes.*.ipv4Prefix|ipv6Prefix")
TABLE = LIST._replace(form="ip2asn", label="country+asn")
DOMAINS = LIST._replace(form="domains", label="disposable:list")


def texts(parsed: Parsed) -> list[Network]:
    return [entry.network for entry in parsed.networks]


def networks(*expected: str) -> list[Network]:
    return [parse_network(text) for text in expected]


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_feed_is_read_in_its_form(name: str) -> None:
    """A sample of each feed of the catalogue, as its operator writes it, has entries and no bad lines."""
    parsed = parse(CATALOGUE[name], SAMPLES[name])
    assert parsed.entries
    assert not parsed.bad


def test_lists_have_comments_and_columns() -> None:
    """Comments, empty lines, columns, Windows line ends and a byte order mark are no entries."""
    content = b"\xef\xbb\xbf# list\r\n\r\n8.8.8.8\r\n; old\r\n9.9.9.0/24 ; SBL1\r\n2620:fe::/48,US,,,\r\n// end\r\n"
    assert texts(parse(LIST, content)) == networks("8.8.8.8", "9.9.9.0/24", "2620:fe::/48")


def test_bits_behind_the_prefix_are_cleared() -> None:
    """A network that is written with an address inside it is the network."""
    assert texts(parse(LIST, b"8.8.8.8/24\n2620:fe::9/48\n")) == networks("8.8.8.0/24", "2620:fe::/48")


def test_json_is_walked() -> None:
    """Only what the way leads to counts; members that are missing are no mistakes."""
    content = {"prefixes": [{"ipv4Prefix": "8.8.8.0/24"}, {"ipv6Prefix": "2620:fe::/48"}, {"other": 1}], "more": ["x"]}
    assert texts(parse(JSON, json.dumps(content).encode())) == networks("8.8.8.0/24", "2620:fe::/48")


@pytest.mark.parametrize(
    ("way", "found"),
    [
        ("a", [1]),
        ("b.*", [2, 3]),
        ("*.c|d", [4, 5]),
        ("e.*.k=1.v", [6]),
        ("nothing.*.x", []),
        ("a.*.b", []),
    ],
)
def test_ways_lead(way: str, found: list[int]) -> None:
    """Names, all, alternatives and conditions; what is not there leads nowhere."""
    value = {"a": 1, "b": [2, 3], "f": {"c": 4, "d": 5}, "e": [{"k": "1", "v": 6}, {"k": "2", "v": 7}]}
    assert list(picked(value, way)) == found


def test_ranges_have_places_and_names() -> None:
    """Each range has its country and number; what nobody announces is left out; names go with numbers."""
    parsed = parse(TABLE, IP2ASN.encode())
    assert [entry.labels for entry in parsed.networks] == [
        ("country:US", "asn:13335"),
        ("country:DE", "asn:24940"),
        ("country:FR", "asn:16276"),
    ]
    assert texts(parsed)[1] == parse_network("5.9.0.0/16")
    assert parsed.names["16276"] == "OVH, “Ünïcode”"


def test_a_range_without_a_country_has_a_number() -> None:
    """The word None, and codes that stand for no country are no country."""
    parsed = parse(TABLE, b"8.8.8.0\t8.8.8.255\t15169\tNone\tGOOGLE\n8.8.4.0\t8.8.4.255\t15169\tZZ\tGOOGLE\n")
    assert {entry.labels for entry in parsed.networks} == {("asn:15169",)}


def test_names_of_networks_hold_no_control_characters() -> None:
    """A name is shown on terminals and in logs."""
    parsed = parse(TABLE, b"8.8.8.0\t8.8.8.255\t15169\tUS\tGOO\x1b[31mGLE\xff\n")
    assert parsed.names == {"15169": "GOO[31mGLE\ufffd"}


def test_domains_are_normalised() -> None:
    """Upper case, final dots and Unicode are one form; doubles count once."""
    parsed = parse(DOMAINS, "Mailinator.com\nmailinator.com.\nbücher.example\n".encode())
    assert list(parsed.domains) == ["mailinator.com", "xn--bcher-kva.example"]


def test_a_few_bad_lines_are_counted() -> None:
    """One in a hundred is left out and told of."""
    content = b"".join(b"8.8.8.%d\n" % number for number in range(200)) + b"what?\n"
    parsed = parse(LIST, content)
    assert (parsed.entries, parsed.bad, parsed.example) == (200, 1, "what?")


@pytest.mark.parametrize(
    ("feed", "content", "why"),
    [
        (LIST, b"", "no entries"),
        (LIST, b"# nothing today\n", "no entries"),
        (LIST, b"8.8.8.8\nwhat?\n", "1 of 2 lines"),
        (LIST, b"8.8.8.8/33\n", "no entries"),
        (LIST, b"8.8.8.8/-1\n", "no entries"),
        (LIST, b" <!DOCTYPE html>\n8.8.8.8\n", "web page"),
        (LIST, "8.8.8.8\n".encode("utf-16"), "not UTF-8"),
        (LIST, b"8.8.8.8\0\n", "not UTF-8"),
        (LIST, b"8.8.8.8\n" * 20_000, "more than 100000 bytes"),
        (JSON, b'{"prefixes": [', "no JSON"),
        (JSON, b'{"prefixes": []}', "no entries"),
        (JSON, b'{"prefixes": [{"ipv4Prefix": 8}, {"ipv4Prefix": null}]}', "2 of 2"),
        (JSON, b"[" * 50_000, "no JSON"),
        (JSON, b'{"prefixes": [%s]}' % (b"9" * 5_000), "no JSON"),
        (TABLE, b"8.8.8.0\t8.8.8.255\tx\tUS\tA\n", "1 of 1"),
        (TABLE, b"8.8.8.255\t8.8.8.0\t1\tUS\tA\n", "1 of 1"),
        (TABLE, b"8.8.8.0\t2620:fe::\t1\tUS\tA\n", "1 of 1"),
        (DOMAINS, b"com\nmailinator.com\n", "1 of 2"),
        (DOMAINS, b"a@b.example\n", "1 of 1"),
        (LIST, gzip.compress(b"8.8.8.8\n", mtime=0)[:-6], "cut off"),
        (LIST, b"\x1f\x8b" + b"x" * 50, "damaged"),
        (LIST, gzip.compress(b"\n" * 10_000_000, mtime=0), "unpacks to more"),
        (LIST, b"PK\x03\x04" + b"x" * 50, "damaged zip"),
    ],
)
def test_what_is_wrong_is_refused(feed: Feed, content: bytes, why: str) -> None:
    """Nothing, too much, something else, or damaged: the message says which."""
    with pytest.raises(FeedRefused, match=why):
        parse(feed, content)


def test_gzip_may_have_several_parts() -> None:
    """Files that were put together from compressed ones are compressed files."""
    assert parse(LIST, gzip.compress(b"8.8.8.8\n", mtime=0) + gzip.compress(b"9.9.9.9\n", mtime=0)).entries == 2


def _zip(**files: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (_zip(a=b"8.8.8.8\n", b=b"9.9.9.9\n"), "2 files instead of one"),
        (_zip(a=b"\n" * 10_000_000), "unpacks to more"),
        (_zip(a=b"8.8.8.8\n" * 500)[:100], "damaged zip"),
    ],
)
def test_zips_have_one_file_of_a_known_size(content: bytes, why: str) -> None:
    """Two files, a bomb, and half a file are refused."""
    with pytest.raises(FeedRefused, match=why):
        parse(LIST, content)


_NETWORKS = st.one_of(
    st.builds(ipaddress.IPv4Network, st.tuples(st.ip_addresses(v=4), st.integers(0, 32)), st.just(False)),
    st.builds(ipaddress.IPv6Network, st.tuples(st.ip_addresses(v=6), st.integers(0, 128)), st.just(False)),
)


def _range(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> Network:
    mapped = getattr(network.network_address, "ipv4_mapped", None) if network.prefixlen >= 96 else None
    if mapped is not None:
        return Network(4, int(mapped), int(mapped) + network.num_addresses - 1)
    return Network(network.version, int(network.network_address), int(network.broadcast_address))


@given(st.lists(_NETWORKS, min_size=1, max_size=20))
def test_networks_are_what_ipaddress_says(found: list[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> None:
    """First and last address of each line are those that the standard library has."""
    content = "\n".join(map(str, found)).encode()
    assert texts(parse(LIST, content)) == [_range(network) for network in found]


@given(st.sampled_from(FORMS), st.binary(max_size=300), st.sampled_from([b"", b"\x1f\x8b\x08\0", b"PK\x03\x04", b"{"]))
def test_any_bytes_are_read_or_refused(form: str, content: bytes, start: bytes) -> None:
    """Whatever a server sends, reading it gives entries or FeedRefused, and nothing else."""
    _try(LIST._replace(form=form, select="a.*.b|c"), start + content)


@given(st.sampled_from(sorted(SAMPLES)), st.integers(0, 2_000), st.binary(max_size=8), st.integers(0, 8))
def test_damaged_feeds_are_read_or_refused(name: str, place: int, patch: bytes, lost: int) -> None:
    """The same for real feeds with a few bytes changed, added or taken away."""
    content = SAMPLES[name]
    place %= len(content)
    _try(CATALOGUE[name], content[:place] + patch + content[place + lost :])


def _try(feed: Feed, content: bytes) -> None:
    try:
        parsed = parse(feed, content)
    except FeedRefused:
        return
    assert parsed.entries
