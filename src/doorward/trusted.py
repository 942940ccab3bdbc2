"""Whom we believe when it says on whose behalf it connects: networks, unix sockets, the edges of named hosts.

What is said about them in configuration is checked here. What they write is read in :mod:`doorward.client_ip`.
"""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from doorward.errors import ConfigurationError
from doorward.forwarded import packed

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

MOST_HOPS: Final = 16
"""The largest hop count. Longer chains exist in no deployment, and a typing error should not pass for one."""

_PRIVATE: Final = (
    *("127.0.0.0/8", "::1/128"),
    *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"),
    *("169.254.0.0/16", "fe80::/10"),
)
"""Loopback, RFC 1918 and RFC 4193, link-local. Not 100.64.0.0/10 (RFC 6598): behind a provider's carrier-grade NAT
those are strangers. Whose load balancer or pods live there adds it: ``("private", "100.64.0.0/10")``."""


class Trust(NamedTuple):
    """A set of networks as (network, mask) pairs, and whether a unix socket counts."""

    ipv4: tuple[tuple[int, int], ...]
    ipv6: tuple[tuple[int, int], ...]
    sockets: bool

    def covers(self, address: bytes) -> bool:
        """Whether it is one of them; of 4 or 16 bytes."""
        number = int.from_bytes(address, "big")
        networks = self.ipv4 if len(address) == 4 else self.ipv6
        return any(number & mask == network for network, mask in networks)


class Platform(NamedTuple):
    """A host that runs the application behind its own edge, on a private network."""

    variable: str
    value: str | None  # None: any but the empty one
    headers: tuple[str, ...]

    def is_here(self, environ: Mapping[str, str]) -> bool:
        """Whether its variable is set."""
        found = environ.get(self.variable, "")
        return found == self.value if self.value else bool(found)


PLATFORMS: Final = {
    "fly": Platform("FLY_APP_NAME", None, ("fly-client-ip",)),
    "render": Platform("RENDER", "true", ("true-client-ip",)),
    "vercel": Platform("VERCEL", "1", ("x-real-ip", "x-vercel-forwarded-for")),
}
CLOUDFLARE: Final = "cloudflare"
_EDGES: Final = (CLOUDFLARE, *PLATFORMS)

ACCEPTED: Final = (
    'accepted are "private", () for none, a sequence of addresses, CIDR networks, "private" and "unix", '
    f"a hop count from 1 to {MOST_HOPS}, a named edge ({', '.join(_EDGES)}), or Proxies(…)"
)


def wrong(problem: str) -> ConfigurationError:
    """The error about ``proxies``."""
    return ConfigurationError("proxies", problem)


def entries_of(trusted: object) -> Collection[str]:
    """The addresses, networks and words of a configured value. Raises ConfigurationError."""
    if trusted == "private":
        return ("private",)
    if isinstance(trusted, str):
        hint = f"; a single one is written as ({trusted!r},)" if packed(trusted.partition("/")[0]) else ""
        edge = "; a named edge stands alone, as its header is known" if trusted in _EDGES else ""
        raise wrong(f"{trusted!r} is unknown here{hint}{edge}; {ACCEPTED}")
    if not isinstance(trusted, list | tuple | set | frozenset):
        raise wrong(f"{trusted!r} is unknown; {ACCEPTED}")
    for entry in cast("Collection[object]", trusted):
        if not isinstance(entry, str):
            raise wrong(f"{entry!r} is no text; {ACCEPTED}")
    return cast("Collection[str]", trusted)


def trust_in(entries: Collection[str]) -> Trust:
    """The networks and words as a set. Raises ConfigurationError."""
    words = {"private", "unix"}.intersection(entries)
    texts = [entry for entry in entries if entry not in words] + list(_PRIVATE if "private" in words else ())
    networks = [_network(text) for text in texts]
    return Trust(
        tuple((number, mask) for version, number, mask in networks if version == 4),
        tuple((number, mask) for version, number, mask in networks if version == 6),
        sockets=bool(words),
    )


def _network(text: str) -> tuple[int, int, int]:
    """Version, number and mask of an address or network."""
    try:
        network = ip_network(text)
    except ValueError as error:
        # The standard library's text is the best hint there is: "192.0.2.1/24 has host bits set".
        raise wrong(f"{text!r} is no address or network ({error}); {ACCEPTED}") from None
    if network.prefixlen == 0:
        raise wrong(f"{text!r} is everybody, so that anybody could claim any address; use a hop count")
    number = int(network.network_address)
    if network.version == 6 and number >> 32 == 0xFFFF:
        raise wrong(f"{text!r} is IPv4 in IPv6, which is unwrapped before it is compared; write it as IPv4")
    return network.version, number, int(network.netmask)


EVERYONE: Final = Trust(ipv4=((0, 0),), ipv6=((0, 0),), sockets=True)
"""Where hops are counted, it matters not who they are."""
