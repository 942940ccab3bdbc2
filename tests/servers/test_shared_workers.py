"""Four real workers on one ``shared://`` table: together they admit what one would, also when some are killed."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.servers.wire import Kind, Server, until

SOAK = os.environ.get("DOORWARD_SOAK") == "1"
MOST, CLIENTS, WORKERS = 500, 16, 4
RUNS = 100 if SOAK else 10
ALGORITHMS = ("fixed", "sliding", "bucket")
_GUNICORN = ["gunicorn", "tests.servers.shared_apps:wsgi", "-b", "127.0.0.1:{port}", "-w", str(WORKERS)]

KINDS = (
    Kind("gunicorn", _GUNICORN),
    Kind("gunicorn-preload", [*_GUNICORN, "--preload"]),
    Kind(
        "uvicorn",
        ["uvicorn", "tests.servers.shared_apps:asgi", "--port", "{port}", "--workers", str(WORKERS), "--http",
         "httptools", "--no-access-log", "--log-level", "warning"],
    ),
)  # fmt: skip


@pytest.fixture(scope="module", params=KINDS, ids=[kind.name for kind in KINDS])
def workers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose four workers all answer. None of them may have failed to ask its store."""
    folder = tmp_path_factory.mktemp(request.param.name)
    os.environ["SHARED_TABLE"] = str(folder / "table")
    try:
        with Server(request.param, folder / "log") as running:
            until(lambda: len(_pids(running)) == WORKERS, "not all workers answer")
            yield running
    finally:
        del os.environ["SHARED_TABLE"]
    log = (folder / "log").read_text()
    assert "StoreError" not in log
    assert "failed" not in log


def _pids(server: Server) -> set[int]:
    with ThreadPoolExecutor(CLIENTS) as pool:
        return set(pool.map(lambda _: int(server.get("/state").json()["pid"]), range(CLIENTS * 4)))


def _statuses(server: Server, path: str, client: str, requests: int) -> Counter[int]:
    """The answers to one client's requests; 0 where the worker was killed. Over one connection, where it is kept."""
    statuses: Counter[int] = Counter()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    for _ in range(requests):
        try:
            connection.request("GET", path, headers={"X-Forwarded-For": client})
            answer = connection.getresponse()
            answer.read()
            statuses[answer.status] += 1
        except (OSError, http.client.HTTPException):
            statuses[0] += 1
            connection.close()
    connection.close()
    return statuses


def _at_once(server: Server, path: str, client: str, requests: int) -> Counter[int]:
    """The answers to sixteen connections at once, which all come from one address."""
    with ThreadPoolExecutor(CLIENTS) as pool:
        batches = [pool.submit(_statuses, server, path, client, requests) for _ in range(CLIENTS)]
    return sum((batch.result() for batch in batches), Counter())


@pytest.mark.timeout(3600 if SOAK else 300)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_p10_workers_admit_exactly_max(workers: Server, algorithm: str) -> None:
    """Sixteen clients at once on four workers, limit 500: 500 are admitted, each time."""
    requests = MOST // CLIENTS + 2
    for _ in range(RUNS):
        statuses = _at_once(workers, f"/{algorithm}", workers.client(), requests)
        assert statuses == {200: MOST, 429: CLIENTS * requests - MOST}


def _kill(pids: list[int], killed: list[int], stop: threading.Event) -> None:
    """One after the other, at random times, until told to stop."""
    rng = random.Random(1)
    while pids and not stop.wait(rng.random() * 0.08):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pids[-1], signal.SIGKILL)
            killed.append(pids.pop())


@pytest.mark.timeout(3600 if SOAK else 300)
def test_p17_workers_killed_under_load(workers: Server) -> None:
    """Killed at random under load: never more than 500 are admitted, none but the killed fail, and no lock stays."""
    for _ in range(RUNS // 5):
        client, stop = workers.client(), threading.Event()
        killed: list[int] = []

        killer = threading.Thread(target=_kill, args=(sorted(_pids(workers))[:3], killed, stop))
        killer.start()
        statuses = _at_once(workers, "/bucket", client, MOST // CLIENTS + 8)
        stop.set()
        killer.join()
        assert set(statuses) <= {200, 429, 0}
        until(lambda: len(_pids(workers)) == WORKERS, "the workers do not come back")
        after = _at_once(workers, "/bucket", client, 8)
        assert set(after) <= {200, 429}
        assert killed
        # A hit is lost where its worker was killed between counting and answering; those count as failed.
        assert MOST - statuses[0] <= statuses[200] + after[200] <= MOST


def test_every_worker_counts_in_the_table(workers: Server) -> None:
    """No worker has fallen back to counting for itself."""
    seen: dict[int, dict[str, int]] = {}
    for _ in range(100):
        state = json.loads(workers.get("/state").body)
        seen[state["pid"]] = state["counts"]
    assert len(seen) > 1
    assert not [cause for counts in seen.values() for cause in counts if cause.startswith(("error", "store"))]


def test_the_table_is_one_file(workers: Server) -> None:
    """One private file, and nothing beside it."""
    table = Path(os.environ["SHARED_TABLE"])
    assert [found.name for found in table.parent.iterdir() if found.name != "log"] == ["table"]
    assert table.stat().st_mode & 0o777 == 0o600
