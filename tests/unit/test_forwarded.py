"""Addresses as text, and the items of forwarding headers."""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.forwarded import canonical, forwarded_nodes, list_items, network_prefix

ipv6_numbers = st.integers(0, 2**128 - 1) | st.integers(0, 2**40) | st.integers(0, 2**16).map(lambda n: n << 96)


@given(st.integers(0, 2**32 - 1))
def test_p9_ipv4_is_canonical(number: int) -> None:
    """Dotted text stays, and its mapped forms become it."""
    text = str(ip_address(number))
    assert canonical(text) == canonical(f"::ffff:{text}") == canonical(f"[::ffff:{number >> 16:x}:{number & 65535:x}]")
    assert canonical(text) == text


@given(ipv6_numbers)
def test_p9_ipv6_is_canonical(number: int) -> None:
    """Every spelling becomes the one of RFC 5952, on every platform."""
    address = IPv6Address(number)
    expected = str(address.ipv4_mapped or address)
    assert canonical(address.exploded.upper()) == canonical(f"[{address}%x]:1") == canonical(expected) == expected


@given(st.text())
def test_canonical_is_idempotent(text: str) -> None:
    """What is canonical stays as it is."""
    found = canonical(text)
    assert found is None or canonical(found) == found


@pytest.mark.parametrize(
    ("address", "prefix", "expected"),
    [
        ("192.0.2.1", 64, "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", 64, "2001:db8:1:2::/64"),
        ("2001:db8:1:2ff:3:4:5:6", 56, "2001:db8:1:200::/56"),
        ("2001:db8::1", 128, "2001:db8::1/128"),
        ("::1", 64, "::/64"),
        ("::102:304", 120, "::102:300/120"),
        ("::ffff:192.0.2.1", 64, "192.0.2.1"),
        ("", 64, ""),
        ("no:address", 64, "no:address"),
    ],
)
def test_network_prefix(address: str, prefix: int, expected: str) -> None:
    """IPv4 is itself, IPv6 its network, and what is no address stays."""
    assert network_prefix(address, prefix) == expected


@given(ipv6_numbers.filter(lambda number: number >> 32 != 0xFFFF), st.integers(1, 128))
def test_network_prefix_is_the_network(number: int, prefix: int) -> None:
    """The text is that of the standard library."""
    expected = IPv6Network((number, prefix), strict=False)
    assert network_prefix(str(IPv6Address(number)), prefix) == str(expected)


def test_list_items_come_from_the_right() -> None:
    """Last line first, without blanks around, empty items included."""
    assert list(list_items(["a,\tb ", "", "c,,d"])) == ["d", "", "c", "", "b", "a"]


@pytest.mark.parametrize(("length", "expected"), [(64, ["b", "a" * 64, "c"]), (65, ["b", ""])])
def test_list_items_end_at_one_that_is_too_long(length: int, expected: list[str]) -> None:
    """64 characters are an item; 65 end the reading, at the start of a line too."""
    assert list(list_items([f"c,{'a' * length},b"])) == expected
    assert list(list_items(["c", f"{'a' * length},b"])) == expected


NODES = {
    "for=192.0.2.60": ["192.0.2.60"],
    'For="[2001:db8:cafe::17]:4711"': ["[2001:db8:cafe::17]:4711"],
    "for=192.0.2.60;proto=http;by=203.0.113.43": ["192.0.2.60"],
    "by=203.0.113.43 ; FOR=192.0.2.60 ;": ["192.0.2.60"],
    "for=192.0.2.43, for=198.51.100.17": ["198.51.100.17", "192.0.2.43"],
    'for=192.0.2.43,for="[2001:db8:cafe::17]",for=unknown': ["unknown", "[2001:db8:cafe::17]", "192.0.2.43"],
    "for=_hidden, for=_SEVKISEK": ["_SEVKISEK", "_hidden"],
    "for=[2001:db8::1]:80": ["[2001:db8::1]:80"],
    r'for="\1.2.3.4"': ["1.2.3.4"],
    'host="a,b;for=6.6.6.6";for=1.2.3.4': ["1.2.3.4"],
    r'host="a\"";for=1.2.3.4, for=5.6.7.8;host="\\"': ["5.6.7.8", "1.2.3.4"],
    "x=for=6.6.6.6;for=1.2.3.4": ["1.2.3.4"],
    "": [""],
    ";;": [""],
    "proto=https": [""],
    "for=": [""],
    "for": [""],
    "for = 1.2.3.4": [""],
    "1.2.3.4": [""],
    "for=1.2.3.4;for=5.6.7.8": [""],
    'for="1.2.3.4': [""],
    '1.2.3.4"': [""],
    'for="1.2.3.4"x': [""],
    "for=1.2.3.4 5.6.7.8": [""],
    "for=1.2.3.4;pro to=x": [""],
    "for=1.1.1.1,": ["", "1.1.1.1"],
}


@pytest.mark.parametrize("line", NODES)
def test_forwarded_nodes(line: str) -> None:
    """RFC 7239, its examples, and what is malformed."""
    assert list(forwarded_nodes([line])) == NODES[line]


def test_forwarded_nodes_over_lines() -> None:
    """The last line is the nearest proxy's."""
    assert list(forwarded_nodes(["for=a, for=b", "for=c"])) == ["c", "b", "a"]


@pytest.mark.parametrize(("length", "expected"), [(1024, ["b", "a"]), (1025, ["b", ""])])
def test_forwarded_nodes_end_at_one_that_is_too_long(length: int, expected: list[str]) -> None:
    """1,024 characters are an element; one more ends the reading, also at the start of a line."""
    element = "for=a;x=".ljust(length, "y")
    assert list(forwarded_nodes([f"{element},for=b"])) == expected
    assert list(forwarded_nodes([f"for=c,{element},for=b"]))[:2] == expected


@pytest.mark.parametrize("pump", ['"', "\\", '\\"', '"\\', ";", "=", " ", 'a="b', 'for="",', "a=b;", "\0"])
def test_forwarded_nodes_take_any_pump(pump: str) -> None:
    """64 KiB of anything ends, without an address."""
    assert not [node for node in forwarded_nodes([pump * (65536 // len(pump))]) if canonical(node)]
