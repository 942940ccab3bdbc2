"""Reads the offline set of the package ``iporigin`` (the extra ``ip``), where it is installed, as a table of ranges.

Its file is read rather than its functions called: they answer one label an address, take 6 to 11 us, and know neither
mapped nor 6to4 addresses. Its NOTICE says that two of its sources have no licence and rest on a permission that is not
recorded, so that nothing of it is in doorward's wheel; users decide for themselves by installing it.

How its seven kinds map to ours:

- ``hosting`` and ``cdn`` -> hosting: machines in data centres, not homes;
- ``vpn`` -> vpn, but Apple's Private Relay -> relay: its users are ordinary people with iCloud;
- ``tor`` -> tor;
- ``bot`` -> crawler, as a name only. It is no proof of identity, as each of its ranges has one label (Bingbot's are
  labelled Azure), so that the set does not count as complete for crawlers;
- ``reserved`` and ``unknown`` are no ranges of the file.

One label a range also means that it does not say whether its VPN, Tor and bot ranges are in data centres, as most are:
there, hosting is unknown.
"""

from __future__ import annotations

import re
import struct
from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from typing import TYPE_CHECKING

from doorward.errors import DataError
from doorward.intelligence.addresses import Network
from doorward.intelligence.container import Meta, Source
from doorward.intelligence.range_writer import table_of
from doorward.intelligence.ranges import UNSURE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from doorward.intelligence.ranges import RangeTable

__all__ = ["PACKAGE", "open_offline_set"]

PACKAGE = "iporigin"
_FILE = "data/ranges.bin"
_HEADER = struct.Struct("<8sHQHII")
_LENGTH = struct.Struct("<H")
_IPV4 = struct.Struct("<IIH")
_IPV6 = struct.Struct("<16s16sH")
_KINDS = {"hosting": "hosting", "cdn": "hosting", "vpn": "vpn", "tor": "tor", "bot": "crawler"}
_RELAYS = frozenset({"Apple Private Relay"})
_KNOWS = ("hosting", "relay", "tor", "vpn")
_NOT_ALPHANUMERIC = re.compile(r"[^a-z0-9]+")


def open_offline_set() -> RangeTable | None:
    """The installed set as a table; None where the package is not installed. Takes some tens of milliseconds.

    Raises:
        DataError: It is installed, but its file is not of the kind that we know.
    """
    try:
        release = version(PACKAGE)
    except PackageNotFoundError:
        return None
    place = files(PACKAGE) / _FILE
    try:
        return _table(place.read_bytes(), release)
    except (OSError, ValueError, IndexError, struct.error) as error:
        raise DataError(place, f"cannot be read as the set of {PACKAGE} ({error}); another release may help") from error


@lru_cache(maxsize=1)  # a process may have several clients; the table never changes
def _table(content: bytes, release: str) -> RangeTable:
    magic, layout, built_at, labels, ipv4, ipv6 = _HEADER.unpack_from(content)
    if (magic, layout) != (b"IPORIGIN", 1):
        raise ValueError(f"{magic!r} version {layout}")
    names, start = _labels(content, labels)
    made = datetime.fromtimestamp(built_at, UTC).date().isoformat()
    source = Source(
        PACKAGE, release, "mixed; see the NOTICE of the package", made, "https://github.com/Yuix-Networks/iporigin"
    )
    ranges = _ranges(content, start, names, ipv4, ipv6)
    return table_of(ranges, Meta(made, (source._replace(entries=ipv4 + ipv6),), _KNOWS))


def _labels(content: bytes, count: int) -> tuple[list[tuple[str, ...]], int]:
    """Our labels by the number of theirs, and where the ranges begin."""
    found = []
    offset = _HEADER.size
    for _ in range(count):
        (length,) = _LENGTH.unpack_from(content, offset)
        offset += _LENGTH.size
        provider, _, kind = content[offset : offset + length].decode().partition("\t")
        found.append(_ours(provider, kind))
        offset += length
    return found, offset


def _ours(provider: str, kind: str) -> tuple[str, ...]:
    ours = "relay" if provider in _RELAYS else _KINDS.get(kind)
    if ours is None:
        return ()
    name = _NOT_ALPHANUMERIC.sub("-", provider.lower()).strip("-") or PACKAGE
    label = f"{ours}:{name}"
    return (label,) if ours == "hosting" else (label, f"{UNSURE}:hosting")


def _ranges(
    content: bytes, start: int, names: Sequence[tuple[str, ...]], ipv4: int, ipv6: int
) -> Iterator[tuple[Network, tuple[str, ...]]]:
    middle = start + ipv4 * _IPV4.size
    end = middle + ipv6 * _IPV6.size
    if end > len(content):
        raise ValueError("it is truncated")
    for first, last, label in _IPV4.iter_unpack(content[start:middle]):
        yield Network(4, first, last), names[label]
    for lower, upper, label in _IPV6.iter_unpack(content[middle:end]):
        yield Network(6, int.from_bytes(lower, "big"), int.from_bytes(upper, "big")), names[label]
