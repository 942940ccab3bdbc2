"""Stores that the workers of one host share: hits a second of four processes, waits at a server's pace, losses."""

from __future__ import annotations

import fcntl
import json
import mmap
import multiprocessing
import os
import random
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.common import (
    ROOT,
    NotMeasured,
    Row,
    Sample,
    Table,
    emit,
    environment,
    in_fresh_process,
    missing,
    peers_python,
    progress,
    sample,
)
from doorward.clock import NANOSECONDS, SystemClock
from doorward.effects import Algorithm, Hit
from doorward.stores import MemoryStore
from doorward.stores.shared.sqlite import SQLiteStore
from doorward.stores.shared.store import SharedStore

if TYPE_CHECKING:
    from collections.abc import Callable

PROCESSES, KEYS, YEAR = 4, 1_000, 365 * 86_400 * NANOSECONDS
PACE = 1_000 / PROCESSES
LEAST_HITS, MOST_P99 = 300_000, 60
FLOOR = "a locked word in a mapped file, nothing else"


def _store(make: Callable[[Path], Any], algorithm: Algorithm, *, banned: bool = False) -> Callable[[Path], Any]:
    def build(path: Path) -> Any:
        count = make(path).count
        if banned:
            return lambda key: count((Hit(key, Algorithm.BAN, 1, 1), Hit(key, algorithm, 10**9, YEAR)))
        return lambda key: count((Hit(key, algorithm, 10**9, YEAR),))

    return build


def _shared(path: Path) -> SharedStore:
    return SharedStore(path, clock=SystemClock(), timeout=10.0)


def _sqlite(path: Path) -> SQLiteStore:
    return SQLiteStore(path.with_suffix(".sqlite"), clock=SystemClock(), timeout=10.0)


def _memory(path: Path) -> MemoryStore:
    del path
    return MemoryStore()


def _least(path: Path) -> Callable[[str], object]:
    """The least that counting together can cost: lock a byte of a mapped file, add one, unlock."""
    with path.open("a+b") as file:
        file.truncate(1 << 20)
        data = mmap.mmap(file.fileno(), 1 << 20)
    descriptor = os.open(path, os.O_RDWR)
    word, flock = struct.Struct("Q"), struct.Struct("hhqqi4x")

    def hit(key: str) -> int:
        at = 8 * (zlib.crc32(key.encode()) % (1 << 17))
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLKW, flock.pack(fcntl.F_WRLCK, 0, at & 255, 1, 0))
        count = word.unpack_from(data, at)[0] + 1
        word.pack_into(data, at, count)
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, flock.pack(fcntl.F_UNLCK, 0, at & 255, 1, 0))
        return int(count)

    return hit


def _limits(path: Path) -> Any:
    from limits import RateLimitItemPerYear, strategies
    from limits.storage import MemoryStorage

    del path
    limiter, item = strategies.FixedWindowRateLimiter(MemoryStorage()), RateLimitItemPerYear(10**9)
    return lambda key: limiter.hit(item, key)


LIMITERS: dict[str, Callable[[Path], Any]] = {
    "doorward shared://, fixed window": _store(_shared, Algorithm.FIXED_WINDOW),
    "doorward shared://, sliding window": _store(_shared, Algorithm.SLIDING_WINDOW),
    "doorward shared://, token bucket": _store(_shared, Algorithm.TOKEN_BUCKET),
    "doorward shared://, ban and fixed window": _store(_shared, Algorithm.FIXED_WINDOW, banned=True),
    "doorward shared:// on SQLite, fixed window": _store(_sqlite, Algorithm.FIXED_WINDOW),
    FLOOR: _least,
    "doorward memory://, each process for itself": _store(_memory, Algorithm.FIXED_WINDOW),
    "limits in memory, each process for itself": _limits,
}


def work(name: str, path: str, number: int, seconds: float, pace: float) -> dict[str, Any]:
    """Hits of one process, begun when told to: as many as it can, or so many a second at random times."""
    hit, drawn = LIMITERS[name](Path(path)), random.Random(number)
    keys = [f"default::fw_1234567:{drawn.randrange(KEYS):024x}" for _ in range(20_000)]
    for key in keys[:2_000]:
        hit(key)
    print("ready", flush=True)
    sys.stdin.readline()
    times = _paced(hit, keys, seconds, pace, drawn) if pace else _saturated(hit, keys, seconds)
    return {"hits": len(times), "times": sorted(times)[:: max(1, len(times) // 20_000)], "max": max(times)}


def _saturated(hit: Callable[[str], object], keys: list[str], seconds: float) -> list[int]:
    clock, times, number = time.perf_counter_ns, [], 0
    last = clock()
    ends = last + round(seconds * 1e9)
    while last < ends:
        hit(keys[number % 20_000])
        number += 1
        now = clock()
        times.append(now - last)
        last = now
    return times


def _paced(
    hit: Callable[[str], object], keys: list[str], seconds: float, pace: float, drawn: random.Random
) -> list[int]:
    clock, times, number = time.perf_counter_ns, [], 0
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        time.sleep(drawn.expovariate(pace))
        start = clock()
        hit(keys[number % 20_000])
        times.append(clock() - start)
        number += 1
    return times


def _together(name: str, seconds: float, pace: float) -> dict[str, Any]:
    """All processes at once on one file."""
    with tempfile.TemporaryDirectory(dir=_folder()) as folder:
        commands = [[name, f"{folder}/table", number, seconds, pace] for number in range(PROCESSES)]
        children = [
            subprocess.Popen(
                [peers_python(), "-m", "benchmarks.shared_stores", json.dumps(command)], cwd=ROOT, env=environment(),
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            )
            for command in commands
        ]  # fmt: skip
        for child in children:
            assert child.stdout is not None
            child.stdout.readline()
        for child in children:
            assert child.stdin is not None
            child.stdin.write("go\n")
            child.stdin.flush()
        answers = [child.communicate() for child in children]
    results = []
    for out, err in answers:
        if "@@" not in out:
            raise NotMeasured((err.strip().splitlines() or ["no output"])[-1][:160])
        results.append(json.loads(out.partition("@@")[2]))
    return {
        "hits": sum(result["hits"] for result in results),
        "rate": sum(result["hits"] for result in results) / seconds,
        "share": min(r["hits"] for r in results) / max(r["hits"] for r in results),
        "sample": sample([each for result in results for each in result["times"]]),
        "max": max(result["max"] for result in results) / 1e3,
    }


def _folder() -> str | None:
    """In memory where there is such a folder: on a disk the system's own writing would be measured too."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def measure_one(name: str, seconds: float) -> dict[str, Any]:
    """One process alone."""
    with tempfile.TemporaryDirectory(dir=_folder()) as folder:
        hit = LIMITERS[name](Path(folder) / "table")
        keys = [f"default::fw_1234567:{number % KEYS:024x}" for number in range(20_000)]
        _saturated(hit, keys, 0.2)
        batches = []
        for _ in range(20):
            start = time.perf_counter_ns()
            for key in keys[:1000]:
                hit(key)
            batches.append((time.perf_counter_ns() - start) / 1e6)
        del seconds
        return {"us": min(batches)}


def measure_loss(algorithm: str) -> int:
    """Admissions of four processes that ask 4 x 5,000 times for one counter with a limit of 10,000."""
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(dir=_folder()) as folder, spawn.Pool(PROCESSES) as pool:
        jobs = [(f"{folder}/table", algorithm)] * PROCESSES
        return sum(pool.starmap(_admissions, jobs, chunksize=1))


def _admissions(path: str, algorithm: str) -> int:
    count = _shared(Path(path)).count
    hit = (Hit("one", Algorithm(algorithm), 10_000, YEAR),)
    return sum(count(hit)[0].admitted for _ in range(5_000))


def _rate_row(name: str, seconds: float, rounds: int) -> Row:
    """The best of a few rounds: other programs only ever take away."""
    alone = in_fresh_process(measure_one, name=name, seconds=seconds)["us"]
    best = max((_together(name, seconds, 0.0) for _ in range(rounds)), key=lambda found: float(found["rate"]))
    times: Sample = best["sample"]
    cells = [
        name,
        f"{alone:.1f}",
        f"{best['rate']:,.0f}",
        f"{times.p50:.1f}",
        f"{times.p99:.1f}",
        f"{best['share']:.2f}",
    ]
    numbers = {"alone_us": alone, "hits_per_second": best["rate"], "p50_us": times.p50, "p99_us": times.p99}
    if name != "doorward shared://, fixed window":
        return Row(cells, numbers)
    return Row(cells, numbers, f"≥ {LEAST_HITS:,} hits/s", best["rate"] >= LEAST_HITS)


def _pace_row(name: str, seconds: float, rounds: int) -> Row:
    best = min((_together(name, seconds, PACE) for _ in range(rounds)), key=lambda found: float(found["sample"].p99))
    times: Sample = best["sample"]
    cells = [name, f"{times.p50:.1f}", f"{times.p99:.1f}", f"{best['max']:.0f}"]
    numbers = {"p50_us": times.p50, "p99_us": times.p99, "max_us": best["max"]}
    if "shared://, " not in name:
        return Row(cells, numbers)
    return Row(cells, numbers, f"p99 ≤ {MOST_P99} µs", times.p99 <= MOST_P99)


def _loss_row(algorithm: Algorithm) -> Row:
    admitted = in_fresh_process(measure_loss, algorithm=algorithm.value)
    cells = [algorithm.value.lower().replace("_", " "), f"{admitted:,}"]
    return Row(cells, {"admitted": admitted}, "10,000", admitted == 10_000)


def _rows(measure: Callable[..., Row], seconds: float, rounds: int) -> list[Row]:
    rows = []
    for name in LIMITERS:
        progress(f"{name}, {PROCESSES} processes")
        try:
            rows.append(measure(name, seconds, rounds))
        except NotMeasured as error:
            rows.append(missing(name, error))
    return rows


def tables(*, quick: bool) -> list[Table]:
    """Rates, waits and losses."""
    seconds, rounds = (1.0, 2) if quick else (3.0, 3)
    exact = [Algorithm.FIXED_WINDOW, Algorithm.SLIDING_WINDOW, Algorithm.TOKEN_BUCKET]
    return [
        Table(
            f"Stores of one host, {PROCESSES} processes that do nothing else",
            f"Hits on {KEYS:,} keys drawn at random, called from Python, timer included. The best of {rounds} rounds. "
            "`memory://` and `limits` do not count together: they show what sharing costs.",
            ("", "one process alone µs", "hits/s together", "p50 µs", "p99 µs", "least busy / busiest process"),
            _rows(_rate_row, seconds, rounds),
        ),
        Table(
            "The same at 1,000 hits/s",
            "Each process sleeps for a random time between hits, as a server's workers do; caches are cold and the "
            f"processor has to wake up. The best of {rounds} rounds.",
            ("", "p50 µs", "p99 µs", "longest µs"),
            _rows(_pace_row, 2 * seconds, rounds),
        ),
        Table(
            "What four processes admit on one counter",
            "20,000 requests at once, limit 10,000 a year, on `shared://`.",
            ("", "admitted"),
            [_loss_row(algorithm) for algorithm in exact],
        ),
    ]


if __name__ == "__main__":
    emit(work(*json.loads(sys.argv[1])))
