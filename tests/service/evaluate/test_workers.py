"""Several processes on one Valkey: limits are exact, and what one knows all know."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.service.evaluate.asking import ATTACK, BLOG, FORUM, SHOP, asking, decided, limit, shield
from tests.stores.valkeys import Valkey, running

import doorward
from doorward.service.server.evaluation import Evaluator

ROOT = Path(__file__).parents[3]
MOST, EACH, WORKERS = 60, 40, 4
LIMITS = {
    "fixed": limit(MOST, algorithm=2, windowInSeconds=86_400 * 300),
    "sliding": limit(MOST, interval=86_400),
    "bucket": {"rateLimit": {"mode": 2, "algorithm": 1, "refillRate": 1, "interval": 86_400, "capacity": MOST}},
}
WORKER = """
import asyncio, json, sys
from tests.service.evaluate.asking import Log, asking, decided
from doorward.service.server.evaluation import Evaluator

async def main(url, rules, each):
    evaluator = Evaluator(url, Log(), timeout=30.0, store_timeout=20.0)
    admitted = {}
    for name, rule in rules.items():
        asked = [decided(evaluator, asking(rule)) for _ in range(each)]
        answers = await asyncio.gather(*asked)
        assert not any("degraded" in str(answer) for answer in answers), answers
        admitted[name] = sum(answer["conclusion"] == "CONCLUSION_ALLOW" for answer in answers)
    await evaluator.aclose()
    print(json.dumps(admitted))

asyncio.run(main(sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])))
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Any:
    valkey = Valkey(tmp_path_factory.mktemp("valkey"))
    with running(valkey):
        yield valkey.url()


def test_limits_are_exact(url: str) -> None:
    """Two hosts' worth of workers admit together what the limit says, and not one more."""
    source = Path(doorward.__file__).parents[1]
    environ = {"PYTHONPATH": f"{source}:{ROOT}", "PATH": ""}
    command = [sys.executable, "-c", WORKER, url, json.dumps(LIMITS), str(EACH)]
    workers = [
        subprocess.Popen(command, stdout=subprocess.PIPE, env=environ, cwd=ROOT, text=True) for _ in range(WORKERS)
    ]
    admitted = [json.loads(worker.communicate(timeout=50)[0]) for worker in workers]
    assert {name: sum(each[name] for each in admitted) for name in LIMITS} == dict.fromkeys(LIMITS, MOST)


def test_bans_and_reputation_are_everybodys(url: str) -> None:
    """What one worker was told counts for the others."""

    async def run() -> None:
        first, second = (Evaluator(url, [], timeout=30.0, store_timeout=20.0) for _ in range(2))
        for evaluator, site in ((first, SHOP), (second, BLOG)):
            for _ in range(3):
                await decided(evaluator, asking(shield(), query=ATTACK), site)
        for evaluator in (first, second):
            assert "refusal" in await decided(evaluator, asking(), FORUM)
            assert [ban.ip for ban in await evaluator.bans()] == ["203.0.113.9"]
        assert await first.unban("203.0.113.9")
        await first.aclose()
        await second.aclose()

    asyncio.run(asyncio.wait_for(run(), 50))
