"""What ``decision.ip`` is: the client's address and what is known about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.address_facts import KINDS, NO_ADDRESS_DATA

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doorward.address_facts import Addresses, AddressFacts


class IPInfo:
    """The client's address, how it was found, and what is known about it. Unknown is None, never False.

    Attributes:
        address: Canonical text; empty when there is none.
        provenance: How it was found: ``PEER``, ``FORWARDED``, ``EDGE``, ``DEVELOPMENT`` or ``NONE``.
    """

    __slots__ = ("_addresses", "_facts", "address", "provenance")

    def __init__(self, address: str, provenance: str, addresses: Addresses = NO_ADDRESS_DATA) -> None:
        self.address = address
        self.provenance = provenance
        self._addresses = addresses
        self._facts: AddressFacts | None = None

    def __repr__(self) -> str:
        return f"IPInfo({self.address!r}, {self.provenance}, {dict(self.facts.names)}, {dict(self.facts.place)})"

    @property
    def facts(self) -> AddressFacts:
        """What the data says about it; looked up when first asked for. ``doorward data status`` tells what there is."""
        if self._facts is None:
            self._facts = self._addresses.about(self.address)
        return self._facts

    def is_hosting(self) -> bool | None:
        """Whether it belongs to a hosting provider."""
        return self.facts.is_kind("hosting")

    def is_vpn(self) -> bool | None:
        """Whether it belongs to a VPN."""
        return self.facts.is_kind("vpn")

    def is_proxy(self) -> bool | None:
        """Whether it is an open proxy."""
        return self.facts.is_kind("proxy")

    def is_tor(self) -> bool | None:
        """Whether it is a Tor exit."""
        return self.facts.is_kind("tor")

    def is_relay(self) -> bool | None:
        """Whether it belongs to a privacy relay."""
        return self.facts.is_kind("relay")

    def is_abuser(self) -> bool | None:
        """Whether it is listed for abuse."""
        return self.facts.is_kind("abuse")

    def is_crawler(self) -> bool | None:
        """Whether it is in the ranges that an operator of crawlers publishes."""
        return self.facts.is_kind("crawler")

    def is_reserved(self) -> bool | None:
        """Whether it is private, loopback, documentation … (RFC 6890): nobody's on the public internet."""
        return self.facts.is_kind("reserved")

    def names(self, kind: str) -> tuple[str, ...]:
        """Whose it is, or who lists it, as a ``kind`` of address: ``names("crawler")`` is ``("google-googlebot",)``."""
        return self.facts.names.get(kind, ())

    @property
    def country(self) -> str | None:
        """ISO 3166-1 code of two letters."""
        return self.facts.place.get("country")

    @property
    def asn(self) -> int | None:
        """Autonomous system number."""
        number = self.facts.place.get("asn", "")
        return int(number) if number.isascii() and number.isdigit() else None

    @property
    def latitude(self) -> float | None:
        """Degrees north."""
        return _degrees(self.facts.place.get("latitude"))

    @property
    def longitude(self) -> float | None:
        """Degrees east."""
        return _degrees(self.facts.place.get("longitude"))

    @property
    def place(self) -> Mapping[str, str]:
        """All of where it is and whose network it is in, by the names of Arcjet's ``IpDetails``; only what is known."""
        return self.facts.place

    @property
    def accuracy_radius(self) -> str | None:
        """Kilometres around latitude and longitude, as text."""
        return self.facts.place.get("accuracy_radius")

    @property
    def timezone(self) -> str | None:
        """IANA name, such as ``Europe/Berlin``."""
        return self.facts.place.get("timezone")

    @property
    def postal_code(self) -> str | None:
        """Postal code."""
        return self.facts.place.get("postal_code")

    @property
    def city(self) -> str | None:
        """City."""
        return self.facts.place.get("city")

    @property
    def region(self) -> str | None:
        """First-level subdivision."""
        return self.facts.place.get("region")

    @property
    def country_name(self) -> str | None:
        """Country, in English."""
        return self.facts.place.get("country_name")

    @property
    def continent(self) -> str | None:
        """Two letters, such as ``EU``."""
        return self.facts.place.get("continent")

    @property
    def continent_name(self) -> str | None:
        """Continent, in English."""
        return self.facts.place.get("continent_name")

    @property
    def asn_name(self) -> str | None:
        """Who runs the autonomous system."""
        return self.facts.place.get("asn_name")

    @property
    def asn_domain(self) -> str | None:
        """Its domain."""
        return self.facts.place.get("asn_domain")

    @property
    def asn_type(self) -> str | None:
        """What it is for, such as ``hosting`` or ``isp``."""
        return self.facts.place.get("asn_type")

    @property
    def asn_country(self) -> str | None:
        """Where it is registered: ISO 3166-1 code of two letters."""
        return self.facts.place.get("asn_country")

    @property
    def service(self) -> str | None:
        """The service that the address belongs to."""
        return self.facts.place.get("service")

    @property
    def details(self) -> IPDetails:
        """Everything as plain attributes, as in Arcjet's ``IpDetails``."""
        return IPDetails(self)

    def to_dict(self) -> dict[str, object]:
        """Address, how it was found, and what is known."""
        facts = self.facts
        kinds = {kind: list(facts.names.get(kind, ())) for kind in KINDS if facts.is_kind(kind)}
        flags = {_WIRE_FLAGS[kind]: facts.is_kind(kind) for kind in KINDS if facts.is_kind(kind) is not None}
        found = {"address": self.address, "provenance": self.provenance}
        return {**found, **flags, **({"names": kinds} if kinds else {}), **_camel(facts.place)}


class IPDetails:
    """An :class:`IPInfo` by the names of Arcjet's ``IpDetails``, where ``is_vpn`` is a value. Unknown is None."""

    def __init__(self, info: IPInfo) -> None:
        self._info = info

    def __getattr__(self, name: str) -> object:
        value: object = getattr(self._info, name)
        return value() if name.startswith("is_") and callable(value) else value


_WIRE_FLAGS = {kind: "isAbuser" if kind == "abuse" else f"is{kind.capitalize()}" for kind in KINDS}


def _degrees(text: str | None) -> float | None:
    try:
        return float(text) if text is not None else None
    except ValueError:
        return None


def _camel(place: Mapping[str, str]) -> dict[str, str]:
    """``asn_name`` is ``asnName`` on the wire (proto3 JSON mapping)."""
    return {name[0] + name.title().replace("_", "")[1:]: value for name, value in place.items()}
