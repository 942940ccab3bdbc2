"""What attack detection costs on long bodies: ordinary ones, such as were built to cost much, and the event loop."""

from __future__ import annotations

import asyncio
import gc
import json
import statistics
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import doorward
import doorward.asgi
from benchmarks import apps
from benchmarks.common import NotMeasured, Row, Table, in_fresh_process, missing, progress
from benchmarks.long_bodies import BUILT, TYPICAL, long_body
from benchmarks.traffic import HEADERS, PATH, address, asgi_scope

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchmarks.long_bodies import LongBody

KIB, SIZES = 1024, (64, 1024)
TYPICAL_MS, BUILT_MS = (5.0, 120.0), (25.0, 400.0)
GAP_MS = 5.0

Found = dict[str, Any]


def measure_body(name: str, runs: int) -> Found:
    """Look at one of the long bodies in each size; and in the longer one, keep an eye on the event loop."""
    rule = doorward.shield()
    bodies = [long_body(name, size * KIB) for size in SIZES]
    found = {str(size): _timed(rule, body, runs) for size, body in zip(SIZES, bodies, strict=True)}
    app = behind_shield()
    asyncio.run(_posted(app, long_body(name, KIB)))  # the first decision is the business of another table
    gc.collect()
    gc.freeze()  # a full collection looks through the whole process: what it takes depends on the application
    gaps = [asyncio.run(longest_gaps(app, bodies[-1])) for _ in range(runs)]
    gap, busy = (min(column) for column in zip(*gaps, strict=True))
    stretch = min(_longest_stretch(rule, bodies[-1]) for _ in range(runs))
    return {**found, "gap_ms": gap, "busy_ms": busy, "stretch_ms": stretch}


def _timed(rule: Any, body: LongBody, runs: int) -> Found:
    times = [_scanned(rule, body) for _ in range(runs)]
    return {"bytes": len(body.data), "ms": statistics.median([ms for ms, _ in times]), "weight": times[0][1]}


def _request(body: LongBody) -> doorward.RequestContext:
    headers = [*HEADERS, ("content-type", body.kind), ("content-length", str(len(body.data)))]
    return doorward.RequestContext(method="POST", path=PATH, headers=headers, peer=address(1), body=body.data)


def _scanned(rule: Any, body: LongBody) -> tuple[float, float]:
    """Milliseconds of this thread, and the weight of what was found."""
    request, start = _request(body), time.thread_time()
    weight = rule.scanner.scan_now(request, body=True).weight
    return (time.thread_time() - start) * 1e3, weight


def _longest_stretch(rule: Any, body: LongBody) -> float:
    """Milliseconds of this thread between two pauses of a scan."""
    longest, last = 0.0, time.thread_time()
    for _ in rule.scanner.scan(_request(body)):
        now = time.thread_time()
        longest, last = max(longest, now - last), now
    return max(longest, time.thread_time() - last) * 1e3


def behind_shield() -> Any:
    """The bare ASGI function behind attack detection alone."""
    return doorward.asgi.DoorwardMiddleware(apps.raw_asgi, doorward.AsyncDoorward([doorward.shield()]))


async def longest_gaps(app: Any, body: LongBody) -> tuple[float, float]:
    """Milliseconds that a task which is always ready had to wait, at most, while the request was handled.

    By the clock and, since other programs want the processor too, of processor time. The body comes in pieces of
    64 KiB, as servers hand it over.
    """
    gaps: list[tuple[float, float]] = []
    handled = False

    async def tick() -> None:
        clock, processor = time.perf_counter(), time.thread_time()
        while not handled:
            await asyncio.sleep(0)
            now, used = time.perf_counter(), time.thread_time()
            gaps.append((now - clock, used - processor))
            clock, processor = now, used

    ticker = asyncio.create_task(tick())
    await asyncio.sleep(0)
    await _posted(app, body)
    handled = True
    await ticker
    return max(gap for gap, _ in gaps) * 1e3, max(used for _, used in gaps) * 1e3


async def _posted(app: Any, body: LongBody) -> None:
    step, total = 64 * KIB, len(body.data)
    pieces = [{"type": "http.request", "body": body.data[start : start + step], "more_body": start + step < total}
              for start in range(0, total, step)]  # fmt: skip

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0)
        return pieces.pop(0)

    async def send(_message: object) -> None:
        """The answer is no matter here."""

    headers = [("content-type", body.kind), ("content-length", str(total))]
    lines = [(name.encode(), value.encode()) for name, value in [*HEADERS, *headers]]
    await app(asgi_scope(address(1)) | {"method": "POST", "query_string": b"", "headers": lines}, receive, send)


def measure_yardsticks() -> Found:
    """One pass of json.loads over the body of an API, and a loop, for scale."""
    found: Found = {}
    for size in SIZES:
        data = long_body("JSON of an API", size * KIB).data
        found[str(size)] = {"bytes": len(data), "ms": _median(partial(json.loads, data))}
    return {**found, "loop_ms": _median(_loop)}


def _median(run: Callable[[], object]) -> float:
    times = []
    for _ in range(9):
        start = time.thread_time()
        run()
        times.append(time.thread_time() - start)
    return statistics.median(times) * 1e3


def _loop() -> int:
    total = 0
    for number in range(300_000):
        total += number & 3
    return total


GAP_COLUMNS = ("", "longest gap ms", "of the processor ms", "longest stretch ms")
BODY_COLUMNS = ("", "64 KiB ms", "ns a byte", "1 MiB ms", "ns a byte", "weight")


def _body_row(name: str, found: Found, most: Sequence[float] | None) -> Row:
    cells, numbers = [name], dict[str, object]()
    for size in SIZES:
        of_size = found[str(size)]
        each = of_size["ms"] * 1e6 / of_size["bytes"]
        cells += [f"{of_size['ms']:.1f}", f"{each:.0f}"]
        numbers |= {f"ms_{size}": of_size["ms"], f"ns_a_byte_{size}": each}
    if most is None:
        return Row(cells, numbers)
    weights = [found[str(size)]["weight"] for size in SIZES]
    cells.append(" / ".join(f"{weight:g}" for weight in dict.fromkeys(weights)))
    met = all(found[str(size)]["ms"] <= ms for size, ms in zip(SIZES, most, strict=True))
    return Row(cells, numbers | {"weight": max(weights)}, f"≤ {most[0]:.0f}, {most[1]:.0f} ms", met)


def _gap_row(name: str, found: Found) -> Row:
    cells = [name, *[f"{found[each]:.1f}" for each in ("gap_ms", "busy_ms", "stretch_ms")]]
    numbers = {each: found[each] for each in ("gap_ms", "busy_ms", "stretch_ms")}
    return Row(cells, numbers, f"≤ {GAP_MS:.0f} ms", found["gap_ms"] <= GAP_MS)


def _rows(
    names: Sequence[str], found: Mapping[str, Found | NotMeasured], row: Callable[[str, Found], Row]
) -> list[Row]:
    return [missing(name, known) if isinstance(known := found[name], NotMeasured) else row(name, known)
            for name in names]  # fmt: skip


def _attempt(function: Callable[..., object], **arguments: object) -> Found | NotMeasured:
    progress(" ".join(["attack detection", function.__name__, *map(str, arguments.values())]))
    try:
        found: Found = in_fresh_process(function, **arguments)
    except NotMeasured as error:
        return error
    return found


def tables(*, quick: bool) -> list[Table]:
    """Ordinary bodies, bodies built to cost much, and the event loop meanwhile."""
    yardsticks = _attempt(measure_yardsticks)
    found = {name: _attempt(measure_body, name=name, runs=3 if quick else 5) for name in [*TYPICAL, *BUILT]}
    loads = "json.loads of the JSON of an API, for scale"
    scale = _rows([loads], {loads: yardsticks}, lambda name, known: _body_row(name, known, None))
    loop = "unknown" if isinstance(yardsticks, NotMeasured) else f"{yardsticks['loop_ms']:.1f}"
    note = (
        "`shield()` alone; medians of processor time. Weight is that of the heaviest value: the scan ends where it is "
        f"1. A loop of 300,000 additions, here and then: {loop} ms."
    )
    gap_note = (
        "1 MiB through the ASGI middleware in pieces of 64 KiB: the longest time for which a task that is always "
        "ready had to wait, by the clock and of processor time. Beside it the longest stretch of processor time "
        "between two pauses of the scan alone. The least of the runs, since other programs only ever add to it. After "
        "`gc.freeze()`: a full garbage collection holds up the loop for about 10 ms more in this process."
    )
    return [
        Table("Ordinary long bodies", note, BODY_COLUMNS, [
            *_rows(list(TYPICAL), found, lambda name, known: _body_row(name, known, TYPICAL_MS)), *scale]),
        Table("Long bodies built to cost much", note, BODY_COLUMNS,
              _rows(list(BUILT), found, lambda name, known: _body_row(name, known, BUILT_MS))),
        Table("The event loop while a body is looked at", gap_note, GAP_COLUMNS,
              _rows([*TYPICAL, *BUILT], found, _gap_row)),
    ]  # fmt: skip
