"""P3: what is kept about clients is bounded, whatever the store does, and who is banned stays banned."""

from __future__ import annotations

import os
import resource

from tests.behaviour.doubles import ShakyStore

from doorward import Doorward, RequestContext, sliding_window
from doorward.degraded import MOST_REMEMBERED
from doorward.refusals import MOST_REMEMBERED as MOST_REFUSALS
from doorward.stores.memory import MemoryStore
from doorward.testing import FakeClock

CLIENTS = 2_000_000 if os.environ.get("DOORWARD_SOAK") == "1" else 30_000
RULES = [sliding_window(max=1, interval="1h")]
VICTIM = "203.0.113.9"


def address(number: int) -> str:
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def allowed(aj: Doorward, peer: str) -> bool:
    return aj.protect(RequestContext(peer=peer)).is_allowed()


def test_p3_a_flood_during_an_outage_is_bounded() -> None:
    """P3: last answers, refusals and the counters of the local limiter, with a store that comes and goes."""
    clock = FakeClock()
    store = ShakyStore(clock, blocking=False)
    aj = Doorward(RULES, store=store, clock=clock, proxies=())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(CLIENTS):
        store.mode = "raises" if number // 1000 % 2 else "well"
        allowed(aj, address(number))
        allowed(aj, address(number))
    local = aj.runtime.local
    assert len(local._heard) <= MOST_REMEMBERED
    assert len(aj.runtime.refusals) <= MOST_REFUSALS
    assert local._store.stats()["keys"] <= 250_000
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024 <= 2 * 64  # two memory stores


def test_p3_a_ban_outlives_a_flood() -> None:
    """P3: as many new clients as may come do not push it out."""
    aj = Doorward(RULES, store=MemoryStore(max_keys=1000), clock=FakeClock())
    aj.ban(VICTIM, "1h")
    for number in range(5000):
        allowed(aj, address(number))
    assert not allowed(aj, VICTIM)
