"""Which address the client has, when proxies stand between it and us.

Whoever can choose its own address escapes every limit and ban, so three rules hold:

1. Headers count only if the peer, which nobody can forge, is trusted.
2. They are read from the right, the end where trusted proxies write, to the first address that is not trusted: the
   last one that a trusted proxy has vouched for. What stands left of it, its client may have invented.
3. An item that says nothing (garbage, ``unknown``, ``_hidden``, an empty item, the hundredth and first) ends the
   reading. Then, as when only trusted addresses are found, the client is the right-most entry, which the nearest proxy
   wrote, or else the peer.

Hence left-prepending to a header changes nothing, with one exception: where **every** entry is a trusted address,
an untrusted one in front of them is found, just as if it were true. Under ``"private"`` a client *inside* the private
network can so choose its address; name the proxies, if you must not believe your own network.
A hop count has a like exception: fewer entries than hops.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from doorward.forwarded import (
    LONGEST_ADDRESS,
    canonical,
    forwarded_nodes,
    forwarded_protos,
    list_items,
    network_prefix,
    packed,
    text_of,
)
from doorward.trusted import (
    ACCEPTED,
    CLOUDFLARE,
    EVERYONE,
    MOST_HOPS,
    PLATFORMS,
    Platform,
    Trust,
    entries_of,
    trust_in,
    wrong,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    Header = Callable[[str], Sequence[str]]
    """All lines of the header of this lower-case name, in order."""

__all__ = ["ClientIP", "ClientIPPolicy", "Provenance", "Proxies", "canonical", "network_prefix"]

MOST_ITEMS: Final = 100
"""Items of a forwarding header that are looked at, from the right."""

_MOST_REMEMBERED: Final = 4096
"""Addresses whose parsing each of a policy's two caches remembers before it starts anew."""

_X_FORWARDED_FOR: Final = "x-forwarded-for"
_FORWARDED: Final = "forwarded"
_X_FORWARDED_PROTO: Final = "x-forwarded-proto"
_SCHEMES: Final = frozenset({"http", "https", "ws", "wss"})
_DEVELOPMENT_HEADER: Final = "x-doorward-ip"


class Provenance(StrEnum):
    """How a client's address was found."""

    PEER = "PEER"
    """The other end of the connection."""
    FORWARDED = "FORWARDED"
    """A forwarding header, read through trusted hops."""
    EDGE = "EDGE"
    """The header of its own that a named edge sets."""
    DEVELOPMENT = "DEVELOPMENT"
    """``x-doorward-ip``, or 127.0.0.1 for want of any address; in development only."""
    MANUAL = "MANUAL"
    """Given by the caller of ``protect``; never by a policy."""
    NONE = "NONE"
    """There is no address."""


class ClientIP(NamedTuple):
    """A client's address.

    Attributes:
        address: Canonical text: dotted IPv4, or IPv6 compressed in lower case, without zone, port and brackets. IPv4
            in IPv6 is unwrapped. ``""`` when there is none.
        provenance: How it was found.
    """

    address: str
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class Proxies:
    """Which proxies are trusted, and the header that they write.

    Attributes:
        trusted: As the ``proxies`` argument of :class:`ClientIPPolicy`, but for named edges.
        header: ``"x-forwarded-for"``, ``"forwarded"``, or None for the first of the two that is there. None is right
            for proxies that write ``X-Forwarded-For``, as nearly all do. It is **not safe** for a proxy that writes
            only ``Forwarded``: it passes a client's own ``X-Forwarded-For`` on, which would be believed. Name the
            header then.
    """

    trusted: str | int | Collection[str] = "private"
    header: str | None = None


# Not cf-connecting-ipv6: it is set only under one option, and otherwise a client might.
_CLOUDFLARE_HEADERS: Final = ("cf-connecting-ip",)


class _Hop(NamedTuple):
    client: ClientIP
    trusted: bool


_NOBODY = ClientIP("", Provenance.NONE)
_GARBAGE = _Hop(_NOBODY, trusted=False)
_SOCKET = _Hop(_NOBODY, trusted=True)

# What servers call the other end of a unix socket: nothing (ASGI, gunicorn), "localhost" (waitress), a path, an
# abstract name. nginx writes "unix:" into X-Forwarded-For.
_SOCKET_PEER = re.compile(r"|localhost|unix.*|[/@\0].*", re.DOTALL)
_SOCKET_ITEM = re.compile(r"unix:.*")


class _Hops(dict[str, _Hop]):
    """What a text says of a hop. Remembers short texts; safe from any thread, as each access is one dict operation."""

    def __init__(self, trust: Trust, provenance: Provenance, socket: re.Pattern[str]) -> None:
        super().__init__()
        self._trust = trust
        self._provenance = provenance
        self._socket = socket

    def __missing__(self, text: str) -> _Hop:
        hop = self._read(text)
        if len(text) <= LONGEST_ADDRESS:
            if len(self) >= _MOST_REMEMBERED:
                self.clear()
            self[text] = hop
        return hop

    def _read(self, text: str) -> _Hop:
        address = packed(text)
        if address is not None:
            return _Hop(ClientIP(text_of(address), self._provenance), self._trust.covers(address))
        return _SOCKET if self._trust.sockets and self._socket.fullmatch(text) else _GARBAGE


class ClientIPPolicy:
    """Finds the client's address by one policy. Safe to share between threads.

    Args:
        proxies: Who is trusted to say on whose behalf it connects:

            - ``"private"``: peers on loopback, private and link-local addresses and unix sockets (a server names no
              peer there). A public peer is never believed. Not safe where a private peer passes forwarding headers on
              as they came (a TCP balancer, NAT that hides sources): use ``()`` there.
            - ``()``: nobody; the peer is the client.
            - addresses and CIDR networks: those only. The words ``"private"`` and ``"unix"`` may stand among them.
            - a number n: exactly n proxies, whoever they are; the client is the n-th entry from the right. Safe only
              where nobody can reach the application past them. With fewer entries, or one among the n that is no
              address, the request came another way, and the peer is the client.
            - ``"cloudflare"``: ``CF-Connecting-IP``, if the peer, or the first address beyond private hops, is
              Cloudflare's.
            - ``"fly"``, ``"render"``, ``"vercel"``: the platform's header, if its variable is in ``environ`` and the
              peer is private. Nothing else is read: without it, the peer is the client.
            - :class:`Proxies`: any of these but edges, with the header that the proxies write.
        development: Honour ``x-doorward-ip``, and fall back on 127.0.0.1. Anybody can choose an address then.
        environ: The environment variables by which a platform is known.
        edge_ranges: The published networks of ``"cloudflare"``, by that name.

    Raises:
        ConfigurationError: ``proxies`` is none of these.

    Attributes:
        given: ``proxies`` as it was given.
    """

    __slots__ = ("_development", "_edge", "_find", "_header", "_hops", "_items", "_peers", "_platform_headers", "given")

    def __init__(
        self,
        proxies: str | int | Collection[str] | Proxies = "private",
        *,
        development: bool = False,
        environ: Mapping[str, str] = MappingProxyType({}),
        edge_ranges: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.given = proxies
        self._development = development
        self._hops = 0
        self._header: str | None = None
        self._platform_headers: tuple[str, ...] = ()
        self._find = self._through_trusted
        if proxies == CLOUDFLARE:
            trust, peers = self._use_cloudflare(edge_ranges or {})
        elif isinstance(proxies, str) and proxies in PLATFORMS:
            trust = peers = self._use_platform(PLATFORMS[proxies], environ)
        else:
            trust = peers = self._use_chain(proxies if isinstance(proxies, Proxies) else Proxies(proxies))
        self._peers = _Hops(peers, Provenance.PEER, _SOCKET_PEER)
        self._items = _Hops(trust, Provenance.FORWARDED, _SOCKET_ITEM)

    def resolve(self, peer: str | None, header: Header) -> ClientIP:
        """The client of one request.

        Args:
            peer: The other end of the connection as the server names it, with or without port; ``""``, None or a path
                for a unix socket. Text of any other kind is no address, and not trusted.
            header: Gives all lines of a header, by lower-case name, in order, as latin-1 text. Called only when the
                peer is trusted, and in development. Where a server maps ``_`` and ``-`` to one name (WSGI), it must
                drop names with ``_`` first, as servers do: an attacker's ``X_Forwarded_For`` is another header.
        """
        hop = self._peers[peer or ""]
        found = self._find(hop.client, header) if hop.trusted else hop.client
        return _in_development(found, header) if self._development else found

    def scheme(self, peer: str | None, header: Header, own: str) -> str:
        """The scheme that the client uses, in lower case: ``own``, the server's, unless a trusted peer says another.

        The nearest proxy's word, or that of the n-th where proxies are counted: what stands left of it, anybody may
        have written. It is read from ``X-Forwarded-Proto``, or from ``Forwarded`` (RFC 7239 section 5.4) where that is
        the header of the policy, or the only one of the two.

        Args:
            peer: As of :meth:`resolve`.
            header: As of :meth:`resolve`.
            own: The scheme of the connection that the server has.
        """
        if not self._peers[peer or ""].trusted:
            return own.lower()
        lines = header(_X_FORWARDED_PROTO) if self._header != _FORWARDED else ()
        items = list_items(lines) if lines else forwarded_protos(header(_FORWARDED))
        position = max(0, self._hops - 1)
        said = next(islice(items, position, position + 1), "").lower()
        return said if said in _SCHEMES else own.lower()

    @property
    def counts_hops(self) -> bool:
        """Whether proxies are known by their number, not by their addresses."""
        return self._hops > 0

    def _use_chain(self, proxies: Proxies) -> Trust:
        if proxies.header not in (None, _X_FORWARDED_FOR, _FORWARDED):
            raise wrong(f'header {proxies.header!r}: accepted are "x-forwarded-for", "forwarded" and None')
        self._header = proxies.header
        if not isinstance(proxies.trusted, int):
            return trust_in(entries_of(proxies.trusted))
        if isinstance(proxies.trusted, bool) or not 1 <= proxies.trusted <= MOST_HOPS:
            raise wrong(f"{proxies.trusted!r} is no hop count; {ACCEPTED}")
        self._hops = proxies.trusted
        self._find = self._by_count
        return EVERYONE

    def _use_platform(self, platform: Platform, environ: Mapping[str, str]) -> Trust:
        if not platform.is_here(environ):
            return trust_in(())
        self._platform_headers = platform.headers
        self._find = self._at_platform
        return trust_in(("private",))

    def _use_cloudflare(self, ranges: Mapping[str, Sequence[str]]) -> tuple[Trust, Trust]:
        networks = ranges.get(CLOUDFLARE)
        if not networks:
            raise wrong(
                "the address ranges of cloudflare are not there yet. Until then give its published networks as "
                "a sequence, and keep everyone else from the origin; CF-Connecting-IP is not read then, but Cloudflare "
                "writes X-Forwarded-For too"
            )
        self._edge = _Hops(trust_in(networks), Provenance.PEER, _SOCKET_ITEM)
        self._find = self._at_cloudflare
        return trust_in(("private",)), trust_in(("private", *networks))

    def _texts(self, header: Header) -> Iterator[str]:
        """The entries of the forwarding header from right to left."""
        name = self._header
        if name != _FORWARDED:
            lines = header(_X_FORWARDED_FOR)
            if lines or name is not None:
                return islice(list_items(lines), MOST_ITEMS)
        return islice(forwarded_nodes(header(_FORWARDED)), MOST_ITEMS)

    def _through_trusted(self, peer: ClientIP, header: Header) -> ClientIP:
        """The first address from the right that is not trusted, or the right-most entry, or the peer."""
        nearest = peer
        for text in self._texts(header):
            hop = self._items[text]
            if hop is _GARBAGE:
                break
            if not hop.trusted:
                return hop.client
            if nearest is peer and hop.client.address:
                nearest = hop.client
        return nearest

    def _by_count(self, peer: ClientIP, header: Header) -> ClientIP:
        """The n-th entry from the right, or the peer."""
        for position, text in enumerate(self._texts(header), 1):
            hop = self._items[text]
            if hop is _GARBAGE:
                break
            if position == self._hops:
                return hop.client if hop.client.address else peer
        return peer

    def _at_platform(self, peer: ClientIP, header: Header) -> ClientIP:
        return _single(header, self._platform_headers) or peer

    def _at_cloudflare(self, peer: ClientIP, header: Header) -> ClientIP:
        nearest = peer if self._edge[peer.address].trusted else self._through_trusted(peer, header)
        if not self._edge[nearest.address].trusted:
            return nearest
        return _single(header, _CLOUDFLARE_HEADERS) or nearest


def _in_development(found: ClientIP, header: Header) -> ClientIP:
    """The address that a developer chose, or what was found, or 127.0.0.1."""
    lines = header(_DEVELOPMENT_HEADER)
    chosen = canonical(lines[-1]) if lines else None
    if chosen is not None:
        return ClientIP(chosen, Provenance.DEVELOPMENT)
    return found if found.address else ClientIP("127.0.0.1", Provenance.DEVELOPMENT)


def _single(header: Header, names: tuple[str, ...]) -> ClientIP | None:
    """The address in the first of these headers that has just one line with just one address."""
    for name in names:
        lines = header(name)
        address = canonical(lines[0]) if len(lines) == 1 else None
        if address is not None:
            return ClientIP(address, Provenance.EDGE)
    return None
