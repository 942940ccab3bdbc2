"""What is read from responses: pure, and for any bytes."""

from __future__ import annotations

import contextlib
import time

import dns.message
import dns.rrset
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from doorward import ResolverError
from doorward.effects import DnsAnswer, DnsKind
from doorward.resolving.failures import NoAnswer
from doorward.resolving.honesty import Honesty, Root
from doorward.resolving.lookup import LIES, Ask, Upstream, lookup, prove
from doorward.resolving.messages import (
    MOST_READ,
    Alias,
    Found,
    NeedsPlain,
    Query,
    Truncated,
    Unusable,
    judge,
    parse_name,
)
from doorward.resolving.servers import Server
from doorward.testing import FakeClock

NAME = parse_name("example.com")


def response_to(query: Query, *answers: tuple[str, ...], authority: tuple[str, ...] = ()) -> bytes:
    response = dns.message.make_response(query._message, recursion_available=True)
    response.answer += [dns.rrset.from_text(name, 300, "IN", *rest) for name, *rest in answers]
    if authority:
        response.authority.append(dns.rrset.from_text(authority[0], 300, "IN", *authority[1:]))
    return response.to_wire(max_size=65535)


SOA = ("com.", "SOA", "ns.example. host.example. 1 2 3 4 60")
RESPONSES = [
    [("example.com.", "MX", "10 mx.example.com.", "20 mx2.example.com.")],
    [("example.com.", "CNAME", "b.example."), ("b.example.", "CNAME", "c.example."), ("c.example.", "MX", "0 .")],
    [("example.com.", "CNAME", "b.example."), ("b.example.", "CNAME", "example.com.")],
    [],
]


CHANGES = st.lists(st.tuples(st.integers(0, 200), st.integers(0, 3), st.binary(max_size=3)), max_size=4)
"""Where, how many bytes are cut out, and what is put in their place."""


@given(st.sampled_from(RESPONSES), st.sampled_from([(), SOA]), CHANGES, st.sampled_from(list(DnsKind)))
def test_any_response_is_a_verdict_or_one_of_two_errors(answers, authority, changes, kind: DnsKind) -> None:
    """Whatever was spoilt in an honest one."""
    query = Query(NAME, DnsKind.MX)
    wire = bytearray(response_to(query, *answers, authority=authority))
    for at, cut, put in changes:
        wire[2 + at : 2 + at + cut] = put
    reply = query.read(bytes(wire))
    if reply is None or isinstance(reply, Truncated):
        return
    try:
        verdict = judge(query, NAME, kind, reply, ())
    except (Unusable, ResolverError):
        return
    assert isinstance(verdict, Found | Alias | NeedsPlain)


@given(st.binary(max_size=600))
@example(b"\0\0\x80\0\0\1\xff\xff\xff\xff\xff\xff" + b"\xc0\x0c" * 100)
def test_any_bytes_are_read_without_an_error(wire: bytes) -> None:
    """Under the right id and under another."""
    query = Query(NAME, DnsKind.A)
    assert query.read(wire) is None or wire[:2] == query.wire[:2]
    query.read(query.wire[:2] + wire[2:])
    query.read_whole(query.wire[:12] + wire)


@pytest.mark.parametrize("records", [MOST_READ, MOST_READ + 1, 1000])
def test_no_more_than_the_first_records_are_parsed(records: int) -> None:
    """However many there are."""
    query = Query(NAME, DnsKind.MX)
    wire = response_to(query, ("example.com.", "MX", *[f"{n} mx{n}.example.com." for n in range(records)]))
    response = query.read(wire)
    assert isinstance(response, dns.message.Message)
    assert len(response.answer[0]) == MOST_READ


# --- a lookup, driven by hand

ONE, TWO = Server("192.0.2.1"), Server("192.0.2.2")
ALIAS = [("example.com.", "CNAME", "b.example.")]


def answer(ask: Ask, query_answers: list[tuple[str, ...]]) -> object:
    """What a server would say to ``ask``."""
    asked = dns.message.from_wire(ask.wire)
    response = dns.message.make_response(asked, recursion_available=True)
    response.answer += [dns.rrset.from_text(name, 300, "IN", *rest) for name, *rest in query_answers]
    return ask.read(response.to_wire())


def upstream(*servers: Server) -> tuple[Upstream, list[bool]]:
    heard: list[bool] = []
    return Upstream(servers, lambda: heard.append(True), Honesty(FakeClock())), heard


def begin(*servers: Server, seconds: float = 100.0):
    asked, heard = upstream(*servers)
    steps = lookup("example.com", DnsKind.MX, asked, time.monotonic() + seconds)
    return steps, next(steps), heard


def test_each_server_gets_a_share_of_the_time() -> None:
    """Of two servers and two rounds the first gets a quarter, the last all that is left."""
    steps, ask, _ = begin(ONE, TWO, seconds=100)
    asked = []
    for _ in range(4):
        asked.append((ask.server, round(ask.until - time.monotonic())))
        with contextlib.suppress(NoAnswer):
            ask = steps.throw(TimeoutError())
    assert asked == [(ONE, 25), (TWO, 33), (ONE, 50), (TWO, 100)]


def test_a_server_that_failed_is_not_asked_again() -> None:
    """The silent one is, with the rest of the time."""
    steps, ask, heard = begin(ONE, TWO)
    assert ask.server == ONE
    ask = steps.throw(ConnectionRefusedError(111, "refused"))
    assert ask.server == TWO
    ask = steps.throw(TimeoutError())
    assert ask.server == TWO
    assert not heard
    with pytest.raises(StopIteration) as stop:
        steps.send(answer(ask, RESPONSES[0]))
    assert stop.value.value.answer == DnsAnswer(True, ("mx.example.com", "mx2.example.com"))
    assert heard


def test_a_useless_response_leaves_no_alias_behind() -> None:
    """What a failing server said of aliases does not count as followed when the next one says it."""
    steps, ask, _ = begin(ONE, TWO)
    asked = dns.message.from_wire(ask.wire)
    lying = dns.message.make_response(asked)
    lying.answer += [dns.rrset.from_text(name, 300, "IN", *rest) for name, *rest in RESPONSES[1]]
    lying.set_rcode(dns.rcode.NXDOMAIN)
    ask = steps.send(ask.read(lying.to_wire()))
    assert ask.server == TWO
    with pytest.raises(StopIteration) as stop:
        steps.send(answer(ask, RESPONSES[1]))
    assert stop.value.value.answer == DnsAnswer(True, ("",))


def test_truncation_and_missing_edns_are_answered_by_asking_otherwise() -> None:
    """By TCP; in plain DNS; both of the same server and within its share."""
    steps, first, _ = begin(ONE, TWO)
    plain = steps.send(_says(first, "FORMERR"))
    assert (plain.server, plain.tcp, plain.until) == (ONE, False, first.until)
    assert dns.message.from_wire(plain.wire).edns == -1
    by_tcp = steps.send(Truncated.TRUNCATED)
    assert (by_tcp.server, by_tcp.tcp, by_tcp.until) == (ONE, True, first.until)


def test_plain_dns_that_is_not_understood_either_is_useless() -> None:
    """The next server is asked."""
    steps, ask, _ = begin(ONE, TWO)
    ask = steps.send(_says(ask, "FORMERR"))
    ask = steps.send(_says(ask, "FORMERR"))
    assert ask.server == TWO


def _says(ask: Ask, rcode: str) -> object:
    response = dns.message.make_response(dns.message.from_wire(ask.wire))
    response.set_rcode(dns.rcode.from_text(rcode))
    return ask.read(response.to_wire())


def test_who_denies_a_name_is_asked_for_the_root_in_half_of_its_time() -> None:
    """The same server, in the words that it has understood; the answer must not be late over it."""
    steps, ask, _ = begin(ONE, TWO)
    ask = steps.send(_says(steps.send(_says(ask, "FORMERR")), "NXDOMAIN"))
    root = dns.message.from_wire(ask.wire)
    assert (ask.server, str(root.question[0]), root.edns) == (ONE, ". IN NS", -1)
    assert round(ask.until - time.monotonic(), 1) == 100 / 4 / 2
    with pytest.raises(StopIteration) as stop:
        steps.throw(TimeoutError())
    assert stop.value.value.answer == DnsAnswer(False)


def test_who_denies_the_root_is_useless() -> None:
    """The next server is asked, and has to show the same."""
    steps, ask, _ = begin(ONE, TWO)
    ask = steps.send(_says(steps.send(_says(ask, "NXDOMAIN")), "NXDOMAIN"))
    assert ask.server == TWO
    with pytest.raises(ResolverError, match=f"192.0.2.1:53 {LIES}, 192.0.2.2:53 {LIES}"):
        steps.send(_says(steps.send(_says(ask, "NXDOMAIN")), "NXDOMAIN"))


def test_a_proof_asks_each_server_once() -> None:
    """Until one says anything."""
    asked, heard = upstream(ONE, TWO)
    steps = prove(asked, time.monotonic() + 100)
    assert next(steps).server == ONE
    ask = steps.throw(TimeoutError())
    assert ask.server == TWO
    with pytest.raises(StopIteration):
        steps.send(answer(ask, []))
    assert heard


SAID = [("NOERROR", Root.EXISTS), ("NXDOMAIN", Root.DENIED), ("REFUSED", Root.UNKNOWN), ("SERVFAIL", Root.UNKNOWN)]


@pytest.mark.parametrize(("rcode", "root"), SAID)
def test_what_a_proof_says_of_the_root_is_remembered(rcode: str, root: Root) -> None:
    """It was the same question."""
    asked, _ = upstream(ONE)
    steps = prove(asked, time.monotonic() + 100)
    with pytest.raises(StopIteration):
        steps.send(_says(next(steps), rcode))
    assert asked.honesty.said(ONE) is root


def test_a_truncated_proof_says_nothing_of_the_root() -> None:
    """But that somebody is there."""
    asked, heard = upstream(ONE)
    steps = prove(asked, time.monotonic() + 100)
    next(steps)
    with pytest.raises(StopIteration):
        steps.send(Truncated.TRUNCATED)
    assert heard
    assert asked.honesty.said(ONE) is None
