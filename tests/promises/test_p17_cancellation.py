"""P17: cancelled requests and many threads leave nothing behind."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.behaviour.clients.drivers import scope_of
from tests.behaviour.doubles import BodySpy, HangingStore, SleepingStore

from doorward import AsyncDoorward, Doorward, RequestContext, fixed_window, sliding_window, token_bucket
from doorward.asgi import DoorwardMiddleware

ABORTED = 10_000 if os.environ.get("DOORWARD_SOAK") == "1" else 500
THREADS = 32


async def never(*_: object) -> Any:
    await asyncio.Event().wait()


async def reached(scope: Any, receive: Any, send: Any) -> None:
    await receive()


async def abort(app: Any, count: int) -> int:
    """Begin many requests, cancel them all, and say how many tasks are left."""
    before = len(asyncio.all_tasks())
    tasks = [asyncio.create_task(app(scope_of("/echo", method="POST"), never, never)) for _ in range(count)]
    for _ in range(5):
        await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(result, asyncio.CancelledError) for result in results)
    return len(asyncio.all_tasks()) - before


def test_p17_requests_aborted_while_the_store_is_asked_leave_no_tasks() -> None:
    """P17: cancelled in the middle of a decision, a request takes its question to the store with it."""
    store: Any = SleepingStore()
    aj = AsyncDoorward([sliding_window(max=9, interval="1m")], store=store, timeout=30)
    assert asyncio.run(abort(DoorwardMiddleware(reached, aj), ABORTED)) == 0
    assert store.waiting == 0


def test_p17_requests_aborted_while_the_body_is_read_leave_no_tasks() -> None:
    """P17: the same while a body is being held for a rule."""
    app = DoorwardMiddleware(reached, AsyncDoorward([BodySpy(), sliding_window(max=9, interval="1m")]))
    assert asyncio.run(abort(app, ABORTED)) == 0


def test_p17_requests_aborted_in_the_application_leave_no_tasks_and_settle() -> None:
    """P17: the same while the application works; a limit that waits for the response takes it for a 500."""
    aj = AsyncDoorward([sliding_window(max=10**6, interval="1m", name="x", count_when=401)])

    async def run() -> int:
        left = await abort(DoorwardMiddleware(reached, aj), ABORTED)
        state = await aj.peek("203.0.113.9")
        assert state.limits["x"].remaining == 10**6
        return left

    assert asyncio.run(run()) == 0


def test_p17_a_blocking_store_that_hangs_holds_no_request_and_few_threads() -> None:
    """P17: threads that wait for a hanging store are bounded, and end when it answers."""
    store = HangingStore()
    aj = AsyncDoorward([sliding_window(max=9, interval="1m")], store=store, timeout=30)
    before = set(threading.enumerate())
    assert asyncio.run(abort(DoorwardMiddleware(reached, aj), 200)) == 0
    mine = set(threading.enumerate()) - before
    assert 0 < len(mine) <= THREADS
    store.released.set()
    ends = time.monotonic() + 30
    while aj.runtime.offload()._pools[os.getpid()]._in_flight and time.monotonic() < ends:
        time.sleep(0.01)
    asyncio.run(aj.aclose())
    for thread in mine:
        thread.join(10)
    assert not any(thread.is_alive() for thread in mine)


def test_p17_aborted_requests_leave_no_objects() -> None:
    """P17: progress and decisions of aborted requests are not kept anywhere."""
    from doorward.progress import Progress

    aj = AsyncDoorward([sliding_window(max=10**6, interval="1m")])
    asyncio.run(abort(DoorwardMiddleware(reached, aj), ABORTED))
    gc.collect()
    assert sum(type(each) is Progress and each.engine is aj.engine for each in gc.get_objects()) == 0


@pytest.mark.parametrize(
    "rule",
    [
        fixed_window(max=1000, window="1h"),
        sliding_window(max=1000, interval="1h"),
        sliding_window(max=30, interval="1h"),
        token_bucket(capacity=1000, refill_rate=1, interval="30d"),
    ],
    ids=["fixed", "sliding", "log", "bucket"],
)
def test_p17_threads_admit_exactly_the_limit(rule: Any) -> None:
    """P17: 32 threads against one limit admit its maximum, neither more nor less."""
    aj = Doorward([rule], on_error="deny")
    start = threading.Barrier(THREADS)

    def hammer(_: int) -> int:
        start.wait()
        return sum(aj.protect(RequestContext(peer="203.0.113.9")).is_allowed() for _ in range(60))

    with ThreadPoolExecutor(THREADS) as pool:
        assert sum(pool.map(hammer, range(THREADS))) == min(rule.quota.max, THREADS * 60)


def test_p17_threads_share_a_client_without_errors() -> None:
    """P17: limits, refunds, bans, resets and statistics from 32 threads at once raise nothing."""
    aj = Doorward([sliding_window(max=5, interval="1m", name="x"), fixed_window(max=50, window="1m", mode="DRY_RUN")])

    def work(number: int) -> None:
        for turn in range(50):
            peer = f"203.0.113.{(number + turn) % 20}"
            aj.protect(RequestContext(peer=peer)).refund()
            aj.protect(RequestContext(peer=peer))
            if turn % 10 == number % 10:
                aj.ban(peer, "1m")
                aj.unban(peer)
                aj.reset(peer)
                aj.peek(peer)
                aj.stats()

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(work, range(THREADS)))
    counts: Any = aj.health()["counts"]
    assert counts["decision.ALLOW"] + counts.get("decision.DENY", 0) == THREADS * 100


def test_p17_a_client_made_before_a_fork_works_after_it() -> None:
    """P17: servers load the application, then fork: the child decides, with a store that needs threads too."""
    store = HangingStore()
    store.released.set()
    clients = [
        Doorward([sliding_window(max=2, interval="1m")]),
        Doorward([sliding_window(max=2, interval="1m")], store=store),
    ]
    for aj in clients:
        aj.protect(RequestContext(peer="203.0.113.1"))
    child = os.fork()
    if child == 0:
        answers = [[aj.protect(RequestContext(peer="203.0.113.9")).is_denied() for _ in range(3)] for aj in clients]
        os._exit(0 if answers == [[False, False, True]] * 2 else 1)
    assert os.waitpid(child, 0)[1] == 0
    clients[1].close()
