"""Whatever a feed's server sends, it is refused, or what is compiled says of each address what the feed says.

An input is the form of the feed in the first line, such as ``json prefixes.*.ipv4Prefix``, then the file.
"""

from __future__ import annotations

import tempfile
from functools import cache
from ipaddress import ip_address
from pathlib import Path

from tests.fuzz.harness import fuzz, instrumented

with instrumented(__name__):
    from doorward.intelligence.addresses import Network, parse_network, text
    from doorward.intelligence.domains import KINDS, DomainSets
    from doorward.intelligence.feed_checks import Extent, checked, describe
    from doorward.intelligence.feed_formats import BAD_SHARE, FORMS, FeedRefused, Parsed, parse, picked
    from doorward.intelligence.feeds import Feed
    from doorward.intelligence.layers import Member, check_readable, compile_layer
    from doorward.intelligence.ranges import RangeTable

LARGEST = 20_000
FEED = Feed("feed", "https://feeds.example/feed", "tor:feed", largest=LARGEST, share=0.3, share6=0.3)
FILES = {"domains": "wide-domains.dwd"}
LABELS = {"domains": "disposable:feed", "ip2asn": "country+asn:feed"}
MOST_COMPILED = 60


@cache
def folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="doorward-fuzz-"))


def feed_of(line: bytes) -> Feed:
    form, _, select = line.decode("latin-1").partition(" ")
    form = form if form in FORMS else "lines"
    return FEED._replace(form=form, select=select, label=LABELS.get(form, FEED.label), bogons=select == "bogons")


def read(feed: Feed, content: bytes) -> tuple[Parsed, Extent] | None:
    """What is used of a feed; None when it is refused, for a reason that can be shown."""
    try:
        return checked(feed, parse(feed, content), None)
    except FeedRefused as error:
        refusal = str(error)
    assert refusal.isprintable(), refusal
    assert len(refusal) < 400, refusal
    return None


def check_networks(feed: Feed, parsed: Parsed, extent: Extent) -> None:
    """No private address is left, each network reads as it is written, and they are counted."""
    assert extent.entries == parsed.entries > 0
    assert parsed.bad <= BAD_SHARE * (parsed.bad + parsed.entries) + 1 or feed.bogons
    addresses = {4: 0, 6: 0}
    for network, labels in parsed.networks:
        assert labels
        assert parse_network(describe(network)) == network
        addresses[network.version] += network.last - network.first + 1
        for number in (network.first, network.last):
            found = ip_address(text(network.version, number))
            assert [found.is_loopback, found.is_link_local, found.is_multicast] == [False] * 3, found
    assert extent.v4 <= min(addresses[4], 2**32 * feed.share)
    assert extent.v6 <= min(addresses[6], 2**125 * feed.share6)


def check_compiled(feed: Feed, parsed: Parsed) -> None:
    """The file says of the first and the last address of each network what the feed says of them."""
    path = folder() / FILES.get(feed.form, "tor.dwd")
    compile_layer(path, [Member(feed, parsed, "2026-01-01")], "2026-01-01")
    check_readable(path)
    if feed.form == "domains":
        sets = DomainSets.open(path)
        assert all(sets.kinds_of(name) <= set(KINDS) for name in parsed.domains)
        assert all("disposable" in sets.kinds_of(name) for name in parsed.domains)
        return
    table = RangeTable.open(path)
    for network, labels in parsed.networks:
        for number in (network.first, network.last):
            assert set(labels) <= set(table.labels(table.find(network.version, number))), describe(network)
    _check_neighbours(table, [entry.network for entry in parsed.networks])


def _check_neighbours(table: RangeTable, networks: list[Network]) -> None:
    """Nothing is said of the address behind a network, unless another holds it."""
    for version, _, last in networks:
        following = last + 1
        inside = any(one.version == version and one.first <= following <= one.last for one in networks)
        if not inside and following < 2 ** (32 if version == 4 else 128):
            assert table.labels(table.find(version, following)) == (), text(version, following)


def target(data: bytes) -> None:
    line, _, content = data.partition(b"\n")
    feed = feed_of(line)
    assert list(picked({}, feed.select)) in ([], [{}])
    found = read(feed, content)
    if found is None:
        return
    parsed, extent = found
    if parsed.networks:
        check_networks(feed, parsed, extent)
    if parsed.entries <= MOST_COMPILED:
        check_compiled(feed, parsed)


if __name__ == "__main__":
    fuzz(target, "feeds")
