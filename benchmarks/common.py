"""What every section shares: tables, timing, and fresh processes to measure in."""

from __future__ import annotations

import importlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

ROOT = Path(__file__).resolve().parent.parent
PEERS_PYTHON = ROOT / ".venv-bench" / "bin" / "python"
MARK = "@@"
WARM_UP = 300

Call = Callable[[int], Awaitable[int]]
"""Handles request number n, and answers how many nanoseconds that took."""


@dataclass(frozen=True)
class Row:
    """One line of a table.

    Attributes:
        cells: Text of each column.
        numbers: The same as numbers, for ``--json``.
        budget: What design.md allows; empty for peers, which have none.
        met: Whether it is kept; None where there is no budget.
    """

    cells: Sequence[str]
    numbers: Mapping[str, object] = field(default_factory=dict)
    budget: str = ""
    met: bool | None = None


@dataclass(frozen=True)
class Table:
    """One Markdown table, with a sentence on how to read it."""

    title: str
    note: str
    columns: Sequence[str]
    rows: Sequence[Row]

    def markdown(self) -> str:
        """The table as text."""
        head = [*self.columns, "budget", ""]
        lines = [_line(head), "|---" + "|---:" * (len(head) - 2) + "|---|"]
        lines += [_line([*row.cells, *[""] * (len(self.columns) - len(row.cells)), row.budget, _verdict(row)])
                  for row in self.rows]  # fmt: skip
        return f"### {self.title}\n\n{self.note}\n\n" + "\n".join(lines) + "\n"

    def to_dict(self) -> dict[str, object]:
        """The table for ``--json``."""
        rows = [{"name": r.cells[0], **r.numbers, "budget": r.budget, "met": r.met} for r in self.rows]
        return {"title": self.title, "rows": rows}


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _verdict(row: Row) -> str:
    return "" if row.met is None else "met" if row.met else "**NOT MET**"


def missing(name: str, error: Exception) -> Row:
    """The row of what could not be measured."""
    return Row([name, f"not measured: {error}"], {"error": str(error)})


class Sample(NamedTuple):
    """Microseconds of many calls."""

    p50: float
    p99: float
    calls: int


def sample(nanoseconds: Sequence[int]) -> Sample:
    """Median and 99th percentile."""
    ordered = sorted(nanoseconds)
    return Sample(statistics.median(ordered) / 1e3, ordered[int(len(ordered) * 0.99) - 1] / 1e3, len(ordered))


async def interleave(
    calls: Mapping[str, Call], *, rounds: int, batch: int = 100, most_seconds: float = 5, warm_up: int = WARM_UP
) -> dict[str, Sample]:
    """Time several calls in turns, batch by batch, so that noise of the machine falls on all of them alike.

    What is slow gets fewer rounds, but one at least.
    """
    number = 0
    for call in calls.values():
        for _ in range(warm_up):
            number += 1
            await call(number)
    taken: dict[str, list[int]] = {name: [] for name in calls}
    ends = time.perf_counter() + most_seconds
    for turn in range(rounds):
        if turn and time.perf_counter() > ends:
            break
        for name, call in calls.items():
            for _ in range(batch):
                number += 1
                taken[name].append(await call(number))
    return {name: sample(times) for name, times in taken.items()}


def quietest(runs: Sequence[dict[str, Any]], yardstick: str) -> dict[str, Any]:
    """The run in which the yardstick was fastest: other programs on the machine only ever slow things down."""
    return min(runs, key=lambda run: float(run[yardstick][0]))


def blocking(function: Callable[[int], object]) -> Call:
    """Time a function that does not await."""

    async def call(number: int) -> int:
        start = time.perf_counter_ns()
        function(number)
        return time.perf_counter_ns() - start

    return call


Prepared = TypeVar("Prepared")


def prepared(make: Callable[[int], Prepared], ask: Callable[[Prepared], object]) -> Call:
    """Time ``ask`` of what ``make`` makes for request number n, which is not timed."""

    async def call(number: int) -> int:
        subject = make(number)
        start = time.perf_counter_ns()
        ask(subject)
        return time.perf_counter_ns() - start

    return call


class NotMeasured(Exception):
    """A measurement failed; the message is the last line of what its process said."""


def peers_python() -> str:
    """The interpreter that has the peers; this one where ``make bench`` has not made it yet."""
    return str(PEERS_PYTHON) if PEERS_PYTHON.exists() else sys.executable


def environment(**more: str) -> dict[str, str]:
    """Environment variables of a measuring process: doorward from the sources, whatever is installed."""
    path = os.pathsep.join(str(folder) for folder in (ROOT / "src", ROOT / "adapters", ROOT))
    # Byte code is kept, as in an installation; without it an import compiles every module anew.
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith("DOORWARD_") and name != "PYTHONDONTWRITEBYTECODE"}  # fmt: skip
    return {**kept, "PYTHONPATH": path, **more}


def run_python(arguments: Sequence[str], timeout: float = 600) -> Any:
    """What a fresh process prints as JSON behind the mark.

    Raises:
        NotMeasured: It failed or took too long.
    """
    command = [peers_python(), *arguments]
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired:
        raise NotMeasured(f"took over {timeout:.0f} s") from None
    for line in done.stdout.splitlines():
        if line.startswith(MARK):
            return json.loads(line[len(MARK) :])
    raise NotMeasured((done.stderr.strip().splitlines() or ["no output"])[-1][:160])


def in_fresh_process(function: Callable[..., object], **arguments: object) -> Any:
    """Call ``function`` of this package in a process of its own; its answer goes through JSON.

    Raises:
        NotMeasured: It failed or took too long.
    """
    target = f"{function.__module__}:{function.__qualname__}"
    return run_python(["-m", "benchmarks.common", target, json.dumps(arguments)])


def emit(result: object) -> None:
    """Hand a result to the process that asked for it."""
    print(MARK + json.dumps(result), flush=True)


def progress(text: str) -> None:
    """Say what is being measured."""
    print(f"  {text}", file=sys.stderr, flush=True)


def _serve(target: str, arguments: str) -> None:
    module, _, name = target.partition(":")
    emit(getattr(importlib.import_module(module), name)(**json.loads(arguments)))
    # Not sys.exit: a peer may have left a thread behind that never ends.
    os._exit(0)


if __name__ == "__main__":
    _serve(sys.argv[1], sys.argv[2])
