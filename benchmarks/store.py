"""Limiters in memory: time and memory at few and at many keys, the longest pause, and what they admit."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import random
import time
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.common import (
    NotMeasured,
    Row,
    Sample,
    Table,
    blocking,
    in_fresh_process,
    interleave,
    missing,
    progress,
    quietest,
)
from benchmarks.limiters import LIMITERS, SLIDING, HandClock, HitKey, floor
from benchmarks.traffic import address

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LIMIT, HOUR = 100, 3600
FEW, MANY, MANY_QUICK = 1_000, 1_000_000, 100_000
HIT_BUDGET = {FEW: 2.0, MANY: 3.0, MANY_QUICK: 3.0}
BYTES_BUDGET, SLIDING_BYTES_BUDGET, PAUSE_BUDGET_MS = 200, 260, 1.0


SLOW_TO_FILL = (
    "limits, two counters",
    "throttled-py, fixed window",
    "throttled-py, token bucket",
    "throttled-py, GCRA",
)
"""Not measured with a million keys: minutes for rows like those of their siblings."""


def store_key(name: str) -> Callable[[int], str]:
    """The key of client n as an application would pass it: doorward makes a fingerprint, peers take the address."""
    if not name.startswith("doorward"):
        return address
    prefix = "default::fw_1234567:"
    return lambda number: prefix + hashlib.sha256(address(number).encode()).hexdigest()[:24]


def resident() -> int:
    """Bytes of memory in use by this process."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096


def fill(hit: HitKey, key: Callable[[int], str], keys: int) -> float:
    """One hit for each key; the longest in milliseconds of processor time, so that other programs do not count."""
    longest, clock = 0, time.thread_time_ns
    for number in range(keys):
        client = key(number)
        start = clock()
        hit(client)
        longest = max(longest, clock() - start)
    return longest / 1e6


def measure_hits(name: str, keys: int, rounds: int) -> dict[str, Any]:
    """Fill a limiter, then time hits that are admitted and hits that are refused, beside the least one can do."""
    hit, key = LIMITERS[name](LIMIT, HOUR), store_key(name)
    hit(key(keys))
    before = resident()
    pause = fill(hit, key, keys)
    each = (resident() - before) / keys
    least = floor(LIMIT, HOUR)
    fill(least, key, keys)
    times = asyncio.run(interleave(_hits(hit, least, key, keys), rounds=rounds))
    return {**times, "bytes": each, "pause_ms": pause}


def _hits(hit: HitKey, least: HitKey, key: Callable[[int], str], keys: int) -> dict[str, Any]:
    drawn = random.Random(1)
    clients = [key(drawn.randrange(keys)) for _ in range(min(keys, 20_000))]
    refused = [key(keys + number) for number in range(100)]
    for client in refused * LIMIT:
        hit(client)
    return {
        "floor": blocking(lambda number: least(clients[number % len(clients)])),
        "admit": blocking(lambda number: hit(clients[number % len(clients)])),
        "deny": blocking(lambda number: hit(refused[number % 100])),
    }


def measure_pause(name: str, keys: int) -> float:
    """The longest pause of a fill while Python's garbage collector is off: what the limiter does by itself."""
    hit, key = LIMITERS[name](LIMIT, HOUR), store_key(name)
    gc.collect()
    gc.freeze()
    gc.disable()
    return fill(hit, key, keys)


def _hit_row(name: str, keys: int, result: dict[str, Any]) -> Row:
    floor_, admit, deny = (Sample(*result[kind]) for kind in ("floor", "admit", "deny"))
    cells = [name, f"{admit.p50:.2f}", f"{deny.p50:.2f}", f"{admit.p50 / floor_.p50:.1f}", f"{admit.p99:.1f}"]
    numbers = {"admit_us": admit.p50, "deny_us": deny.p50, "floor_us": floor_.p50, "admit_p99_us": admit.p99}
    if not name.startswith("doorward"):
        return Row(cells, numbers)
    most = HIT_BUDGET[keys]
    return Row(cells, numbers, f"≤ {most:.0f} µs", max(admit.p50, deny.p50) <= most)


def _size_row(name: str, result: dict[str, Any], quiet: float) -> Row:
    each, pause = result["bytes"], result["pause_ms"]
    cells = [name, f"{each:.0f}", f"{quiet:.2f}", f"{pause:.2f}"]
    numbers = {"bytes_per_key": each, "pause_ms": quiet, "pause_with_collector_ms": pause}
    if not name.startswith("doorward"):
        return Row(cells, numbers)
    most = SLIDING_BYTES_BUDGET if name == SLIDING else BYTES_BUDGET
    met = each <= most and quiet <= PAUSE_BUDGET_MS
    return Row(cells, numbers, f"≤ {most} bytes, ≤ {PAUSE_BUDGET_MS:.0f} ms", met)


def _measured(name: str, keys: int, *, repeats: int) -> dict[str, Any]:
    progress(f"{name}, {keys:,} keys")
    runs = [in_fresh_process(measure_hits, name=name, keys=keys, rounds=20) for _ in range(repeats)]
    return {**quietest(runs, "floor"), "pause_ms": min(run["pause_ms"] for run in runs)}


def _quiet_pause(name: str, keys: int) -> float:
    """The lesser of two longest pauses: what is the limiter's own comes back each time."""
    return min(in_fresh_process(measure_pause, name=name, keys=keys) for _ in range(2))


def _cost_tables(*, quick: bool) -> list[Table]:
    many = MANY_QUICK if quick else MANY
    few_rows, many_rows, sizes = [], [], []
    for name in LIMITERS:
        try:
            few_rows.append(_hit_row(name, FEW, _measured(name, FEW, repeats=3)))
            if name in SLOW_TO_FILL:
                continue
            result = _measured(name, many, repeats=1)
            many_rows.append(_hit_row(name, many, result))
            sizes.append(_size_row(name, result, _quiet_pause(name, many)))
        except NotMeasured as error:
            sizes.append(missing(name, error))
    columns = ("", "admitted µs", "refused µs", "times a dict with a lock", "p99 µs")
    note = "One hit, called from Python, timer included (0.1 µs). Medians; the dict is measured in turns with it."
    size_columns = ("", "bytes a key", "longest pause ms", "with Python's collector ms")
    size_note = (
        "One hit for each key. Pauses are in processor time, so that other programs do not count; the lesser of "
        "two fills."
    )
    return [
        Table(f"Limiter in memory, {FEW:,} keys", note, columns, few_rows),
        Table(f"Limiter in memory, {many:,} keys", note, columns, many_rows),
        Table(f"Memory and pauses, {many:,} keys", size_note, size_columns, sizes),
    ]


# What they admit. The clock is moved by hand, so that every span of time is tried in no time.


def measure_admissions(name: str) -> dict[str, int]:
    """Admissions at once, in the worst span of one window, and over six seconds of hammering."""
    clock = HandClock()
    clock.replace_time()
    hit = LIMITERS[name](100, HOUR, clock)
    burst = sum(hit("a") for _ in range(1000))
    return {"burst": burst, "window": _worst_window(name, clock), "hammer": _hammered(name, clock)}


def _worst_window(name: str, clock: HandClock) -> int:
    """Limit 10 in 2 s: the most in any span of 2 s, over bursts at many offsets from the clock's boundaries."""
    hit, worst = LIMITERS[name](10, 2, clock), 0
    starts = [0.05 + step / 10 for step in range(20)]
    for place, (opening, start, gap) in enumerate(product((None, 0.0, 0.3, 1.0), starts, (0.1, 0.3, 1.0, 1.9, 1.99))):
        clock.seconds = 2 * int(clock.seconds / 2) + 20
        first = [(opening, 1)] if opening is not None and opening < start else []
        times = _admitted(hit, clock, f"client {place}", [*first, (start, 30), (start + gap, 30)])
        worst = max([worst, *(sum(at <= other < at + 2 for other in times) for at in times)])
    return worst


def _admitted(hit: HitKey, clock: HandClock, key: str, bursts: Sequence[tuple[float, int]]) -> list[float]:
    base, times = clock.seconds, []
    for offset, count in bursts:
        clock.seconds = base + offset
        times += [clock.seconds for _ in range(count) if hit(key)]
    return times


def _hammered(name: str, clock: HandClock) -> int:
    """Limit 10 in 2 s, against a client that tries every 60 ms for 6 s."""
    hit, admitted = LIMITERS[name](10, 2, clock), 0
    clock.seconds = 2 * int(clock.seconds / 2) + 20
    for _ in range(100):
        admitted += hit("hammer")
        clock.seconds += 0.06
    return admitted


def _admission_row(name: str, found: dict[str, int]) -> Row:
    cells = [name, str(found["burst"]), str(found["window"]), str(found["hammer"])]
    if not name.startswith("doorward"):
        return Row(cells, found)
    # A fixed window may admit twice its limit around a boundary, a bucket its capacity and what flows in meanwhile.
    most = {"fixed window": 20, "sliding window": 10, "token bucket": 20}[name.partition(", ")[2]]
    met = found["burst"] == 100 and found["window"] <= most and 30 <= found["hammer"] <= 40
    return Row(cells, found, f"100, ≤ {most}, 30 to 40", met)


def _admission_table() -> Table:
    rows = []
    for name in LIMITERS:
        progress(f"{name}, what it admits")
        try:
            rows.append(_admission_row(name, in_fresh_process(measure_admissions, name=name)))
        except NotMeasured as error:
            rows.append(missing(name, error))
    columns = ("", "of 1,000 at once, limit 100", "most in any 2 s, limit 10", "in 6 s of hammering, limit 10 in 2 s")
    note = (
        "Counts of admitted hits, with a clock moved by hand. The hammering client tries every 60 ms: fair is 30, or "
        "40 with a full burst first."
    )
    return Table("What they admit", note, columns, rows)


def tables(*, quick: bool) -> list[Table]:
    """Costs, and what they buy."""
    return [*_cost_tables(quick=quick), _admission_table()]
