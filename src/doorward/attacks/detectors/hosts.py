"""Which network a host of a URL is in, however it is written.

Sources: RFC 6890 (special-purpose addresses), the WHATWG URL standard section 3.5 and POSIX inet_addr (the forms of an
IPv4 address), RFC 4291 section 2.5.5 and RFC 6052 (IPv4 addresses in IPv6 ones).
"""

from __future__ import annotations

import re
from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import TYPE_CHECKING, NamedTuple
from unicodedata import normalize
from urllib.parse import unquote

if TYPE_CHECKING:
    from doorward.attacks.rulebook import Rulebook

LONGEST = 255
_PART = re.compile(r"0x[0-9a-f]{0,64}|\d{1,80}")
_LABEL = re.compile(r"[a-z_][a-z0-9_]*+")
_EMBEDDED = re.compile(
    r"(?<!\d)(\d{1,3})[.-](\d{1,3})[.-](\d{1,3})[.-](\d{1,3})(?!\d)|(?<![0-9a-z])([0-9a-f]{8})(?![0-9a-z])"
)
_EIGHT_DIGITS = re.compile(r"[0-9a-f]{8}")
_LABEL_DOTS = str.maketrans("。．｡", "...")
_PRIVATE = tuple(
    map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7", "fec0::/10"))
)
_NAT64 = IPv6Address("64:ff9b::")


class Zone(IntEnum):
    """Whose network a host is in; the greater, the less business a client has there."""

    PUBLIC = 0
    PRIVATE = 1
    OWN = 2
    METADATA = 3


class Host(NamedTuple):
    """What a host comes to.

    Attributes:
        zone: Whose network.
        disguised: It is an address, and not in one of the two forms in which people write them.
        address: It is an address, not a name.
    """

    zone: Zone
    disguised: bool = False
    address: bool = False


PUBLIC = Host(Zone.PUBLIC)


class Hosts:
    """Knows names and addresses of a server's own network.

    Args:
        book: The rules of ``ssrf.toml``, for the vocabularies.
    """

    def __init__(self, book: Rulebook) -> None:
        self._metadata_names = book.words("metadata_hosts")
        self._own_names = book.words("own_hosts")
        self._own_suffixes = tuple(sorted(book.words("own_suffixes")))
        self._inner_suffixes = tuple(sorted(book.words("inner_suffixes")))
        self._wildcards = tuple(sorted(book.words("wildcard_suffixes")))
        self._services = book.words("service_hosts")
        self._service_ports = book.words("service_ports")
        self._metadata = frozenset(map(_parsed, book.words("metadata_addresses")))

    def labels(self) -> frozenset[str]:
        """Words of which each of the names and suffixes that tell has one, but for names that begin with a digit."""
        suffixes = (*self._own_suffixes, *self._inner_suffixes, *self._wildcards)
        names = (*self._metadata_names, *self._own_names, *self._services, *suffixes)
        return frozenset([max(_LABEL.findall(name), key=len) for name in names if not name[0].isdigit()])

    def host(self, text: str) -> Host:
        """What the host part of an authority comes to; it may have a port. Never raises."""
        plain = text[:LONGEST].lower()
        name = unquote(plain) if "%" in plain else plain
        if not name.isascii():
            name = normalize("NFKC", name.translate(_LABEL_DOTS)).translate(_LABEL_DOTS).lower()
        disguised = name != plain
        if name.startswith("["):
            return self._of_ipv6(name[1:].partition("]")[0], disguised=disguised)
        name, _, port = name.partition(":")
        name = name.partition("\0")[0].rstrip(".")
        if not name:
            return PUBLIC
        if _EIGHT_DIGITS.fullmatch(name) and not name.isdigit():
            return self._of_hexadecimal(name)
        if name in self._services and port in self._service_ports:
            return Host(Zone.PRIVATE, disguised, True)
        if name[0].isdigit():
            address = ipv4(name)
            if address is not None:
                return self._of_address(address, disguised=disguised or str(address) != name)
        return self._of_name(name, disguised=disguised)

    def _of_hexadecimal(self, name: str) -> Host:
        """An address as one number without ``0x``: what some libraries still take; names of hosts can look so, too."""
        found = self._of_address(IPv4Address(int(name, 16)), disguised=True)
        return found if found.zone > Zone.PRIVATE else PUBLIC

    def _of_name(self, name: str, *, disguised: bool) -> Host:
        if name in self._metadata_names:
            return Host(Zone.METADATA, disguised)
        if name in self._own_names or name.endswith(self._own_suffixes):
            return Host(Zone.OWN, disguised)
        if name.endswith(self._wildcards):
            return self._embedded(name)
        if name.endswith(self._inner_suffixes):
            return Host(Zone.PRIVATE, disguised)
        return PUBLIC

    def _embedded(self, name: str) -> Host:
        """What a name stands for that is answered with the address in it."""
        worst = PUBLIC
        for found in _EMBEDDED.finditer(name):
            dotted = ".".join(found.group(1, 2, 3, 4)) if found[1] else str(int(found[5], 16))
            address = ipv4(dotted)
            if address is not None:
                worst = max(worst, self._of_address(address, disguised=False))
        return worst

    def _of_ipv6(self, text: str, *, disguised: bool) -> Host:
        try:
            address = IPv6Address(text.partition("%")[0])
        except ValueError:
            return PUBLIC
        inner = _inner(address)
        if inner is not None:
            return self._of_address(inner, disguised=True)
        return self._of_address(address, disguised=disguised)

    def _of_address(self, address: IPv4Address | IPv6Address, *, disguised: bool) -> Host:
        if address in self._metadata:
            return Host(Zone.METADATA, disguised, True)
        if address.is_loopback or address.is_unspecified or (address.version == 4 and int(address) >> 24 == 0):
            return Host(Zone.OWN, disguised, True)
        if address.is_link_local:
            return Host(Zone.METADATA if address.version == 4 else Zone.PRIVATE, disguised, True)
        # is_private also has the networks for documentation, which lead nowhere.
        private = any([address.version == network.version and address in network for network in _PRIVATE])
        return Host(Zone.PRIVATE if private else Zone.PUBLIC, disguised and private, True)


def ipv4(text: str) -> IPv4Address | None:
    """An IPv4 address in any form that inet_aton takes: one to four decimal, octal or hexadecimal numbers.

    Numbers that are too large are cut to what the address has room for, as some libraries do.
    """
    parts = text.split(".", 4)
    if len(parts) > 4:
        return None
    numbers = [_number(part) for part in parts]
    total = 0
    for number in numbers[:-1]:
        if number is None:
            return None
        total = total << 8 | number & 0xFF
    last = numbers[-1]
    if last is None:
        return None
    bits = 8 * (5 - len(parts))
    return IPv4Address(total << bits | last & ((1 << bits) - 1))


def _number(part: str) -> int | None:
    if _PART.fullmatch(part) is None:
        return None
    if part.startswith("0x"):
        return int(part[2:] or "0", 16)
    if part[0] == "0" and len(part) > 1:
        return int(part, 8) if part.strip("01234567") == "" else None
    return int(part)


def _inner(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    packed = int(address)
    if packed >> 32 == int(_NAT64) >> 32 or (packed >> 32 == 0 and packed > 0xFFFF):
        return IPv4Address(packed & 0xFFFFFFFF)
    return None


def _parsed(text: str) -> IPv4Address | IPv6Address:
    return IPv6Address(text) if ":" in text else IPv4Address(text)
