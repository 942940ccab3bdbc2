"""``doorward store status PATH``: what is in a ``shared://`` table, and who uses it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from doorward.clock import NANOSECONDS

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from doorward.stores.shared.report import Report


def add_store(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to those of ``doorward``."""
    command = commands.add_parser("store", help="look at the table of a shared:// store")
    actions = command.add_subparsers(dest="action", required=True, metavar="ACTION")
    status = actions.add_parser("status", help="say what a table holds, and who uses it")
    status.add_argument("path", metavar="PATH", help="the table's path, or the shared:// URL of the store")
    status.set_defaults(run=_status)


def _status(arguments: argparse.Namespace) -> int:
    from doorward.stores.shared import parse
    from doorward.stores.shared.report import report_of

    text: str = arguments.path
    path = parse(text)[0] if text.startswith("shared:") else Path(text)
    for line in _lines(path, report_of(path)):
        print(line)
    return 0


def _lines(path: Path, report: Report) -> Iterator[str]:
    header = report.header
    made = datetime.fromtimestamp((header.offset + header.made) / NANOSECONDS, UTC)
    yield f"{path}: {header.size:,} bytes, made {made:%Y-%m-%d %H:%M:%S} UTC, {report.used:.0%} of its cells used"
    yield f"locks     {'mutexes' if header.mutexes else 'file locks'}, {header.stripes} of them"
    yield f"used by   {', '.join(map(str, report.users)) or 'nobody that this process can see'}"
    held = ", ".join(f"{number:,} {name}" for name, number in sorted(report.held.items())) or "nothing"
    yield f"holds     {held}; {report.refusing:,} counters refuse"
    evicted = ", ".join(f"{number:,} {name}" for name, number in report.evicted.items() if number) or "nothing"
    yield f"evicted   {evicted}"
    yield f"recovered {report.recovered:,} changes of processes that were killed"
    if any(report.evicted.values()):
        yield "It is too small for what it is asked to hold: give the URL a larger ?size= and restart all workers."
