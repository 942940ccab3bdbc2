"""What the resolver remembers, and how the same question is asked once, over real sockets."""

from __future__ import annotations

import asyncio
import os
import threading

import pytest
from tests.dns import server as dns
from tests.dns.server import ALL, DnsServer
from tests.dns.ways import LATE, SOON, Way, awaiting, blocking

from doorward import ResolverError
from doorward.effects import DnsAnswer, DnsKind
from doorward.resolver import DnsResolver
from doorward.resolving.failures import NoAnswer
from doorward.testing import FakeClock

HERE = DnsAnswer(exists=True, records=("a.example.com", "b.example.com"))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def resolver(server: DnsServer, clock: FakeClock) -> DnsResolver:
    return DnsResolver([server.address], clock=clock)


# --- answers


def test_an_answer_is_asked_for_once_until_it_expires(server, resolver, clock: FakeClock, resolve: Way) -> None:
    """However the name is written, and whoever asks."""
    for name in ("example.com", "Example.COM", "example.com."):
        assert resolve(resolver, name) == HERE
    clock.advance(server.ttl - 1)
    assert blocking(resolver, "example.com") == awaiting(resolver, "example.com") == HERE
    assert server.asked["example.com", "MX"] == 1
    clock.advance(1)
    assert resolve(resolver, "example.com") == HERE
    assert server.asked["example.com", "MX"] == 2


def test_kinds_are_kept_apart(server, resolver, resolve: Way) -> None:
    """The addresses of a name are not its mail servers."""
    assert resolve(resolver, "example.com", "A") != resolve(resolver, "example.com")


@pytest.mark.parametrize(("ttl", "kept"), [(0, 5), (1, 5), (100, 100), (2**31 - 1, 3600)])
def test_a_time_to_live_is_taken_within_bounds(server, resolver, clock: FakeClock, ttl: int, kept: int) -> None:
    """From five seconds to an hour."""
    server.ttl = ttl
    blocking(resolver, "example.com")
    clock.advance(kept - 1)
    blocking(resolver, "example.com")
    assert server.asked["example.com", "MX"] == 1
    clock.advance(1)
    blocking(resolver, "example.com")
    assert server.asked["example.com", "MX"] == 2


@pytest.mark.parametrize("name", ["nowhere.example", "v6.example"])
def test_that_there_is_nothing_is_kept_as_long_as_the_zone_says(server, resolver, clock, resolve: Way, name) -> None:
    """By the minimum of its SOA, which the test server has at 300 seconds (RFC 2308)."""
    resolve(resolver, name)
    clock.advance(299)
    resolve(resolver, name)
    assert server.asked[name, "MX"] == 1
    clock.advance(1)
    resolve(resolver, name)
    assert server.asked[name, "MX"] == 2


def test_an_answer_behind_an_alias_expires_with_the_first_of_both(server, resolver, clock: FakeClock) -> None:
    """Asked in two steps, of which the first holds for less."""
    server.behave(ALL, dns.only_first_alias)

    def short_lived(asked: dns.Asked):
        server.ttl = 10 if asked.name == "alias.example" else 300
        return dns.only_first_alias(asked)

    server.behave(ALL, short_lived)
    assert blocking(resolver, "alias.example") == HERE
    clock.advance(10)
    blocking(resolver, "alias.example")
    assert server.asked["alias.example", "MX"] == 2


def test_the_cache_is_bounded_and_keeps_what_is_used(server) -> None:
    """A flood of new names pushes out old ones, not those that are asked about all the time."""
    resolver = DnsResolver([server.address], cache_size=3)
    for number in range(6):
        blocking(resolver, "example.com")
        blocking(resolver, f"{number}.example")
    assert server.asked["example.com", "MX"] == 1
    assert len(resolver._cache._held) == 3
    blocking(resolver, "0.example")
    assert server.asked["0.example", "MX"] == 2


# --- failures


def test_a_failure_is_kept_for_a_moment(server, resolver, clock: FakeClock, resolve: Way) -> None:
    """A broken zone is not asked about in every request, and asked again soon."""
    server.behave("example.com", dns.servfail)
    for _ in range(3):
        with pytest.raises(ResolverError, match="SERVFAIL"):
            resolve(resolver, "example.com")
    assert server.asked["example.com", "MX"] == 1
    server.behave("example.com", dns.honest)
    clock.advance(2)
    assert resolve(resolver, "example.com") == HERE


def test_silence_is_believed_by_those_who_would_wait_as_long(server, resolver, resolve: Way) -> None:
    """Somebody with much more time asks again: more patience may bring the answer."""
    server.behave("example.com", dns.silent)
    for _ in range(3):
        with pytest.raises(NoAnswer):
            resolve(resolver, "example.com", timeout=SOON)
    assert server.asked["example.com", "MX"] == 2, "two rounds, once"
    server.behave("example.com", dns.honest)
    assert resolve(resolver, "example.com", timeout=LATE) == HERE


# --- one flight


def many(resolver: DnsResolver, number: int, timeout: float = LATE) -> tuple[list[threading.Thread], list[object]]:
    heard: list[object] = []

    def ask() -> None:
        try:
            heard.append(blocking(resolver, "example.com", timeout=timeout))
        except ResolverError as error:
            heard.append(error)

    threads = [threading.Thread(target=ask) for _ in range(number)]
    for thread in threads:
        thread.start()
    return threads, heard


def test_threads_with_the_same_question_ask_once(server, resolver) -> None:
    """And all of them get the answer."""
    server.behave("example.com", dns.held)
    threads, heard = many(resolver, 8)
    server.wait_for(1)
    server.release()
    for thread in threads:
        thread.join(LATE)
    assert heard == [HERE] * 8
    assert server.asked["example.com", "MX"] == 1


def test_tasks_with_the_same_question_ask_once(server, resolver) -> None:
    """And all of them get the answer."""
    server.behave("example.com", dns.held)

    async def ask() -> list[DnsAnswer]:
        tasks = [asyncio.create_task(resolver.resolve_async("example.com", DnsKind.MX, LATE)) for _ in range(8)]
        await asyncio.to_thread(server.wait_for, 1)
        server.release()
        return await asyncio.gather(*tasks)

    assert asyncio.run(ask()) == [HERE] * 8
    assert server.asked["example.com", "MX"] == 1


def test_who_waits_for_another_waits_no_longer_than_it_may(server, resolver) -> None:
    """The one who asked first has all the time in the world; the second has not."""
    server.behave("example.com", dns.held)
    threads, heard = many(resolver, 1)
    server.wait_for(1)
    with pytest.raises(NoAnswer):
        blocking(resolver, "example.com", timeout=SOON)
    server.release()
    threads[0].join(LATE)
    assert heard == [HERE]


def test_a_task_that_waits_for_another_waits_no_longer_than_it_may(server, resolver) -> None:
    """The same, awaiting; it has asked nobody."""
    server.behave("example.com", dns.held)

    async def ask() -> DnsAnswer:
        first = asyncio.create_task(resolver.resolve_async("example.com", DnsKind.MX, LATE))
        await asyncio.to_thread(server.wait_for, 1)
        with pytest.raises(NoAnswer):
            await resolver.resolve_async("example.com", DnsKind.MX, SOON)
        server.release()
        return await first

    assert asyncio.run(ask()) == HERE
    assert server.asked["example.com", "MX"] == 1


def test_a_cancelled_leader_leaves_the_question_to_those_who_wait(server, resolver) -> None:
    """The client that had asked first went away; the others get their answer."""
    server.behave("example.com", dns.silent)

    async def ask() -> list[DnsAnswer]:
        leader = asyncio.create_task(resolver.resolve_async("example.com", DnsKind.MX, LATE))
        await asyncio.to_thread(server.wait_for, 1)
        others = [asyncio.create_task(resolver.resolve_async("example.com", DnsKind.MX, LATE)) for _ in range(3)]
        await asyncio.sleep(0)
        server.behave("example.com", dns.honest)
        leader.cancel()
        return await asyncio.gather(*others)

    assert asyncio.run(ask()) == [HERE] * 3
    assert server.asked["example.com", "MX"] == 2


def test_a_leader_without_patience_does_not_speak_for_those_who_have_it(server, resolver) -> None:
    """It gives up; somebody who can wait asks again and gets the answer."""
    server.behave("example.com", dns.silent)
    hasty, _ = many(resolver, 1, timeout=SOON)
    server.wait_for(1)
    patient, heard = many(resolver, 2)
    server.wait_for(2)
    server.behave("example.com", dns.honest)
    for thread in hasty + patient:
        thread.join(LATE)
    assert heard == [HERE] * 2


def test_a_failed_leader_fails_for_all(server, resolver) -> None:
    """One question, one refusal, for everybody who had asked."""

    def fails_when_released(asked: dns.Asked):
        server.released.wait(LATE)
        return dns.refused(asked)

    server.behave("example.com", fails_when_released)
    threads, heard = many(resolver, 4)
    server.wait_for(1)
    server.release()
    for thread in threads:
        thread.join(LATE)
    assert [str(error) for error in heard] == [f"no usable answer: {server.address} REFUSED"] * 4
    assert server.asked["example.com", "MX"] == 1


def test_a_forked_process_does_not_wait_for_a_leader_of_its_parent(server, resolver) -> None:
    """Threads do not survive a fork: the child asks itself."""
    server.behave("example.com", dns.held)
    threads, _ = many(resolver, 1)
    server.wait_for(1)
    server.behave("example.com", dns.honest)
    child = os.fork()
    if child == 0:  # pragma: no cover  (another process)
        try:
            answer = blocking(resolver, "example.com")
        finally:
            os._exit(0 if answer == HERE else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    server.release()
    threads[0].join(LATE)


def test_the_loops_of_several_threads_each_get_their_answer(server, resolver) -> None:
    """An event belongs to one loop: none waits for another's."""
    server.behave("example.com", dns.held)
    heard: list[DnsAnswer] = []
    threads = [threading.Thread(target=lambda: heard.append(awaiting(resolver, "example.com"))) for _ in range(3)]
    for thread in threads:
        thread.start()
    server.wait_for(3)
    server.release()
    for thread in threads:
        thread.join(LATE)
    assert heard == [HERE] * 3
