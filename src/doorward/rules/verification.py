"""Whether a client is the crawler that it claims to be, told by its address.

Operators publish the ranges that their crawlers use, or say what the host names of their addresses look like. A host
name counts when it is confirmed forwards: whoever holds an address chooses the name in its reverse zone, but only the
owner of a domain says which addresses the name has. Google's and Microsoft's instructions for verifying their crawlers
describe the same three steps: PTR, compare the name, A or AAAA.
"""

from __future__ import annotations

import ipaddress
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from doorward.effects import DnsAnswer, DnsKind, Failed, Gather, ResolveDns
from doorward.errors import ResolverError
from doorward.forwarded import packed
from doorward.printable import describe

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence

    from doorward.address_facts import AddressFacts
    from doorward.effects import Effect

MOST_HOSTS = 4
"""Host names of one address that are looked up: an address may have any number of PTR records."""

_TOO_MANY_HOSTS = f"it has more than {MOST_HOSTS} host names like its operator's, and none of the first is confirmed"
_LONGEST_HOST = 253
_HOST_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_.")


class Claimed(Protocol):
    """What verification has to know about a bot."""

    @property
    def id(self) -> str:
        """Its id, such as ``GOOGLE_CRAWLER``."""
        ...

    @property
    def masks(self) -> tuple[str, ...]:
        """What the host names of its addresses look like: see :func:`mask_matches`."""
        ...

    @property
    def ranges(self) -> tuple[str, ...]:
        """The published sets of its operator's ranges, by the names that address data has for them."""
        ...


class Standing(StrEnum):
    """How a claim stands."""

    VERIFIED = "VERIFIED"
    SPOOFED = "SPOOFED"
    UNVERIFIABLE = "UNVERIFIABLE"
    """The operator says nothing about its addresses: the name is all there is."""
    ASK_DNS = "ASK_DNS"
    """Only the DNS can tell."""
    UNKNOWN = "UNKNOWN"
    """It could not be checked: no address, no data, no answer."""


class Checks(NamedTuple):
    """What the DNS said about several claims.

    Attributes:
        standings: By the bots' ids: VERIFIED, SPOOFED, or UNKNOWN.
        failure: Why some are UNKNOWN; empty when none is.
    """

    standings: dict[str, Standing]
    failure: str = ""


def is_verifiable(bot: Claimed) -> bool:
    """Whether its operator publishes anything that a client's address can be checked against."""
    return bool(bot.ranges or bot.masks)


def share_proof(one: Claimed, other: Claimed) -> bool:
    """Whether an address can prove two bots in one: they are the same operator's."""
    return not (set(one.masks).isdisjoint(other.masks) and set(one.ranges).isdisjoint(other.ranges))


def stands(bot: Claimed, address: str, facts: AddressFacts) -> Standing:
    """How a claim stands by what is known here, without asking anybody.

    Args:
        bot: The bot that the client claims to be.
        address: The client's address; empty when it has none.
        facts: What is known about it. Being in none of the sets of ranges that there is no data for says nothing.
    """
    if not is_verifiable(bot):
        return Standing.UNVERIFIABLE
    number = _number(address)
    if number is None:
        return Standing.UNKNOWN
    if facts.is_kind("reserved"):
        return Standing.SPOOFED  # private, loopback, documentation … (RFC 6890): no operator crawls from there
    if not set(bot.ranges).isdisjoint(facts.names.get("crawler", ())):
        return Standing.VERIFIED
    if bot.masks:
        return Standing.ASK_DNS  # also with ranges of its own, which may be older than an address of today
    has_data = all([f"crawler:{name}" in facts.known for name in bot.ranges])
    return Standing.SPOOFED if has_data else Standing.UNKNOWN


def ask_dns(bots: Sequence[Claimed], address: str) -> Generator[Effect, Any, Checks]:
    """Forward-confirmed reverse DNS: whether a host name of ``address`` is one of the operator's, and has the address.

    Args:
        bots: Bots with masks.
        address: An address, as text.

    Returns:
        How each claim stands. SPOOFED is certain: the DNS has answered. UNKNOWN is everything else, also where
        names beyond :data:`MOST_HOSTS` might have confirmed it.
    """
    try:
        answer: DnsAnswer = yield ResolveDns(reverse_name(address), DnsKind.PTR)
    except Exception as error:
        return Checks(dict.fromkeys([bot.id for bot in bots], Standing.UNKNOWN), describe(error))
    names = [host for host in _hosts(answer.records) if any([_is_host_of(bot, host) for bot in bots])]
    hosts, left_out = names[:MOST_HOSTS], names[MOST_HOSTS:]
    if not hosts:
        return Checks(dict.fromkeys([bot.id for bot in bots], Standing.SPOOFED))
    kind = DnsKind.A if len(packed(address) or b"") == 4 else DnsKind.AAAA
    try:
        replies: list[Any] = yield Gather([ResolveDns(host, kind) for host in hosts])
    except Exception as error:  # the deadline ends them all
        replies = [Failed(error)] * len(hosts)
    confirmed = {host: _confirms(reply, address) for host, reply in zip(hosts, replies, strict=True)}
    confirmed |= dict.fromkeys(left_out)
    standings = {
        bot.id: _standing([found for host, found in confirmed.items() if _is_host_of(bot, host)]) for bot in bots
    }
    failures = [*[describe(reply.error) for reply in replies if isinstance(reply, Failed)], _TOO_MANY_HOSTS]
    return Checks(standings, failures[0] if Standing.UNKNOWN in standings.values() else "")


def reverse_name(address: str) -> str:
    """The name under which PTR records of an address are: RFC 1035 section 3.5, RFC 3596 section 2.5.

    Raises:
        ResolverError: It is no address.
    """
    number = _number(address)
    if number is None:
        raise ResolverError("the client's address is not known")
    return number.reverse_pointer


def mask_matches(mask: str, host: str) -> bool:
    """Whether the whole of ``host`` looks like ``mask``, in any case (RFC 4343).

    In a mask, ``*`` is one character or none and ``@`` any run of them: the notation of arcjet/well-known-bots. All
    places of the mask that can be reached are followed side by side, so that no mask makes a name cost more than the
    product of their lengths.
    """
    mask, host = mask.lower(), host.lower().removesuffix(".")
    reached = _skipped(mask, {0})
    for character in host:
        taken = {_after(mask, place) for place in reached if place < len(mask) and mask[place] in ("*", "@", character)}
        reached = _skipped(mask, taken)
        if not reached:
            return False
    return len(mask) in reached


def _after(mask: str, place: int) -> int:
    return place if mask[place] == "@" else place + 1


def _skipped(mask: str, places: set[int]) -> set[int]:
    """The places with those that come after wildcards which stand for nothing."""
    reached = set(places)
    for start in places:
        place = start
        while place < len(mask) and mask[place] in "*@":
            place += 1
            reached.add(place)
    return reached


def _number(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    whole = packed(address)
    return None if whole is None else ipaddress.ip_address(whole)


def _hosts(records: Iterable[str]) -> list[str]:
    """Host names among the texts of PTR records; what cannot be one would only make the next question fail."""
    names = [record.lower().removesuffix(".") for record in records if record.isascii()]
    return [name for name in dict.fromkeys(names) if len(name) <= _LONGEST_HOST and _HOST_CHARACTERS.issuperset(name)]


def _is_host_of(bot: Claimed, host: str) -> bool:
    return any([mask_matches(mask, host) for mask in bot.masks])


def _confirms(reply: DnsAnswer | Failed, address: str) -> bool | None:
    """Whether the name has the address; None when nobody could say. Compared as numbers, not as texts."""
    if isinstance(reply, Failed):
        return None
    return packed(address) in [packed(record) for record in reply.records]


def _standing(found: Sequence[bool | None]) -> Standing:
    if True in found:
        return Standing.VERIFIED
    return Standing.UNKNOWN if None in found else Standing.SPOOFED
