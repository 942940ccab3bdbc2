"""The network that a client stays within, and shares with its neighbours."""

from __future__ import annotations

from ipaddress import ip_network

from doorward.forwarded import packed, text_of

IPV4_PREFIX, IPV6_PREFIX = 24, 48
"""Bits: providers hand out addresses within these, and telephones change theirs."""


def network_of(ip: str) -> str:
    """The network of an address: its /24, or /48; itself where it is none.

    IPv4 in IPv6 is unwrapped.
    """
    address = packed(ip)
    if address is None:
        return ip
    prefix = IPV4_PREFIX if len(address) == 4 else IPV6_PREFIX
    return str(ip_network(f"{text_of(address)}/{prefix}", strict=False))
