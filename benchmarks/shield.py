"""What attack detection costs: added to a request, on long bodies as in :mod:`benchmarks.scans`, and to start."""

from __future__ import annotations

import asyncio
import json
import logging
import statistics
from typing import TYPE_CHECKING, Any

from benchmarks import apps, scans, web
from benchmarks.common import NotMeasured, Row, Table, in_fresh_process, interleave, missing, progress, run_python
from benchmarks.submissions import SUBMISSIONS, asgi_submissions, wsgi_submissions
from benchmarks.traffic import PATH

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchmarks.common import Sample

SEEN, NEW, JSON, FORM = SUBMISSIONS
ADDED: Mapping[str, float] = {SEEN: 50.0, NEW: 120.0, JSON: 150.0}
BUILD_MS, FIRST_MS, MEMORY_MB = 250.0, 20.0, 12.0

# What it adds to a request

SLOW: Mapping[str, Mapping[str, int]] = {apps.FASTAPI_GUARD_ATTACKS: {"batch": 5, "rounds": 1, "warm_up": 2}}
"""What takes a tenth of a second each time is asked a few times only."""
ADDED_NOTE = (
    "In memory, nothing refused, 12 browser headers. All new: client, agent, cookie, referer and query are others each "
    "time. The bodies are others each time. fastapi-guard gets five requests a run. Medians of the run in which the "
    "bare application was fastest; p99 is of the whole request."
)


def measure_asgi(name: str, base: str, kind: str, rounds: int) -> dict[str, Sample]:
    """Time the bare application and one behind ``name``, in this process."""
    return _measure(name, rounds, {
        "bare": asgi_submissions(apps.BARE_ASGI[base](), kind),
        "protected": asgi_submissions(apps.asgi_app(name, base, limit=apps.NEVER), kind),
    })  # fmt: skip


def measure_wsgi(name: str, kind: str, rounds: int) -> dict[str, Sample]:
    """As :func:`measure_asgi`, over Flask."""
    return _measure(name, rounds, {
        "bare": wsgi_submissions(apps.flask_app(), kind),
        "protected": wsgi_submissions(apps.wsgi_app(name, limit=apps.NEVER), kind),
    })  # fmt: skip


def _measure(name: str, rounds: int, calls: Mapping[str, Any]) -> dict[str, Sample]:
    logging.disable(logging.CRITICAL)
    options: dict[str, int] = {"rounds": rounds, **SLOW.get(name, {})}
    return asyncio.run(interleave(calls, **options))


def _added(over: str, names: Sequence[str], measure: Callable[..., object], *, quick: bool, **options: object) -> Table:
    rows = {f"{kind}: {name}": (kind, name) for kind in SUBMISSIONS for name in names}

    def run(label: str) -> Any:
        kind, name = rows[label]
        return in_fresh_process(measure, name=name, kind=kind, rounds=6 if quick else 20, **options)

    budgets = {label: ADDED[kind] for label, (kind, name) in rows.items() if name == apps.SHIELD and kind in ADDED}
    title = f"Attack detection over {over}"
    return web.added(web.Plan(title, list(rows), run, web.repeats(quick=quick), budgets, note=ADDED_NOTE))


# Starting

RULES: Mapping[str, tuple[int, str]] = {
    "doorward, shield() alone": (1, "[doorward.shield()]"),
    "doorward, shield(paranoia=3) alone": (1, "[doorward.shield(paranoia=3)]"),
    "doorward, limit, bots, IP rule and shield()": (
        4,
        """[doorward.deny(ip=["reserved", "crawler"]), doorward.sliding_window(max=100, interval=60),
        doorward.detect_bot(allow=[]), doorward.shield()]""",
    ),
}
"""How many rules there are, and the expression that builds them."""

_START = """
import asyncio, json, sys, time
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096
before, names, taken = resident(), {}, []
for statement in json.loads(sys.argv[1]):
    start = time.perf_counter()
    exec(statement, names)
    taken.append((time.perf_counter() - start) * 1e3)
print("@@" + json.dumps([*taken, (resident() - before) / 1e6]))
"""


def start(rules: str) -> list[float]:
    """Milliseconds of importing, building rules, the first GET and the first POST; and megabytes of it all.

    Raises:
        NotMeasured: It failed.
    """
    get, post = (SUBMISSIONS[kind](1) for kind in (SEEN, JSON))
    body = [("content-type", post.kind), ("content-length", str(len(post.body)))]
    asked = (
        {"path": PATH, "query": get.query, "headers": get.headers, "peer": get.client},
        {"method": "POST", "path": PATH, "headers": [*post.headers, *body], "peer": post.client, "body": post.body},
    )
    decide = [f"assert client.protect(doorward.RequestContext(**{fields!r})).is_allowed()" for fields in asked]
    statements = ["import doorward", f"client = doorward.Doorward({rules})", *decide]
    found: list[float] = run_python(["-c", _START, json.dumps(statements)], timeout=60)
    return found


def _start_row(name: str, runs: Sequence[Sequence[float]]) -> Row:
    load, build, get, post, memory = (statistics.median(column) for column in zip(*runs, strict=True))
    most = BUILD_MS * RULES[name][0]
    met = build <= most and max(get, post) <= FIRST_MS and memory <= MEMORY_MB
    cells = [name, f"{load:.0f}", f"{build:.0f}", f"{get:.1f}", f"{post:.1f}", f"{memory:.1f}"]
    numbers = {"import_ms": load, "build_ms": build, "first_get_ms": get, "first_post_ms": post, "resident_mb": memory}
    return Row(cells, numbers, f"≤ {most:.0f}, {FIRST_MS:.0f}, {FIRST_MS:.0f} ms, {MEMORY_MB:.0f} MB", met)


def start_table(*, quick: bool) -> Table:
    """What it takes until the first requests are decided about."""
    rows = []
    for name, (_, rules) in RULES.items():
        progress(f"starting: {name}")
        try:
            start(rules)  # compiles what has not been compiled yet
            rows.append(_start_row(name, [start(rules) for _ in range(3 if quick else 9)]))
        except NotMeasured as error:
            rows.append(missing(name, error))
    note = (
        "Medians over fresh processes. Memory is what it all adds to an interpreter that has loaded asyncio. "
        "The POST is 1 kB of JSON."
    )
    columns = ("", "import ms", "client with rules ms", "first GET ms", "first POST ms", "memory MB")
    return Table("Starting with attack detection", note, columns, rows)


def tables(*, quick: bool) -> list[Table]:
    """What it adds to requests, long bodies, the event loop, and starting."""
    raw = [name for name in apps.ASGI_SHIELD if name not in apps.NEED_STARLETTE]
    return [
        _added("a bare ASGI function", raw, measure_asgi, quick=quick, base="raw"),
        _added("Starlette", apps.ASGI_SHIELD, measure_asgi, quick=quick, base="starlette"),
        _added("Flask", apps.WSGI_SHIELD, measure_wsgi, quick=quick),
        *scans.tables(quick=quick),
        start_table(quick=quick),
    ]
