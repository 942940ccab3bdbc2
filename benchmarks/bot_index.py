"""What the registry of bots costs: to compile, to open, to ask, in memory. ``python benchmarks/bot_index.py``.

Browsers' agents, of which none names a bot, and bots' agents are made up, each different from the others.
"""

from __future__ import annotations

import random
import resource
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from doorward.intelligence.bot_index import FILE, LONGEST, BotIndex
from doorward.intelligence.library import wheel_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

AGENTS = 20_000
SYSTEMS = (
    "Windows NT 10.0; Win64; x64",
    "Macintosh; Intel Mac OS X 10_15_7",
    "X11; Linux x86_64",
    "Linux; Android 14; K",
)
NAMES = ("Googlebot/2.1", "bingbot/2.0", "GPTBot/1.2", "AhrefsBot/7.0", "SemrushBot/7~bl", "PetalBot", "Bytespider")


def browser(rng: random.Random) -> str:
    chrome = f"{rng.randrange(90, 150)}.0.{rng.randrange(9999)}.{rng.randrange(200)}"
    return f"Mozilla/5.0 ({rng.choice(SYSTEMS)}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{chrome} Safari/537.36"


def bot(rng: random.Random) -> str:
    return f"Mozilla/5.0 (compatible; {rng.choice(NAMES)}; +https://example.com/{rng.getrandbits(40)})"


def library(rng: random.Random) -> str:
    return f"python-requests/2.{rng.randrange(40)}.{rng.getrandbits(20)}"


def longest(rng: random.Random) -> str:
    """As many names as fit, in any order: the most that there can be to look for."""
    names = sorted(BotIndex.open(wheel_folder() / FILE).ids())
    return " ".join(rng.sample(names, 400))[:LONGEST]


def microseconds(ask: Callable[[str], object], agents: Sequence[str]) -> tuple[float, float]:
    """The median and the 99th percentile."""
    times = []
    for agent in agents:
        start = time.perf_counter()
        ask(agent)
        times.append(time.perf_counter() - start)
    times.sort()
    return median(times) * 1e6, times[len(times) * 99 // 100] * 1e6


def resident_kib() -> int:
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * resource.getpagesize() // 1024


def in_memory() -> None:
    """What a fresh process needs: opened, and after agents of every kind were looked at."""
    rng = random.Random(3)
    before = resident_kib()
    start = time.perf_counter()
    index = BotIndex.open(wheel_folder() / FILE)
    took, opened = (time.perf_counter() - start) * 1e3, resident_kib()
    for _ in range(AGENTS):
        index.find(rng.choice((browser, bot, library))(rng))
    print(
        f"{len(index.ids())} bots opened in {took:.1f} ms: {opened - before} KiB, in use {resident_kib() - before} KiB"
    )


def main() -> None:
    subprocess.run([sys.executable, __file__, "memory"], check=True)
    index = BotIndex.open(wheel_folder() / FILE)
    rng = random.Random(5)
    for make, number in ((browser, AGENTS), (bot, AGENTS), (library, AGENTS), (longest, 20)):
        agents = [make(rng) for _ in range(number)]
        index.find(agents[0])
        usual, rare = microseconds(index.find, agents)
        print(f"{make.__name__}: {usual:.1f} us an agent not seen before (p99 {rare:.1f})")
    usual, _ = microseconds(index.find, [browser(random.Random(1))] * AGENTS)
    print(f"the same agent again: {usual:.2f} us")


if __name__ == "__main__":
    in_memory() if len(sys.argv) > 1 else main()
