"""Refuses feeds that have gone wrong: private networks, too much of the address space, half of it gone."""

from __future__ import annotations

from bisect import bisect_right
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from doorward.intelligence.addresses import Network, parse_network, text
from doorward.intelligence.feed_formats import Entry, FeedRefused, Parsed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from doorward.intelligence.feeds import Feed

SHRINK = 0.5
"""The part of what a feed had last time that it must still have."""

# RFC 6890 and the registries of special-purpose addresses: what cannot be a client of the internet, but can be one's
# own health check. Networks for documentation are left out: nobody's, they harm nobody. `::/8` has the mapped forms
# (RFC 4291) and those of NAT64 (RFC 6052) of all IPv4 addresses; the 6to4 forms of these are added below.
_RESERVED = (
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"),
    *("192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3"),
    *("::/8", "fc00::/7", "fe80::/9", "ff00::/8"),
)
_6TO4 = parse_network("2002::/16")
"""Where it is announced, it leads to relays (RFC 3056): as a whole it tells nothing about any IPv4 address."""
_SPACE = {4: 2**32, 6: 2**125}  # for IPv6 2000::/3, which all unicast addresses in use are from

FEW_V6 = 10
"""So few IPv6 networks in a list may be a slip, and be gone again, without the list having gone wrong."""


class Extent(NamedTuple):
    """How much a feed tells.

    Attributes:
        entries: Networks or domains.
        v4: IPv4 addresses that it covers.
        v6: IPv6 networks. Not addresses: any network of IPv6 has so many that one outweighs all others.
    """

    entries: int
    v4: int = 0
    v6: int = 0


def _reserved() -> dict[int, list[Network]]:
    found = {4: list[Network](), 6: list[Network]()}
    for network in map(parse_network, _RESERVED):
        found[network.version].append(network)
    found[6] += [_in_6to4(network) for network in found[4]]
    return {version: sorted(networks) for version, networks in found.items()}


def _in_6to4(network: Network) -> Network:
    """The IPv6 addresses of sites that have an IPv4 address of ``network`` (RFC 3056 section 2)."""
    return Network(6, _6TO4.first | network.first << 80, _6TO4.first | (network.last + 1 << 80) - 1)


RESERVED = _reserved()


def checked(feed: Feed, parsed: Parsed, before: Extent | None) -> tuple[Parsed, Extent]:
    """What of a feed to use, and how much it is.

    Args:
        feed: Says what it may hold.
        parsed: What it holds.
        before: What it held when it was last accepted; None not to compare.

    Raises:
        FeedRefused: It holds private networks, covers too much, or has lost more than half.
    """
    if parsed.domains:
        extent = Extent(len(parsed.domains))
    else:
        parsed = _public(feed, parsed)
        networks6 = sum(entry.network.version == 6 for entry in parsed.networks)
        extent = Extent(len(parsed.networks), _covered(parsed.networks, 4), networks6)
        _check_share(feed, 4, extent.v4, feed.share)
        _check_share(feed, 6, _covered(parsed.networks, 6), feed.share6)
    if before is not None:
        _check_shrink(before, extent)
    return parsed, extent


def _public(feed: Feed, parsed: Parsed) -> Parsed:
    kept: list[Entry] = []
    for entry in parsed.networks:
        if not _is_reserved(entry.network):
            kept.append(entry)
        elif feed.bogons:
            kept += [entry._replace(network=left) for left in _without_reserved(entry.network)]
        else:
            raise FeedRefused(f"holds private or reserved addresses: {describe(entry.network)}")
    if not kept:
        raise FeedRefused("holds nothing but private and reserved addresses")
    return parsed._replace(networks=kept)


def _is_reserved(network: Network) -> bool:
    """Whether any of its addresses is."""
    if network == _6TO4:
        return False
    reserved = RESERVED[network.version]
    place = bisect_right(reserved, network.last, key=attrgetter("first"))
    return place > 0 and reserved[place - 1].last >= network.first


def _without_reserved(network: Network) -> Iterator[Network]:
    first = network.first
    for reserved in RESERVED[network.version]:
        if reserved.first > network.last:
            break
        if first < reserved.first:
            yield network._replace(first=first, last=reserved.first - 1)
        first = max(first, reserved.last + 1)
    if first <= network.last:
        yield network._replace(first=first)


def _covered(networks: Sequence[Entry], version: int) -> int:
    """How many addresses networks cover together, each counted once."""
    total, end = 0, -1
    for _, first, last in sorted(entry.network for entry in networks if entry.network.version == version):
        total += max(0, last - max(first, end + 1) + 1)
        end = max(end, last)
    return total


def _check_share(feed: Feed, version: int, covered: int, most: float) -> None:
    share = covered / _SPACE[version]
    if share > most:
        raise FeedRefused(f"covers {share:.2%} of the IPv{version} addresses; {feed.id} may cover {most:.2%} at most")


def _check_shrink(before: Extent, now: Extent) -> None:
    if before.v6 <= FEW_V6:
        before = before._replace(v6=0)
    names = ("entries", "IPv4 addresses", "IPv6 networks")
    for name, had, has in zip(names, before, now, strict=True):
        if has < SHRINK * had:
            raise FeedRefused(f"has shrunk by more than half: {has} {name} after {had}")


def describe(network: Network) -> str:
    """A network as text that ``parse_network`` reads: ``10.0.0.0-10.255.255.255``."""
    first, last = text(network.version, network.first), text(network.version, network.last)
    return first if first == last else f"{first}-{last}"
