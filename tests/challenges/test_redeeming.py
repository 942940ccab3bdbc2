"""P13: one challenge that was passed is redeemed once, by however many processes at once."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.challenges.clearing import IP, SECRET, Site, asked
from tests.stores.valkeys import Valkey, running

from doorward.challenges.gate import CHALLENGE_TTL_MS
from doorward.clock import SystemClock
from doorward.levels import Level
from doorward.stores.memory import MemoryStore
from doorward.testing import FakeClock

PROCESSES = 8
FORK = multiprocessing.get_context("fork")


def _redeem(store: str, token: str, together: Any, answers: Any) -> None:
    """The status that one worker answers with."""
    site = Site(store=store, secret=SECRET, clock=SystemClock(), timeout=20)
    together.wait(30)
    answers.put(site.call("POST", "/.doorward/verify", body=f"token={token}".encode()).status)


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = Valkey(tmp_path_factory.mktemp("valkey"))
    with running(server):
        yield server.url()


@pytest.fixture(params=["shared", "valkey"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "shared":
        return f"shared://{tmp_path}/table"
    url: str = request.getfixturevalue("valkey")
    return url


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # newer Pythons warn of forks
def test_p13_humanify_8_nobot_23_one_token_is_redeemed_by_one_of_eight_processes(store: str) -> None:
    """P13, humanify 8 and 23: NoBot let two workers redeem one nonce, Humanify anybody, for ten minutes."""
    earlier = Site(store=store, clock=_Before(), timeout=20)
    token = _posed(earlier)
    together, queue = FORK.Barrier(PROCESSES), FORK.SimpleQueue()
    workers = [FORK.Process(target=_redeem, args=(store, token, together, queue)) for _ in range(PROCESSES)]
    for worker in workers:
        worker.start()
    answers = [queue.get() for _ in workers]
    for worker in workers:
        worker.join(30)
    assert answers.count(303) == 1
    assert set(answers) == {303, 403}


def test_p13_one_token_is_redeemed_once_in_one_process() -> None:
    """As across processes; also while the store fails."""
    site = Site()
    token = _posed(site)
    site.clock.advance(5)
    answers = [site.call("POST", "/.doorward/verify", body=f"token={token}".encode()).status for _ in range(5)]
    assert answers == [303, 403, 403, 403, 403]


def test_p13_a_worker_whose_clock_is_late_redeems_nothing_again() -> None:
    """Clock skew: it takes a challenge for a minute longer than the worker that has redeemed it."""
    store = MemoryStore(clock=(true := FakeClock()))
    punctual, late = Site(store=store, clock=true), Site(store=store, clock=(behind := FakeClock()))
    token = _posed(punctual)
    true.advance(CHALLENGE_TTL_MS / 1000 - 1)
    behind.advance(CHALLENGE_TTL_MS / 1000 - 50)
    body = f"token={token}".encode()
    assert punctual.call("POST", "/.doorward/verify", body=body).status == 303
    true.advance(45)
    behind.advance(45)
    assert late.call("POST", "/.doorward/verify", body=body).status == 403


class _Before(SystemClock):
    """Ten seconds ago, so that nobody has to wait."""

    def now_ns(self) -> int:
        return super().now_ns() - 10_000_000_000


def _posed(site: Site) -> str:
    gate = site.aj.runtime.gatekeeper.gate
    return gate.pose(asked(), IP, Level.WAIT, site.clock.now_ns() // 1_000_000).token
