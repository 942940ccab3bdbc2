"""What is known about addresses in tests: what the test says, and beneath it what comes with doorward."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from doorward.address_facts import KINDS, AddressFacts
from doorward.errors import ConfigurationError
from doorward.intelligence.address_book import AddressBook
from doorward.intelligence.addresses import parse, parse_network
from doorward.intelligence.library import Library

if TYPE_CHECKING:
    from doorward.intelligence.addresses import Network

PLACES = (
    "country", "country_name", "continent", "continent_name", "region", "city", "postal_code", "timezone", "latitude",
    "longitude", "accuracy_radius", "asn", "asn_name", "asn_domain", "asn_type", "asn_country", "service",
)  # fmt: skip
"""What can be said of where an address is: the attributes of ``decision.ip``."""

_NOBODYS = Path(__file__).parent / "no such folder"
SAID_BY = "the test"


class ScriptedAddresses:
    """Implements :class:`doorward.address_facts.Addresses`, and of the address book what a client asks of it.

    Of an address that it was told about every kind is known; of others no more than the files say that come with
    doorward (special-purpose ranges, and those that crawlers publish). Data of this machine is left out.
    """

    def __init__(self) -> None:
        self._told: list[tuple[Network, dict[str, object]]] = []

    def tell(self, address: str, **said: object) -> None:
        """Say what an address or a network is; what is said last comes first.

        Args:
            address: An address, or a network such as ``"203.0.113.0/24"``.
            **said: Kinds (``vpn=True``, ``tor=None`` for unknown, ``crawler="google-googlebot"``), and places
                (``country="DE"``, ``asn=64500``, ``city="Berlin"`` …).

        Raises:
            ConfigurationError: It is no address, or something is said that nobody could know.
        """
        try:
            network = parse_network(address)
        except ValueError as error:
            raise ConfigurationError("address", str(error)) from None
        for name in said:
            if name not in (*KINDS, *PLACES):
                raise ConfigurationError(name, f"must be one of {', '.join((*KINDS, *PLACES))}")
        self._told.insert(0, (network, said))

    def about(self, address: str) -> AddressFacts:
        """What is known about ``address``."""
        parsed, beneath = parse(address), _shipped().about(address)
        for network, said in self._told if parsed is not None else ():
            if parsed is not None and network.version == parsed[0] and network.first <= parsed[1] <= network.last:
                return _over(beneath, said)
        return beneath

    def known(self) -> frozenset[str]:
        """Everything: no rule is to be warned about data that a test can make up."""
        return frozenset({*KINDS, *PLACES, *_shipped().known()})


def _over(beneath: AddressFacts, said: dict[str, object]) -> AddressFacts:
    """What was said, and of the kinds that were not mentioned what is known anyway."""
    known = frozenset(kind for kind in KINDS if said.get(kind, False) is not None)
    names = {kind: whose for kind, whose in beneath.names.items() if kind not in said}
    names.update({kind: _names(said[kind]) for kind in KINDS if said.get(kind)})
    place = {name: str(said[name]) for name in PLACES if said.get(name) is not None}
    unmentioned = beneath.known - said.keys()
    return AddressFacts(unmentioned | known, MappingProxyType(names), MappingProxyType(place))


def _names(value: object) -> tuple[str, ...]:
    if value is True:
        return (SAID_BY,)
    return (value,) if isinstance(value, str) else tuple(map(str, value))  # type: ignore[call-overload]


@lru_cache(1)
def _shipped() -> AddressBook:
    return AddressBook(Library(_NOBODYS), installed_sets=False)


__all__ = ["ScriptedAddresses"]
