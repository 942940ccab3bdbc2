"""Network effects, as both drivers perform them: within the deadline, whatever a resolver does."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.dns import server as dns
from tests.dns.server import ALL, DnsServer
from tests.unit.performing import LATE, SOON, awaiting, blocking

from doorward import ResolverError
from doorward.effects import AskStore, DnsAnswer, DnsKind, Failed, Gather, Pause, ResolveDns
from doorward.network import Network, check_resolver, is_async_resolver
from doorward.offload import Offload
from doorward.testing import ScriptedResolver

ANSWER = DnsAnswer(exists=True, records=("192.0.2.1",))
ASK = ResolveDns("example.com", DnsKind.A)
OTHER = ResolveDns("other.example", DnsKind.MX)
NOBODY = ResolveDns("nobody.example", DnsKind.A)


@pytest.fixture(params=[blocking, awaiting], ids=lambda way: way.__name__)
def perform(request: pytest.FixtureRequest) -> Callable[..., list[Any]]:
    way: Callable[..., list[Any]] = request.param
    return way


@pytest.fixture
def networks() -> Iterator[Callable[..., Network]]:
    made: list[Network] = []

    def make(resolver: Any = None) -> Network:
        made.append(Network(check_resolver(resolver)))
        return made[-1]

    yield make
    for network in made:
        network.close()


class Hanging:
    """A user's resolver that keeps no deadline; it says when it was called."""

    def __init__(self) -> None:
        self.entered = threading.Semaphore(0)
        self.released = threading.Event()
        self.threads: list[str] = []

    def resolve(self, name: str, kind: DnsKind, timeout: float) -> DnsAnswer:
        self.threads.append(threading.current_thread().name)
        self.entered.release()
        self.released.wait(LATE)
        return ANSWER


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    resolver = Hanging()
    yield resolver
    resolver.released.set()


# --- one question


def test_a_question_is_answered(perform, networks) -> None:
    """By the resolver that was configured."""
    resolver = ScriptedResolver({("example.com", "A"): ["192.0.2.1"]})
    assert perform(networks(resolver), ASK, NOBODY) == [ANSWER, DnsAnswer(exists=False)]
    assert resolver.asked == [("example.com", "A"), ("nobody.example", "A")]


def test_servers_can_be_named(perform, networks) -> None:
    """As one text, or as several."""
    with DnsServer({"example.com": {"A": ["192.0.2.1"]}}) as server:
        for configured in (server.address, [server.address], (dns.closed_port(), server.address)):
            assert perform(networks(configured), ASK) == [ANSWER]


def test_silence_ends_with_the_decisions_deadline(perform, networks) -> None:
    """One deadline for all that a decision asks; the error says whose silence it was."""
    with DnsServer() as server:
        server.behave(ALL, dns.silent)
        first, second = perform(networks(server.address), ASK, OTHER, timeout=SOON)
    assert isinstance(first, ResolverError)
    assert str(first) == f"no answer within the deadline of 0.05 s: {server.address} silent"
    assert str(second) == "no answer within the deadline of 0.05 s"


def test_a_users_resolver_that_hangs_is_given_up(perform, networks, hanging: Hanging) -> None:
    """It runs on a thread of its own."""
    (error,) = perform(networks(hanging), ASK, timeout=SOON)
    assert isinstance(error, ResolverError)
    assert str(error) == "no answer within the deadline of 0.05 s"
    assert hanging.threads != [threading.current_thread().name]


def test_beyond_the_most_threads_nobody_is_asked(perform, networks, hanging: Hanging, monkeypatch) -> None:
    """Questions that hang do not pile up."""
    monkeypatch.setattr("doorward.offload.MOST_IN_FLIGHT", 1)
    monkeypatch.setattr("doorward.offload.Offload.__init__.__defaults__", (1, None))
    network = networks(hanging)
    first, second = perform(network, ASK, timeout=SOON) + perform(network, OTHER)
    assert "deadline" in str(first)
    assert str(second) == "1 questions wait for answers already; this one is not asked"


@pytest.mark.parametrize("error", [ResolverError("SERVFAIL"), TimeoutError(), KeyError("k"), OSError(5, "broken")])
def test_whatever_a_resolver_raises_is_a_resolver_error(perform, networks, error: Exception) -> None:
    """Rules know this one."""
    (heard,) = perform(networks(ScriptedResolver({("example.com", "A"): error})), ASK)
    assert type(heard) is ResolverError


def test_a_resolver_that_answers_something_else_has_not_answered(perform, networks) -> None:
    """No rule has to look twice."""

    class Wrong:
        def resolve(self, name, kind, timeout):
            return ["192.0.2.1"]

    (heard,) = perform(networks(Wrong()), ASK)
    assert str(heard) == "the resolver returned list instead of DnsAnswer"


def test_without_a_network_a_rule_is_told_so(perform) -> None:
    """Instead of hanging or crashing."""
    (heard,) = perform(None, ASK)
    assert isinstance(heard, ResolverError)


def test_failures_leave_nothing_to_the_garbage_collector(perform, networks) -> None:
    """Whose pauses a flood of failures would make longer than any deadline."""
    with DnsServer() as server:
        server.behave(ALL, dns.silent)
        network = networks(server.address)
        perform(network, Gather((ASK, OTHER, NOBODY)), timeout=SOON)
        gc.collect()
        gc.set_debug(gc.DEBUG_SAVEALL)
        try:
            perform(network, Gather((ASK, OTHER, NOBODY)), timeout=3 * SOON)
            gc.collect()
            assert not [each for each in gc.garbage if isinstance(each, ResolverError | DnsAnswer | Failed)]
        finally:
            gc.set_debug(0)
            gc.garbage.clear()


# --- coroutines


class Awaitable:
    """A user's resolver that is awaited."""

    def __init__(self, *, hangs: bool = False) -> None:
        self.hangs = hangs
        self.cancelled = False

    async def resolve(self, name: str, kind: DnsKind, timeout: float) -> DnsAnswer:  # noqa: ASYNC109  (the protocol's)
        try:
            await (asyncio.Event().wait() if self.hangs else asyncio.sleep(0))
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return ANSWER


def test_a_coroutine_is_awaited_and_cancelled_at_the_deadline(networks) -> None:
    """In asynchronous applications."""
    assert awaiting(networks(Awaitable()), ASK) == [ANSWER]
    hanging = Awaitable(hangs=True)
    (error,) = awaiting(networks(hanging), ASK, timeout=SOON)
    assert (str(error), hanging.cancelled) == ("no answer within the deadline of 0.05 s", True)


def test_a_coroutine_is_of_no_use_where_nobody_awaits(networks) -> None:
    """A client says so when it is built; whoever asks nevertheless is told."""
    network = networks(Awaitable())
    assert network.needs_async
    assert is_async_resolver(Awaitable())
    assert not is_async_resolver(ScriptedResolver({}))
    assert all(isinstance(each.error, ResolverError) for each in blocking(network, Gather((ASK, OTHER)))[0])


# --- several at once


class Meeting:
    """Answers only when two questions are there at the same time."""

    def __init__(self) -> None:
        self._barrier = threading.Barrier(2)

    def resolve(self, name: str, kind: DnsKind, timeout: float) -> DnsAnswer:
        self._barrier.wait(LATE)
        return DnsAnswer(exists=True, records=(name,))


def test_what_is_gathered_is_asked_at_the_same_time(perform, networks) -> None:
    """Also where nothing can be awaited; answers come in the order of the questions."""
    (heard,) = perform(networks(Meeting()), Gather((Pause(), ASK, AskStore("get", ("k",)), OTHER)))
    assert heard == [None, DnsAnswer(True, ("example.com",)), None, DnsAnswer(True, ("other.example",))]


def test_our_own_resolver_is_asked_at_the_same_time_too(perform, networks) -> None:
    """The server holds the first answer until the second question is there."""
    with DnsServer({"example.com": {"A": ["192.0.2.1"]}}) as server:

        def holds_until_two_came(asked: dns.Asked):
            server.wait_for(2)
            return dns.honest(asked)

        server.behave(ALL, holds_until_two_came)
        (heard,) = perform(networks(server.address), Gather((ASK, NOBODY)))
    assert heard == [ANSWER, DnsAnswer(exists=False)]


def test_what_is_known_is_answered_without_a_thread(networks, monkeypatch) -> None:
    """And so is the last of those that are not."""
    here, submit = threading.get_ident(), Offload.submit

    def submitted(*arguments: Any) -> Any:
        if threading.get_ident() == here:  # what other tests have left running may ask for threads
            pytest.fail("a thread was asked for")
        return submit(*arguments)

    with DnsServer({"example.com": {"A": ["192.0.2.1"]}}) as server:
        network = networks(server.address)
        blocking(network, ASK)
        monkeypatch.setattr(Offload, "submit", submitted)
        assert blocking(network, Gather((ASK, NOBODY, ASK)))[0] == [ANSWER, DnsAnswer(exists=False), ANSWER]


def test_each_of_several_fails_for_itself(perform, networks) -> None:
    """One failed, one did not."""
    script = {("example.com", "A"): ["192.0.2.1"], ("other.example", "MX"): ResolverError("SERVFAIL")}
    (heard,) = perform(networks(ScriptedResolver(script)), Gather((ASK, OTHER, NOBODY)))
    assert (heard[0], heard[2]) == (ANSWER, DnsAnswer(exists=False))
    assert isinstance(heard[1], Failed)
    assert str(heard[1].error) == "SERVFAIL"


def test_an_answer_is_not_lost_for_the_silence_about_another(perform, networks) -> None:
    """The last is asked by the caller itself, who is busy to the end of the deadline."""
    with DnsServer({"example.com": {"A": ["192.0.2.1"]}}) as server:
        server.behave("nobody.example", dns.silent)
        (heard,) = perform(networks(server.address), Gather((ASK, NOBODY)), timeout=10 * SOON)
    assert heard[0] == ANSWER
    assert "silent" in str(heard[1].error)


def test_several_that_hang_end_with_one_deadline(perform, networks, hanging: Hanging) -> None:
    """All of them are errors, and the flow goes on."""
    (heard,) = perform(networks(hanging), Gather((ASK, OTHER, NOBODY)), timeout=SOON)
    assert [repr(each.error) for each in heard] == ["ResolverError('no answer within the deadline of 0.05 s')"] * 3


def test_without_threads_one_is_asked_after_the_other(networks, monkeypatch) -> None:
    """The answers are the same."""

    def refuse(*_: object) -> None:
        raise ResolverError("no threads")

    network = networks(ScriptedResolver({("example.com", "A"): ["192.0.2.1"]}))
    monkeypatch.setattr(Network, "_submit", refuse)
    assert blocking(network, Gather((ASK, NOBODY)))[0] == [ANSWER, DnsAnswer(exists=False)]


# --- rarer


def test_a_users_coroutine_twin_is_cancelled_at_the_deadline(networks) -> None:
    """One that offers both ways, and keeps no deadline."""

    class Both:
        def resolve(self, name, kind, timeout):
            return ANSWER

        async def resolve_async(self, name, kind, timeout):  # noqa: ASYNC109  (the protocol's)
            await asyncio.Event().wait()

    network = networks(Both())
    assert not network.needs_async
    assert blocking(network, ASK) == [ANSWER]
    assert str(awaiting(network, ASK, timeout=SOON)[0]) == "no answer within the deadline of 0.05 s"
