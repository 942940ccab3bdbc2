"""Sign-ups while no name server answers: how far beyond the deadline their decisions come, and whether they say why."""

from __future__ import annotations

import asyncio
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import doorward
from benchmarks.common import NotMeasured, Row, Table, in_fresh_process, missing, progress
from benchmarks.traffic import HEADERS, address

if TYPE_CHECKING:
    from doorward import Decision

DEADLINE = 0.3
BUDGET_MS = 50.0
MANY = 50
LINES = [(name.encode(), value.encode()) for name, value in HEADERS]

Answered = tuple[float, bool]
"""How many milliseconds after the deadline a decision came, and whether it says why it could not check the address."""


def _arguments(number: int) -> tuple[doorward.RequestContext, str]:
    """The sign-up of a new client, with an address of a domain that nobody has asked for yet."""
    request = doorward.RequestContext(method="POST", path="/signup", headers=LINES, peer=address(number))
    return request, f"jane@shop{number}.example.com"


def _options(silent: socket.socket) -> dict[str, Any]:
    silent.bind(("127.0.0.1", 0))
    return {"resolver": f"127.0.0.1:{silent.getsockname()[1]}", "timeout": DEADLINE}


def _says_why(decision: Decision) -> bool:
    failed = [result for result in decision.results if result.conclusion == "ERROR"]
    return len(failed) == 1 and isinstance(failed[0].reason, doorward.ErrorReason) and bool(failed[0].reason.message)


def _answered(start: float, decision: Decision) -> Answered:
    return (time.perf_counter() - start - DEADLINE) * 1e3, _says_why(decision)


def measure_sync(waves: int, at_once: int) -> list[Answered]:
    """Blocking, on so many threads."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent, ThreadPoolExecutor(at_once) as threads:
        options, found = _options(silent), list[Answered]()
        for wave in range(waves):
            client = doorward.Doorward(doorward.protect_signup(), **options)

            def sign_up(number: int, client: doorward.Doorward = client) -> Answered:
                request, email = _arguments(number)
                start = time.perf_counter()
                return _answered(start, client.protect(request, email=email))

            found += threads.map(sign_up, _numbers(wave, at_once))
        return found


def measure_async(waves: int, at_once: int) -> list[Answered]:
    """Awaiting, in so many tasks."""

    async def sign_up(client: doorward.AsyncDoorward, number: int) -> Answered:
        request, email = _arguments(number)
        start = time.perf_counter()
        return _answered(start, await client.protect(request, email=email))

    async def sign_ups(options: dict[str, Any]) -> list[Answered]:
        found: list[Answered] = []
        for wave in range(waves):
            client = doorward.AsyncDoorward(doorward.protect_signup(), **options)
            found += await asyncio.gather(*[sign_up(client, number) for number in _numbers(wave, at_once)])
        return found

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        return asyncio.run(sign_ups(_options(silent)))


def _numbers(wave: int, at_once: int) -> range:
    return range(wave * at_once, (wave + 1) * at_once)


def _row(name: str, found: list[Answered]) -> Row:
    late = sorted(milliseconds for milliseconds, _ in found)
    silent = sum(not says_why for _, says_why in found)
    quantiles = {label: late[min(len(late) - 1, int(len(late) * share))]
                 for label, share in (("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999), ("max", 1))}  # fmt: skip
    cells = [name, f"{len(late):,}", *[f"{value:+.1f}" for value in quantiles.values()], str(silent)]
    met = quantiles["p99.9"] <= BUDGET_MS and not silent
    return Row(cells, {"sign_ups": len(late), **quantiles, "without_reason": silent}, f"≤ +{BUDGET_MS:.0f}, 0", met)


def tables(*, quick: bool) -> list[Table]:
    """One table."""
    rows = []
    for label, measure in (("sync", measure_sync), ("async", measure_async)):
        for at_once in (1, MANY):
            name = f"doorward, {label}, {at_once} at once"
            progress(f"no name server answers: {name}")
            try:
                rows.append(_row(name, in_fresh_process(measure, waves=10 if quick else 25, at_once=at_once)))
            except NotMeasured as error:
                rows.append(missing(name, error))
    note = (
        f"`protect_signup()` with a name server that never answers and a deadline of {DEADLINE:g} s, each sign-up of "
        "another client and domain; milliseconds after the deadline. Each wave finds a client that has learnt nothing "
        "yet: later it would answer at once. The budget is for p99.9."
    )
    columns = ("", "sign-ups", "p50", "p99", "p99.9", "longest", "without a reason")
    return [Table("No name server answers", note, columns, rows)]
