"""Feeds that have gone wrong are refused, however well they are written."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.intelligence.addresses import parse_network
from doorward.intelligence.feed_checks import RESERVED, Extent, checked
from doorward.intelligence.feed_formats import Entry, FeedRefused, Parsed
from doorward.intelligence.feeds import Feed

FEED = Feed("list", "https://feeds.example/", "tor:list", share=0.01, share6=1e-4)
WITH_BOGONS = FEED._replace(bogons=True, share=1.0, share6=1.0)


def said(*networks: str) -> Parsed:
    return Parsed(networks=[Entry(parse_network(text), ("tor:list",)) for text in networks])


PRIVATE = (
    *("10.0.0.0/8", "10.1.2.3", "127.0.0.1", "0.0.0.0", "169.254.169.254", "172.16.0.0/12", "192.168.1.0/24"),
    *("224.0.0.1", "100.64.0.0/10", "255.255.255.255", "9.0.0.0-11.0.0.0", "::1", "fc00::/7", "fe80::1", "ff02::1"),
    *("::ffff:10.0.0.1", "::ffff:192.168.0.0/112", "64:ff9b::10.0.0.1", "::ffff:0:0/95"),
    *("2002:0a00:0001::/48", "2002:a00::/24", "2002:7f00:1::1", "2002:c0a8::-2002:c0a8:1::", "2002::/17"),
)


@pytest.mark.parametrize("network", PRIVATE)
def test_private_networks_are_refused(network: str) -> None:
    """A list that would block an application's own network is refused, in any form of writing, and says where."""
    with pytest.raises(FeedRefused, match="private or reserved"):
        checked(FEED, said("8.8.8.0/24", network), None)


def test_the_neighbours_of_private_networks_are_not_private() -> None:
    """Borders are exact."""
    texts = [
        "9.255.255.255",
        "11.0.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "223.255.255.255",
    ]
    texts6 = ["2000::", "3fff::", "2002:9ff:ffff:ffff::", "2002:b00::/48", "2002:808:808::/48"]
    parsed, extent = checked(FEED, said(*texts, *texts6), None)
    assert (len(parsed.networks), extent) == (12, Extent(12, 7, 5))


def test_the_way_to_6to4_relays_is_a_route_like_others() -> None:
    """A table of routed networks has 2002::/16 (RFC 3056), which tells nothing about the addresses inside."""
    assert checked(FEED._replace(share6=1.0), said("2002::/16"), None)[1] == Extent(1, 0, 1)


def test_bogons_are_taken_out_of_6to4_too() -> None:
    """As they are of IPv4."""
    parsed, _ = checked(WITH_BOGONS, said("2002:900::-2002:bff:ffff:ffff:ffff:ffff:ffff:ffff"), None)
    assert [entry.network for entry in parsed.networks] == [
        parse_network("2002:900::/24"),
        parse_network("2002:b00::/24"),
    ]


_RANGES = st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1)).map(sorted)
_EDGES = sorted({edge + step for row in RESERVED[4] for edge in (row.first, row.last) for step in (-1, 0, 1)})


@given(st.lists(_RANGES, min_size=1, max_size=5))
def test_bogons_are_taken_out_exactly(ranges: list[list[int]]) -> None:
    """Of a feed that holds them by design all is left but for reserved addresses: checked at every border."""
    networks = [
        parse_network(f"{ipaddress.IPv4Address(first)}-{ipaddress.IPv4Address(last)}") for first, last in ranges
    ]
    parsed = Parsed(networks=[Entry(network, ("x:y",)) for network in networks])
    try:
        kept = [entry.network for entry in checked(WITH_BOGONS, parsed, None)[0].networks]
    except FeedRefused:
        kept = []
    borders = {edge + step for network in networks for edge in (network.first, network.last) for step in (-1, 0, 1)}
    for address in {*borders, *_EDGES}:
        reserved = any(row.first <= address <= row.last for row in RESERVED[4])
        listed = any(network.first <= address <= network.last for network in networks)
        assert any(network.first <= address <= network.last for network in kept) == (listed and not reserved)


def test_nothing_but_bogons_is_nothing() -> None:
    """A feed of which nothing is left is refused."""
    with pytest.raises(FeedRefused, match="nothing but private"):
        checked(WITH_BOGONS, said("10.0.0.0/8"), None)


@pytest.mark.parametrize("network", ["4.0.0.0/6", "1.0.0.0-9.255.255.255", "2600::/12", "2400::/6"])
def test_too_much_of_the_address_space_is_refused(network: str) -> None:
    """A list that suddenly names half of the internet is refused."""
    with pytest.raises(FeedRefused, match=r"covers .* of the IPv[46] addresses"):
        checked(FEED, said(network), None)


def test_everything_at_once_is_refused() -> None:
    """A default route is private networks too, which is said first."""
    for everything in ("0.0.0.0/0", "::/0", "2000::/3"):
        with pytest.raises(FeedRefused):
            checked(FEED, said(everything), None)


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300)).map(sorted), min_size=1, max_size=12))
def test_addresses_count_once(ranges: list[list[int]]) -> None:
    """What a feed covers is the number of different addresses in it, however its networks overlap."""
    start = int(ipaddress.IPv4Address("8.0.0.0"))
    texts = [f"{ipaddress.IPv4Address(start + a)}-{ipaddress.IPv4Address(start + b)}" for a, b in ranges]
    expected = len({number for a, b in ranges for number in range(a, b + 1)})
    assert checked(FEED, said(*texts), None)[1] == Extent(len(texts), expected, 0)


@pytest.mark.parametrize(
    ("before", "refused"),
    [
        (Extent(2, 512, 0), False),
        (Extent(4, 512, 0), False),
        (Extent(5, 512, 0), True),
        (Extent(2, 1_025, 0), True),
        (Extent(2, 512, 10), False),
        (Extent(2, 512, 11), True),
        (None, False),
    ],
)
def test_a_feed_must_not_lose_more_than_half(before: Extent | None, refused: bool) -> None:
    """Entries, IPv4 addresses and IPv6 networks, unless they are few, are compared with what was accepted last."""
    parsed = said("8.8.8.0/24", "9.9.9.0/24")
    if refused:
        with pytest.raises(FeedRefused, match="shrunk by more than half"):
            checked(FEED, parsed, before)
    else:
        assert checked(FEED, parsed, before)[1] == Extent(2, 512, 0)


@pytest.mark.parametrize("normal", [[], ["2620:fe::9"], ["2620:fe::9", "2620:fe:0:1::/64"]])
def test_one_short_prefix_of_ipv6_does_not_end_a_feed(normal: list[str]) -> None:
    """A stray /48 has more addresses than all normal lists: the next of these is as good as it was before."""
    exits = [f"8.8.8.{number}" for number in range(100)]
    _, before = checked(FEED, said(*exits, "2620:fe::/48"), None)
    assert checked(FEED, said(*exits, *normal), before)[1] == Extent(100 + len(normal), 100, len(normal))


def test_a_feed_that_has_lost_its_ipv6_is_refused() -> None:
    """However many IPv4 addresses it still has."""
    exits = [f"8.8.8.{number}" for number in range(100)]
    _, before = checked(FEED, said(*exits, *[f"2620:fe:{number}::/48" for number in range(20)]), None)
    with pytest.raises(FeedRefused, match="0 IPv6 networks after 20"):
        checked(FEED, said(*exits), before)


def test_domains_are_counted_too() -> None:
    """A list of domains that has lost most of them is refused."""
    with pytest.raises(FeedRefused, match="1 entries after 10"):
        checked(FEED, Parsed(domains=["mailinator.com"]), Extent(10))
