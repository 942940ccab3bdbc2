"""Addresses and networks as numbers."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.forwarded import canonical
from doorward.intelligence.addresses import Network, parse, parse_network, text

ipv4_numbers = st.integers(0, 2**32 - 1)
global_ipv6 = st.integers(0x2003 << 112, 2**126 - 1)  # behind 6to4, which is unwrapped


@given(ipv4_numbers)
def test_forms_that_carry_ipv4_are_that_address(number: int) -> None:
    """Mapped, NAT64 and 6to4 addresses, whatever else is in them, count as the IPv4 address inside."""
    high, low = f"{number >> 16:x}", f"{number & 65535:x}"
    forms = ("{v4}", "::ffff:{v4}", "::ffff:{h}:{l}", "64:ff9b::{v4}", "2002:{h}:{l}::", "2002:{h}:{l}:1:2:3:4:5")
    for form in forms:
        assert parse(form.format(v4=ip_address(number), h=high, l=low)) == (4, number)


@given(global_ipv6)
def test_other_ipv6_is_itself(number: int) -> None:
    """An address that carries no other is found by all of its 128 bits, and comes back as the same text."""
    address = str(ip_address(number))
    assert parse(address) == (6, number)
    assert text(6, number) == address


@pytest.mark.parametrize(
    "address", ["2001:0:102:304::1", "64:ff9b:1::1.2.3.4", "::1.2.3.4", "64:ff9b::1:1.2.3.4", "fe80::5efe:102:304"]
)
def test_what_a_client_could_choose_is_not_believed(address: str) -> None:
    """Teredo, local NAT64, compatible and ISATAP addresses stay IPv6."""
    assert parse(address) == (6, int(ip_address(address)))


def test_ipv4_with_a_port_is_its_address() -> None:
    """Some servers name the peer so."""
    assert parse("192.0.2.1:80") == (4, 0xC0000201)


@given(st.text(max_size=80) | st.from_regex(r"[0-9a-f:.%\[\]]{0,70}"))
def test_parses_what_the_client_address_does(address: str) -> None:
    """Any text is an address here exactly when it is one for the policy that finds the client's."""
    assert (parse(address) is None) == (canonical(address) is None)


@pytest.mark.parametrize("address", ["fe80::1%eth0", "[fe80::1]:80", "fe80::1", " fe80::1 "])
def test_zone_port_and_brackets_do_not_count(address: str) -> None:
    """All spellings of an address are one."""
    assert parse(address) == (6, 0xFE80 << 112 | 1)


@pytest.mark.parametrize("length", [65, 70_000, 2_000_000])
def test_long_text_is_no_address(length: int) -> None:
    """Text of any length is refused without an exception."""
    assert parse("1" * length) is None
    assert parse(":" * length) is None


@given(st.tuples(ipv4_numbers, st.integers(0, 32)) | st.tuples(global_ipv6, st.integers(4, 128)))
def test_networks_as_ipaddress_has_them(network: tuple[int, int]) -> None:
    """A network, also one with bits behind its prefix, spans what the standard library says."""
    number, prefix = network
    expected = ip_network((number, prefix), strict=False)
    found = parse_network(f"{ip_address(number)}/{prefix}")
    assert found == (expected.version, int(expected.network_address), int(expected.broadcast_address))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("192.0.2.1", Network(4, 0xC0000201, 0xC0000201)),
        (" 192.0.2.1 - 192.0.2.9 ", Network(4, 0xC0000201, 0xC0000209)),
        ("::1", Network(6, 1, 1)),
        ("::1-::2", Network(6, 1, 2)),
        ("::ffff:192.0.2.0/120", Network(4, 0xC0000200, 0xC00002FF)),
        ("::ffff:192.0.2.1-::ffff:192.0.2.2", Network(4, 0xC0000201, 0xC0000202)),
        ("0.0.0.0/0", Network(4, 0, 2**32 - 1)),
    ],
)
def test_ranges_and_single_addresses(written: str, expected: Network) -> None:
    """Ranges and addresses stand beside networks, and mapped ones go where they will be looked for."""
    assert parse_network(written) == expected


@pytest.mark.parametrize(
    "written",
    ["", "x", "1.2.3.4/33", "1.2.3.4/", "1.2.3.4/-1", "1.2.3.4/٣", "::/129", "2.0.0.0-1.0.0.0", "1.2.3.4-::1", "1.2.3"],
)
def test_other_text_is_no_network(written: str) -> None:
    """A mistake in a list is named."""
    with pytest.raises(ValueError, match="is no address, network or range"):
        parse_network(written)


@given(st.text(max_size=60))
def test_any_text_is_a_network_or_an_error(written: str) -> None:
    """Whatever a feed holds, the parser returns a range or raises ValueError."""
    try:
        version, first, last = parse_network(written)
    except ValueError:
        return
    assert version in (4, 6)
    assert 0 <= first <= last < 2 ** (32 if version == 4 else 128)
