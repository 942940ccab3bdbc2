"""The client IP of every policy: the matrix of promise P9, then what each policy adds to it."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import pytest

from doorward.client_ip import ClientIP, ClientIPPolicy, Provenance, Proxies

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

PEER = "10.0.0.1"
PROXY = "10.0.0.2"
CLIENT = "203.0.113.9"
CLIENT6 = "2001:db8::1"
SPOOFED = "198.51.100.6"
EDGE = "192.0.2.77"


def headers(**lines: str | Sequence[str]) -> Callable[[str], Sequence[str]]:
    """A header look-up, from keywords with ``_`` for ``-``."""
    named = {name.replace("_", "-"): [value] if isinstance(value, str) else value for name, value in lines.items()}
    return lambda name: named.get(name, [])


def forbidden(name: str) -> Sequence[str]:
    """A header look-up that must not happen."""
    raise AssertionError(name)


# --- the matrix ------------------------------------------------------------------------------------------------------


class Row(NamedTuple):
    """Header lines, and the client by one hop, two hops, the list 10.0.0.0/8, and "private"."""

    lines: list[list[str]]
    one: str
    two: str
    listed: str
    private: str


def walked(lines: list[list[str]], client: str = CLIENT) -> Row:
    """The client stands before one trusted proxy."""
    return Row(lines, one=PROXY, two=client, listed=client, private=client)


def middle_garbage(item: str) -> Row:
    """Nothing left of garbage is believed: what remains is the entry of the nearest proxy."""
    return Row([[SPOOFED, item, PROXY]], one=PROXY, two=PEER, listed=PROXY, private=PROXY)


def right_garbage(item: str) -> Row:
    """Garbage of the nearest proxy leaves the peer."""
    return Row([[SPOOFED, item]], one=PEER, two=PEER, listed=PEER, private=PEER)


GARBAGE = {
    "empty": "",
    "blank": " \t ",
    "octal": "0313.00.0161.011",
    "leading zero": "203.000.113.009",
    "decimal": "3405803785",
    "hex": "0xcb007109",
    "hex octets": "0xcb.0x0.0x71.0x9",
    "short": "203.113",
    "five octets": "203.0.113.9.1",
    "octet too large": "203.0.113.256",
    "negative": "203.0.113.-9",
    "unknown": "unknown",
    "obfuscated": "_hidden",
    "full-width digits": "２０３.0.113.9",
    "latin-1 digits": "²03.0.113.9",
    "lone surrogate": "203.0.113.9\ud800",
    "NUL": "203.0.113.9\0",
    "no-break space": "\xa0203.0.113.9",
    "word": "localhost",
    "colon without port": "203.0.113.9:",
    "port is no number": "203.0.113.9:http",
    "port too long": "203.0.113.9:808080",
    "IPv4 in brackets": "[203.0.113.9]",
    "IPv4 with zone": "203.0.113.9%eth0",
    "network": "203.0.113.0/24",
    "open bracket": "[2001:db8::1",
    "close bracket": "2001:db8::1]",
    "text after bracket": "[2001:db8::1]x",
    "empty brackets": "[]",
    "two gaps": "2001::db8::1",
    "nine groups": "1:2:3:4:5:6:7:8:9",
    "long group": "2001:0db80::1",
    "empty zone": "fe80::1%",
    "odd zone": "fe80::1%a b",
    "octal in mapped": "::ffff:0313.0.113.9",
    "65 characters": "203.0.113.9".ljust(65),
    "64 KiB of letters": "a" * 65536,
    "64 KiB of digits": "1" * 65536,
    "64 KiB of dots": "." * 65536,
    "64 KiB of colons": ":" * 65536,
}

ROWS = {
    "absent": Row([], PEER, PEER, PEER, PEER),
    "one entry": Row([[CLIENT]], one=CLIENT, two=PEER, listed=CLIENT, private=CLIENT),
    "three entries": walked([[SPOOFED, CLIENT, PROXY]]),
    "500 entries": walked([[*[SPOOFED] * 498, CLIENT, PROXY]]),
    "500 trusted entries": Row([[SPOOFED, *["10.0.0.3"] * 500]], *["10.0.0.3"] * 4),
    "only trusted": Row([["10.9.9.9", PROXY]], one=PROXY, two="10.9.9.9", listed=PROXY, private=PROXY),
    "two lines": walked([[SPOOFED], [CLIENT, PROXY]]),
    "three lines": walked([[SPOOFED], [CLIENT], [PROXY]]),
    "an empty line last": right_garbage(""),
    "an empty line between": Row([[CLIENT], [""], [PROXY]], one=PROXY, two=PEER, listed=PROXY, private=PROXY),
    "an empty line first": walked([[""], [CLIENT, PROXY]]),
    "empty item at the left": walked([["", "", CLIENT, PROXY]]),
    "garbage at the left": walked([["\xff\0'<script>", CLIENT, PROXY]]),
    "spaces and tabs": walked([[SPOOFED, f" \t{CLIENT}\t ", f"  {PROXY}\t"]]),
    "ports": walked([[SPOOFED, f"{CLIENT}:65535", f"{PROXY}:1"]]),
    "obfuscated port": walked([[SPOOFED, f"{CLIENT}:_p-1.x", PROXY]]),
    "IPv6": walked([[SPOOFED, "2001:DB8:0:0::0001", PROXY]], CLIENT6),
    "IPv6 in brackets": walked([[SPOOFED, "[2001:db8::1]", PROXY]], CLIENT6),
    "IPv6 in brackets with port": walked([[SPOOFED, "[2001:db8::1]:443", PROXY]], CLIENT6),
    "zone": walked([[SPOOFED, "2001:db8::1%eth0", PROXY]], CLIENT6),
    "zone, brackets and port": walked([[SPOOFED, "[2001:db8::1%en-0.1]:443", PROXY]], CLIENT6),
    "link-local": Row([["fe80::1%eth0", PROXY]], one=PROXY, two="fe80::1", listed="fe80::1", private=PROXY),
    "mapped IPv4": walked([[SPOOFED, "::ffff:203.0.113.9", "::FFFF:a00:2"]]),
    "mapped IPv4 with port": walked([[SPOOFED, "[::ffff:203.0.113.9]:80", "[::ffff:10.0.0.2]:80"]]),
    "IPv4-compatible": walked([[SPOOFED, "::1.2.3.4", PROXY]], "::102:304"),
    "NAT64 stays": walked([[SPOOFED, "64:ff9b::cb00:7109", PROXY]], "64:ff9b::cb00:7109"),
    "6to4 stays": walked([[SPOOFED, "2002:cb00:7109::1", PROXY]], "2002:cb00:7109::1"),
    "carrier-grade NAT": walked([[SPOOFED, "100.64.0.1", PROXY]], "100.64.0.1"),
    "a unix socket between": Row([[CLIENT, "unix:"]], one=PEER, two=CLIENT, listed=PEER, private=CLIENT),
    "64 KiB of commas": Row([[""] * 65537], PEER, PEER, PEER, PEER),
    "64 KiB of commas first": Row([[*[""] * 65536, CLIENT]], one=CLIENT, two=PEER, listed=CLIENT, private=CLIENT),
    **{f"{name} between": middle_garbage(item) for name, item in GARBAGE.items()},
    **{f"{name} last": right_garbage(item) for name, item in GARBAGE.items()},
}

POLICIES: Mapping[str, tuple[str | int | tuple[str, ...], Callable[[Row], str]]] = {
    "no trust": ((), lambda _: PEER),
    "one hop": (1, lambda row: row.one),
    "two hops": (2, lambda row: row.two),
    "list": (("10.0.0.0/8",), lambda row: row.listed),
    "private": ("private", lambda row: row.private),
}


def forwarded_element(item: str) -> str:
    """An entry of X-Forwarded-For as an element of RFC 7239."""
    return f'for="{item}";proto=https;host="a, \\"b\\";for=x"' if item else ""


RENDERED: Mapping[str, Callable[[list[str]], str]] = {
    "x-forwarded-for": ",".join,
    "forwarded": lambda items: ", ".join(map(forwarded_element, items)),
    "x-real-ip": ",".join,
    "cf-connecting-ip": ",".join,
}


@pytest.mark.parametrize(("policy", "shape", "header"), [*product(POLICIES, ROWS, RENDERED)])
def test_p9_matrix(policy: str, shape: str, header: str) -> None:
    """Each policy finds the client, and believes no header that no trusted proxy of it writes."""
    proxies, expected = POLICIES[policy]
    row = ROWS[shape]
    lines = [RENDERED[header](items) for items in row.lines]
    client = ClientIPPolicy(proxies).resolve(PEER, lambda name: lines if name == header else [])
    assert client.address == (expected(row) if header in {"x-forwarded-for", "forwarded"} else PEER)


def test_p9_matrix_is_large_enough() -> None:
    """The promise is over 200 cases or more."""
    assert len(POLICIES) * len(ROWS) * len(RENDERED) >= 200


# --- peers -----------------------------------------------------------------------------------------------------------

PEER_TEXTS = {
    "203.0.113.9": CLIENT,
    "203.0.113.9:5678": CLIENT,
    "::ffff:203.0.113.9": CLIENT,
    "[::ffff:cb00:7109]:80": CLIENT,
    "2001:DB8::1": CLIENT6,
    "[2001:db8::1]:8000": CLIENT6,
    "2001:db8::1%eth0": CLIENT6,
    "100.64.0.1": "100.64.0.1",
    "172.32.0.1": "172.32.0.1",
    "fec0::1": "fec0::1",
}


@pytest.mark.parametrize("proxies", ["private", (), ("10.0.0.0/8",), ["private", "unix"]], ids=repr)
@pytest.mark.parametrize("text", PEER_TEXTS)
def test_p9_public_peer_never_reads_a_header(text: str, proxies: str | Sequence[str]) -> None:
    """An untrusted peer is the client, whatever it sends: no header is even looked up."""
    assert ClientIPPolicy(proxies).resolve(text, forbidden) == ClientIP(PEER_TEXTS[text], Provenance.PEER)


PRIVATE_PEERS = [
    *("127.0.0.1", "127.9.9.9:80", "::1", "[::1]:8000", "10.255.255.255", "172.16.0.1", "172.31.255.255"),
    *("192.168.1.1", "169.254.169.254", "fc00::1", "fdff::1", "fe80::1%eth0", "febf::1", "::ffff:10.0.0.1"),
]
SOCKET_PEERS = [None, "", "unix:", "unix:/run/app.sock", "/run/app.sock", "@abstract", "\0abstract", "localhost"]


@pytest.mark.parametrize("peer", [*PRIVATE_PEERS, *SOCKET_PEERS, "/run/" + "a" * 90], ids=repr)
def test_private_peers_and_sockets_are_trusted(peer: str | None) -> None:
    """Loopback, private and link-local peers and unix sockets are hops."""
    found = ClientIPPolicy().resolve(peer, headers(x_forwarded_for=f"{SPOOFED}, {CLIENT}"))
    assert found == ClientIP(CLIENT, Provenance.FORWARDED)


@pytest.mark.parametrize("peer", SOCKET_PEERS, ids=repr)
@pytest.mark.parametrize("proxies", [(), ("10.0.0.0/8",)], ids=repr)
def test_p9_sockets_are_not_trusted_unless_named(peer: str | None, proxies: Sequence[str]) -> None:
    """Without "private" or "unix" a missing peer is nobody, and its headers are not read."""
    assert ClientIPPolicy(proxies).resolve(peer, forbidden) == ClientIP("", Provenance.NONE)


def test_unix_may_be_named_alone() -> None:
    """("unix",) trusts sockets, and not loopback."""
    policy = ClientIPPolicy(("unix",))
    assert policy.resolve(None, headers(x_forwarded_for=CLIENT)).address == CLIENT
    assert policy.resolve("127.0.0.1", forbidden).address == "127.0.0.1"


def test_a_socket_without_header_has_no_address() -> None:
    """Nobody is made up."""
    assert ClientIPPolicy().resolve(None, headers()) == ClientIP("", Provenance.NONE)


@pytest.mark.parametrize("peer", ["testclient", "10.0.0.1, 1.1.1.1", "010.0.0.1", "x" * 65536])
def test_p9_peer_that_is_no_address_is_not_trusted(peer: str) -> None:
    """Text that is neither address nor socket is nobody."""
    assert ClientIPPolicy().resolve(peer, forbidden) == ClientIP("", Provenance.NONE)


def test_private_network_can_be_widened() -> None:
    """Balancers in carrier-grade NAT space are added beside the word."""
    policy = ClientIPPolicy(("private", "100.64.0.0/10", EDGE))
    assert policy.resolve("100.64.0.1", headers(x_forwarded_for=f"{CLIENT}, {EDGE}, 10.1.1.1")).address == CLIENT


def test_peer_of_trusted_hop_without_header() -> None:
    """The peer is the client when it speaks for nobody."""
    assert ClientIPPolicy().resolve(PEER, headers()) == ClientIP(PEER, Provenance.PEER)


def test_hop_count_believes_any_peer() -> None:
    """A hop count does not ask who the proxies are."""
    assert ClientIPPolicy(1).resolve(EDGE, headers(x_forwarded_for=CLIENT)) == ClientIP(CLIENT, Provenance.FORWARDED)


# --- which header ----------------------------------------------------------------------------------------------------


def test_p9_x_forwarded_for_wins_over_forwarded() -> None:
    """A client behind a proxy that writes X-Forwarded-For gains nothing from sending Forwarded."""
    lookup = headers(x_forwarded_for=CLIENT, forwarded=f"for={SPOOFED}")
    assert ClientIPPolicy().resolve(PEER, lookup).address == CLIENT


@pytest.mark.parametrize("line", ["", "unknown", "\xff"])
def test_p9_forwarded_is_not_a_fallback_for_garbage(line: str) -> None:
    """X-Forwarded-For that is there but unreadable does not open the door to the other header."""
    lookup = headers(x_forwarded_for=line, forwarded=f"for={SPOOFED}")
    assert ClientIPPolicy().resolve(PEER, lookup) == ClientIP(PEER, Provenance.PEER)


@pytest.mark.parametrize("trusted", ["private", 1, ("10.0.0.0/8",)], ids=repr)
def test_p9_forwarded_alone_when_the_proxy_writes_it(trusted: str | int | Sequence[str]) -> None:
    """With the header named, a client's own X-Forwarded-For is not read."""
    policy = ClientIPPolicy(Proxies(trusted, header="forwarded"))
    assert policy.resolve(PEER, headers(x_forwarded_for=SPOOFED, forwarded=f"for={CLIENT}")).address == CLIENT
    assert policy.resolve(PEER, headers(x_forwarded_for=SPOOFED)).address == PEER


def test_p9_x_forwarded_for_alone_when_the_proxy_writes_it() -> None:
    """With the header named, a client's own Forwarded is not read."""
    policy = ClientIPPolicy(Proxies(header="x-forwarded-for"))
    assert policy.resolve(PEER, headers(forwarded=f"for={SPOOFED}")).address == PEER


# --- development -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("peer", [CLIENT, "127.0.0.1", None, "testclient"])
def test_development_header_wins(peer: str | None) -> None:
    """A developer plays any client."""
    lookup = headers(x_doorward_ip="[2001:DB8::1]:80", x_forwarded_for=SPOOFED)
    found = ClientIPPolicy(development=True).resolve(peer, lookup)
    assert found == ClientIP(CLIENT6, Provenance.DEVELOPMENT)


@pytest.mark.parametrize("text", ["", "nonsense", f"{CLIENT}, {SPOOFED}"])
def test_development_header_that_is_no_address(text: str) -> None:
    """Otherwise development finds what production finds."""
    lookup = headers(x_doorward_ip=text, x_forwarded_for=CLIENT)
    assert ClientIPPolicy(development=True).resolve(PEER, lookup) == ClientIP(CLIENT, Provenance.FORWARDED)


@pytest.mark.parametrize("peer", [None, "", "testclient"])
@pytest.mark.parametrize("proxies", ["private", (), 1], ids=repr)
def test_development_falls_back_on_loopback(peer: str | None, proxies: str | int | Sequence[str]) -> None:
    """Without any address the developer's machine is the client."""
    found = ClientIPPolicy(proxies, development=True).resolve(peer, headers())
    assert found == ClientIP("127.0.0.1", Provenance.DEVELOPMENT)


@pytest.mark.parametrize("proxies", ["private", (), 1, ("10.0.0.0/8",)], ids=repr)
def test_p9_development_header_is_ignored_in_production(proxies: str | int | Sequence[str]) -> None:
    """In production the header is nothing but a header."""
    for peer, expected in ((PEER, PEER), (CLIENT, CLIENT), (None, "")):
        assert ClientIPPolicy(proxies).resolve(peer, headers(x_doorward_ip=SPOOFED)).address == expected
