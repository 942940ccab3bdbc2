"""P10: never more than ``max``, by many threads at once, with the store and without it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.behaviour.doubles import ShakyStore

from doorward import Doorward, RequestContext, fixed_window, sliding_window, token_bucket
from doorward.stores.memory import MemoryStore
from doorward.testing import FakeClock

THREADS, MAX = 16, 500
every_algorithm = pytest.mark.parametrize(
    "rule",
    [
        fixed_window(max=MAX, window="1h"),
        sliding_window(max=MAX, interval="1h"),
        token_bucket(capacity=MAX, refill_rate=MAX, interval="1h"),
    ],
    ids=["fixed", "sliding", "bucket"],
)


@pytest.fixture(autouse=True)
def _eager_threads() -> Iterator[None]:
    """Let threads take turns after every few instructions, so that a missing lock shows."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def let_in(aj: Doorward) -> int:
    def knock() -> int:
        return sum(aj.protect(RequestContext(peer="203.0.113.9")).is_allowed() for _ in range(60))

    with ThreadPoolExecutor(THREADS) as pool:
        return sum(batch.result() for batch in [pool.submit(knock) for _ in range(THREADS)])


@every_algorithm
@pytest.mark.parametrize("kind", ["memory", "an object", "another's", "another's that blocks"])
def test_p10_threads_are_let_in_exactly(rule: Any, kind: str) -> None:
    """P10: 16 threads ask 960 times, 500 are let in."""
    clock = FakeClock()
    stores: dict[str, Any] = {
        "memory": "memory://",
        "an object": MemoryStore(clock=clock),
        "another's": ShakyStore(clock, blocking=False),
        "another's that blocks": ShakyStore(clock),
    }
    aj = Doorward([rule], store=stores[kind], clock=clock, timeout=30)
    assert let_in(aj) == MAX


@every_algorithm
def test_p10_the_local_limiter_lets_in_exactly(rule: Any) -> None:
    """P10: while the store is down, 500 by one process of one, and 125 by one of four."""
    clock = FakeClock()
    for workers in (1, 4):
        store = ShakyStore(clock, blocking=False)
        store.mode = "raises"
        assert let_in(Doorward([rule], store=store, clock=clock, workers=workers)) == MAX // workers


@every_algorithm
def test_p10_threads_at_the_switch_are_let_in_no_more_than_the_store_had_left(rule: Any) -> None:
    """P10: all of them find the store lost at once, with 100 units left."""
    clock = FakeClock()
    store = ShakyStore(clock, blocking=False)
    aj = Doorward([rule], store=store, clock=clock)
    for _ in range(MAX - 100):
        aj.protect(RequestContext(peer="203.0.113.9"))
    store.mode = "raises"
    assert let_in(aj) == 100
