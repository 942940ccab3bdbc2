"""What servers do wrong, over real sockets: never an answer that nobody gave, never more time than there was.

That a call comes back at all, while its server stays silent for ever, is what shows that the deadline holds.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.dns import server as dns
from tests.dns.server import ALL, DnsServer
from tests.dns.ways import SOON, WAYS, Way

from doorward import ResolverError
from doorward.effects import DnsAnswer
from doorward.resolver import DnsResolver
from doorward.resolving.failures import NoAnswer

HERE = DnsAnswer(exists=True, records=("a.example.com", "b.example.com"))

NEVER_ENDING = [
    dns.silent,
    dns.wrong_id,
    dns.wrong_question,
    dns.wrong_source,
    dns.no_response,
    dns.garbage,
    dns.only_by_tcp(dns.silent),
    dns.only_by_tcp(dns.drips),
]
STRAYS = [dns.wrong_id, dns.wrong_question, dns.wrong_source, dns.no_response, dns.garbage]
USELESS = {
    "SERVFAIL": dns.servfail,
    "REFUSED": dns.refused,
    "FORMERR": dns.says(dns.dns.rcode.FORMERR),
    "answers another question": dns.other_names,
    "contradicts itself": dns.contradictory,
    "refers to others": dns.referring,
    "hangs up": dns.only_by_tcp(dns.hangs_up),
    "answers nonsense": dns.only_by_tcp(dns.wrong_id),
}


@pytest.mark.parametrize("behaviour", NEVER_ENDING)
def test_without_an_answer_the_deadline_ends_it(server: DnsServer, resolve: Way, behaviour) -> None:
    """Whatever else comes meanwhile."""
    server.behave(ALL, behaviour)
    with pytest.raises(NoAnswer, match=f"{server.address} (silent|sends nonsense)"):
        resolve(DnsResolver([server.address]), "example.com", timeout=SOON)


@pytest.mark.parametrize("behaviour", STRAYS)
def test_what_is_no_answer_is_as_if_it_had_never_come(server: DnsServer, resolve: Way, behaviour) -> None:
    """The answer after it is taken: a forger who guesses wrong has achieved nothing."""
    server.behave(ALL, dns.after(behaviour, dns.honest))
    assert resolve(DnsResolver([server.address]), "example.com") == HERE


def test_a_flood_of_strays_is_given_up(server: DnsServer, resolve: Way) -> None:
    """Each takes time to read; there is no waiting for the end of a flood."""
    server.behave(ALL, dns.times(200, dns.wrong_id))
    with pytest.raises(ResolverError, match="answers nonsense"):
        resolve(DnsResolver([server.address]), "example.com")


@pytest.mark.parametrize(("why", "behaviour"), USELESS.items())
def test_a_useless_response_is_an_error_at_once(server: DnsServer, resolve: Way, why: str, behaviour) -> None:
    """It is neither an answer nor waited beyond, and says what was wrong."""
    server.behave(ALL, behaviour)
    with pytest.raises(ResolverError, match=f"no usable answer: {server.address} {why}"):
        resolve(DnsResolver([server.address]), "example.com")


def test_no_time_is_no_answer(server: DnsServer, resolve: Way) -> None:
    """Nobody is asked."""
    with pytest.raises(NoAnswer):
        resolve(DnsResolver([server.address]), "example.com", timeout=0)
    assert not server.questions


# --- any bytes

WIRE = st.binary(max_size=200)
HEADER = st.tuples(*[st.integers(0, 255)] * 10).map(bytes)
ECHO = st.tuples(HEADER, WIRE).map(lambda parts: parts[0] + b"\7example\3com\0\0\x0f\0\1" + parts[1])


@pytest.fixture(scope="module")
def any_server():
    with DnsServer() as running:
        yield running


@pytest.mark.parametrize("way", WAYS)
@settings(max_examples=40)
@given(wire=st.one_of(WIRE, ECHO), by_tcp=st.booleans())
def test_any_bytes_are_an_answer_or_a_resolver_error(
    any_server: DnsServer, way: Way, wire: bytes, by_tcp: bool
) -> None:
    """Nothing else is ever raised."""
    behaviour = dns.after(dns.sends(wire), dns.servfail)
    any_server.behave(ALL, dns.only_by_tcp(behaviour) if by_tcp else behaviour)
    try:
        answer = way(DnsResolver([any_server.address]), "example.com", timeout=5.0)
    except ResolverError:
        return
    assert isinstance(answer, DnsAnswer)
