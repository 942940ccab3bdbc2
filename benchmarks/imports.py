"""What it costs to start: importing, building a client, and the first decision, in fresh processes; and the wheel."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from benchmarks.common import ROOT, NotMeasured, Row, Table, missing, progress, run_python
from benchmarks.traffic import HEADERS

IMPORT_MS, BUILD_MS, FIRST_MS = 40.0, 250.0, 20.0
PURE_MB, LOOKING_UP_MB, WHEEL_MB = 12.0, 32.0, 5.0


class Subject(NamedTuple):
    """Three statements in one namespace; with budgets for as many rules, and for memory, where it is ours."""

    name: str
    load: str
    build: str = ""
    decide: str = ""
    rules: int = 0
    most_mb: float = 0


DOORWARD = Subject(
    "doorward, one limit",
    "import doorward",
    "client = doorward.Doorward([doorward.sliding_window(max=5, interval='10m')])",
    "client.protect(doorward.RequestContext(peer='203.0.113.9'))",
    rules=1,
    most_mb=PURE_MB,
)
_SIGN_UP = f"request = doorward.RequestContext(peer='203.0.113.9', headers={HEADERS!r})"


def _signup(name: str, rules: str, most_mb: float) -> Subject:
    build = f"client = doorward.Doorward({rules}, resolver='{{name_server}}'); {_SIGN_UP}"
    decide = "assert client.protect(request, email='jane@example.com').is_allowed()"
    return Subject(name, DOORWARD.load, build, decide, rules=3, most_mb=most_mb)


SIGN_UPS = (
    _signup(
        "doorward, limit, bots, e-mail without DNS",
        "doorward.protect_signup(email=dict(deny=['DISPOSABLE', 'INVALID']))",
        PURE_MB,
    ),
    _signup("doorward, protect_signup()", "doorward.protect_signup()", LOOKING_UP_MB),
)
SUBJECTS = (
    DOORWARD,
    *SIGN_UPS,
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
    Subject("crawler-user-agents", "import crawleruseragents", "", "crawleruseragents.is_crawler('Mozilla/5.0')"),
    Subject("arcjet", "import arcjet"),
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


def _run(subject: Subject, name_server: str, *, with_asyncio: bool) -> list[float]:
    build = subject.build.replace("{name_server}", name_server)
    statements = [subject.load, build, subject.decide, with_asyncio]
    taken, resident, modules = run_python(["-c", _SCRIPT, json.dumps(statements)], timeout=60)
    return [*taken, resident, modules]


def _row(subject: Subject, cold: list[list[float]], warm: list[list[float]], ours: float) -> Row:
    load, build, decide, _, modules = (statistics.median(column) for column in zip(*cold, strict=True))
    resident = statistics.median(run[3] for run in warm)
    cells = [subject.name, f"{load:.0f}", f"{load / ours:.1f}", f"{build:.1f}" if subject.build else "–",
             f"{decide:.2f}" if subject.decide else "–", f"{resident:.1f}", f"{modules:.0f}"]  # fmt: skip
    numbers = {"import_ms": load, "build_ms": build, "first_decision_ms": decide, "resident_mb": resident,
               "modules": modules}  # fmt: skip
    if not subject.rules:
        return Row(cells, numbers)
    most = BUILD_MS * subject.rules
    met = load <= IMPORT_MS and build <= most and decide <= FIRST_MS and resident <= subject.most_mb
    budget = f"≤ {IMPORT_MS:.0f}, {most:.0f}, {FIRST_MS:.0f} ms, {subject.most_mb:.0f} MB"
    return Row(cells, numbers, budget, met)


def _starting(name_server: str, *, quick: bool) -> Table:
    cold: dict[str, list[list[float]]] = {}
    warm: dict[str, list[list[float]]] = {}
    failed: dict[str, NotMeasured] = {}
    for turn in range(4 if quick else 10):
        for subject in SUBJECTS:
            try:
                found = [_run(subject, name_server, with_asyncio=with_asyncio) for with_asyncio in (False, True)]
            except NotMeasured as error:
                failed[subject.name] = error
                continue
            if turn:  # The first turn compiles what has not been compiled yet.
                cold.setdefault(subject.name, []).append(found[0])
                warm.setdefault(subject.name, []).append(found[1])
    ours = statistics.median(run[0] for run in cold[DOORWARD.name])
    rows = [missing(s.name, failed[s.name]) if s.name in failed else _row(s, cold[s.name], warm[s.name], ours)
            for s in SUBJECTS]  # fmt: skip
    columns = ("", "import ms", "times doorward", "client with rules ms", "first decision ms", "memory MB", "modules")
    note = (
        "Medians over fresh processes. Memory is what all three steps add to an interpreter that has loaded asyncio. "
        "The first decision with `protect_signup()` asks a name server on loopback."
    )
    return Table("Starting", note, columns, rows)


def build_wheel() -> float:
    """Build the wheel of this tree, in a copy of it; its size in MB.

    Raises:
        NotMeasured: It cannot be built here.
    """
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "tree")
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*", "__pycache__", "node_modules"))
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
        done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
        wheels = list(Path(folder).glob("*.whl"))
        if not wheels:
            raise NotMeasured((done.stderr.strip().splitlines() or ["no wheel"])[-1][:160])
        return wheels[0].stat().st_size / 1e6


def _wheel() -> Table:
    try:
        size = build_wheel()
        row = Row(["doorward", f"{size:.2f}"], {"mb": size}, f"≤ {WHEEL_MB:.0f} MB", size <= WHEEL_MB)
    except NotMeasured as error:
        row = missing("doorward", error)
    return Table("The wheel", "Built of this tree, compiled data included.", ("", "MB"), [row])


def tables(*, quick: bool) -> list[Table]:
    """Times and memory of starting, and what there is to install."""
    from tests.dns.server import DnsServer

    progress("starting, in fresh processes")
    with DnsServer({"example.com": {"MX": ["10 mx.example.com."]}}) as server:
        starting = _starting(server.address, quick=quick)
    progress("the wheel")
    return [starting, _wheel()]
