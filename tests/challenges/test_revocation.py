"""P13: revocation: what was handed out before is refused, by every process, and stays so."""

from __future__ import annotations

import asyncio

from tests.challenges.clearing import Site, Watched, asked

from doorward import AsyncDoorward
from doorward.stores import MemoryStore
from doorward.testing import FakeClock


def test_humanify_21_a_clearance_can_be_revoked() -> None:
    """humanify 21: by configuration, from a moment on."""
    clock = FakeClock()
    site = Site(clock=clock)
    cookie = f"__Host-doorward={site.token()}"
    now = clock.now_ns() / 1e9
    assert Site(clock=clock, challenges={"not_before": now}).get("/x", cookie).status == 200
    assert Site(clock=clock, challenges={"not_before": now + 1}).get("/x", cookie).status == 403


def test_p13_revoked_at_run_time_by_another_process() -> None:
    """Known to others within five seconds; nobody but the cleared costs a call, and those one in five seconds."""
    clock = FakeClock()
    store = Watched(MemoryStore(clock=clock))
    here, there = (Site(clock=clock, store=store) for _ in range(2))
    cookie = f"__Host-doorward={here.token()}"
    store.names.clear()
    assert [here.get("/x").status, here.get("/y").status, here.get("/x", "__Host-doorward=no").status] == [
        403,
        200,
        403,
    ]
    assert "get" not in store.names
    assert [here.get("/x", cookie).status for _ in range(9)] == [200] * 9
    assert store.names.count("get") == 1
    clock.advance(1)
    there.aj.revoke_clearances()
    assert there.get("/x", cookie).status == 403
    clock.advance(5)
    assert here.get("/x", cookie).status == 403
    fresh = f"__Host-doorward={here.token()}"
    assert [here.get("/x", fresh).status, there.get("/x", fresh).status] == [200, 200]


def test_revoked_by_code_that_awaits() -> None:
    """As by code that blocks."""

    async def scenario() -> tuple[bool, bool]:
        site = Site()
        aj: AsyncDoorward = site.aj.as_async()
        request = asked(path="/x", cookie=f"__Host-doorward={site.token()}")
        before = (await aj.protect(request)).is_allowed()
        site.clock.advance(1)
        await aj.revoke_clearances()
        return before, (await aj.protect(asked(path="/x", cookie=request.headers.get("cookie")))).is_allowed()

    assert asyncio.run(scenario()) == (True, False)


def test_what_was_revoked_once_stays_revoked() -> None:
    """Though the store names an earlier moment, as after a process whose clock is behind has revoked as well."""
    clock = FakeClock()
    store = MemoryStore(clock=clock)
    site = Site(clock=clock, store=store)
    old = f"__Host-doorward={site.token()}"
    clock.advance(10)
    site.aj.revoke_clearances()
    clock.advance(10)
    behind = Site(store=store, clock=FakeClock())
    behind.aj.revoke_clearances()
    fresh = f"__Host-doorward={site.token()}"
    assert site.get("/x", fresh).status == 200  # asks the store
    assert site.get("/x", old).status == 403
