"""More questions than may be on their way at once, over real sockets."""

from __future__ import annotations

import asyncio
import os
import threading
from collections import Counter
from pathlib import Path

import pytest
from tests.dns import server as dns
from tests.dns.server import ALL, DnsServer
from tests.dns.ways import LATE, Way, awaiting, blocking

from doorward.effects import DnsAnswer, DnsKind
from doorward.resolver import DnsResolver
from doorward.resolving import flights
from doorward.resolving.breaker import SUSPECT
from doorward.resolving.failures import NoAnswer, NotAsked

FEW = 3
NOWHERE = DnsAnswer(exists=False)


@pytest.fixture
def resolver(server: DnsServer, monkeypatch: pytest.MonkeyPatch) -> DnsResolver:
    """Has room for a few; the server says nothing until it is let go."""
    monkeypatch.setattr(flights, "MOST_IN_FLIGHT", FEW)
    server.behave(ALL, dns.held)
    return DnsResolver([server.address])


class Crowd:
    """A few questions that are on their way, each waited for in its own way."""

    def __init__(self, server: DnsServer, resolver: DnsResolver, *ways: Way) -> None:
        self.heard: list[DnsAnswer] = []
        self._server = server
        self._threads = [
            threading.Thread(target=lambda at=at, way=way: self.heard.append(way(resolver, f"{at}.example")))
            for at, way in enumerate(ways)
        ]
        for thread in self._threads:
            thread.start()
        server.wait_for(len(ways))

    def answered(self) -> list[DnsAnswer]:
        self._server.release()
        for thread in self._threads:
            thread.join(LATE)
        return self.heard


def descriptors() -> int:
    return sum(1 for _ in Path("/dev/fd").iterdir())


def not_asked(resolve: Way, resolver: DnsResolver, name: str) -> None:
    problem = f"{FEW} questions wait for the name servers already; this one is not asked"
    with pytest.raises(NotAsked, match=problem) as caught:
        resolve(resolver, name)
    assert not isinstance(caught.value, NoAnswer), "nobody has waited"


@pytest.mark.parametrize("ways", [[blocking] * FEW, [awaiting] * FEW, [blocking, awaiting, blocking]])
def test_beyond_a_number_of_questions_one_is_not_asked(server, resolver, resolve: Way, ways: list[Way]) -> None:
    """Whoever waits for those, and however: threads and tasks share the room."""
    crowd = Crowd(server, resolver, *ways)
    not_asked(resolve, resolver, "example.com")
    assert server.asked["example.com", "MX"] == 0
    assert crowd.answered() == [NOWHERE] * FEW


def test_one_that_was_not_asked_is_no_failure(server, resolver, resolve: Way) -> None:
    """Neither of the name, which is asked once there is room, nor of the servers, which nobody suspects."""
    crowd = Crowd(server, resolver, *[blocking] * FEW)
    for number in range(2 * SUSPECT):
        not_asked(resolve, resolver, f"more{number}.example")
    crowd.answered()
    assert not resolver._breaker._unanswered
    assert resolve(resolver, "more0.example") == NOWHERE


def test_what_is_known_or_on_its_way_needs_no_room(server, resolver, resolve: Way) -> None:
    """An answer from memory; a thread that joins those who wait."""
    server.behave("example.com", dns.honest)
    known = resolve(resolver, "example.com")
    server.wait_for(1)
    crowd = Crowd(server, resolver, *[blocking] * FEW)
    assert resolve(resolver, "example.com") == known
    joined = Crowd(server, resolver, blocking)
    assert crowd.answered() + joined.answered() == [NOWHERE] * (FEW + 1)
    assert server.asked["0.example", "MX"] == 1


def test_a_flood_of_tasks_takes_a_bounded_number_of_sockets(server: DnsServer) -> None:
    """The real bound; the rest fails while the others still wait, and the application has its descriptors."""
    resolver, more = DnsResolver([server.address]), 50
    resolver.warm()
    server.behave(ALL, dns.held)
    before = descriptors()

    async def ask(number: int) -> str:
        try:
            return str(await resolver.resolve_async(f"{number}.example", DnsKind.MX, LATE))
        except NotAsked:
            assert descriptors() <= before + flights.MOST_IN_FLIGHT + 10
            assert not server.released.is_set()
            return "not asked"

    async def flood() -> list[str]:
        tasks = [asyncio.create_task(ask(number)) for number in range(flights.MOST_IN_FLIGHT + more)]
        await asyncio.to_thread(server.wait_for, flights.MOST_IN_FLIGHT)
        server.release()
        return await asyncio.gather(*tasks)

    assert Counter(asyncio.run(flood())) == {str(NOWHERE): flights.MOST_IN_FLIGHT, "not asked": more}


def test_a_forked_process_has_room_of_its_own(server, resolver) -> None:
    """What its parent waits for takes none of it."""
    crowd = Crowd(server, resolver, *[blocking] * FEW)
    server.behave(ALL, dns.honest)
    child = os.fork()
    if child == 0:  # pragma: no cover  (another process)
        code = 1
        try:
            code = 0 if blocking(resolver, "nowhere.example") == NOWHERE else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    not_asked(blocking, resolver, "nowhere.example")
    crowd.answered()
