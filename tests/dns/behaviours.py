"""How the name server of :mod:`tests.dns.server` answers: honestly, or wrong in all the ways there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

if TYPE_CHECKING:
    from tests.dns.server import DnsServer

PATIENCE = 20
"""Seconds after which a test has failed; nothing waits this long when all is well."""


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
        return plain(self.query.question[0].name)

    @property
    def kind(self) -> str:
        return dns.rdatatype.to_text(self.query.question[0].rdtype)

    def answer(self) -> dns.message.Message:
        """The honest response, to send or to spoil."""
        return self.server.answer(self.query)


Behaviour = Callable[[Asked], Iterable[bytes]]
"""What is sent for a question, piece by piece; by UDP each is a datagram, by TCP a message unless it is Raw."""


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
denying = says(dns.rcode.NXDOMAIN)


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


def plain(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower().removesuffix(".")
