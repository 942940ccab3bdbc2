"""What is known about a client's address: the answer of the compiled data, and what rules and ``decision.ip`` read."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Protocol

    class Addresses(Protocol):
        """Tells about addresses. Never raises for an address, whatever text it is."""

        def about(self, address: str) -> AddressFacts:
            """What is known about ``address`` (text; empty when the client has none)."""
            ...


KINDS = ("hosting", "vpn", "proxy", "tor", "relay", "abuse", "crawler", "reserved")
"""What an address can be; it can be several of them at once."""

_NONE: Mapping[str, tuple[str, ...]] = MappingProxyType({})
_NOWHERE: Mapping[str, str] = MappingProxyType({})


class AddressFacts(NamedTuple):
    """What is known about one address.

    Attributes:
        known: The kinds that there is data for, and as ``crawler:<set>`` the published sets of crawlers' ranges that
            there is data for. Of the others nothing can be said.
        names: The kinds that the address is, and who says so or whose it is: ``{"crawler": ("googlebot",)}``.
        place: Where it is and whose network it is in, as text by the names of Arcjet's ``IpDetails``: ``country``
            (ISO 3166-1 alpha-2), ``asn`` (digits), ``asn_name``, ``city``, ``latitude`` …; only what is known.
    """

    known: frozenset[str] = frozenset()
    names: Mapping[str, tuple[str, ...]] = _NONE
    place: Mapping[str, str] = _NOWHERE

    def is_kind(self, kind: str) -> bool | None:
        """Whether the address is of one of :data:`KINDS`; None when there is no data to tell."""
        return True if kind in self.names else False if kind in self.known else None


NOTHING_KNOWN = AddressFacts()


class NoAddressData:
    """Knows nothing about any address."""

    def about(self, address: str) -> AddressFacts:
        """Nothing."""
        del address
        return NOTHING_KNOWN


NO_ADDRESS_DATA = NoAddressData()
