"""P17: requests that are aborted while the store is silent, forks while it is lost: nothing is left, nothing hangs."""

from __future__ import annotations

import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.behaviour.clients.drivers import scope_of
from tests.behaviour.doubles import AwaitedStore, ShakyStore

from doorward import AsyncDoorward, Doorward, RequestContext, sliding_window
from doorward.asgi import DoorwardMiddleware
from doorward.testing import FakeClock

ABORTED = 10_000 if os.environ.get("DOORWARD_SOAK") == "1" else 500
RULES = [sliding_window(max=10**6, interval="1m")]


async def never(*_: object) -> Any:
    await asyncio.Event().wait()


async def reached(scope: Any, receive: Any, send: Any) -> None:
    await receive()


def test_p17_aborted_requests_of_a_silent_store_leave_no_tasks_but_the_one_that_listens() -> None:
    """P17: neither those that wait for the store, nor those that are let in without it."""

    async def abort() -> None:
        store: Any = AwaitedStore(FakeClock())
        store.within.mode = "hangs"
        aj = AsyncDoorward(RULES, store=store, timeout=0.05)
        app = DoorwardMiddleware(reached, aj)
        before = len(asyncio.all_tasks())
        for _ in range(3):
            tasks = [asyncio.create_task(app(scope_of("/echo"), never, never)) for _ in range(ABORTED)]
            await asyncio.sleep(0.06)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        assert len(asyncio.all_tasks()) - before <= 1
        store.within.get_well()
        await aj.aclose()

    asyncio.run(abort())


def test_p17_a_silent_store_holds_few_threads() -> None:
    """P17: they end when it answers; meanwhile nobody waits for them."""
    store = ShakyStore(FakeClock())
    store.mode = "hangs"
    aj = Doorward(RULES, store=store, timeout=0.02)
    before = set(threading.enumerate())
    with ThreadPoolExecutor(8) as pool:
        batches = [
            pool.submit(lambda: [aj.protect(RequestContext(peer="203.0.113.9")) for _ in range(50)]) for _ in "8" * 8
        ]
        assert sum(len(batch.result()) for batch in batches) == 400
    mine = [thread for thread in set(threading.enumerate()) - before if thread.is_alive()]
    assert 0 < len(mine) <= 32
    store.get_well()
    aj.close()


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # newer Pythons warn of what is tested here
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")
def test_p17_a_child_forked_during_an_outage_decides() -> None:
    """P17: no lock of the watch, the local limiter or the journal is inherited held."""
    store = ShakyStore(FakeClock(), blocking=False)
    aj = Doorward(RULES, store=store)
    stop = threading.Event()

    def hammer() -> None:
        while not stop.is_set():
            store.mode = "raises" if store.mode == "well" else "well"
            aj.protect(RequestContext(peer="203.0.113.9"))

    with ThreadPoolExecutor(2) as pool:
        pool.submit(hammer)
        try:
            codes = [_decides_in_child(aj) for _ in range(20)]
        finally:
            stop.set()
    assert codes == [0] * 20


def _decides_in_child(aj: Doorward) -> int:
    child = os.fork()
    if not child:
        done = threading.Thread(target=lambda: [aj.protect(RequestContext(peer="203.0.113.9")) for _ in range(3)])
        done.start()
        done.join(20)
        os._exit(done.is_alive())
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
