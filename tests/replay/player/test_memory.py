"""Memory does not grow with the length of a recording, however many clients, routes and reasons there are in it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import sys
from doorward import Doorward, RequestContext, detect_bot, sliding_window
from doorward.replay import figures
from doorward.replay.player import peak_memory, replay
from doorward.replay.records import Recorded, Source

KNOWN = frozenset({"query", "user-agent"})

def requests(length):
    for n in range(length):
        agent = [("user-agent", f"curl/{n % 200}" if n % 3 else "Mozilla/5.0")]
        peer = f"{11 + (n >> 20)}.{n >> 12 & 255}.{n >> 4 & 255}.{n & 15}"
        request = RequestContext(path=f"/{n:x}/page-{n}", query=f"q={n}", headers=agent, peer=peer)
        yield Recorded(n * 20_000_000, request, KNOWN, Source("log", n + 1), 200)

if len(sys.argv) > 2:  # so that what is bounded is full after few requests
    figures.MOST_CLIENTS = figures.MOST_ROUTES = int(sys.argv[2])
aj = Doorward([detect_bot(allow=[], mode="DRY_RUN"), sliding_window(max=5, interval="1m")])
report = replay(aj, requests(int(sys.argv[1])), against=("same", aj))
assert report.requests == int(sys.argv[1])
print(peak_memory())
"""


def peak(length: int, *names: int) -> int:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", PROGRAM, str(length), *map(str, names)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return int(done.stdout)


def test_memory_is_bounded() -> None:
    assert peak(15_000, 1_000) < peak(4_000, 1_000) + 5 * 2**20


@pytest.mark.soak
def test_memory_is_bounded_over_a_million_clients() -> None:
    short, middle, long = peak(50_000), peak(500_000), peak(1_000_000)
    assert max(middle, long) < short + 16 * 2**20
