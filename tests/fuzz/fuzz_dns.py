"""Whatever name servers answer, a look-up ends after a bounded number of questions, with an answer or a ResolverError.

An input is the kind of question in the first byte, then messages between separators, each without its id. They come
one after the other, whatever is asked; when there are no more the servers are silent.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from ipaddress import ip_address

from tests.fuzz.harness import fuzz, instrumented

with instrumented(__name__):
    import dns.message
    import dns.rcode
    import dns.rdataclass
    import dns.rdatatype

    from doorward.effects import DnsAnswer, DnsKind
    from doorward.errors import ResolverError
    from doorward.resolving.honesty import Honesty
    from doorward.resolving.lookup import ROUNDS, Ask, Upstream, lookup
    from doorward.resolving.messages import MOST_ALIASES, MOST_CHARACTERS, MOST_KEPT, Found, Truncated
    from doorward.resolving.servers import parse_servers
    from doorward.testing import FakeClock

SEPARATOR = b"--next--"
KINDS = tuple(DnsKind)
NAMES = {DnsKind.PTR: "1.2.0.192.in-addr.arpa"}
SERVERS = parse_servers(["192.0.2.1", "[2001:db8::1]:5353"], "servers")
MOST_ASKED = (MOST_ALIASES + 2) * len(SERVERS) * ROUNDS * 4  # with and without EDNS, by UDP and by TCP
FAR = 10_000.0


class Wire:
    """What the servers send."""

    def __init__(self, messages: list[bytes]) -> None:
        self._coming: Iterator[bytes] = iter(messages)
        self.asked = 0
        self.accepted: list[dns.message.Message] = []

    def exchange(self, ask: Ask) -> object:
        """Send one message after the other until one is read.

        Raises:
            TimeoutError: There is no more.
        """
        self.asked += 1
        assert self.asked <= MOST_ASKED
        assert len(ask.wire) <= 512
        for message in self._coming:
            reply = ask.read(ask.wire[:2] + message)
            if reply is not None:
                assert not (ask.tcp and isinstance(reply, Truncated))
                if isinstance(reply, dns.message.Message):
                    self.accepted.append(reply)
                return reply
        raise TimeoutError


def looked_up(kind: DnsKind, wire: Wire) -> Found | ResolverError:
    name = NAMES.get(kind, "example.com")
    upstream = Upstream(SERVERS, lambda: None, Honesty(FakeClock()))
    steps = lookup(name, kind, upstream, time.monotonic() + FAR)
    try:
        ask = next(steps)
        while True:
            try:
                reply = wire.exchange(ask)
            except TimeoutError as error:
                ask = steps.throw(error)
            else:
                ask = steps.send(reply)
    except StopIteration as stop:
        found: Found = stop.value
        return found
    except ResolverError as error:
        return error


def check_answer(kind: DnsKind, found: Found, accepted: list[dns.message.Message]) -> None:
    """It is what the last message says, in the words of a DnsAnswer, and not too much of it."""
    answer = found.answer
    assert isinstance(answer, DnsAnswer)
    assert found.ttl >= 0
    assert isinstance(answer.records, tuple)
    assert len(answer.records) <= MOST_KEPT
    assert sum(map(len, answer.records)) <= MOST_CHARACTERS
    assert answer.exists or not answer.records
    # The last message may be the answer about the root, which is asked whether a denial is to be believed.
    assert answer.exists or any(message.rcode() == dns.rcode.NXDOMAIN for message in accepted)
    wanted = (dns.rdataclass.IN, dns.rdatatype.from_text(kind))
    there = {str(one) for rrset in accepted[-1].answer if (rrset.rdclass, rrset.rdtype) == wanted for one in rrset}
    assert bool(answer.records) <= bool(there)
    for record in answer.records:
        assert record.isascii(), record
        assert record.isprintable(), record
        assert record == record.lower()
        if kind in (DnsKind.A, DnsKind.AAAA):
            assert record in {str(ip_address(text)) for text in there}
        else:
            assert any(text.lower().endswith(f"{record}.") for text in there), record


def target(data: bytes) -> None:
    kind = KINDS[data[0] % len(KINDS)] if data else DnsKind.MX
    wire = Wire(data[1:].split(SEPARATOR))
    found = looked_up(kind, wire)
    if isinstance(found, Found):
        check_answer(kind, found, wire.accepted)
    else:
        assert str(found).isprintable(), found
        assert len(str(found)) < 400, found


if __name__ == "__main__":
    fuzz(target, "dns")
