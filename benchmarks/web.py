"""What one limit adds to a request, in ASGI and in WSGI: the bare application and the protected one, in turns."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks import apps
from benchmarks.common import NotMeasured, Row, Sample, Table, in_fresh_process, interleave, missing, progress, quietest
from benchmarks.traffic import asgi_call, wsgi_call

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

LIMIT = 100
FEW, ALL_DISTINCT = 1_000, 1 << 24
ASGI_BUDGET, WSGI_BUDGET, P99_BUDGET = 8.0, 15.0, 40.0
COLUMNS = ("", "bare µs", "with it µs", "added µs", "times bare", "p99 µs")
NOTE = (
    "GET with 12 browser headers, one limit per client in memory, nothing refused. Medians of the run in which the "
    "bare application was fastest; p99 is of the whole request."
)


def measure_asgi(
    name: str, base: str, clients: int, *, proxied: bool = False, browsers: int = 1, rounds: int
) -> dict[str, Sample]:
    """Time the bare application and one behind ``name``, in this process."""
    logging.disable(logging.CRITICAL)

    async def measure() -> dict[str, Sample]:
        bare, protected = apps.BARE_ASGI[base](), apps.asgi_app(name, base, limit=LIMIT, proxied=proxied)
        calls = {label: asgi_call(app, clients=clients, proxied=proxied, browsers=browsers)
                 for label, app in (("bare", bare), ("protected", protected))}  # fmt: skip
        return await interleave(calls, rounds=rounds)

    return asyncio.run(measure())


def measure_wsgi(
    name: str, clients: int, *, proxied: bool = False, browsers: int = 1, rounds: int
) -> dict[str, Sample]:
    """As :func:`measure_asgi`, over Flask."""
    logging.disable(logging.CRITICAL)
    bare, protected = apps.flask_app(), apps.wsgi_app(name, limit=LIMIT, proxied=proxied)
    calls = {label: wsgi_call(app, clients=clients, proxied=proxied, browsers=browsers)
             for label, app in (("bare", bare), ("protected", protected))}  # fmt: skip
    return asyncio.run(interleave(calls, rounds=rounds))


class Plan(NamedTuple):
    """What a table is about: who is measured and how, how often, and what each may add."""

    title: str
    names: Sequence[str]
    measure: Callable[[str], Any]
    repeats: int
    budgets: Mapping[str, float]
    most_p99: float | None = None
    note: str = NOTE


def _row(name: str, runs: Sequence[dict[str, Any]], plan: Plan) -> Row:
    result, most, most_p99 = quietest(runs, "bare"), plan.budgets.get(name), plan.most_p99
    bare, protected = Sample(*result["bare"]), Sample(*result["protected"])
    added = protected.p50 - bare.p50
    cells = [name, f"{bare.p50:.1f}", f"{protected.p50:.1f}", f"{added:+.1f}", f"{protected.p50 / bare.p50:.2f}",
             f"{protected.p99:.0f}"]  # fmt: skip
    numbers = {"bare_us": bare.p50, "us": protected.p50, "added_us": added, "p99_us": protected.p99,
               "bare_p99_us": bare.p99, "calls": protected.calls}  # fmt: skip
    if most is None:
        return Row(cells, numbers)
    budget = f"≤ +{most:.0f}" + (f", p99 < {most_p99:.0f}" if most_p99 else "")
    return Row(cells, numbers, budget, added <= most and (most_p99 is None or protected.p99 < most_p99))


def added(plan: Plan) -> Table:
    """What each adds to the bare application."""
    runs: dict[str, list[dict[str, Any]]] = {}
    failed: dict[str, NotMeasured] = {}
    for turn in range(plan.repeats):
        for name in plan.names:
            progress(f"{plan.title}: {name} ({turn + 1} of {plan.repeats})")
            try:
                runs.setdefault(name, []).append(plan.measure(name))
            except NotMeasured as error:
                failed[name] = error
    rows = [missing(name, failed[name]) if name in failed else _row(name, runs[name], plan) for name in plan.names]
    return Table(plan.title, plan.note, COLUMNS, rows)


def repeats(*, quick: bool) -> int:
    """How many processes measure each row."""
    return 2 if quick else 3


def _ours(names: Sequence[str], most: float) -> dict[str, float]:
    return {name: most for name in names if name.startswith("doorward")}


CASES = (
    ("1,000 clients in turn", FEW, False),
    ("every request from a new client", ALL_DISTINCT, False),
    ("1,000 clients behind a trusted proxy (X-Forwarded-For)", FEW, True),
)


def asgi_tables(*, quick: bool) -> list[Table]:
    """Over a raw ASGI application and over Starlette."""
    rounds = 10 if quick else 40
    tables = []
    for base, shown in (("raw", "a bare ASGI function"), ("starlette", "a bare Starlette application")):
        names = [name for name in apps.ASGI if base == "starlette" or name not in apps.NEED_STARLETTE]
        for case, clients, proxied in CASES:

            def measure(name: str, base: str = base, clients: int = clients, proxied: bool = proxied) -> Any:  # noqa: FBT001
                options = {"base": base, "clients": clients, "proxied": proxied, "rounds": rounds}
                return in_fresh_process(measure_asgi, name=name, **options)

            title = f"ASGI over {shown}, {case}"
            tables.append(
                added(Plan(title, names, measure, repeats(quick=quick), _ours(names, ASGI_BUDGET), P99_BUDGET))
            )
    return tables


def wsgi_tables(*, quick: bool) -> list[Table]:
    """Over Flask."""
    rounds = 6 if quick else 30
    tables = []
    for case, clients, proxied in CASES:

        def measure(name: str, clients: int = clients, proxied: bool = proxied) -> Any:  # noqa: FBT001
            return in_fresh_process(measure_wsgi, name=name, clients=clients, proxied=proxied, rounds=rounds)

        title = f"WSGI over a bare Flask application, {case}"
        tables.append(added(Plan(title, apps.WSGI, measure, repeats(quick=quick), _ours(apps.WSGI, WSGI_BUDGET))))
    return tables
