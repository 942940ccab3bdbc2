"""Compiles what feeds said into the files that doorward reads: one file for all feeds of a kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from doorward.intelligence.container import Meta, Source, open_file
from doorward.intelligence.domains import DomainSets, write_domains
from doorward.intelligence.feed_checks import describe
from doorward.intelligence.feeds import LAYERS
from doorward.intelligence.library import EDGES, EDGES_VERSION, write_edges
from doorward.intelligence.range_writer import write_ranges
from doorward.intelligence.ranges import RangeTable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from doorward.intelligence.addresses import Network
    from doorward.intelligence.feed_formats import Parsed
    from doorward.intelligence.feeds import Feed


class Member(NamedTuple):
    """A feed of a layer.

    Attributes:
        feed: The feed.
        parsed: What it says.
        date: ISO 8601 date on which it was downloaded.
    """

    feed: Feed
    parsed: Parsed
    date: str


def compile_layer(path: Path, members: Sequence[Member], made: str) -> None:
    """Write one file.

    Args:
        path: Where to; its name says what kind of file it is.
        members: What goes in; at least one.
        made: ISO 8601 date.

    Raises:
        OSError: It cannot be written.
        ValueError: The members do not go together.
    """
    kinds = dict.fromkeys(kind for member in members for kind in member.feed.kinds)
    meta = Meta(made, [_source(member) for member in members], tuple(kinds))
    if "disposable" in kinds:
        write_domains(path, {"disposable": [name for member in members for name in member.parsed.domains]}, meta)
    elif "edge" in kinds:
        write_edges(path, {member.feed.source: _networks(members, member.feed.source) for member in members}, meta)
    else:
        write_ranges(path, _entries(members), meta, places=_places(members))


def check_readable(path: Path) -> None:
    """Open a file as doorward will.

    Raises:
        DataError: It is missing, damaged, or of a version that this doorward does not read.
    """
    if path.name == LAYERS["disposable"]:
        DomainSets.open(path)
    elif path.name == LAYERS["edge"]:
        open_file(path, EDGES, EDGES_VERSION)
    else:
        RangeTable.open(path)


def _source(member: Member) -> Source:
    feed = member.feed
    return Source(feed.source, "", feed.terms.licence, member.date, feed.url, member.parsed.entries)


def _entries(members: Sequence[Member]) -> Iterator[tuple[str, str]]:
    for member in members:
        for network, labels in member.parsed.networks:
            text = describe(network)
            for label in labels:
                yield text, label


def _places(members: Sequence[Member]) -> dict[str, dict[str, str]]:
    """Names of autonomous systems, which hold wherever their number does."""
    return {f"asn:{asn}": {"asn_name": name} for member in members for asn, name in member.parsed.names.items()}


def _networks(members: Sequence[Member], source: str) -> list[str]:
    entries = [entry for member in members if member.feed.source == source for entry in member.parsed.networks]
    return [_cidr(entry.network) for entry in entries]


def _cidr(network: Network) -> str:
    bits = 32 if network.version == 4 else 128
    first = describe(network._replace(last=network.first))
    return f"{first}/{bits - (network.last - network.first).bit_length()}"
