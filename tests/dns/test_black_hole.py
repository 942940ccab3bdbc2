"""Name servers that are silent altogether: they are left alone for a while, and found again."""

from __future__ import annotations

import pytest
from tests.dns import server as dns
from tests.dns.server import ALL, DnsServer
from tests.dns.ways import LATE, Way

from doorward import ResolverError
from doorward.effects import DnsAnswer
from doorward.resolver import DnsResolver
from doorward.resolving.breaker import PATIENCE, SUSPECT
from doorward.resolving.failures import NoAnswer, NotAsked
from doorward.testing import FakeClock

PATIENT = 1.5 * PATIENCE
ROOT = ("", "NS")
HERE = DnsAnswer(exists=True, records=("a.example.com", "b.example.com"))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def without_answer(resolve: Way, resolver: DnsResolver, name: str, timeout: float = PATIENT) -> ResolverError:
    with pytest.raises(ResolverError) as caught:
        resolve(resolver, name, timeout=timeout)
    return caught.value


def test_silence_about_several_names_is_put_to_the_proof(server, clock, resolve: Way) -> None:
    """The servers fail it: from then on questions fail at once, and one a second tries again."""
    server.behave(ALL, dns.silent)
    resolver = DnsResolver([server.address], clock=clock)
    for number in range(SUSPECT):
        assert isinstance(without_answer(resolve, resolver, f"{number}.example"), NoAnswer)
    assert server.asked[ROOT] == 0
    assert isinstance(without_answer(resolve, resolver, "a.example"), NoAnswer)
    assert server.asked[ROOT] == 1
    error = without_answer(resolve, resolver, "b.example", LATE)
    assert isinstance(error, NotAsked)
    assert "have not answered for some time" in str(error)
    clock.advance(1)
    without_answer(resolve, resolver, "b.example")
    assert server.asked[ROOT] == 2
    assert server.asked["a.example", "MX"] == server.asked["b.example", "MX"] == 0


def test_servers_that_are_back_are_found_again(server, clock, resolve: Way) -> None:
    """By the first question after the pause; the next ones go out as ever."""
    server.behave(ALL, dns.silent)
    resolver = DnsResolver([server.address], clock=clock)
    for number in range(SUSPECT + 1):
        without_answer(resolve, resolver, f"{number}.example")
    server.behave(ALL, dns.honest)
    assert isinstance(without_answer(resolve, resolver, "example.com", LATE), NotAsked)
    clock.advance(1)
    assert resolve(resolver, "example.com") == HERE
    assert not resolve(resolver, "nowhere.example").exists
    assert server.asked[ROOT] == 1 + 1


@pytest.mark.parametrize("alive", [dns.honest, dns.refused, dns.servfail])
def test_names_whose_own_servers_are_dead_condemn_nobody(server, clock, resolve: Way, alive) -> None:
    """Whoever sends such names on purpose has them all asked, and everybody else's too."""
    server.behave(ALL, dns.silent)
    server.behave("", alive)
    server.behave("example.com", dns.honest)
    resolver = DnsResolver([server.address], clock=clock)
    for number in range(2 * SUSPECT):
        assert isinstance(without_answer(resolve, resolver, f"{number}.example"), NoAnswer)
        assert server.asked[f"{number}.example", "MX"] > 0
    assert resolve(resolver, "example.com") == HERE


def test_impatience_proves_nothing(server, clock, resolve: Way) -> None:
    """Who had no time to wait learns nothing from silence, and neither do others."""
    server.behave(ALL, dns.silent)
    resolver = DnsResolver([server.address], clock=clock)
    for number in range(2 * SUSPECT):
        without_answer(resolve, resolver, f"{number}.example", timeout=0.01)
    assert server.asked[ROOT] == 0


def test_one_server_of_two_is_enough_for_the_proof(clock, resolve: Way) -> None:
    """The second one is there."""
    with DnsServer() as dead, DnsServer() as half:
        dead.behave(ALL, dns.silent)
        half.behave(ALL, dns.silent)
        half.behave("", dns.honest)
        resolver = DnsResolver([dead.address, half.address], clock=clock)
        for number in range(SUSPECT + 1):
            assert isinstance(without_answer(resolve, resolver, f"{number}.example"), NoAnswer)
        assert half.asked[f"{SUSPECT}.example", "MX"] > 0
