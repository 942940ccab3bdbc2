"""Addresses of a server's own network, in all spellings, and what their parameter is for."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.attacks.asking import subject, weight

from doorward.attacks.detectors.hosts import Hosts, Zone, ipv4
from doorward.attacks.detectors.ssrf import SsrfDetector
from doorward.attacks.evidence import Place
from doorward.builders.rule_files import rulebooks

HOSTS = Hosts(rulebooks()["ssrf"])
ADDRESSES = st.integers(0, 2**32 - 1)
LOOPBACK = ip_network("127.0.0.0/8")


def number(value: int, form: str) -> str:
    return {"d": str(value), "o": f"0{value:o}" if value else "0", "x": f"0x{value:x}"}[form]


FORMS = st.sampled_from("dox")


@given(ADDRESSES, st.integers(1, 4), st.lists(FORMS, min_size=4, max_size=4))
def test_every_spelling_of_an_address_is_read(address: int, parts: int, forms: list[str]) -> None:
    """One to four numbers, each decimal, octal or hexadecimal, as inet_aton takes them."""
    head = [address >> (24 - 8 * n) & 0xFF for n in range(parts - 1)]
    last = address & ((1 << 8 * (5 - parts)) - 1)
    text = ".".join(number(value, form) for value, form in zip([*head, last], forms, strict=False))
    assert ipv4(text) == IPv4Address(address)


@given(st.text("0123456789abcdefx.[]:%@-", max_size=40))
def test_no_host_makes_it_raise(text: str) -> None:
    """Whatever is between the slashes."""
    assert HOSTS.host(text).zone in Zone
    ipv4(text)


@given(st.integers(0, 2**24 - 1))
def test_loopback_is_found_in_ipv6_addresses(low: int) -> None:
    """Mapped, compatible, of NAT64 and 6to4."""
    address = IPv4Address(int(LOOPBACK[0]) + low)
    for outer in (0xFFFF << 32, 0, int(IPv6Address("64:ff9b::"))):
        assert HOSTS.host(f"[{IPv6Address(outer | int(address))}]").zone is Zone.OWN
    assert HOSTS.host(f"[{IPv6Address(0x2002 << 112 | int(address) << 80)}]:80").zone is Zone.OWN


@given(ADDRESSES)
def test_public_addresses_are_public(number: int) -> None:
    """By the standard library's own tables."""
    address = IPv4Address(number)
    if address.is_global and str(address) not in rulebooks()["ssrf"].words("metadata_addresses"):
        assert HOSTS.host(str(address)).zone is Zone.PUBLIC


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST.",
        "a.localhost:80",
        "127.1",
        "0",
        "0.0.0.0",
        "[::]",
        "[::1]:22",
        "2130706433",
        "0x7f.1",
        "①②⑦.⓪.⓪.①",
        "ｌｏｃａｌｈｏｓｔ",
        "%6c%6fcalhost",
        "127。0。0。1",
        "a.127.0.0.1.nip.io",
        "127-0-0-1.sslip.io",
        "7f000001.nip.io",
        "lvh.me",
    ],
    ids=range(18),
)
def test_the_server_itself_is_recognised(host: str) -> None:
    """By name, number, disguise and names that answer with what is in them."""
    assert HOSTS.host(host).zone is Zone.OWN


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "2852039166",
        "[::ffff:a9fe:a9fe]",
        "metadata.google.internal",
        "[fd00:ec2::254]",
        "425.510.425.510",
    ],
)
def test_metadata_services_are_recognised(host: str) -> None:
    """Of clouds, in other spellings too."""
    assert HOSTS.host(host).zone is Zone.METADATA
    assert weight("ssrf", f"http://{host}/latest/") >= 1
    assert weight("ssrf", f"http://{host}/latest/", Place.JSON, "a.b[0].redirect_uri") >= 1


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://localhost/admin",
        "//127.0.0.1:6379",
        "http:/127.0.0.1",
        "http:127.0.0.1/",
        "http:\\\\localhost\\x",
        "http://a.example@127.0.0.1/",
        "http://a.example#@localhost/",
        "http://a.example\\@127.0.0.1/",
        "gopher://a.example:25/_x",
        "dict://a.example:11211/stat",
        "jar:http://a.example/b!/",
        "localhost/",
        "http://0/",
        "http://[::]:80/",
    ],
    ids=range(15),
)
def test_addresses_of_the_server_are_denied_where_it_fetches(url: str) -> None:
    """In parameters for addresses."""
    for name in ("url", "image_url", "feedUrl", "target"):
        assert weight("ssrf", url, Place.QUERY, name) >= 1


@pytest.mark.parametrize("name", ["redirect_uri", "returnTo", "next", "origin", "callback", "allowed_origins[0]"])
@pytest.mark.parametrize(
    "url", ["http://localhost:3000/cb", "http://127.0.0.1/", "http://192.168.0.7/", "http://a.127.0.0.1.nip.io/"]
)
def test_developers_send_browsers_to_their_own_machine(name: str, url: str) -> None:
    """And their browsers say where they come from."""
    assert weight("ssrf", url, Place.QUERY, name) == 0
    assert weight("ssrf", url, Place.HEADER, "referer") == 0


def test_ports_of_development_are_not_conclusive() -> None:
    """A hook on the own machine is; what a server shows to itself alone is."""
    assert weight("ssrf", "http://localhost:3000/hook", Place.FORM, "url") < 1
    assert weight("ssrf", "http://127.0.0.1:8080/admin", Place.FORM, "url") >= 1
    assert weight("ssrf", "http://localhost:{port}/v1", Place.JSON, "servers[0].url") == 0


@pytest.mark.parametrize(
    "text",
    [
        "http://localhost:3000/ is my dev server",
        "10.0.0.1",
        "https://a.example/?u=http://127.0.0.1/",
        "https://u:p@a.example/",
        "version 127.0",
        "http://8.8.8.8/",
        "http://[2001:db8::1]/",
        "mailto:a@localhost",
        "metadata",
        "see //localhost please",
    ],
    ids=range(10),
)
def test_texts_and_other_addresses_pass(text: str) -> None:
    """Prose, bare addresses, other people's hosts."""
    assert weight("ssrf", text) < 0.5


BOOK = rulebooks()["ssrf"]
NAMES = sorted(
    {*BOOK.words("metadata_hosts"), *BOOK.words("own_hosts")}
    | {f"a{suffix}" for key in ("own_suffixes", "inner_suffixes", "wildcard_suffixes") for suffix in BOOK.words(key)}
)


@pytest.mark.parametrize("host", NAMES)
def test_every_host_of_interest_is_looked_at(host: str) -> None:
    """By its name, in a URL and, unless it begins with a digit, without one."""
    detector = SsrfDetector(BOOK)
    assert detector.wants(subject(f"see https://{host}/x"))
    assert host[0].isdigit() or detector.wants(subject(host))


@pytest.mark.parametrize(
    "url",
    [
        "http://1.example/",
        "http:1.example",
        "//0x7f.1",
        "http:/\\[::1]",
        "x://a@b",
        "https://a#b",
        "//ä.example",
        "file:/x",
    ],
)
def test_addresses_that_are_no_plain_names_are_looked_at(url: str) -> None:
    """Numbers, brackets, user information, fragments, letters beyond ASCII, and other schemes."""
    assert SsrfDetector(BOOK).wants(subject(f"to {url} and"))


@pytest.mark.parametrize(
    "text",
    ["https://shop.example/items/5?ref=mail#top", "//cdn.example/a@2x.png", "see http://a.example:8080/#/x", "a[0]"],
)
def test_ordinary_addresses_are_not_looked_at(text: str) -> None:
    """Named hosts of the web are most of all URLs."""
    assert not SsrfDetector(BOOK).wants(subject(text))
