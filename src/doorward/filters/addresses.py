"""Addresses, networks and ranges as they are configured, and sets of them."""

from __future__ import annotations

from bisect import bisect_right
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, NamedTuple

from doorward.forwarded import packed

if TYPE_CHECKING:
    from collections.abc import Iterable

_MAPPED = bytes(10) + b"\xff\xff"


class AddressRange(NamedTuple):
    """The addresses from ``low`` to ``high``, both in network order and of one family."""

    low: bytes
    high: bytes

    def covers(self, address: bytes) -> bool:
        """Whether a packed address is in it."""
        return len(address) == len(self.low) and self.low <= address <= self.high


def parse_range(text: str) -> AddressRange:
    """``192.0.2.1``, ``192.0.2.0/24``, ``192.0.2.1..192.0.2.9``, and the same in IPv6.

    IPv4 in IPv6 (``::ffff:192.0.2.1``) is IPv4, as it is in a client's address.

    Raises:
        ValueError: It is none of these; the text says why.
    """
    if "%" in text:
        raise ValueError(f"{text!r} has a zone, which no client's address has")
    low, dots, high = text.partition("..")
    if not dots:
        network = ip_network(text)
        return _checked(_unwrapped(network[0].packed), _unwrapped(network[-1].packed), text)
    return _checked(_unwrapped(ip_address(low).packed), _unwrapped(ip_address(high).packed), text)


def _unwrapped(address: bytes) -> bytes:
    return address[12:] if len(address) == 16 and address.startswith(_MAPPED) else address


def _checked(low: bytes, high: bytes, text: str) -> AddressRange:
    if len(low) != len(high):
        raise ValueError(f"{text!r} begins and ends in different families")
    if low > high:
        raise ValueError(f"{text!r} ends before it begins")
    return AddressRange(low, high)


class AddressSet:
    """A set of addresses, asked by bisection.

    Args:
        ranges: In any order; they may overlap.
    """

    __slots__ = ("_highs", "_lows")

    def __init__(self, ranges: Iterable[AddressRange]) -> None:
        self._lows: dict[int, list[bytes]] = {4: [], 16: []}
        self._highs: dict[int, list[bytes]] = {4: [], 16: []}
        for low, high in sorted(ranges):
            lows, highs = self._lows[len(low)], self._highs[len(low)]
            if highs and low <= highs[-1]:
                highs[-1] = max(high, highs[-1])
            else:
                lows.append(low)
                highs.append(high)

    def __contains__(self, address: object) -> bool:
        """Whether the text of an address is of one that is in the set."""
        key = packed(address) if isinstance(address, str) else None
        if key is None:
            return False
        index = bisect_right(self._lows[len(key)], key) - 1
        return index >= 0 and key <= self._highs[len(key)][index]
