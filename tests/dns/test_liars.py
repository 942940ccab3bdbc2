"""Name servers that deny everything: captive portals, sandboxes, broken containers."""

from __future__ import annotations

import pytest
from tests.dns import server as dns
from tests.dns.server import ALL, DnsServer
from tests.dns.ways import SOON, Way

from doorward import ResolverError
from doorward.effects import DnsAnswer
from doorward.resolver import DnsResolver
from doorward.resolving.failures import NoAnswer, NotAsked
from doorward.resolving.honesty import KEPT, Root
from doorward.testing import FakeClock

ROOT = ("", "NS")
HERE = DnsAnswer(exists=True, records=("a.example.com", "b.example.com"))
NOWHERE = DnsAnswer(exists=False)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def resolver(server: DnsServer, clock: FakeClock) -> DnsResolver:
    return DnsResolver([server.address], clock=clock)


def disbelieved(resolve: Way, resolver: DnsResolver, name: str) -> None:
    with pytest.raises(ResolverError, match="denies that the root of the DNS exists: its answers are worth") as caught:
        resolve(resolver, name)
    assert not isinstance(caught.value, NoAnswer | NotAsked)


def not_plain(asked: dns.Asked):
    return dns.without_edns(asked) if asked.query.edns >= 0 else dns.denying(asked)


def by_tcp(asked: dns.Asked):
    return dns.denying(asked) if asked.transport == "tcp" else dns.truncating(asked)


@pytest.mark.parametrize("behaviour", [dns.denying, not_plain, by_tcp])
def test_a_server_that_denies_the_root_is_not_believed(server, resolver, resolve: Way, behaviour) -> None:
    """However it says so."""
    server.behave(ALL, behaviour)
    disbelieved(resolve, resolver, "example.com")


def test_a_liar_is_asked_for_the_root_now_and_then(server, resolver, clock: FakeClock, resolve: Way) -> None:
    """Not with every name; once the portal lets go, names that do not exist are found out again."""
    server.behave(ALL, dns.denying)
    for name in ("a.example", "b.example", "c.example"):
        disbelieved(resolve, resolver, name)
    assert server.asked[ROOT] == 1
    server.behave(ALL, dns.honest)
    disbelieved(resolve, resolver, "d.example")
    assert resolve(resolver, "example.com") == HERE, "what exists needs no proof"
    clock.advance(KEPT[Root.DENIED])
    assert resolve(resolver, "d.example") == NOWHERE
    assert server.asked[ROOT] == 2


def test_an_honest_server_is_asked_for_the_root_now_and_then(server, resolver, clock, resolve: Way) -> None:
    """With the first name that does not exist; and found out when a portal takes its place."""
    assert resolve(resolver, "example.com") == HERE
    assert resolve(resolver, "v6.example") == DnsAnswer(exists=True)
    assert not server.asked[ROOT], "neither says that a name does not exist"
    for name in ("a.example", "b.example", "dangling.example"):
        assert resolve(resolver, name) == NOWHERE
    assert server.asked[ROOT] == 1
    server.behave(ALL, dns.denying)
    clock.advance(KEPT[Root.EXISTS])
    disbelieved(resolve, resolver, "c.example")
    assert server.asked[ROOT] == 2


PROVES_NOTHING = [
    dns.refused,
    dns.servfail,
    dns.without_edns,
    dns.wrong_id,
    dns.garbage,
    dns.silent,
    dns.only_by_tcp(dns.hangs_up),
    dns.only_by_tcp(dns.drips),
]


@pytest.mark.parametrize("behaviour", PROVES_NOTHING)
def test_only_a_denial_of_the_root_proves_a_lie(server, resolver, clock, resolve: Way, behaviour) -> None:
    """Some resolvers do not like the question; it is put to them once in a while, and costs no answer."""
    server.behave("", behaviour)
    assert resolve(resolver, "a.example", timeout=4 * SOON) == NOWHERE
    asked = server.asked[ROOT]
    assert resolve(resolver, "b.example", timeout=4 * SOON) == NOWHERE
    assert server.asked[ROOT] == asked >= 1
    clock.advance(KEPT[Root.UNKNOWN])
    server.behave("", dns.denying)
    disbelieved(resolve, resolver, "c.example")


def test_a_second_server_is_asked_when_the_first_one_lies(server, resolve: Way) -> None:
    """It is judged by itself."""
    with DnsServer() as portal:
        portal.behave(ALL, dns.denying)
        resolver = DnsResolver([portal.address, server.address])
        assert resolve(resolver, "example.com") == HERE
        assert resolve(resolver, "nowhere.example") == NOWHERE
        assert portal.asked[ROOT] == server.asked[ROOT] == 1


def test_a_name_that_was_not_believed_is_asked_again_soon(server, resolver, clock: FakeClock, resolve: Way) -> None:
    """It is kept as any failure is, not as an answer."""
    server.behave(ALL, dns.denying)
    disbelieved(resolve, resolver, "example.com")
    server.behave(ALL, dns.honest)
    clock.advance(2)
    assert resolve(resolver, "example.com") == HERE
