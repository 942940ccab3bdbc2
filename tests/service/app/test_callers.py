"""Keys: wrong ones, many wrong ones, and how much a right one may ask for."""

from __future__ import annotations

from typing import Any

import pytest
from tests.service.app import doubles
from tests.service.app.conftest import Desk

from doorward.clock import SystemClock
from doorward.errors import StoreError
from doorward.service.server import callers
from doorward.stores import MemoryStore


def test_wrong_keys_are_slowed_down_and_right_ones_are_not(serving: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond so many a minute a peer is told to wait, but its right keys go on; other peers are not concerned."""
    monkeypatch.setattr(callers, "HOLD_SECONDS", 0.01)

    async def check(desk: Desk) -> None:
        for _ in range(callers.WRONG_PER_MINUTE):
            assert (await desk.call(key="wrong")).status_code == 401
        response = await desk.call(key="wrong")
        assert (response.status_code, response.json()["code"]) == (429, "resource_exhausted")
        assert response.headers["retry-after"] == "60"
        assert (await desk.call()).status_code == 200
        assert (await desk.call(key="wrong", x_forwarded_for="203.0.113.5")).status_code == 401
        assert (await desk.call(authorization="")).status_code == 401
        figures = await desk.metrics()
        assert figures['doorward_service_keys_refused_total{why="wrong"}'] == callers.WRONG_PER_MINUTE + 2
        assert figures['doorward_service_keys_refused_total{why="missing"}'] == 1

    serving(check)


def test_what_is_remembered_of_peers_is_bounded(serving: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has many addresses does not fill the memory."""
    monkeypatch.setattr(callers, "MOST_PEERS", 5)

    async def check(desk: Desk) -> None:
        for number in range(20):
            await desk.call(key="wrong", x_forwarded_for=f"203.0.113.{number}")
        assert len(desk.app.state.service.callers._wrong) == 5

    serving(check)


def test_two_authorizations_are_none(serving: Any) -> None:
    """What two servers could read differently is refused."""

    async def check(desk: Desk) -> None:
        headers = [("authorization", f"Bearer {doubles.KEY}")] * 2 + [("content-type", "application/json")]
        response = await desk.client.post("/proto.decide.v1alpha1.DecideService/Decide", content=b"{}", headers=headers)
        assert response.status_code == 401

    serving(check)


def test_the_quota_of_a_key(serving: Any) -> None:
    """A key with a quota is refused beyond it, with when to come back; reports, and other keys, are counted apart."""

    async def check(desk: Desk) -> None:
        report = "/proto.decide.v1alpha1.DecideService/Report"
        codes = [(await desk.call(key=doubles.FEW_KEY)).status_code for _ in range(5)]
        assert codes == [200, 200, 200, 429, 429]
        response = await desk.call(key=doubles.FEW_KEY)
        assert response.json()["code"] == "resource_exhausted"
        assert 0 < int(response.headers["retry-after"]) <= 3600
        assert (await desk.call(key=doubles.FEW_KEY, path=report)).status_code == 200
        assert (await desk.call()).status_code == 200
        assert (await desk.metrics())["doorward_service_quota_refused_total"] == 3

    serving(check)


def test_reports_beyond_the_quota_are_dropped_without_a_word(serving: Any) -> None:
    """Each of a batch counts, and the client is not told to stay away: its decisions go on."""

    async def check(desk: Desk) -> None:
        report = "/proto.decide.v1alpha1.DecideService/Report"
        for body in (b'{"more":[{},{}]}', b"{}", b'{"more":[{},{},{},{}]}'):
            assert (await desk.call(body, key=doubles.FEW_KEY, path=report)).status_code == 200
        assert len(desk.parts.evaluator.reported) == 1
        assert (await desk.call(key=doubles.FEW_KEY)).status_code == 200

    serving(check)


class DeadStore(MemoryStore):
    """Fails every call."""

    def count(self, hits: Any) -> Any:
        raise StoreError("no route to host")

    get = count


def test_a_dead_store_lets_through(serving: Any) -> None:
    """A quota that cannot be counted refuses nobody, and the failure is counted."""

    async def check(desk: Desk) -> None:
        assert [(await desk.call(key=doubles.FEW_KEY)).status_code for _ in range(5)] == [200] * 5
        assert (await desk.metrics())["doorward_service_store_failures_total"] == 5

    serving(check, more={"store": DeadStore(clock=SystemClock())})
