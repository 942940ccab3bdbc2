"""Who a token is for: as much of a client as stays the same while it is the same."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from doorward.context import RequestContext

IPV4_PREFIX, IPV6_PREFIX = 24, 48
"""Bits of an address that a clearance is bound to: telephones change their addresses within these."""


class Binding:
    """What tokens are bound to.

    Args:
        parts: ``"address"``, ``"agent"``, both or none.
    """

    def __init__(self, parts: frozenset[str]) -> None:
        self._parts = parts

    def of_clearance(self, request: RequestContext, ip: str) -> str:
        """What a clearance is bound to, as text: never stored, only signed."""
        return _joined(request, ip, self._parts)

    def of_challenge(self, request: RequestContext, ip: str) -> str:
        """As of a clearance: a challenge is passed by who was given it."""
        return _joined(request, ip, self._parts)

    def of_limit(self, ip: str) -> str:
        """What the endpoints count requests by."""
        return network_of(ip)


def _joined(request: RequestContext, ip: str, parts: frozenset[str]) -> str:
    address = network_of(ip) if "address" in parts else "-"
    agent = request.headers.get("user-agent") if "agent" in parts else "-"
    # The length first: no address and agent together read as another pair.
    return f"{len(address)}:{address}{agent}"


def network_of(ip: str) -> str:
    """The network of an address that clients stay within: its /24, or /48; itself where it is none."""
    try:
        address = ip_address(ip)
    except ValueError:
        return ip
    mapped = getattr(address, "ipv4_mapped", None)
    address = mapped or address
    return str(ip_network(f"{address}/{IPV4_PREFIX if address.version == 4 else IPV6_PREFIX}", strict=False))
