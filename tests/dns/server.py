"""A real name server on loopback for tests, UDP and TCP on one port, which can also do everything wrong.

Zones are texts as in a zone file, by name and kind::

    with DnsServer({"example.com": {"MX": ["10 mx.example.com."], "A": ["192.0.2.1"]},
                    "old.example": {"CNAME": ["example.com."]},
                    reverse("66.249.66.1"): {"PTR": ["crawl-66-249-66-1.googlebot.com."]}}) as server:
        aj = Doorward(rules, resolver=server.address)          # or DnsResolver([server.address])
        ...
        assert server.asked["example.com", "MX"] == 1

It answers like a resolver: aliases are followed as far as the zones go, a name without the kind gets NODATA, a name
that is not there NXDOMAIN, both with an SOA; the root is there. ``server.zones`` may be changed at any time.

How it misbehaves is one of :mod:`tests.dns.behaviours` (to be had from here too), for one name or for all of them, and
may be changed at any time too::

    server.behave("dead.example", silent)
    server.behave(ALL, servfail)             # every name; also the root, which a doubting resolver asks for
    server.behave(ALL, denying)              # a captive portal: also the root does not exist
    server.behave("slow.example", held)      # answers once the test calls server.release()
    server.behave("x.example", after(wrong_id, honest))

Nothing sleeps: tests wait for ``server.wait_for(number_of_questions)`` and let answers go with ``server.release()``.
``server.questions`` lists what came in as (name, kind, transport), ``server.asked`` counts by (name, kind); names are
in lower case without the final dot, the root is "". For an address where nobody listens there is :func:`closed_port`.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import socketserver
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Literal, Self

import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
from tests.dns.behaviours import (
    FORGED,
    HANG_UP,
    PATIENCE,
    Asked,
    Behaviour,
    Elsewhere,
    Raw,
    after,
    contradictory,
    denying,
    drips,
    garbage,
    hangs_up,
    held,
    honest,
    no_response,
    only_by_tcp,
    only_first_alias,
    other_names,
    plain,
    referring,
    refused,
    says,
    sends,
    servfail,
    silent,
    times,
    truncating,
    without_edns,
    wrong_id,
    wrong_question,
    wrong_source,
)

__all__ = [
    "ALL",
    "FORGED",
    "HANG_UP",
    "PATIENCE",
    "Asked",
    "Behaviour",
    "DnsServer",
    "Elsewhere",
    "Raw",
    "after",
    "closed_port",
    "contradictory",
    "denying",
    "drips",
    "garbage",
    "hangs_up",
    "held",
    "honest",
    "no_response",
    "only_by_tcp",
    "only_first_alias",
    "other_names",
    "referring",
    "refused",
    "reverse",
    "says",
    "sends",
    "servfail",
    "silent",
    "times",
    "truncating",
    "without_edns",
    "wrong_id",
    "wrong_question",
    "wrong_source",
]

ALL = "*"

SOA = "ns.example. host.example. 1 7200 900 1209600 300"
MOST_FOLLOWED = 20

Zones = Mapping[str, Mapping[str, Iterable[str]]]


def reverse(address: str) -> str:
    """The name whose PTR records say what an address is called."""
    return ipaddress.ip_address(address).reverse_pointer


def closed_port() -> str:
    """An address where nobody listens."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


class DnsServer:
    """See the module's docstring. A context manager; threads of its own.

    Args:
        zones: Records by name and kind.
        ttl: Seconds for which positive answers hold; negative ones hold for 300.
    """

    def __init__(self, zones: Zones | None = None, *, ttl: int = 300) -> None:
        self.zones: dict[str, Mapping[str, Iterable[str]]] = {ALL: {}, **(zones or {})}
        self.ttl = ttl
        self.released = threading.Event()
        self.closing = threading.Event()
        self.questions: list[tuple[str, str, str]] = []
        self.asked: Counter[tuple[str, str]] = Counter()
        self._behaviours: dict[str, Behaviour] = {}
        self._came = threading.Condition()
        self._udp, self._tcp = _bound(self)
        self.port: int = self._udp.server_address[1]
        self.address = f"127.0.0.1:{self.port}"
        self._threads = [
            threading.Thread(target=each.serve_forever, args=(0.005,), daemon=True) for each in (self._udp, self._tcp)
        ]

    def behave(self, name: str, behaviour: Behaviour) -> None:
        """From now on, answer questions about ``name`` (or :data:`ALL`) like this."""
        self._behaviours[name.lower()] = behaviour

    def release(self) -> None:
        """Let go of the answers that are :func:`held`."""
        self.released.set()

    def wait_for(self, number: int) -> None:
        """Wait until so many questions have come in since the start."""
        with self._came:
            assert self._came.wait_for(lambda: len(self.questions) >= number, PATIENCE), self.questions

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self.released.set()
        for server, thread in zip((self._udp, self._tcp), self._threads, strict=True):
            server.shutdown()
            thread.join(PATIENCE)
            server.server_close()

    def heard(self, query: dns.message.Message, transport: Literal["udp", "tcp"]) -> Iterable[bytes]:
        """Take note of a question; what to send for it."""
        asked = Asked(query, transport, self)
        with self._came:
            self.questions.append((asked.name, asked.kind, transport))
            self.asked[asked.name, asked.kind] += 1
            self._came.notify_all()
        behaviour = self._behaviours.get(asked.name) or self._behaviours.get(ALL) or honest
        return behaviour(asked)

    def answer(self, query: dns.message.Message) -> dns.message.Message:
        """The response that the zones have for ``query``."""
        response = dns.message.make_response(query, recursion_available=True)
        name, kind = query.question[0].name, dns.rdatatype.to_text(query.question[0].rdtype)
        for _ in range(MOST_FOLLOWED):
            records = self._records(name)
            if kind in records:
                response.answer.append(dns.rrset.from_text(name, self.ttl, "IN", kind, *records[kind]))
                return response
            if "CNAME" not in records:
                break
            response.answer.append(dns.rrset.from_text(name, self.ttl, "IN", "CNAME", *records["CNAME"]))
            name = response.answer[-1][0].target
        if not self._exists(plain(name)):
            response.set_rcode(dns.rcode.NXDOMAIN)
        response.authority.append(dns.rrset.from_text(dns.name.root, 300, "IN", "SOA", SOA))
        return response

    def _records(self, name: dns.name.Name) -> Mapping[str, Iterable[str]]:
        return self.zones.get(plain(name)) or {}

    def _exists(self, name: str) -> bool:
        return not name or any(known == name or known.endswith(f".{name}") for known in self.zones)


class _Udp(socketserver.ThreadingUDPServer):
    daemon_threads = True
    block_on_close = False
    max_packet_size = 65535
    request_queue_size = 1024


class _Tcp(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128


def _bound(owner: DnsServer) -> tuple[_Udp, _Tcp]:
    class Udp(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            data, own = self.request
            for wire in owner.heard(dns.message.from_wire(data), "udp"):
                _send_datagram(own, wire, self.client_address)

    class Tcp(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(ConnectionError):  # whoever asked has given up
                _serve_connection(owner, self.request)

    for _ in range(100):
        udp = _Udp(("127.0.0.1", 0), Udp)
        try:
            return udp, _Tcp(udp.server_address, Tcp)
        except OSError:  # the port is free for UDP only
            udp.server_close()
    raise AssertionError("no port is free for both UDP and TCP")


def _send_datagram(own: socket.socket, wire: bytes, to: Any) -> None:
    if isinstance(wire, Elsewhere):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.sendto(wire, to)
    elif own.fileno() >= 0:  # a held answer may come after the end
        own.sendto(wire, to)


def _serve_connection(owner: DnsServer, connection: socket.socket) -> None:
    size = int.from_bytes(_exactly(connection, 2), "big")
    wire = _exactly(connection, size)
    if not wire:
        return
    for piece in owner.heard(dns.message.from_wire(wire), "tcp"):
        if piece is HANG_UP:
            return
        connection.sendall(piece if isinstance(piece, Raw) else len(piece).to_bytes(2, "big") + piece)
    owner.closing.wait(PATIENCE)


def _exactly(connection: socket.socket, size: int) -> bytes:
    held = b""
    while len(held) < size and (part := connection.recv(size - len(held))):
        held += part
    return held
