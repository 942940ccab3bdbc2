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
    from collections.abc import Awaitable, Callable

    from doorward import Decision

DEADLINE = 0.3
BUDGET_MS = 50.0
MANY = 50
LINES = [(name.encode(), value.encode()) for name, value in HEADERS]

Answered = tuple[float, bool]
"""How many milliseconds after the deadline a decision came, and whether it says that a rule could not be evaluated."""


def _arguments(number: int) -> tuple[doorward.RequestContext, str]:
    """The sign-up of a new client, with an address of a domain that nobody has asked for yet."""
    request = doorward.RequestContext(method="POST", path="/signup", headers=LINES, peer=address(number))
    return request, f"jane@shop{number}.example.com"


def _options(silent: socket.socket) -> dict[str, Any]:
    silent.bind(("127.0.0.1", 0))
    return {"resolver": f"127.0.0.1:{silent.getsockname()[1]}", "timeout": DEADLINE}


def _says_why(decision: Decision) -> bool:
    return any("deadline" in result.note or "deadline" in str(result.reason) for result in decision.results)


def _answered(start: float, decision: Decision) -> Answered:
    return (time.perf_counter() - start - DEADLINE) * 1e3, _says_why(decision)


def measure_sync(signups: int, at_once: int) -> list[Answered]:
    """Blocking, on so many threads."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent, ThreadPoolExecutor(at_once) as threads:
        client = doorward.Doorward(doorward.protect_signup(), **_options(silent))

        def sign_up(number: int) -> Answered:
            request, email = _arguments(number)
            start = time.perf_counter()
            return _answered(start, client.protect(request, email=email))

        return list(threads.map(sign_up, range(signups)))


def measure_async(signups: int, at_once: int) -> list[Answered]:
    """Awaiting, in so many tasks."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        client = doorward.AsyncDoorward(doorward.protect_signup(), **_options(silent))

        async def sign_up(number: int) -> Answered:
            request, email = _arguments(number)
            start = time.perf_counter()
            return _answered(start, await client.protect(request, email=email))

        return asyncio.run(_in_tasks(sign_up, signups, at_once))


async def _in_tasks(sign_up: Callable[[int], Awaitable[Answered]], signups: int, at_once: int) -> list[Answered]:
    waiting, found = iter(range(signups)), []

    async def visitors() -> None:
        for number in waiting:
            found.append(await sign_up(number))

    await asyncio.gather(*[visitors() for _ in range(at_once)])
    return found


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
    turns = 20 if quick else 40
    rows = []
    for label, measure in (("sync", measure_sync), ("async", measure_async)):
        for at_once in (1, MANY):
            name = f"doorward, {label}, {at_once} at once"
            progress(f"no name server answers: {name}")
            try:
                rows.append(_row(name, in_fresh_process(measure, signups=turns * at_once, at_once=at_once)))
            except NotMeasured as error:
                rows.append(missing(name, error))
    note = (
        f"`protect_signup()` with a name server that never answers and a deadline of {DEADLINE:g} s, each sign-up of "
        "another client and domain. Milliseconds after the deadline; the budget is for p99.9."
    )
    columns = ("", "sign-ups", "p50", "p99", "p99.9", "longest", "without a reason")
    return [Table("No name server answers", note, columns, rows)]
