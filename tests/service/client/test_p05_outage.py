"""P5: an outage costs little: after five failures nobody waits, one probe a second finds out when it is over."""

from __future__ import annotations

import asyncio
import threading

import pytest
from tests.chaos.http_server import Chaos, closed_port, echo, reply, saying
from tests.chaos.left_over import until
from tests.service.client.scripted import Hand, Scripted
from tests.service.client.ways import KEY, PATH, Way, run_threads

from doorward.errors import ServiceError
from doorward.service.client.breaking import GAP, LONGEST_AWAY, PROBE_SECONDS
from doorward.service.client.caller import Caller
from doorward.service.client.http_transport import HttpTransport
from doorward.service.client.reporter import Reporter
from doorward.service.client.transport import Reply
from doorward.service.client.trouble import NotAsked, TooLate

GOOD = Reply(200, "application/json", b"{}")


def refused(status: int, code: str, retry_after: str = "") -> Reply:
    body = b'{"code":"%s","message":"as \\u0007 said"}' % code.encode()
    return Reply(status, "application/json", body, retry_after)


def made(*script: object, **options: object) -> tuple[Caller, Scripted, Hand]:
    transport, clock = Scripted(*script), Hand()
    return Caller(transport, clock=clock, random=lambda: 1.0, **options), transport, clock


def test_p5_five_failures_in_a_row_open_the_breaker(ask: Way) -> None:
    """The sixth call is not made; whoever has to know is told once, with the cause."""
    told: list[str] = []
    caller, transport, _ = made(ServiceError("it is down"), on_change=told.append)
    answers = ask(caller, 20)
    assert transport.calls == 5
    assert [type(answer) for answer in answers] == [ServiceError] * 5 + [NotAsked] * 15
    assert told == ["the decision service is given up until it is back: it is down"]
    figures = caller.figures()
    assert (figures["calls"], figures["failures"], figures["refused"], figures["opened"]) == (5, 5, 15, 1)
    assert (figures["state"], figures["cause"], figures["in_flight"]) == ("open", "it is down", 0)


def test_p5_an_answer_in_between_begins_the_count_anew(ask: Way) -> None:
    """Four failures and an answer, again and again, are no outage."""
    caller, transport, _ = made(*([ServiceError("slow")] * 4 + [GOOD]) * 4)
    ask(caller, 20)
    assert transport.calls == 20
    assert caller.figures()["state"] == "closed"


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "invalid_argument"), (413, "resource_exhausted"), (409, "aborted"), (499, "canceled"), (422, "")],
    ids=str,
)
def test_p5_what_a_visitor_may_cause_does_not_open_it(status: int, code: str, ask: Way) -> None:
    """Or else one visitor could switch the service off for all."""
    caller, transport, _ = made(refused(status, code))
    answers = ask(caller, 40)
    assert transport.calls == 40
    assert caller.figures()["state"] == "closed"
    assert all(answer.code == code for answer in answers)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "unauthenticated"),
        (403, "permission_denied"),
        (404, "unimplemented"),
        (408, "deadline_exceeded"),
        (429, "resource_exhausted"),
        (500, "internal"),
        (503, "unavailable"),
        (302, ""),
    ],
    ids=str,
)
def test_p5_what_the_service_is_to_blame_for_opens_it(status: int, code: str, ask: Way) -> None:
    """Errors of the service, of the key and of the URL."""
    caller, transport, _ = made(refused(status, code))
    answers = ask(caller, 9)
    assert transport.calls == 5
    assert answers[0].code == code
    assert ("refuses the key" in str(answers[0])) == (status in (401, 403))
    assert str(answers[0]).endswith(r"as \x07 said")


def test_p5_a_call_that_had_no_time_is_not_held_against_the_service(ask: Way) -> None:
    """A visitor whose request takes long before the service is asked could otherwise switch it off for all."""
    with Chaos("black hole") as server:
        transport = HttpTransport(server.url, KEY)
        caller = Caller(transport, patience=0.2)
        assert all(isinstance(answer, TooLate) for answer in ask(caller, 8, seconds=0.02))
        assert caller.figures()["state"] == "closed"
        ask(caller, 5, at_once=5, seconds=0.2)
        assert caller.figures()["state"] == "open"
        transport.close()


def test_p5_a_service_that_wants_to_be_left_alone_is(ask: Way) -> None:
    """For as long as it says, and half a minute at most; then calls go through by themselves."""
    told: list[str] = []
    caller, transport, clock = made(refused(429, "resource_exhausted", "7"), GOOD, on_change=told.append)
    assert isinstance(ask(caller)[0], ServiceError)
    clock.now += 6.9
    assert isinstance(ask(caller)[0], NotAsked)
    assert (caller.figures()["state"], caller.away_for()) == ("asked to wait", pytest.approx(0.1))
    clock.now += 0.2
    assert ask(caller) == [b"{}"]
    assert (transport.calls, len(told)) == (2, 1)
    transport.script = [refused(429, "resource_exhausted", "86400"), GOOD]
    ask(caller)
    assert caller.away_for() == pytest.approx(LONGEST_AWAY)


def test_p5_a_probe_a_second_at_most_and_back_within_two() -> None:
    """Whatever chance says: a second at least from probe to probe, and two at most with what a probe takes."""
    for chance in (0.0, 0.5, 1.0):
        transport, clock = Scripted(ServiceError("down")), Hand()
        caller = Caller(transport, clock=clock, random=lambda chance=chance: chance)
        for _ in range(5):
            with pytest.raises(ServiceError):
                caller.call(PATH, b"{}", 1.0)
        waits = []
        for _ in range(5):
            waits.append(caller.away_for())
            clock.now += waits[-1] + 1e-9
            assert not caller.probe(PATH, b"{}")
        assert transport.calls == 10
        assert 1.0 <= min(waits) <= max(waits) <= GAP
        assert max(waits) + PROBE_SECONDS < 2.0


def test_p5_visitors_never_probe(ask: Way) -> None:
    """However long it has been away: only the reporter's thread asks."""
    caller, transport, clock = made(*[ServiceError("down")] * 5, GOOD)
    ask(caller, 5)
    clock.now += 3600
    assert all(isinstance(answer, NotAsked) for answer in ask(caller, 50))
    assert transport.calls == 5
    assert caller.probe(PATH, b"{}")
    assert ask(caller) == [b"{}"]


def test_p5_a_service_that_finds_fault_with_the_probe_is_back() -> None:
    """It was there to say so."""
    told: list[str] = []
    caller, _, clock = made(*[ServiceError("down")] * 5, refused(400, "invalid_argument"), on_change=told.append)
    for _ in range(5):
        with pytest.raises(ServiceError):
            caller.call(PATH, b"{}", 1.0)
    clock.now += 2
    assert caller.probe(PATH, b"{}")
    assert told[-1] == "the decision service is back after 2.0 s"


def test_p5_at_most_so_many_in_flight_together() -> None:
    """Threads and event loops share one limit; the excess fails at once, and is not held against the service."""
    caller, transport, _ = made(GOOD, most_in_flight=32)
    transport.gate = threading.Event()
    threads = [threading.Thread(target=caller.call, args=(PATH, b"{}", 9.0), daemon=True) for _ in range(20)]
    for thread in threads:
        thread.start()
    until(lambda: caller.figures()["in_flight"] == 20)

    async def main() -> None:
        tasks = [asyncio.create_task(caller.acall(PATH, b"{}", 9.0)) for _ in range(20)]
        done, waiting = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        while len(done) < 8:
            more, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_EXCEPTION)
            done |= more
        assert (len(done), len(waiting), caller.figures()["in_flight"]) == (8, 12, 32)
        assert all(isinstance(task.exception(), NotAsked) for task in done)
        transport.gate.set()
        await asyncio.gather(*waiting)

    run_threads([lambda: asyncio.run(main())])
    for thread in threads:
        thread.join(30)
    figures = caller.figures()
    assert (transport.most, transport.calls) == (32, 32)
    assert (figures["busy"], figures["calls"], figures["in_flight"], figures["state"]) == (8, 32, 0, "closed")


def test_p5_calls_that_are_cancelled_at_their_deadline_count_and_others_do_not() -> None:
    """A visitor who leaves says nothing about the service; one who was sent away at the deadline does."""
    caller, transport, clock = made(GOOD)

    async def cancelled(after: float) -> None:
        transport.gate = threading.Event()
        task = asyncio.create_task(caller.acall(PATH, b"{}", 1.0))
        while not caller.figures()["in_flight"]:  # noqa: ASYNC110  (a state of the caller)
            await asyncio.sleep(0)
        clock.now += after
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    async def main() -> None:
        for _ in range(20):
            await cancelled(0.5)
        assert (caller.figures()["state"], caller.figures()["failures"]) == ("closed", 0)
        for _ in range(5):
            await cancelled(1.0)

    run_threads([lambda: asyncio.run(main())])
    assert (caller.figures()["state"], caller.figures()["in_flight"]) == ("open", 0)


@pytest.mark.parametrize("mode", ["refused", "black hole"], ids=lambda mode: mode.replace(" ", "-"))
def test_p5_a_real_outage_from_end_to_end(mode: str, ask: Way) -> None:
    """The server goes and comes back: few arrivals while it is away, and the reporter's thread finds it back."""
    with Chaos(echo) as server:
        transport = HttpTransport(server.url, KEY)
        caller = Caller(transport)
        reporter = Reporter(caller)
        assert not any(isinstance(answer, ServiceError) for answer in ask(caller, 3))
        if mode == "refused":
            server.stop()
        else:
            server.mode = mode
        arrived = server.arrived
        ask(caller, 6, seconds=0.15)
        assert caller.figures()["state"] != "closed"
        assert all(isinstance(answer, NotAsked) for answer in ask(caller, 500))
        until(lambda: caller.figures()["probes"] >= 1)
        assert server.arrived - arrived <= 5 + caller.figures()["probes"]
        server.mode = echo
        if mode == "refused":
            server.start()
        until(lambda: caller.figures()["state"] == "closed")
        assert not any(isinstance(answer, ServiceError) for answer in ask(caller, 3))
        reporter.close()
        transport.close()


def test_p5_a_forked_child_finds_out_for_itself() -> None:
    """Breakers and numbers are of one process: see test_forks for what is open."""
    caller, _, _ = made(ServiceError("down"))
    for _ in range(5):
        with pytest.raises(ServiceError):
            caller.call(PATH, b"{}", 1.0)
    caller._current.pid = -1
    assert (caller.figures()["state"], caller.figures()["calls"]) == ("closed", 0)


def test_p5_garbage_opens_it_too(ask: Way) -> None:
    """What whoever asked can make nothing of is as good as no answer."""
    with Chaos(saying(reply(b'{"decision":7}'))) as server:
        transport = HttpTransport(server.url, KEY)
        caller = Caller(transport)

        def read(body: bytes) -> str:
            raise KeyError(body)

        for _ in range(9):
            with pytest.raises(ServiceError):
                caller.ask(PATH, b"{}", 5.0, read)
        assert server.arrived == 5
        assert "KeyError" in str(caller.figures()["cause"])
        transport.close()


def test_the_refused_port_is_what_it_is_named() -> None:
    """The helper of these tests, which a program of this computer could thwart."""
    transport = HttpTransport(f"http://127.0.0.1:{closed_port()}", KEY)
    with pytest.raises(ServiceError, match="refuses connections"):
        transport.warm()
    transport.close()
