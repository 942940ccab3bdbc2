"""Single flight: those who ask the same at the same time share one call, its answer and its failure."""

from __future__ import annotations

import asyncio
import threading

import pytest
from tests.chaos.left_over import until
from tests.service.client.scripted import Scripted
from tests.service.client.ways import PATH, run_threads

from doorward.errors import ServiceError
from doorward.service.client.caller import Caller
from doorward.service.client.transport import Reply
from doorward.service.client.trouble import NotAsked

GOOD = Reply(200, "application/json", b'{"n":1}')
BODY = b'{"question":1}'


def made(*script: object, **options: object) -> tuple[Caller, Scripted]:
    transport = Scripted(*script)
    transport.gate = threading.Event()
    return Caller(transport, **options), transport


def in_threads(caller: Caller, bodies: list[bytes], *, shareable: bool = True) -> tuple[list[threading.Thread], list]:
    answers: list[object] = []

    def work(body: bytes) -> None:
        try:
            answers.append(caller.call(PATH, body, 20.0, shareable=shareable))
        except ServiceError as error:
            answers.append(error)

    threads = [threading.Thread(target=work, args=(body,), daemon=True) for body in bodies]
    for thread in threads:
        thread.start()
    return threads, answers


def joined(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()


def test_threads_share_one_call() -> None:
    """Of twenty who ask the same one goes; nineteen take its answer, and none of them is in flight."""
    caller, transport = made(GOOD, most_in_flight=1)
    threads, answers = in_threads(caller, [BODY] * 20)
    until(lambda: caller.figures()["shared"] == 19)
    transport.gate.set()
    joined(threads)
    assert answers == [b'{"n":1}'] * 20
    assert (transport.calls, caller.figures()["busy"]) == (1, 0)


def test_threads_share_a_failure_and_each_has_an_error_of_its_own() -> None:
    """One failure, held against the service once: and tracebacks do not add up."""
    caller, transport = made(ServiceError("down", "unavailable"))
    threads, answers = in_threads(caller, [BODY] * 8)
    until(lambda: caller.figures()["shared"] == 7)
    transport.gate.set()
    joined(threads)
    assert {(str(error), error.code) for error in answers} == {("down", "unavailable")}
    assert len({id(error) for error in answers}) == 8
    assert (transport.calls, caller.figures()["failures"]) == (1, 1)


def test_what_differs_or_is_not_shareable_is_asked_each() -> None:
    """A question that counts something is asked as often as it counts."""
    for bodies, shareable in (([b'{"n":%d}' % number for number in range(5)], True), ([BODY] * 5, False)):
        caller, transport = made(GOOD)
        threads, answers = in_threads(caller, bodies, shareable=shareable)
        until(lambda transport=transport: transport.calls == 5)
        transport.gate.set()
        joined(threads)
        assert len(answers) == 5
        assert caller.figures()["shared"] == 0


def test_an_answer_is_not_kept() -> None:
    """Whoever comes when it is there asks again."""
    caller, transport = made(GOOD)
    transport.gate.set()
    for _ in range(3):
        caller.call(PATH, BODY, 5.0, shareable=True)
    assert transport.calls == 3


def test_whoever_shares_waits_no_longer_than_they_would_have() -> None:
    """The call goes on for the one who began it."""
    caller, transport = made(GOOD)
    threads, answers = in_threads(caller, [BODY])
    until(lambda: transport.calls == 1)
    with pytest.raises(ServiceError, match="within the deadline"):
        caller.call(PATH, BODY, 0.01, shareable=True)
    transport.gate.set()
    joined(threads)
    assert answers == [b'{"n":1}']


def test_a_thread_that_is_torn_away_leaves_nobody_waiting() -> None:
    """SystemExit, a green thread's end: whatever ends the one who asks, the others are told."""
    caller, transport = made(GOOD)

    def send(call: object) -> Reply:
        transport.calls += 1
        transport.gate.wait(30)
        raise SystemExit

    transport.send = send

    def torn() -> None:
        with pytest.raises(SystemExit):
            caller.call(PATH, BODY, 20.0, shareable=True)

    first = threading.Thread(target=torn)
    first.start()
    until(lambda: transport.calls == 1)
    threads, answers = in_threads(caller, [BODY] * 3)
    until(lambda: caller.figures()["shared"] == 3)
    transport.gate.set()
    joined([first, *threads])
    assert [str(error) for error in answers] == ["the call to the decision service was given up"] * 3
    assert caller.figures()["in_flight"] == 0


def awaiting(caller: Caller, transport: Scripted, cancel: list[int], *, waiting: int = 6) -> list[object]:
    """What ``waiting`` tasks that ask the same came to, of which some were cancelled."""

    async def main() -> list[object]:
        tasks = [asyncio.create_task(caller.acall(PATH, BODY, 20.0, shareable=True)) for _ in range(waiting)]
        async with asyncio.timeout(30):
            while caller.figures()["shared"] < waiting - 1 or not transport.calls:  # noqa: ASYNC110  (the caller's state)
                await asyncio.sleep(0)
        for number in cancel:
            tasks[number].cancel()
        await asyncio.sleep(0.01)
        transport.gate.set()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0.01)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return results

    found: list[object] = []
    run_threads([lambda: found.extend(asyncio.run(main()))])
    return found


def test_tasks_share_one_call() -> None:
    """Those of one event loop."""
    caller, transport = made(GOOD, most_in_flight=1)
    assert awaiting(caller, transport, []) == [b'{"n":1}'] * 6
    assert (transport.calls, caller.figures()["in_flight"]) == (1, 0)


def test_tasks_share_a_failure() -> None:
    """Each has an error of its own, of the same kind."""
    caller, transport = made(NotAsked("closed"))
    errors = awaiting(caller, transport, [])
    assert len({id(error) for error in errors}) == 6
    assert all(isinstance(error, NotAsked) for error in errors)


@pytest.mark.parametrize("cancel", [[0], [3], [0, 1, 2, 3, 4]], ids=["first", "another", "all but one"])
def test_one_that_is_cancelled_does_not_cancel_the_others(cancel: list[int]) -> None:
    """Not even the one who began."""
    caller, transport = made(GOOD)
    results = awaiting(caller, transport, cancel)
    for number, result in enumerate(results):
        assert isinstance(result, asyncio.CancelledError) if number in cancel else result == b'{"n":1}'
    assert transport.calls == 1


def test_a_call_that_nobody_waits_for_is_given_up() -> None:
    """And the next one asks anew; nothing is in flight."""
    caller, transport = made(GOOD)
    assert all(isinstance(each, asyncio.CancelledError) for each in awaiting(caller, transport, [0, 1, 2, 3, 4, 5]))
    assert caller.figures()["in_flight"] == 0
    assert awaiting(caller, transport, [], waiting=1) == [b'{"n":1}']


def test_silence_is_held_against_the_service_also_where_calls_are_shared() -> None:
    """Whoever waits for the shared call does not end it before the transport has found out."""
    caller, transport = made(ServiceError("silent"))
    transport.gate.set()

    async def main() -> None:
        for _ in range(5):
            with pytest.raises(ServiceError):
                await caller.acall(PATH, BODY, 0.001, shareable=True)

    run_threads([lambda: asyncio.run(main())])
    assert caller.figures()["state"] == "open"
