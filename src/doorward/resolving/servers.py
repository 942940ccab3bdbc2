"""Addresses of name servers: as an application writes them, or as the host is configured."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, NamedTuple

from doorward.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable

PORT = 53
MOST_SERVERS = 3
"""Of the host's configuration: what resolv.conf(5) calls MAXNS. The deadline is shared among them."""


class Server(NamedTuple):
    """Where a name server listens, by UDP and TCP."""

    host: str
    port: int = PORT

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_servers(addresses: Iterable[object], field: str) -> tuple[Server, ...]:
    """Servers from texts such as ``"127.0.0.1:5353"``, ``"[::1]:53"`` or ``"9.9.9.9"``.

    Raises:
        ConfigurationError: One is no address, or there is none.
    """
    servers = tuple(_server(address, field) for address in addresses)
    if not servers:
        raise ConfigurationError(field, "must name at least one name server, such as '127.0.0.1:53'")
    return servers


def _server(address: object, field: str) -> Server:
    server = _parsed(address) if isinstance(address, str) else None
    if server is None:
        accepted = "the address of a name server such as '127.0.0.1:53', '[::1]:53' or '9.9.9.9'"
        raise ConfigurationError(field, f"must be {accepted}, not {address!r}")
    return server


def _parsed(address: str) -> Server | None:
    host, port = address, str(PORT)
    if address.startswith("["):
        host, _, port = address[1:].partition("]")
        port = port.removeprefix(":") or str(PORT)
    elif address.count(":") == 1:
        host, _, port = address.partition(":")
    try:
        ip_address(host)
    except ValueError:
        return None
    known = port.isascii() and port.isdecimal() and len(port) <= 5 and 1 <= int(port) <= 65535
    return Server(host, int(port)) if known else None


def system_servers() -> tuple[Server, ...]:
    """The host's name servers, read by dnspython; its own address where none is configured (resolv.conf(5))."""
    import dns.exception
    import dns.resolver

    try:
        found = dns.resolver.Resolver()
    except dns.exception.DNSException:
        return (Server("127.0.0.1"),)
    hosts = [str(getattr(server, "address", server)) for server in found.nameservers]
    return tuple(Server(host, found.port) for host in hosts[:MOST_SERVERS]) or (Server("127.0.0.1"),)
