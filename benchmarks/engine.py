"""A decision without a web server: five pure rules, one limit, and both, for callers that block and that await."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from benchmarks.common import Call, NotMeasured, Row, Sample, Table, in_fresh_process, interleave, missing, quietest
from benchmarks.common import progress as say
from benchmarks.traffic import HEADERS, PATH, QUERY, address
from doorward import AsyncDoorward, Conclusion, Doorward, RequestContext, RuleReason, sliding_window
from doorward.rules.base import Outcome, Phase, Rule

if TYPE_CHECKING:
    from collections.abc import Callable

    from doorward.rules.base import View

BUDGET = 25.0
LINES = [(name.encode(), value.encode()) for name, value in HEADERS]
_BAD_AGENT = re.compile(r"sqlmap|nikto|masscan|python-requests|curl/", re.IGNORECASE)
_BAD_QUERY = re.compile(r"union\s+select|<script", re.IGNORECASE)

TESTS: tuple[Callable[[RequestContext], bool], ...] = (
    lambda request: request.path.startswith("/wp-admin"),
    lambda request: request.method == "TRACE",
    lambda request: "x-attack" in request.headers,
    lambda request: _BAD_AGENT.search(request.headers.get("user-agent")) is not None,
    lambda request: _BAD_QUERY.search(request.query) is not None,
)
_PASSED = Outcome(Conclusion.ALLOW, RuleReason("test", "passed"))
_FAILED = Outcome(Conclusion.DENY, RuleReason("test", "failed"))


@dataclass(frozen=True, kw_only=True)
class Test(Rule):
    """A trivial rule of a user's own."""

    kind: ClassVar[str] = "TEST"
    phase: ClassVar[Phase] = Phase.LOCAL

    test: Callable[[RequestContext], bool]

    def evaluate(self, view: View) -> Outcome:
        """Deny where the test says so."""
        return _FAILED if self.test(view.request) else _PASSED


def five_rules() -> list[Rule]:
    """One rule for each test."""
    return [Test(test=test, name=f"test {number}") for number, test in enumerate(TESTS)]


def limit() -> list[Rule]:
    """One limit that refuses nobody here."""
    return [sliding_window(max=100, interval=60)]


SETS: dict[str, Callable[[], list[Rule]]] = {
    "no rules": list,
    "5 pure rules": five_rules,
    "one limit": limit,
    "5 pure rules and one limit": lambda: [*five_rules(), *limit()],
}


def context(number: int) -> RequestContext:
    """A request that nothing has read yet."""
    return RequestContext(method="GET", path=PATH, query=QUERY, headers=LINES, peer=address(number % 1000))


def _plain_call() -> Call:
    async def call(number: int) -> int:
        request = context(number)
        start = time.perf_counter_ns()
        any(test(request) for test in TESTS)
        return time.perf_counter_ns() - start

    return call


def _sync_call(client: Doorward) -> Call:
    async def call(number: int) -> int:
        request = context(number)
        start = time.perf_counter_ns()
        client.protect(request)
        return time.perf_counter_ns() - start

    return call


def _async_call(client: AsyncDoorward) -> Call:
    async def call(number: int) -> int:
        request = context(number)
        start = time.perf_counter_ns()
        await client.protect(request)
        return time.perf_counter_ns() - start

    return call


def measure(rounds: int) -> dict[str, Sample]:
    """Everything in turns, in one process."""
    calls: dict[str, Call] = {"plain": _plain_call()}
    for name, rules in SETS.items():
        calls[f"{name}, sync"] = _sync_call(Doorward(rules()))
        calls[f"{name}, async"] = _async_call(AsyncDoorward(rules()))
    return asyncio.run(interleave(calls, rounds=rounds))


def _row(name: str, taken: Sample, plain: Sample) -> Row:
    cells = [name, f"{taken.p50:.1f}", f"{taken.p50 / plain.p50:.1f}", f"{taken.p99:.0f}"]
    numbers = {"us": taken.p50, "p99_us": taken.p99}
    if not name.startswith("5 pure rules,"):
        return Row(cells, numbers)
    return Row(cells, numbers, f"≤ {BUDGET:.0f} µs", taken.p50 <= BUDGET)


def tables(*, quick: bool) -> list[Table]:
    """One table."""
    say("engine")
    columns = ("", "µs a decision", "times plain code", "p99 µs")
    note = "protect() on a request built before, 1,000 clients in turn. The rules: path, method, header, two regexes."
    try:
        runs = [in_fresh_process(measure, rounds=10 if quick else 40) for _ in range(3)]
    except NotMeasured as error:
        return [Table("A decision", note, columns, [missing("engine", error)])]
    found = {name: Sample(*values) for name, values in quietest(runs, "plain").items()}
    plain = found.pop("plain")
    rows = [_row("plain code: the same 5 tests, no client", plain, plain)]
    rows += [_row(name, taken, plain) for name, taken in found.items()]
    return [Table("A decision", note, columns, rows)]
