"""What a limit and rules about bots add to a request, in ASGI and in WSGI: as in :mod:`benchmarks.web`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks import apps
from benchmarks.common import in_fresh_process
from benchmarks.web import ALL_DISTINCT, FEW, Plan, added, measure_asgi, measure_wsgi, repeats

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchmarks.common import Table

BUDGET = 20.0
BUDGET_WITH_IP, BUDGET_WITH_IP_NEW = 50.0, 120.0
"""With attack detection, which these rows do not have."""

BUDGETS = {
    apps.LIMIT_BOTS: BUDGET,
    apps.STARLETTE_BOTS: BUDGET,
    apps.FLASK_BOTS: BUDGET,
    apps.SIGNUP: BUDGET,
    apps.LIMIT_BOTS_IP: BUDGET_WITH_IP,
}
CASES: Sequence[tuple[str, int, int, Mapping[str, float]]] = (
    ("1,000 clients in turn, all with the same browser", FEW, 1, BUDGETS),
    (
        "every request from a new client with a browser of its own",
        ALL_DISTINCT,
        ALL_DISTINCT,
        {apps.LIMIT_BOTS_IP: BUDGET_WITH_IP_NEW},
    ),
)
NOTE = (
    "GET with 12 browser headers, nothing refused. `protect_signup()` is its part in the middleware: limit and bots; "
    "the e-mail address is left to the handler. fastapi-guard: its limit and five user agents, no detection of "
    "attacks. flask-nobot has no limit. Medians of the run in which the bare application was fastest."
)


def _tables(base: str, names: Sequence[str], measure: Callable[..., object], *, quick: bool) -> list[Table]:
    rounds = 6 if quick else 20
    tables = []
    for case, clients, browsers, budgets in CASES:

        def run(name: str, clients: int = clients, browsers: int = browsers) -> Any:
            return in_fresh_process(measure, name=name, clients=clients, browsers=browsers, rounds=rounds)

        plan = Plan(f"Limit and bots over {base}, {case}", names, run, repeats(quick=quick), budgets, note=NOTE)
        tables.append(added(plan))
    return tables


def measure_raw(**options: Any) -> dict[str, Any]:
    """As :func:`measure_asgi`, over a bare ASGI function."""
    return {**measure_asgi(base="raw", **options)}


def measure_starlette(**options: Any) -> dict[str, Any]:
    """As :func:`measure_asgi`, over Starlette."""
    return {**measure_asgi(base="starlette", **options)}


def tables(*, quick: bool) -> list[Table]:
    """Over a bare ASGI function, Starlette and Flask."""
    anywhere = [name for name in apps.ASGI_BOTS if name not in apps.NEED_STARLETTE]
    return [
        *_tables("a bare ASGI function", anywhere, measure_raw, quick=quick),
        *_tables("Starlette", apps.ASGI_BOTS, measure_starlette, quick=quick),
        *_tables("Flask", apps.WSGI_BOTS, measure_wsgi, quick=quick),
    ]
