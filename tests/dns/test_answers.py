"""What is read from honest servers, over real sockets, blocking and awaiting."""

from __future__ import annotations

import pytest
from tests.dns import server as dns
from tests.dns.server import ALL, DnsServer
from tests.dns.ways import LATE, SOON, Way

from doorward import ResolverError
from doorward.effects import DnsAnswer
from doorward.resolver import DnsResolver

HERE = DnsAnswer(exists=True, records=("a.example.com", "b.example.com"))

ANSWERS = [
    ("example.com", "MX", HERE),
    ("EXAMPLE.com.", "MX", HERE),
    ("example.com", "A", DnsAnswer(exists=True, records=("192.0.2.1", "192.0.2.2"))),
    ("v6.example", "AAAA", DnsAnswer(exists=True, records=("2001:db8::1",))),
    ("1.2.0.192.in-addr.arpa", "PTR", DnsAnswer(exists=True, records=("crawl.example.com",))),
    ("null.example", "MX", DnsAnswer(exists=True, records=("",))),
    ("both.example", "MX", DnsAnswer(exists=True, records=("mx.both.example",))),
    ("example.com", "AAAA", DnsAnswer(exists=True)),
    ("nowhere.example", "MX", DnsAnswer(exists=False)),
    ("alias.example", "MX", HERE),
    ("alias.example", "AAAA", DnsAnswer(exists=True)),
    ("dangling.example", "MX", DnsAnswer(exists=False)),
]


@pytest.mark.parametrize(("name", "kind", "answer"), ANSWERS)
@pytest.mark.parametrize("behaviour", [dns.honest, dns.truncating, dns.without_edns, dns.only_first_alias])
def test_an_answer_is_the_same_however_it_comes(server: DnsServer, resolve: Way, behaviour, name, kind, answer) -> None:
    """Whole, by TCP, from servers without EDNS, and one alias at a time."""
    server.behave(ALL, behaviour)
    assert resolve(DnsResolver([server.address]), name, kind) == answer


@pytest.mark.parametrize("behaviour", [dns.honest, dns.only_first_alias])
@pytest.mark.parametrize("name", ["here.example", "self.example"])
def test_aliases_in_a_circle_are_no_answer(server: DnsServer, resolve: Way, behaviour, name: str) -> None:
    """Neither inside one response nor from one to the next."""
    server.behave(ALL, behaviour)
    with pytest.raises(ResolverError, match="round in a circle"):
        resolve(DnsResolver([server.address]), name)
    assert len(server.questions) <= 2


def chain(length: int) -> dict[str, dict[str, list[str]]]:
    links = {f"c{n}.example": {"CNAME": [f"c{n + 1}.example."]} for n in range(length)}
    return {**links, f"c{length}.example": {"A": ["192.0.2.7"]}}


@pytest.mark.parametrize("behaviour", [dns.honest, dns.only_first_alias])
def test_eight_aliases_are_followed_and_no_more(server: DnsServer, resolve: Way, behaviour) -> None:
    """Over as many responses as it takes."""
    server.zones.update(chain(9))
    server.behave(ALL, behaviour)
    assert resolve(DnsResolver([server.address]), "c1.example", "A").records == ("192.0.2.7",)
    with pytest.raises(ResolverError, match="more than 8 aliases"):
        resolve(DnsResolver([server.address]), "c0.example", "A")


def test_a_thousand_records_are_bounded(server: DnsServer, resolve: Way) -> None:
    """And more bytes than UDP carries come by TCP."""
    server.zones["many.example"] = {"MX": [f"{n} mx{n}.many.example." for n in range(1000)]}
    server.behave("many.example", dns.truncating)
    records = resolve(DnsResolver([server.address]), "many.example").records
    assert 1 <= len(records) <= 50
    assert [transport for *_, transport in server.questions] == ["udp", "tcp"]


def test_long_records_are_bounded(server: DnsServer, resolve: Way) -> None:
    """A cache full of them must not fill the memory."""
    long = ".".join(["x" * 60] * 3)
    server.zones["long.example"] = {"MX": [f"{n} {n}.{long}.example." for n in range(50)]}
    records = resolve(DnsResolver([server.address]), "long.example").records
    assert 1 <= sum(map(len, records)) <= 2048


@pytest.mark.parametrize("name", ["", ".", "a..b", "x" * 64 + ".example", "é.example", "a." * 300 + "b", "\udc80"])
def test_what_is_no_name_is_not_asked(server: DnsServer, resolve: Way, name: str) -> None:
    """And is an error, as nothing is known about it."""
    with pytest.raises(ResolverError, match="no domain name"):
        resolve(DnsResolver([server.address]), name)
    assert not server.questions


@pytest.mark.parametrize("name", [r"a\.b.example", "a b.example", "*.example", "_dmarc.example", "\\000.example"])
def test_odd_labels_are_asked_as_they_stand(server: DnsServer, resolve: Way, name: str) -> None:
    """A backslash escapes nothing."""
    assert resolve(DnsResolver([server.address]), name) == DnsAnswer(exists=False)


# --- several servers


def test_the_next_server_is_asked_when_one_fails(server: DnsServer, resolve: Way) -> None:
    """Refusing, failing, closed, silent: the second has it."""
    for fault in (dns.refused, dns.servfail, dns.referring, dns.contradictory, dns.other_names, dns.silent):
        with DnsServer() as broken:
            broken.behave(ALL, fault)
            timeout = 40 * SOON if fault is dns.silent else LATE  # a quarter is for the first who is asked
            assert resolve(DnsResolver([broken.address, server.address]), "example.com", timeout=timeout) == HERE
            assert broken.asked["example.com", "MX"] == 1
    assert resolve(DnsResolver([dns.closed_port(), server.address]), "example.com") == HERE


def test_when_all_fail_the_error_says_what_each_did(server: DnsServer, resolve: Way) -> None:
    """So that an operator knows where to look."""
    server.behave(ALL, dns.servfail)
    closed = dns.closed_port()
    with pytest.raises(ResolverError) as caught:
        resolve(DnsResolver([server.address, closed]), "example.com")
    assert str(caught.value) == (f"no usable answer: {server.address} SERVFAIL, {closed} Connection refused")


def test_a_lost_packet_costs_a_second_round(server: DnsServer, resolve: Way) -> None:
    """A silent server is asked twice."""
    heard = []

    def loses_the_first(asked: dns.Asked):
        heard.append(asked.query.id)
        return dns.honest(asked) if len(heard) > 1 else ()

    server.behave(ALL, loses_the_first)
    assert resolve(DnsResolver([server.address]), "example.com", timeout=10 * SOON) == HERE
    assert len(heard) == 2


def test_ids_and_ports_differ_from_question_to_question(server: DnsServer, resolve: Way) -> None:
    """Whoever wants to forge an answer has to guess both."""
    ids = set()

    def noting(asked: dns.Asked):
        ids.add(asked.query.id)
        return dns.honest(asked)

    server.behave(ALL, noting)
    for number in range(8):
        resolve(DnsResolver([server.address]), f"{number}.example")
    assert len(ids) >= 7
