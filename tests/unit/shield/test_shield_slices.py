"""Long scans let others run, can be given up at any time, and can be under way in many threads."""

from __future__ import annotations

import asyncio
import gc
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.behaviour.clients.drivers import call_asgi, scope_of
from tests.unit.shield.marking import Marking, marked
from tests.unit.walking import PEER, request

from doorward import AsyncDoorward, Doorward, RequestContext, shield
from doorward.asgi import DoorwardMiddleware
from doorward.effects import Pause
from doorward.progress import NO_INPUTS, Progress
from doorward.testing import FakeClock

MEGABYTE = b"a=" + b"weigh(0.01) tea and milk " * 40_000
FORM = [("content-type", "application/x-www-form-urlencoded")]
COSTLY = 20_000
"""Units for each piece of a few thousand characters: about ten pieces in a slice."""


def post(body: bytes = MEGABYTE) -> RequestContext:
    return request(method="POST", headers=FORM, body=body)


async def ticks_during(decide: Any) -> tuple[int, Any]:
    """How often the event loop comes round while something is decided."""
    ticks, done = 0, False

    async def count() -> None:
        nonlocal ticks
        while not done:
            ticks += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    decision = await decide
    done = True
    await counting
    return ticks, decision


def test_the_event_loop_runs_during_the_scan_of_a_megabyte() -> None:
    """Other tasks get their turn at each slice."""
    aj = AsyncDoorward([marked(Marking(cost=COSTLY))])
    ticks, decision = asyncio.run(ticks_during(aj.protect(post())))
    assert decision.is_allowed()
    assert ticks >= 20


def test_the_event_loop_runs_during_the_scan_of_a_megabyte_by_the_default_shield() -> None:
    """With the detectors that there are; text costs little, so the turns are fewer."""
    body = b"a=" + b"tea+and+milk%2C+or+%22coffee%22%3B+" * 30_000
    ticks, decision = asyncio.run(ticks_during(AsyncDoorward([shield()]).protect(post(body[: 2**20]))))
    assert decision.is_allowed()
    assert ticks >= 10


def test_the_event_loop_runs_during_a_scan_after_the_response() -> None:
    """The same for ``when="after"``, behind the middleware."""
    aj = AsyncDoorward([marked(Marking(cost=COSTLY), when="after")])

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})

    scope = scope_of("/", method="POST", headers=FORM)
    call = call_asgi(DoorwardMiddleware(app, aj), scope, [MEGABYTE[: 2**20]])
    ticks, reply = asyncio.run(ticks_during(call))
    assert reply.body == b"ok"
    assert ticks >= 20


def test_code_that_blocks_is_not_paused() -> None:
    """The same decision, without an event loop."""
    aj = Doorward([marked(Marking(cost=COSTLY))])
    assert aj.protect(post()).is_allowed()
    assert aj.protect(post(MEGABYTE[:900_000] + b"&b=weigh(1.0)")).is_denied()


def test_short_requests_are_looked_at_without_a_pause() -> None:
    """A walk asks for nothing but the store."""
    aj = Doorward([marked()], clock=FakeClock())
    flow = aj.engine.evaluate(Progress(post(b"a=tea"), aj.engine), NO_INPUTS)
    with pytest.raises(StopIteration):
        next(flow)


def pauses(flow: Any, most: int) -> int:
    """Take a walk up to so many pauses; how many there were."""
    for number in range(most):
        try:
            assert isinstance(next(flow), Pause)
        except StopIteration:
            return number
    return most


@pytest.mark.parametrize("after", [1, 5, 12])
def test_a_scan_can_be_given_up_at_any_pause(after: int) -> None:
    """Nothing is added up, nothing is taken for clean, and the next request is decided as ever."""
    aj = Doorward([marked(Marking(cost=COSTLY), threshold=0.5)], clock=FakeClock())
    body = b"a=weigh(0.6)&b=" + MEGABYTE
    flow = aj.engine.evaluate(Progress(post(body), aj.engine), NO_INPUTS)
    assert pauses(flow, after) == after
    flow.close()
    assert aj.stats()["store.tallies"] == 0
    assert aj.protect(post(body)).is_denied()


def test_a_client_that_leaves_in_the_middle_of_a_scan() -> None:
    """The request's task is cancelled: no error is swallowed, no task, generator or progress is left."""
    aj = AsyncDoorward([marked(Marking(cost=COSTLY))])
    reached: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        reached.append(scope)

    async def run() -> int:
        tasks = []
        for _ in range(20):
            scope = scope_of("/", method="POST", headers=FORM)
            tasks.append(asyncio.create_task(call_asgi(DoorwardMiddleware(app, aj), scope, [MEGABYTE])))
        for _ in range(10):
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in ended)
        return len(asyncio.all_tasks())

    assert asyncio.run(run()) == 1
    assert reached == []
    gc.collect()
    assert not [each for each in gc.get_objects() if type(each) is Progress and each.engine is aj.engine]
    assert asyncio.run(_protected(aj)).is_allowed()


async def _protected(aj: AsyncDoorward) -> Any:
    return await aj.protect(post(b"a=tea"))


def test_a_client_that_leaves_while_the_application_answers_is_looked_at() -> None:
    """``when="after"``: hanging up early does not let an attack off."""
    aj = AsyncDoorward([marked(when="after", threshold=0.5)])

    async def never(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.Event().wait()

    async def run() -> Any:
        app = DoorwardMiddleware(never, aj)
        task = asyncio.create_task(call_asgi(app, scope_of("/?q=weigh(0.6)", peer=PEER), [b""]))
        for _ in range(5):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return await aj.stats(PEER)

    assert asyncio.run(run()).refused_for


THREADS = 8


def test_threads_share_a_scanner() -> None:
    """Attacks and ordinary requests from many threads at once: each is decided as it would be alone."""
    aj = Doorward([shield(threshold=1_000_000)])
    attack, ordinary = "q=%3Cscript%3Ealert(1)%3C/script%3E", "q=tea+%26+milk"
    start = threading.Barrier(THREADS)

    def hammer(number: int) -> list[bool]:
        start.wait()
        queries = [attack if turn % 3 == 0 else f"{ordinary}&n={number * turn}" for turn in range(60)]
        return [aj.protect(request(query=query)).is_denied() for query in queries]

    with ThreadPoolExecutor(THREADS) as pool:
        expected = [turn % 3 == 0 for turn in range(60)]
        assert list(pool.map(hammer, range(THREADS))) == [expected] * THREADS


def test_threads_add_up_exactly() -> None:
    """What many threads find in one client's requests makes one sum: the threshold is neither missed nor met early."""
    aj = Doorward([marked(threshold=32.0, mode="DRY_RUN", name="dry")], clock=FakeClock())
    start = threading.Barrier(THREADS)

    def hammer(_: int) -> int:
        start.wait()
        return sum(aj.protect(request(query="q=weigh(0.5)")).dry_run is None for _ in range(20))

    with ThreadPoolExecutor(THREADS) as pool:
        assert sum(pool.map(hammer, range(THREADS))) == 63
