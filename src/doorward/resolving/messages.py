"""Questions and what is read from responses, on dnspython's messages (RFC 1035, 2308, 6604, 6891, 7505).

A response is only what answers the question that was asked, in its own words: anything else counts as never received.
"""

from __future__ import annotations

import secrets
import struct
from enum import Enum
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, NamedTuple

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype

from doorward.effects import DnsAnswer, DnsKind
from doorward.errors import ResolverError
from doorward.lazily import lazily

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

PAYLOAD = 1232
"""Bytes of UDP that we take: fits every path without fragments (DNS Flag Day 2020)."""

MOST_READ = 64
"""Resource records of a response that are looked at: a thousand take 40 ms, which an event loop has not got."""

MOST_KEPT, MOST_CHARACTERS = 50, 2048
"""Records of an answer that are kept, and their characters in all: what bounds a cache full of them."""

MOST_ALIASES = 8

_HEADER = struct.Struct("!HHHHHH")
_QUESTION = struct.Struct("!HH")
_OPT = struct.pack("!BHHIH", 0, dns.rdatatype.OPT, PAYLOAD, 0, 0)
"""The pseudo record by which EDNS is offered (RFC 6891 section 6.1.2)."""


class Unusable(Exception):
    """A server's response, or silence, is of no use: the next may do better. Says why in a few words."""


class Truncated(Enum):
    """The response did not fit into UDP: ask again by TCP."""

    TRUNCATED = True


class NeedsPlain(Enum):
    """The server does not know EDNS: ask again without (RFC 6891 section 7)."""

    PLAIN = True


class Found(NamedTuple):
    """An answer, and the seconds for which it holds."""

    answer: DnsAnswer
    ttl: float


Path = tuple[dns.name.Name, ...]


class Alias(NamedTuple):
    """The name stands for another, which the response says nothing about.

    Attributes:
        name: The other.
        path: The names before it, all of them aliases.
        ttl: The seconds for which they hold.
    """

    name: dns.name.Name
    path: Path
    ttl: float


Reply = dns.message.Message | Truncated
Verdict = Found | Alias | NeedsPlain

NO_SOA_TTL = 0.0


def parse_name(name: str) -> dns.name.Name:
    """An absolute name from text, every label as it stands: there are no escapes.

    Raises:
        ResolverError: It is none.
    """
    try:
        return dns.name.Name([*(label.encode("ascii") for label in name.split(".")), b""])
    except (dns.exception.DNSException, UnicodeEncodeError):
        raise ResolverError("asked for something that is no domain name") from None


class Query:
    """One question, with an id of its own.

    Its bytes are put together here: dnspython takes fifty microseconds for them, in which an event loop under a flood
    of names would fall behind its deadlines.

    Args:
        name: The name asked for.
        kind: The records.
        edns: Whether to offer more than 512 bytes of UDP (RFC 6891).

    Attributes:
        wire: The question's bytes.
        strays: How often something came that was no response to it.
    """

    def __init__(self, name: dns.name.Name, kind: DnsKind | str, *, edns: bool = True) -> None:
        self.edns = edns
        self.strays = 0
        question = bytes(name.to_wire() or b"") + _QUESTION.pack(dns.rdatatype.RdataType[kind], dns.rdataclass.IN)
        header = _HEADER.pack(secrets.randbits(16), dns.flags.RD, 1, 0, 0, 1 if edns else 0)
        self.wire = header + question + (_OPT if edns else b"")

    @lazily
    def _message(self) -> dns.message.Message:
        """For dnspython to compare a response with."""
        return dns.message.from_wire(self.wire)

    def read(self, wire: bytes) -> Reply | None:
        """The response that ``wire`` is; None when it is none to this question."""
        if len(wire) >= _HEADER.size and wire[:2] == self.wire[:2]:
            flags = int.from_bytes(wire[2:4], "big")
            if flags & dns.flags.QR and flags & dns.flags.TC:
                return Truncated.TRUNCATED
            response = self.read_whole(wire)
            if response is not None:
                return response
        self.strays += 1
        return None

    def read_whole(self, wire: bytes) -> dns.message.Message | None:
        """As :meth:`read`, where nothing is cut off: by TCP."""
        try:
            response = dns.message.from_wire(_bounded(wire), ignore_trailing=True)
            return response if self._message.is_response(response) else None
        except Exception:  # a parser of strangers' bytes; whatever it stumbles over is no response
            return None


def _bounded(wire: bytes) -> bytes:
    """``wire`` with counts that say :data:`MOST_READ` records at most, which is as many as are parsed."""
    identity, flags, questions, *counts = _HEADER.unpack_from(wire)
    if sum(counts) <= MOST_READ:
        return wire
    left, kept = MOST_READ, []
    for count in counts:
        kept.append(min(count, left))
        # A section that was cut ends what is read: the next one would begin in its middle.
        left = left - count if count <= left else 0
    return _HEADER.pack(identity, flags, min(questions, 1), *kept) + wire[_HEADER.size :]


def judge(query: Query, name: dns.name.Name, kind: DnsKind, response: dns.message.Message, path: Path) -> Verdict:
    """What a response says about ``name``, to which the aliases ``path`` have led.

    Raises:
        Unusable: Nothing; another server may know.
        ResolverError: That nobody can say: the aliases lead nowhere.
    """
    rcode = response.rcode()
    if rcode in {dns.rcode.FORMERR, dns.rcode.NOTIMP, dns.rcode.BADVERS} and query.edns:
        return NeedsPlain.PLAIN
    if rcode not in {dns.rcode.NOERROR, dns.rcode.NXDOMAIN}:
        raise Unusable(dns.rcode.to_text(rcode))
    alias = _followed(Alias(name, path, float("inf")), kind, response)
    records = _rrset(response, alias.name, kind)
    if records is None:
        return _without_records(name, alias, response)
    if rcode == dns.rcode.NXDOMAIN:
        raise Unusable("contradicts itself")
    return Found(DnsAnswer(exists=True, records=_kept(texts(records, kind))), min(alias.ttl, records.ttl))


def _without_records(name: dns.name.Name, alias: Alias, response: dns.message.Message) -> Verdict:
    """What a response means that has none of the records wanted (RFC 2308 section 2; RFC 6604)."""
    exists = response.rcode() == dns.rcode.NOERROR
    authority = {rrset.rdtype: rrset for rrset in response.authority}
    soa: Any = authority.get(dns.rdatatype.SOA)
    if soa is None and exists:
        if alias.name != name:
            return alias
        if response.answer:
            raise Unusable("answers another question")
        if dns.rdatatype.NS in authority:
            raise Unusable("refers to others")
    held = min(soa.ttl, soa[0].minimum) if soa else NO_SOA_TTL
    return Found(DnsAnswer(exists=exists), min(alias.ttl, held))


def _followed(alias: Alias, kind: DnsKind, response: dns.message.Message) -> Alias:
    """Where the aliases of a response lead from here."""
    while _rrset(response, alias.name, kind) is None:
        found = _rrset(response, alias.name, "CNAME")
        if found is None:
            break
        path = (*alias.path, alias.name)
        alias = Alias(found[0].target, path, min(alias.ttl, found.ttl))
        if alias.name in path:
            raise ResolverError("aliases (CNAME) that lead round in a circle")
        if len(path) > MOST_ALIASES:
            raise ResolverError(f"more than {MOST_ALIASES} aliases (CNAME) in a row")
    return alias


def _rrset(response: dns.message.Message, name: dns.name.Name, kind: str) -> Any:
    wanted = dns.rdatatype.from_text(kind)
    found = response.get_rrset(response.answer, name, dns.rdataclass.IN, wanted)
    return found or None  # an empty one says nothing


def texts(records: Iterable[Any], kind: DnsKind) -> Sequence[str]:
    """The texts of :class:`DnsAnswer` for a set of records."""
    if kind is DnsKind.MX:
        ordered = sorted((record.preference, _text(record.exchange)) for record in records)
        # A null MX beside others means nothing (RFC 7505 section 3).
        return [host for _, host in ordered if host] or [""]
    if kind is DnsKind.PTR:
        return sorted(_text(record.target) for record in records)
    return sorted(str(ip_address(record.address)) for record in records)


def _text(name: dns.name.Name) -> str:
    return "" if name == dns.name.root else name.to_text(omit_final_dot=True).lower()


def _kept(records: Sequence[str]) -> tuple[str, ...]:
    return tuple(_within(records[:MOST_KEPT]))


def _within(records: Iterable[str]) -> Iterator[str]:
    left = MOST_CHARACTERS
    for record in records:
        left -= len(record)
        if left < 0:
            return
        yield record
