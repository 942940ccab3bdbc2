"""Reads what feeds publish: lists of networks and geofeeds, JSON, lines of JSON, ip2asn's ranges, lists of domains.

Whatever the bytes are, reading them either gives entries or raises :class:`FeedRefused`, in linear time and in memory
bounded by the feed's ``largest``. Single lines that make no sense are counted; more than a few refuse the feed.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

from doorward.errors import DoorwardError
from doorward.intelligence.addresses import parse_network
from doorward.intelligence.domains import to_ascii
from doorward.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from doorward.intelligence.addresses import Network
    from doorward.intelligence.feeds import Feed

BAD_SHARE = 0.01
"""The greatest part of the lines of a feed that may make no sense."""

_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_LINE = re.compile(r"[^\r\n]+")
_TOKEN = re.compile(r"[^\s,;#]+")
_COUNTRY = re.compile(r"[A-Z]{2}")


class FeedRefused(DoorwardError):
    """What a feed gave cannot be used; the message says why."""


class Entry(NamedTuple):
    """A network of a feed.

    Attributes:
        network: Its addresses.
        labels: What is said about them.
    """

    network: Network
    labels: tuple[str, ...]


class Parsed(NamedTuple):
    """What a feed says.

    Attributes:
        networks: In the order of the feed.
        domains: The same, of feeds that list domains.
        names: Of autonomous systems by number.
        bad: How many lines or items made no sense.
        example: The first of them, printable.
    """

    networks: Sequence[Entry] = ()
    domains: Sequence[str] = ()
    names: dict[str, str] = {}  # noqa: RUF012  (never changed)
    bad: int = 0
    example: str = ""

    @property
    def entries(self) -> int:
        """How many it has."""
        return len(self.networks) + len(self.domains)


def parse(feed: Feed, content: bytes) -> Parsed:
    """Read a feed.

    Args:
        feed: Says how it is written.
        content: As downloaded.

    Raises:
        FeedRefused: It is something else, it is empty, or too much of it makes no sense.
    """
    parsed = _PARSERS[feed.form](feed, text_of(content, feed.largest))
    if not parsed.entries:
        raise FeedRefused(f"holds no entries{_in_words(parsed)}")
    if parsed.bad > BAD_SHARE * (parsed.bad + parsed.entries):
        raise FeedRefused(f"makes no sense{_in_words(parsed)}")
    return parsed


def _in_words(parsed: Parsed) -> str:
    total = parsed.bad + parsed.entries
    return f": {parsed.bad} of {total} lines cannot be read, the first is '{parsed.example}'" if parsed.bad else ""


# --- From bytes to text


def text_of(content: bytes, largest: int) -> str:
    """The text of a file, unpacked if it is compressed.

    Raises:
        FeedRefused: It is damaged, unpacks to more than ``largest`` bytes, or is no text but a web page or binary.
    """
    if content.startswith(_GZIP):
        content = gunzip(content, largest)
    elif content.startswith(_ZIP):
        content = _unzip(content, largest)
    if len(content) > largest:
        raise FeedRefused(f"has more than {largest} bytes")
    if b"\0" in content:
        raise FeedRefused("is not UTF-8 text")
    # Names of places in another encoding do no harm, networks and domains that are no ASCII make no sense anyway.
    text = content.decode("utf-8-sig", "replace")
    if text[:1000].lstrip().startswith("<"):
        raise FeedRefused("is a web page, not data")
    return text


def gunzip(content: bytes, largest: int) -> bytes:
    """Unpack gzip, to at most ``largest`` bytes.

    Raises:
        FeedRefused: It is damaged, cut off, or larger.
    """
    parts: list[bytes] = []
    room = largest
    while content:
        member = zlib.decompressobj(wbits=31)
        try:
            part = member.decompress(content, room + 1)
        except zlib.error as error:
            raise FeedRefused(f"is damaged: {error}") from error
        room -= len(part)
        if room < 0:
            raise FeedRefused(f"unpacks to more than {largest} bytes")
        if not member.eof:
            raise FeedRefused("is cut off: its compressed data has no end")
        parts.append(part)
        content = member.unused_data.lstrip(b"\0")  # padding between members is zeros (RFC 1952 allows it in tapes)
    return b"".join(parts)


def _unzip(content: bytes, largest: int) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            files = [info for info in archive.infolist() if not info.is_dir()]
            unpacked = archive.open(files[0]).read(largest + 1) if len(files) == 1 else b""
    except Exception as error:  # zipfile raises half a dozen kinds for files made to confuse it
        raise FeedRefused(f"is a damaged zip: {printable(str(error))}") from error
    if len(files) != 1:
        raise FeedRefused(f"is a zip with {len(files)} files instead of one")
    if len(unpacked) > largest:
        raise FeedRefused(f"unpacks to more than {largest} bytes")
    return unpacked


# --- From text to entries


class _Reading:
    """Networks read so far, and what could not be read."""

    def __init__(self, label: str) -> None:
        self._labels = (label,)
        self.networks: list[Entry] = []
        self.bad = 0
        self.example = ""

    def add(self, item: object) -> None:
        """Take one network as text; whatever else it is, it is bad."""
        self.add_labelled(item, self._labels)

    def add_labelled(self, item: object, labels: tuple[str, ...]) -> None:
        """Take one network, or a range between two addresses, with labels of its own."""
        try:
            self.networks.append(Entry(parse_network(item if isinstance(item, str) else ""), labels))
        except ValueError:
            self.refuse(item)

    def refuse(self, item: object) -> None:
        """Count something that makes no sense."""
        self.bad += 1
        self.example = self.example or printable(str(item)[:80], 80)

    def result(self) -> Parsed:
        """All of it."""
        return Parsed(networks=self.networks, bad=self.bad, example=self.example)


def _lines(feed: Feed, text: str) -> Parsed:
    reading = _Reading(feed.label)
    for line in _content(text):
        token = _TOKEN.search(line)
        reading.add(token.group().strip('"') if token else line)
    return reading.result()


def _content(text: str) -> Iterator[str]:
    """Lines that are neither empty nor comments."""
    for line in _LINE.finditer(text):  # a list of half a million lines would take as much memory as what they say
        stripped = line.group().strip()
        if stripped and not stripped.startswith(("#", ";", "//")):
            yield stripped


def _json(feed: Feed, text: str) -> Parsed:
    reading = _Reading(feed.label)
    for item in picked(_decoded(text), feed.select):
        reading.add(item)
    return reading.result()


def _json_lines(feed: Feed, text: str) -> Parsed:
    reading = _Reading(feed.label)
    for line in _content(text):
        try:
            value = _decoded(line)
        except FeedRefused:
            reading.refuse(line)
            continue
        if isinstance(value, dict) and value.get("type") == "metadata":
            continue
        for item in list(picked(value, feed.select)) or [line]:
            reading.add(item)
    return reading.result()


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FeedRefused(f"is no JSON: {printable(str(error))}") from error


def picked(value: object, way: str) -> Iterator[object]:
    """What a way such as ``prefixes.*.ipv4Prefix|ipv6Prefix`` leads to; members that are missing lead nowhere."""
    found: Iterable[object] = [value]
    for step in way.split("."):
        found = _stepped(found, step)
    yield from found


def _stepped(values: Iterable[object], step: str) -> Iterator[object]:
    name, equals, wanted = step.partition("=")
    for value in values:
        if step == "*" and isinstance(value, (list, dict)):
            yield from value.values() if isinstance(value, dict) else value
        elif equals and isinstance(value, dict):
            yield from [value] if value.get(name) == wanted else []
        elif isinstance(value, dict):
            yield from [value[name] for name in step.split("|") if name in value]


def _ip2asn(feed: Feed, text: str) -> Parsed:
    """Lines of first and last address, number of the autonomous system, country, and its name, between tabs."""
    reading = _Reading(feed.label)
    names: dict[str, str] = {}
    places: dict[tuple[str, str], tuple[str, ...]] = {}  # shared between ranges: there are half a million
    for line in _content(text):
        fields = line.split("\t")
        if len(fields) < 4 or not _is_number(fields[2]):
            reading.refuse(line)
        elif fields[2] != "0":  # 0 is what nobody announces
            key = (fields[2], fields[3])
            if key not in places:
                places[key] = _places(*key)
                names.setdefault(str(int(fields[2])), _name(fields[4:]))
            reading.add_labelled(f"{fields[0]}-{fields[1]}", places[key])
    return reading.result()._replace(names=names)


def _name(fields: list[str]) -> str:
    """The name of an autonomous system: some are in other encodings, none should hold control characters."""
    return "".join(c for c in fields[0].strip() if c.isprintable())[:100] if fields else ""


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 10


def _places(number: str, country: str) -> tuple[str, ...]:
    known = _COUNTRY.fullmatch(country) and country not in ("ZZ", "XX")
    return (f"country:{country}", f"asn:{int(number)}") if known else (f"asn:{int(number)}",)


def _domains(_: Feed, text: str) -> Parsed:
    found: dict[str, None] = {}
    reading = _Reading("")
    for line in _content(text):
        domain = to_ascii(line)
        if domain is None:
            reading.refuse(line)
        else:
            found[domain] = None
    return Parsed(domains=list(found), bad=reading.bad, example=reading.example)


_PARSERS: dict[str, Callable[[Feed, str], Parsed]] = {
    "lines": _lines,
    "json": _json,
    "json-lines": _json_lines,
    "ip2asn": _ip2asn,
    "domains": _domains,
}

FORMS = tuple(_PARSERS)
"""What ``form`` of a feed may be."""
