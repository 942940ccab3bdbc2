"""The made-up DNS of :mod:`demo.names` as a name server, for a program that can only be given a server's address."""

from __future__ import annotations

import contextlib
import socketserver
import threading
from typing import Any, Self

import dns.exception
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from demo.names import pretended
from doorward.effects import DnsKind

HOST = "127.0.0.1"
TTL = 60
SECONDS = 5.0
"""That a connection may say nothing."""
TRIES = 20
"""To find a port that is free for both UDP and TCP."""


class NameServer:
    """Answers on one port of this computer, by UDP and TCP, on threads of its own. A context manager.

    Attributes:
        address: As ``doorward serve --resolver`` takes it.
    """

    def __init__(self) -> None:
        self._servers = _bound()
        self.address = f"{HOST}:{self._servers[0].server_address[1]}"
        self._threads = [threading.Thread(target=one.serve_forever, args=(0.05,)) for one in self._servers]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()
        for thread in self._threads:
            thread.join()


def response(wire: bytes) -> bytes:
    """What the server says to a message; empty to one that is no question.

    Args:
        wire: As it came (RFC 1035).
    """
    try:
        query = dns.message.from_wire(wire)
        reply = dns.message.make_response(query)
    except (dns.exception.DNSException, ValueError):
        return b""
    if not query.question:
        return b""
    name, kind = query.question[0].name, dns.rdatatype.to_text(query.question[0].rdtype)
    if kind in list(DnsKind):
        answer = pretended(name.to_text(omit_final_dot=True).lower(), DnsKind(kind))
        if not answer.exists:
            reply.set_rcode(dns.rcode.NXDOMAIN)
        elif answer.records:  # only MX has any
            hosts = [f"10 {host}." for host in answer.records]
            reply.answer.append(dns.rrset.from_text(name, TTL, "IN", kind, *hosts))
    return reply.to_wire()


# --- on the wire


class _ByUdp(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        wire, connection = self.request
        if reply := response(wire):
            connection.sendto(reply, self.client_address)


class _ByTcp(socketserver.StreamRequestHandler):
    """Each message has its length before it (RFC 1035, 4.2.2); several may come on one connection."""

    timeout = SECONDS

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            while reply := response(self.rfile.read(int.from_bytes(self.rfile.read(2), "big"))):
                self.wfile.write(len(reply).to_bytes(2, "big") + reply)


class _TcpServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True


def _bound() -> list[Any]:
    """A server of each kind, on the same port."""
    for _ in range(TRIES):
        by_udp = socketserver.UDPServer((HOST, 0), _ByUdp)
        try:
            return [by_udp, _TcpServer(by_udp.server_address, _ByTcp)]
        except OSError:  # somebody else's
            by_udp.server_close()
    raise OSError(f"no port of {HOST} is free for both UDP and TCP")


__all__ = ["NameServer", "response"]
