"""Measure doorward beside its peers: ``make bench``, or ``python -m benchmarks --only asgi --quick``."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import (
    blackhole,
    checks,
    clearance,
    e2e,
    engine,
    guarded,
    imports,
    service,
    shared_stores,
    shield,
    store,
    web,
)
from benchmarks.common import PEERS_PYTHON, NotMeasured, run_python

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.common import Table

SECTIONS: dict[str, Callable[..., list[Table]]] = {
    "import": imports.tables,
    "engine": engine.tables,
    "asgi": web.asgi_tables,
    "wsgi": web.wsgi_tables,
    "bots": guarded.tables,
    "checks": checks.tables,
    "clearance": clearance.tables,
    "shield": shield.tables,
    "dns": blackhole.tables,
    "store": store.tables,
    "shared": shared_stores.tables,
    "service": service.tables,
    "e2e": e2e.tables,
}
PEERS = (
    "slowapi", "asgi-ratelimit", "Flask-Limiter", "limits", "throttled-py", "fastapi-guard", "flask-nobot",
    "crawler-user-agents", "email-validator", "arcjet", "starlette", "Flask", "uvicorn",
)  # fmt: skip
_VERSIONS = f"""
import importlib.metadata as m, json
print("@@" + json.dumps([name + " " + m.version(name) for name in {PEERS!r} if list(m.distributions(name=name))]))
"""


def heading() -> str:
    """What was measured, and on what."""
    try:
        versions = ", ".join(run_python(["-c", _VERSIONS]))
    except NotMeasured as error:
        versions = f"versions unknown: {error}"
    machine = f"Python {platform.python_version()}, {os.cpu_count()} processors"
    return (
        f"## What doorward costs\n\n{machine}. {versions}.\n\nRead ratios rather than absolute figures: each row and "
        "the bare application beside it were measured in turns, in one run, on this machine.\n"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and write JSON where asked to."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", choices=SECTIONS, action="append", help="this section; may be given several times")
    parser.add_argument("--quick", action="store_true", help="fewer samples, 100,000 keys for a million")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures here")
    options = parser.parse_args(arguments)
    if not PEERS_PYTHON.exists():
        print("The peers are missing: `make bench` installs them. Measuring without them.", file=sys.stderr)
    print(heading())
    tables: list[Table] = []
    for name in options.only or SECTIONS:
        found = SECTIONS[name](quick=options.quick)
        print("\n".join(table.markdown() for table in found), flush=True)
        tables += found
    if options.json is not None:
        options.json.write_text(json.dumps([table.to_dict() for table in tables], indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
