"""A real name server on loopback for tests, UDP and TCP on one port, which can also do everything wrong.

Zones are texts as in a zone file, by name and kind::

    with DnsServer({"example.com": {"MX": ["10 mx.example.com."], "A": ["192.0.2.1"]},
                    "old.example": {"CNAME": ["example.com."]},
                    reverse("66.249.66.1"): {"PTR": ["crawl-66-249-66-1.googlebot.com."]}}) as server:
        aj = Doorward(rules, resolver=server.address)          # or DnsResolver([server.address])
        ...
        assert server.asked["example.com", "MX"] == 1

It answers like a resolver: aliases are followed as far as the zones go, a name without the kind gets NODATA, a name
that is not there NXDOMAIN, both with an SOA. ``server.zones`` may be changed at any time.

How it misbehaves is a :data:`Behaviour`, for one name or for all of them, and may be changed at any time too::

    server.behave("dead.example", silent)
    server.behave(ALL, servfail)             # every name; also the root, which a doubting resolver asks for
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
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

ALL = "*"
PATIENCE = 20
"""Seconds after which a test has failed; nothing waits this long when all is well."""

SOA = "ns.example. host.example. 1 7200 900 1209600 300"
MOST_FOLLOWED = 20

Zones = Mapping[str, Mapping[str, Iterable[str]]]


class Elsewhere(bytes):
    """A datagram that comes from another address than the one asked."""


class Raw(bytes):
    """Bytes for TCP as they are, without the length in front."""


@dataclass
class Asked:
    """A question that came in.

    Attributes:
        query: The message.
        transport: How it came.
        server: Who was asked.
    """

    query: dns.message.Message
    transport: Literal["udp", "tcp"]
    server: DnsServer

    @property
    def name(self) -> str:
        return _plain(self.query.question[0].name)

    @property
    def kind(self) -> str:
        return dns.rdatatype.to_text(self.query.question[0].rdtype)

    def answer(self) -> dns.message.Message:
        """The honest response, to send or to spoil."""
        return self.server.answer(self.query)


Behaviour = Callable[[Asked], Iterable[bytes]]
"""What is sent for a question, piece by piece; by UDP each is a datagram, by TCP a message unless it is Raw."""


# --- behaviours


def honest(asked: Asked) -> Iterable[bytes]:
    """The answer, as the zones have it; as long as it takes, also by UDP."""
    yield asked.answer().to_wire(max_size=65535)


def silent(asked: Asked) -> Iterable[bytes]:
    """Nothing, ever; a connection stays open."""
    del asked
    return ()


def held(asked: Asked) -> Iterable[bytes]:
    """The answer, once the test calls ``server.release()``."""
    asked.server.released.wait(PATIENCE)
    yield from honest(asked)


def says(rcode: dns.rcode.Rcode) -> Behaviour:
    """An empty response with this code."""

    def behaviour(asked: Asked) -> Iterable[bytes]:
        response = dns.message.make_response(asked.query, recursion_available=True)
        response.set_rcode(rcode)
        yield response.to_wire()

    return behaviour


servfail = says(dns.rcode.SERVFAIL)
refused = says(dns.rcode.REFUSED)


def without_edns(asked: Asked) -> Iterable[bytes]:
    """FORMERR, without a question, for whoever speaks EDNS."""
    if asked.query.edns < 0:
        yield from honest(asked)
        return
    response = dns.message.Message(asked.query.id)
    response.flags = dns.flags.QR
    response.set_rcode(dns.rcode.FORMERR)
    yield response.to_wire()


def truncating(asked: Asked) -> Iterable[bytes]:
    """By UDP the beginning of the answer with the flag TC, by TCP all of it."""
    if asked.transport == "tcp":
        yield from honest(asked)
        return
    response = asked.answer()
    response.flags |= dns.flags.TC
    yield response.to_wire(max_size=65535)[:40]


def only_by_tcp(behaviour: Behaviour) -> Behaviour:
    """By UDP truncated, by TCP something else."""
    return lambda asked: (behaviour if asked.transport == "tcp" else truncating)(asked)


def hangs_up(asked: Asked) -> Iterable[bytes]:
    """TCP: the first half of the answer, then the connection ends."""
    wire = asked.answer().to_wire()
    yield Raw(len(wire).to_bytes(2, "big") + wire[: len(wire) // 2])
    yield HANG_UP


HANG_UP = Raw()


def drips(asked: Asked) -> Iterable[bytes]:
    """TCP: a byte now and then of a message that never ends."""
    yield Raw(b"\xff\xff")
    while not asked.server.closing.wait(0.005):
        yield Raw(b"\0")


def wrong_id(asked: Asked) -> Iterable[bytes]:
    """The answer under another id: what somebody sends who cannot see the question."""
    response = _forged(asked)
    response.id ^= 1
    yield response.to_wire()


def wrong_question(asked: Asked) -> Iterable[bytes]:
    """The right id, an answer to another question."""
    query = dns.message.make_query("elsewhere.example", asked.kind, id=asked.query.id)
    response = dns.message.make_response(query)
    response.answer.append(dns.rrset.from_text("elsewhere.example.", 300, "IN", *_forgery(asked.kind)))
    yield response.to_wire()


def other_names(asked: Asked) -> Iterable[bytes]:
    """The right question, and records of a name that nobody asked about."""
    response = dns.message.make_response(asked.query, recursion_available=True)
    response.answer.append(dns.rrset.from_text("elsewhere.example.", 300, "IN", *_forgery(asked.kind)))
    yield response.to_wire()


def contradictory(asked: Asked) -> Iterable[bytes]:
    """NXDOMAIN, with records of the name."""
    response = _forged(asked)
    response.set_rcode(dns.rcode.NXDOMAIN)
    yield response.to_wire()


def referring(asked: Asked) -> Iterable[bytes]:
    """Nothing but the names of servers that know more: a server that does not resolve for us."""
    response = dns.message.make_response(asked.query)
    response.authority.append(dns.rrset.from_text("example.", 300, "IN", "NS", "ns.example."))
    yield response.to_wire()


def no_response(asked: Asked) -> Iterable[bytes]:
    """The question itself, sent back."""
    yield asked.query.to_wire()


def garbage(asked: Asked) -> Iterable[bytes]:
    """Bytes that are no message: none, one, noise, the answer cut in the middle."""
    yield from (b"", b"\0", b"\xff" * 512, asked.query.to_wire()[:2] + b"\x81\x80" + b"\xc0\x0c" * 200)
    yield asked.answer().to_wire()[:-5]


def wrong_source(asked: Asked) -> Iterable[bytes]:
    """UDP: a forged answer, right in everything, from another address."""
    yield Elsewhere(_forged(asked).to_wire())


def after(first: Behaviour, then: Behaviour) -> Behaviour:
    """One after the other, to the same question."""

    def behaviour(asked: Asked) -> Iterable[bytes]:
        yield from first(asked)
        yield from then(asked)

    return behaviour


def times(number: int, behaviour: Behaviour) -> Behaviour:
    """The same several times over, to the same question."""

    def repeated(asked: Asked) -> Iterable[bytes]:
        for _ in range(number):
            yield from behaviour(asked)

    return repeated


def sends(wire: bytes) -> Behaviour:
    """The question's id, then these bytes."""
    return lambda asked: [asked.query.to_wire()[:2] + wire]


def only_first_alias(asked: Asked) -> Iterable[bytes]:
    """An alias without what it stands for, as a server has it that does not resolve further."""
    response = asked.answer()
    del response.answer[1:]
    if response.answer and response.answer[0].rdtype == dns.rdatatype.CNAME:
        response.authority.clear()
        response.set_rcode(dns.rcode.NOERROR)
    yield response.to_wire()


def _forged(asked: Asked) -> dns.message.Message:
    response = dns.message.make_response(asked.query, recursion_available=True)
    name = asked.query.question[0].name
    response.answer.append(dns.rrset.from_text(name, 300, "IN", *_forgery(asked.kind)))
    return response


FORGED = "192.0.2.66"


def _forgery(kind: str) -> tuple[str, str]:
    records = {"A": FORGED, "AAAA": "2001:db8::66", "MX": "1 forged.example.", "PTR": "forged.example."}
    return kind, records.get(kind, "forged.example.")


def reverse(address: str) -> str:
    """The name whose PTR records say what an address is called."""
    return ipaddress.ip_address(address).reverse_pointer


def closed_port() -> str:
    """An address where nobody listens."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


# --- the server


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
        if not self._exists(_plain(name)):
            response.set_rcode(dns.rcode.NXDOMAIN)
        response.authority.append(dns.rrset.from_text(dns.name.root, 300, "IN", "SOA", SOA))
        return response

    def _records(self, name: dns.name.Name) -> Mapping[str, Iterable[str]]:
        return self.zones.get(_plain(name)) or {}

    def _exists(self, name: str) -> bool:
        return not name or any(known == name or known.endswith(f".{name}") for known in self.zones)


def _plain(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower().removesuffix(".")


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
