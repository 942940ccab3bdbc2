"""Health, figures, and who may see them."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from tests.service.app.conftest import Desk, figures_of
from tests.service.app.test_callers import DeadStore

from doorward.clock import SystemClock
from doorward.errors import DataError
from doorward.service.server.metrics import MOST_SITES, Metrics, Totals, exposition


def test_a_service_that_is_well(serving: Any) -> None:
    """It lives, and is ready."""

    async def check(desk: Desk) -> None:
        for path, status in (("live", "live"), ("ready", "ready")):
            response = await desk.client.get(f"/health/{path}")
            assert (response.status_code, response.json()) == (200, {"status": status})

    serving(check)


def test_a_dead_store(serving: Any) -> None:
    """While the store fails the service lives, but is not ready; the reason says nothing of where the store is."""

    async def check(desk: Desk) -> None:
        assert (await desk.client.get("/health/live")).status_code == 200
        response = await desk.client.get("/health/ready")
        assert response.status_code == 503
        assert response.json() == {"status": "not ready", "reason": "the store does not answer"}

    serving(check, more={"store": DeadStore(clock=SystemClock())})


def test_a_service_that_stops_or_is_degraded(serving: Any) -> None:
    """Whoever is about to stop is not ready; a log that cannot be written is only said."""
    trouble = "decisions cannot be logged"

    async def check(desk: Desk) -> None:
        response = await desk.client.get("/health/ready")
        assert (response.status_code, response.json()) == (200, {"status": "ready", "degraded": trouble})
        desk.app.state.service.draining = True
        response = await desk.client.get("/health/ready")
        assert response.status_code == 503
        assert response.json()["reason"] == "the service is about to stop"
        assert (await desk.call()).status_code == 200

    serving(check, more={"degraded": lambda: trouble})


def test_figures(serving: Any) -> None:
    """Calls, decisions and times are counted, by bounded labels."""

    async def check(desk: Desk) -> None:
        await desk.call()
        await desk.call(b'{"details":{"correlationId":"deny"}}')
        await desk.call(b"{")
        figures = await desk.metrics()
        name = "doorward_service_"
        assert figures[name + 'requests_total{method="Decide",code="ok"}'] == 2
        assert figures[name + 'requests_total{method="Decide",code="invalid_argument"}'] == 1
        assert figures[name + 'decisions_total{conclusion="ALLOW",site="shop"}'] == 1
        assert figures[name + 'decisions_total{conclusion="DENY",site="shop"}'] == 1
        assert figures[name + 'request_seconds_bucket{method="Decide",le="+Inf"}'] == 3
        assert figures[name + 'request_seconds_count{method="Decide"}'] == 3
        assert figures[name + "log_dropped_total"] == 7
        await desk.call()
        assert (await desk.metrics())[name + "log_dropped_total"] == 7

    serving(check, more={"figures": lambda: {"log_dropped": 7, "unknown": 1}})


@pytest.mark.parametrize(
    ("peer", "forwarded", "settings", "headers", "status"),
    [
        ("127.0.0.1", "", {}, {}, 200),
        ("10.1.2.3", "", {}, {}, 200),
        ("::1", "", {}, {}, 200),
        ("fe80::1%eth0", "", {}, {}, 200),
        ("198.51.100.7", "", {"proxies": ()}, {}, 200),  # documentation networks count as private
        ("8.8.8.8", "", {}, {}, 403),
        ("8.8.8.8", "10.0.0.1", {}, {}, 403),
        ("127.0.0.1", "8.8.8.8", {}, {}, 403),
        ("127.0.0.1", "10.0.0.1, 8.8.8.8", {}, {}, 403),
        ("testclient", "", {}, {}, 403),
        ("8.8.8.8", "", {"metrics_token": "let-me-read"}, {"authorization": "Bearer let-me-read"}, 200),
        ("127.0.0.1", "", {"metrics_token": "let-me-read"}, {}, 401),
        ("127.0.0.1", "", {"metrics_token": "let-me-read"}, {"authorization": "Bearer let-me-reed"}, 401),
        ("127.0.0.1", "", {"metrics_token": "let-me-read"}, {"authorization": "Bearer \xe4"}, 401),
    ],
)
def test_who_may_read_figures(
    serving: Any, peer: str, forwarded: str, settings: dict[str, Any], headers: dict[str, str], status: int
) -> None:
    """Private addresses, both of the connection and of whom proxies name; or whoever has the token."""

    async def check(desk: Desk) -> None:
        head = {**headers, **({"x-forwarded-for": forwarded} if forwarded else {})}
        encoded = {name: value.encode("latin-1") for name, value in head.items()}
        assert (await desk.client.get("/metrics", headers=encoded)).status_code == status

    serving(check, peer=peer, **settings)


def test_figures_of_several_workers_add_up(tmp_path: Path) -> None:
    """What each wrote stays, whoever has died."""
    totals = Totals(tmp_path / "metrics.sqlite")
    for _ in range(3):
        worker = Metrics()
        worker.request("Decide", "ok", 0.004)
        worker.decision("ALLOW", 'a"b\\c\n')
        totals.add(worker)
        totals.add(worker)
    text = exposition(totals.read())
    figures = figures_of(text)
    assert figures['doorward_service_requests_total{method="Decide",code="ok"}'] == 3
    assert figures['doorward_service_request_seconds_bucket{method="Decide",le="0.0025"}'] == 0
    assert figures['doorward_service_request_seconds_bucket{method="Decide",le="0.005"}'] == 3
    assert figures['doorward_service_request_seconds_sum{method="Decide"}'] == pytest.approx(0.012)
    assert 'site="a\\"b\\\\c\\n"' in text


def test_figures_stand_still_while_they_cannot_be_written(tmp_path: Path) -> None:
    """What could not be written is written later, once."""
    path = tmp_path / "metrics.sqlite"
    totals, metrics = Totals(path), Metrics()
    metrics.add("errors")
    totals.add(metrics)
    with sqlite3.connect(path) as blocker:
        blocker.execute("CREATE TRIGGER full BEFORE UPDATE ON totals BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    blocker.close()
    metrics.add("errors")
    with pytest.raises(DataError, match="cannot be written"):
        totals.add(metrics)
    assert totals.read() == {("errors", ()): 1}
    with sqlite3.connect(path) as blocker:
        blocker.execute("DROP TRIGGER full")
    blocker.close()
    totals.add(metrics)
    assert totals.read() == {("errors", ()): 2}


def test_a_table_that_is_none(serving: Any, tmp_path: Path) -> None:
    """A damaged table makes figures unavailable, and nothing else."""

    async def check(desk: Desk) -> None:
        (tmp_path / "service" / "metrics.sqlite").write_bytes(b"no database" * 500)
        response = await desk.client.get("/metrics")
        assert (response.status_code, response.json()["code"]) == (503, "unavailable")
        assert str(tmp_path) not in response.text
        assert (await desk.call()).status_code == 200

    serving(check)


def test_applications_are_bounded() -> None:
    """Labels do not grow without end."""
    metrics = Metrics()
    for number in range(MOST_SITES + 50):
        metrics.decision("ALLOW", f"site-{number}")
    counts = metrics.drain()
    assert len(counts) == MOST_SITES + 1
    assert counts["decisions", ("ALLOW", "(other)")] == 50
