"""Who a token is for: as much of a client as stays the same while it is the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.neighbours import network_of

if TYPE_CHECKING:
    from doorward.context import RequestContext

PARTS = frozenset({"address", "agent", "host"})
_MOST_KNOWN = 4096
"""Addresses whose networks are kept at hand before it starts anew."""


class Binding:
    """What tokens are bound to. Safe from any thread: what it keeps at hand is one dict, set and read in one step each.

    Args:
        parts: Some of :data:`PARTS`, or none.
        domain: That of cookies: hosts below it count as one.
    """

    def __init__(self, parts: frozenset[str], domain: str = "") -> None:
        self._address, self._agent, self._host = "address" in parts, "agent" in parts, "host" in parts
        self._domain = domain.lower()
        self._known: dict[str, str] = {}

    def of_clearance(self, request: RequestContext, ip: str) -> str:
        """What a clearance is bound to, as text: never stored, only signed."""
        address = self._network(ip) if self._address else "-"
        agent = ",".join(request.agents()) if self._agent else "-"
        host = self._host_of(request) if self._host else "-"
        # The lengths first: no three parts together read as three others.
        return f"{len(address)}:{address}{len(host)}:{host}{agent}"

    def made_from(self, request: RequestContext, ip: str) -> tuple[str, ...]:
        """All that :meth:`of_clearance` looks at, for a third of its cost: where this is the same, so is that."""
        host = request.host if self._host else ""
        return (ip if self._address else "", host, *(request.agents() if self._agent else ()))

    def of_challenge(self, request: RequestContext, ip: str) -> str:
        """As of a clearance: a challenge is passed by who was given it."""
        return self.of_clearance(request, ip)

    def of_client(self, request: RequestContext) -> str:
        """What a client's id is bound to: the site alone, for the client may move."""
        return self._host_of(request)

    def of_limit(self, ip: str) -> str:
        """What the endpoints count requests by."""
        return self._network(ip)

    def _network(self, ip: str) -> str:
        found = self._known.get(ip)
        if found is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            found = self._known[ip] = network_of(ip)
        return found

    def _host_of(self, request: RequestContext) -> str:
        host = request.host.lower()
        if self._domain:
            name = host.partition(":")[0]
            if name == self._domain or name.endswith(f".{self._domain}"):
                return self._domain
        return host
