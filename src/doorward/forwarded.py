"""Reads addresses, and the two headers in which proxies write down whom they saw.

Proxies append on the right, so that everything here reads from the right end and never further than it must: what a
client put in front can neither change what is read nor make it slow. Nothing here decides whom to believe; that is
:mod:`doorward.client_ip`.
"""

from __future__ import annotations

import re
from ipaddress import IPv6Address
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = [
    "LONGEST_ADDRESS",
    "canonical",
    "forwarded_nodes",
    "forwarded_protos",
    "list_items",
    "network_prefix",
    "packed",
    "text_of",
]

LONGEST_ADDRESS = 64
"""Characters of an address with brackets, zone and port; anything longer is garbage."""

_LONGEST_ELEMENT = 1024
"""Characters of one element of ``Forwarded``, whose ``host`` may be long; anything longer is garbage."""

_BLANK = " \t"
_PORT = re.compile(r":(?:[0-9]{1,5}|_[A-Za-z0-9._-]+)")  # RFC 7239 section 6: a port may be obfuscated too
_ZONE = re.compile(r"[A-Za-z0-9._~-]+")
_MAPPED = bytes(10) + b"\xff\xff"
_COMPATIBLE = bytes(12)


def packed(text: str) -> bytes | None:
    """One address as its 4 or 16 bytes in network order; None for anything else.

    Accepts ``192.0.2.1``, ``192.0.2.1:80``, ``2001:db8::1``, ``fe80::1%eth0``, ``[2001:db8::1]`` and
    ``[2001:db8::1]:80``, with blanks around. IPv4 in IPv6 (``::ffff:192.0.2.1``) comes out as IPv4, so that a client
    of a dual-stack socket has one identity. Octal, hexadecimal, short and Unicode forms are refused.
    """
    if len(text) > LONGEST_ADDRESS:
        return None
    text = text.strip(_BLANK)
    if text.startswith("["):
        host, bracket, port = text[1:].partition("]")
        return _ipv6(host) if bracket and _is_port(port) else None
    colons = text.count(":")
    if colons > 1:
        return _ipv6(text)
    host, colon, port = text.partition(":")
    return _ipv4(host) if _is_port(colon + port) else None


def _is_port(text: str) -> bool:
    return not text or _PORT.fullmatch(text) is not None


def _ipv4(text: str) -> bytes | None:
    try:
        return inet_pton(AF_INET, text)
    except (OSError, ValueError):  # ValueError: a NUL character, a lone surrogate
        return None


def _ipv6(text: str) -> bytes | None:
    host, percent, zone = text.partition("%")
    if percent and not _ZONE.fullmatch(zone):
        return None
    try:
        address = inet_pton(AF_INET6, host)
    except (OSError, ValueError):
        return None
    return address[12:] if address.startswith(_MAPPED) else address


def text_of(address: bytes) -> str:
    """The canonical text of a packed address: dotted IPv4, or IPv6 by RFC 5952."""
    if len(address) == 4:
        return inet_ntop(AF_INET, address)
    if address.startswith(_COMPATIBLE):  # C libraries disagree on ::102:304, and identities outlive a host
        return str(IPv6Address(address))
    return inet_ntop(AF_INET6, address)


def canonical(text: str) -> str | None:
    """One address as canonical text, without zone, port and brackets; None if it is no address.

    IPv4 is dotted, IPv6 compressed and lower case (RFC 5952), mapped IPv4 unwrapped. Accepts what :func:`packed` does.
    """
    address = packed(text)
    return None if address is None else text_of(address)


def network_prefix(address: str, ipv6_prefix: int = 64) -> str:
    """What counts as one client: an IPv4 address itself, the network of an IPv6 address.

    A subscriber is given a /64 or more (RFC 6177), so that a single IPv6 address identifies nobody.

    Args:
        address: Canonical text; ``""`` stays as it is.
        ipv6_prefix: Bits that count, 1 to 128.

    Returns:
        ``"192.0.2.1"``, or ``"2001:db8:1:2::/64"``.
    """
    if ":" not in address:
        return address
    whole = packed(address)
    if whole is None or len(whole) == 4:
        return address if whole is None else text_of(whole)
    dropped = 128 - ipv6_prefix
    network = int.from_bytes(whole, "big") >> dropped << dropped
    return f"{text_of(network.to_bytes(16, 'big'))}/{ipv6_prefix}"


def list_items(lines: Sequence[str]) -> Iterator[str]:
    """The comma-separated items of a header from right to left, last line first, without blanks around.

    An empty item comes out as ``""``. So does an item that is too long for an address, and the reading ends there.
    """
    for line in reversed(lines):
        end = len(line)
        while end >= 0:
            comma = line.rfind(",", max(0, end - LONGEST_ADDRESS - 1), end)
            if comma < 0 and end > LONGEST_ADDRESS:
                yield ""
                return
            yield line[comma + 1 : end].strip(_BLANK)
            end = comma


# An element of `Forwarded`, back to front. Read from the left, an unbalanced quote of the client would swallow what
# the proxy appended; read from the right, the proxy's own quotes are met first and are balanced. Back to front, an
# escaped quote is *followed* by a backslash, and an opening one never is: it is followed by "=".
_ELEMENT_REVERSED = re.compile(r'(?:[^",]++|"(?:[^"]++|"(?=\\))*+")*+')

_PAIR_TEXT = r"""[ \t]*+([!#$%&'*+\-.^_`|~0-9A-Za-z]++)=(?:"((?:[^"\\]|\\.)*+)"|([^\s",;]*+))[ \t]*+"""
_PAIR = re.compile(_PAIR_TEXT, re.DOTALL)
_ELEMENT = re.compile(rf"(?:{_PAIR_TEXT}|[ \t]*)(?:;(?:{_PAIR_TEXT}|[ \t]*))*", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def forwarded_nodes(lines: Sequence[str]) -> Iterator[str]:
    """The ``for`` values of ``Forwarded`` (RFC 7239) from right to left, last line first, unquoted.

    An element that names nobody comes out as ``""``. So does one that is malformed or too long, and the reading ends
    there. Obfuscated names (``_hidden``) and ``unknown`` come out as they are: they are no addresses.
    """
    return _from_the_right("for", lines)


def forwarded_protos(lines: Sequence[str]) -> Iterator[str]:
    """The ``proto`` values of ``Forwarded`` (RFC 7239 section 5.4) from right to left, as :func:`forwarded_nodes`."""
    return _from_the_right("proto", lines)


def _from_the_right(name: str, lines: Sequence[str]) -> Iterator[str]:
    for line in reversed(lines):
        end = len(line)
        while end >= 0:
            start = _element_start(line, end)
            if start is None:
                yield ""
                return
            yield _value_of(name, line[start:end])
            end = start - 1


def _element_start(line: str, end: int) -> int | None:
    """Where the element that ends at ``end`` begins; None if it is malformed or too long."""
    window = line[max(0, end - _LONGEST_ELEMENT - 1) : end][::-1]
    element = _ELEMENT_REVERSED.match(window)
    length = element.end() if element else 0
    if length > _LONGEST_ELEMENT:
        return None
    return end - length if length == end or window[length : length + 1] == "," else None


def _value_of(parameter: str, element: str) -> str:
    """The one value of a parameter of an element, or ``""``."""
    if not _ELEMENT.fullmatch(element):
        return ""
    values = [pair for pair in _PAIR.finditer(element) if pair[1].lower() == parameter]
    if len(values) != 1:
        return ""
    quoted, plain = values[0][2], values[0][3]
    return plain if quoted is None else _ESCAPED.sub(r"\1", quoted)
