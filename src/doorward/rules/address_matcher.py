"""Whether a client's address is one of those that a rule names: by itself, by network, by what is known about it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from doorward.address_facts import KINDS
from doorward.errors import ConfigurationError
from doorward.filters.addresses import AddressRange, AddressSet, parse_range
from doorward.forwarded import packed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doorward.address_facts import AddressFacts
    from doorward.rules.base import View

_ACCEPTED: Final = (
    'accepted are addresses, networks ("192.0.2.0/24"), ranges ("192.0.2.1..192.0.2.9"), '
    f'"country:DE", "asn:64500", and the kinds {", ".join(KINDS)}'
)
_DESCRIPTIONS: Final = {
    "hosting": "at a hosting provider",
    "vpn": "a VPN",
    "proxy": "an open proxy",
    "tor": "a Tor exit",
    "relay": "a privacy relay",
    "abuse": "listed for abuse",
    "crawler": "a crawler's",
    "reserved": "reserved",
}
_COUNTRY: Final = re.compile(r"[A-Z]{2}")
_ASN: Final = re.compile(r"(?:AS)?(0|[1-9][0-9]{0,9})")
_LARGEST_ASN: Final = 2**32 - 1  # RFC 6793
_WORD: Final = re.compile(r"[A-Za-z_-]+")


class AddressFinder:
    """The addresses that a rule names.

    Attributes:
        items: What names them, each in its one form.
        reads: What it wants to know about the client's address.
    """

    __slots__ = ("_asns", "_countries", "_kinds", "_ranges", "_set", "items", "reads")

    def __init__(self, parsed: Sequence[_Item]) -> None:
        self.items = [item.text for item in parsed]
        self._ranges = [(item.range, item.text) for item in parsed if item.range is not None]
        self._set = AddressSet(found for found, _ in self._ranges)
        self._kinds = _named(parsed, "kind")
        self._countries = _named(parsed, "country")
        self._asns = _named(parsed, "asn")
        places = (("country", self._countries), ("asn", self._asns))
        self.reads = frozenset([*self._kinds, *[name for name, wanted in places if wanted]])

    def find(self, view: View) -> str:
        """What the client's address is that the rule names, as words to stand behind "is"; empty when it is not."""
        if self._ranges and view.ip in self._set:
            return self._range(view.ip)
        return self._about(view.addresses.about(view.ip)) if self.reads else ""

    def holds(self, view: View) -> bool | None:
        """Whether the client's address is one that the rule names; None where there is no data to tell."""
        if not view.ip:
            return None
        if self.find(view):
            return True
        if not self.reads:
            return False
        facts = view.addresses.about(view.ip)
        places = [name for name, wanted in (("country", self._countries), ("asn", self._asns)) if wanted]
        told = all([facts.is_kind(kind) is not None for kind in self._kinds]) and all(
            [p in facts.place for p in places]
        )
        return False if told else None

    def _range(self, ip: str) -> str:
        address = packed(ip) or b""
        return next(text if low == high else f"in {text}" for (low, high), text in self._ranges
                    if AddressRange(low, high).covers(address))  # fmt: skip

    def _about(self, facts: AddressFacts) -> str:
        for kind in self._kinds:
            if facts.is_kind(kind):
                names = ", ".join(facts.names.get(kind, ()))
                return f"{_DESCRIPTIONS[kind]} ({names})" if names else _DESCRIPTIONS[kind]
        country, asn = facts.place.get("country", "").upper(), facts.place.get("asn", "")
        if country in self._countries:
            return f"in country {country}"
        return f"in AS{asn}" if asn in self._asns else ""


class _Item(NamedTuple):
    sort: str
    value: str
    text: str
    range: AddressRange | None = None


def _named(parsed: Sequence[_Item], sort: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item.value for item in parsed if item.sort == sort))


def address_finder(items: object, field: str) -> AddressFinder:
    """Compile what a rule says about addresses.

    Args:
        items: One text or several; the address has to be one of them.
        field: What to name in an error.

    Raises:
        ConfigurationError: There is none, or one means nothing.
    """
    given = [items] if isinstance(items, str) else items
    if not isinstance(given, list | tuple | set | frozenset):
        raise ConfigurationError(field, f"must be a list of text, not {items!r}; {_ACCEPTED}")
    if not given:
        raise ConfigurationError(field, f"is empty, and would match nobody: leave the rule out; {_ACCEPTED}")
    return AddressFinder([_item(item, field) for item in given])


def _item(item: object, field: str) -> _Item:
    text = item.strip() if isinstance(item, str) else ""
    sort, colon, value = text.partition(":")
    if text.lower() in KINDS:
        return _Item("kind", text.lower(), text.lower())
    if colon and sort.lower() == "country":
        return _country(value.strip().upper(), field)
    if colon and sort.lower() == "asn":
        return _asn(value.strip().upper(), field)
    try:
        return _Item("range", "", text, parse_range(text))
    except ValueError as error:
        is_word = not text or _WORD.fullmatch(sort)
        wrong = f"unknown{_nearest(sort)}" if is_word else f"no address or network ({error})"
        raise ConfigurationError(field, f"{item!r} is {wrong}; {_ACCEPTED}") from None


def _country(code: str, field: str) -> _Item:
    if not _COUNTRY.fullmatch(code):
        raise ConfigurationError(field, f'a country is a code of two letters, such as "country:DE", not {code!r}')
    if code == "UK":
        raise ConfigurationError(field, '"country:UK" is none of ISO 3166-1; the United Kingdom is "country:GB"')
    return _Item("country", code, f"country:{code}")


def _asn(number: str, field: str) -> _Item:
    match = _ASN.fullmatch(number)
    if match is None or int(match[1]) > _LARGEST_ASN:
        raise ConfigurationError(field, f'an AS is a number up to {_LARGEST_ASN}, as in "asn:64500", not {number!r}')
    return _Item("asn", match[1], f"asn:{match[1]}")


def _nearest(word: str) -> str:
    from difflib import get_close_matches  # imported where a mistake was made

    near = get_close_matches(word.lower(), [*KINDS, "country", "asn"], n=1)
    return f"; did you mean {near[0]}?" if near else ""
