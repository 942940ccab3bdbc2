"""What it costs to start: importing, building a client with one rule, and the first decision, in fresh processes."""

from __future__ import annotations

import json
import statistics
from typing import NamedTuple

from benchmarks.common import NotMeasured, Row, Table, missing, progress, run_python

IMPORT_MS, BUILD_MS, FIRST_MS, RESIDENT_MB = 40.0, 250.0, 20.0, 12.0


class Subject(NamedTuple):
    """Three statements in one namespace."""

    name: str
    load: str
    build: str = ""
    decide: str = ""


DOORWARD = Subject(
    "doorward",
    "import doorward",
    "client = doorward.Doorward([doorward.sliding_window(max=5, interval='10m')])",
    "client.protect(doorward.RequestContext(peer='203.0.113.9'))",
)
SUBJECTS = (
    DOORWARD,
    Subject(
        "limits",
        "import limits",
        "limiter = limits.strategies.MovingWindowRateLimiter(limits.storage.MemoryStorage())",
        "limiter.hit(limits.parse('5/10 minutes'), '203.0.113.9')",
    ),
    Subject(
        "throttled-py",
        "import throttled",
        "limiter = throttled.Throttled(quota=throttled.per_min(5), store=throttled.MemoryStore())",
        "limiter.limit('203.0.113.9')",
    ),
    Subject("slowapi", "import slowapi", "slowapi.Limiter(key_func=str, default_limits=['5/minute'])"),
    Subject("Flask-Limiter", "import flask_limiter", "flask_limiter.Limiter(str, default_limits=['5 per minute'])"),
    Subject("asgi-ratelimit", "import ratelimit"),
)

# Resident memory is over an interpreter that has asyncio, as every asynchronous application has; time is not.
_SCRIPT = """
import json, sys, time
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096
*statements, with_asyncio = json.loads(sys.argv[1])
if with_asyncio:
    import asyncio
before, names, taken = resident(), {}, []
for statement in statements:
    start = time.perf_counter()
    exec(statement, names)
    taken.append((time.perf_counter() - start) * 1e3)
print("@@" + json.dumps([taken, (resident() - before) / 1e6, len(sys.modules)]))
"""


def _run(subject: Subject, *, with_asyncio: bool) -> list[float]:
    statements = [subject.load, subject.build, subject.decide, with_asyncio]
    taken, resident, modules = run_python(["-c", _SCRIPT, json.dumps(statements)], timeout=60)
    return [*taken, resident, modules]


def _row(subject: Subject, cold: list[list[float]], warm: list[list[float]], ours: float) -> Row:
    load, build, decide, _, modules = (statistics.median(column) for column in zip(*cold, strict=True))
    resident = statistics.median(run[3] for run in warm)
    cells = [subject.name, f"{load:.0f}", f"{load / ours:.1f}", f"{build:.1f}" if subject.build else "–",
             f"{decide:.2f}" if subject.decide else "–", f"{resident:.1f}", f"{modules:.0f}"]  # fmt: skip
    numbers = {"import_ms": load, "build_ms": build, "first_decision_ms": decide, "resident_mb": resident,
               "modules": modules}  # fmt: skip
    if subject is not DOORWARD:
        return Row(cells, numbers)
    met = load <= IMPORT_MS and build <= BUILD_MS and decide <= FIRST_MS and resident <= RESIDENT_MB
    budget = f"≤ {IMPORT_MS:.0f}, {BUILD_MS:.0f}, {FIRST_MS:.0f} ms, {RESIDENT_MB:.0f} MB"
    return Row(cells, numbers, budget, met)


def tables(*, quick: bool) -> list[Table]:
    """One table."""
    cold: dict[str, list[list[float]]] = {}
    warm: dict[str, list[list[float]]] = {}
    failed: dict[str, NotMeasured] = {}
    progress("import, in fresh processes")
    for turn in range(4 if quick else 10):
        for subject in SUBJECTS:
            try:
                found = _run(subject, with_asyncio=False), _run(subject, with_asyncio=True)
            except NotMeasured as error:
                failed[subject.name] = error
                continue
            if turn:  # The first turn compiles what has not been compiled yet.
                cold.setdefault(subject.name, []).append(found[0])
                warm.setdefault(subject.name, []).append(found[1])
    ours = statistics.median(run[0] for run in cold[DOORWARD.name])
    rows = [missing(s.name, failed[s.name]) if s.name in failed else _row(s, cold[s.name], warm[s.name], ours)
            for s in SUBJECTS]  # fmt: skip
    columns = ("", "import ms", "times doorward", "client with a rule ms", "first decision ms", "memory MB", "modules")
    note = "Medians over fresh processes. Memory is what all three steps add to an interpreter that has loaded asyncio."
    return [Table("Starting", note, columns, rows)]
