"""``doorward tail``: decisions of a service in the terminal, as they are made, and one of them in full.

Nothing is printed as it came: what a visitor sent, and what a service answers, may hold escapes for the terminal.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from doorward.errors import ConfigurationError, DataError, ServiceError
from doorward.printable import printable
from doorward.tail_lines import as_json, in_full, line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

YES, NO, UNREACHABLE = 0, 1, 3
_MOST = 500
_PAUSE = 0.3
_PAUSE_AWAY = 1.0
_FINAL = frozenset({"unauthenticated", "permission_denied", "invalid_argument", "not_found", "unimplemented"})
_FILTERS = {
    "conclusion": "ALLOW, DENY, CHALLENGE or ERROR",
    "reason": "such as RATE_LIMIT",
    "rule": "that decided",
    "ip": "of this visitor",
    "path": "that begins with this",
}
_EPILOG = """examples:
  doorward tail --service http://127.0.0.1:8710 --key dwk_…     decisions of the key's site
  doorward tail --folder /var/lib/doorward                      of all sites, where the service runs
  doorward tail --conclusion DENY --path /signup                only these
  doorward tail --dry-run                                       what dry-run rules would have decided
  doorward tail --id req_01k…                                   one decision: each rule, why, what it cost, the address
  doorward tail --once --json -n 500 | jq .ip                   for programs: the last ones, a line each

DOORWARD_SERVICE and DOORWARD_KEY stand in for --service and --key; others on the host can see what is typed.

Exit status: 0 done, or ended with Ctrl-C; 1 there is no such decision; 2 a wrong argument, or no log there; 3 the
service refuses or, with --once or --id, does not answer.
"""


class Source(Protocol):
    """Where decisions are read."""

    def find(self, decision: str) -> dict[str, Any] | None:
        """One decision."""
        ...

    def after(self, filters: Mapping[str, str], cursor: int, limit: int) -> tuple[list[dict[str, Any]], int]:
        """What has come since ``cursor``, the oldest first; and the next cursor."""
        ...

    def close(self) -> None:
        """Nothing more is asked."""
        ...


def add_tail(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    tail = commands.add_parser(
        "tail",
        help="follow the decisions of a service",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    tail.add_argument("--service", metavar="URL", help="of the service; default: $DOORWARD_SERVICE")
    tail.add_argument("--key", help="of a site; default: $DOORWARD_KEY")
    tail.add_argument("--folder", type=Path, metavar="PATH", help="of the service, on its host, in place of a URL")
    for name, about in _FILTERS.items():
        tail.add_argument(f"--{name}", metavar=name.upper(), help=about)
    about = "that a dry-run rule would have decided; of this rule, if it is named"
    tail.add_argument("--dry-run", nargs="?", const="*", metavar="RULE", help=about)
    tail.add_argument(
        "-n", type=int, default=20, metavar="COUNT", help="begin with the last ones; default: %(default)s"
    )
    tail.add_argument("--once", action="store_true", help="do not wait for more")
    tail.add_argument("--id", metavar="ID", help="show one decision in full")
    tail.add_argument("--json", action="store_true", help="for programs: a line each")
    tail.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    if not 0 <= arguments.n <= _MOST:
        raise ConfigurationError("-n", f"must be from 0 to {_MOST}")
    try:
        with closing(_source(arguments)) as source:
            return _one(source, arguments) if arguments.id else _Follower(source, arguments).run()
    except KeyboardInterrupt:
        return YES
    except ServiceError as error:
        _say(str(error))
        return UNREACHABLE


def _source(arguments: argparse.Namespace) -> Source:
    service = arguments.service or ("" if arguments.folder else os.environ.get("DOORWARD_SERVICE", ""))
    if arguments.folder and service:
        raise ConfigurationError("--folder", "stands in place of --service: give one of them")
    if service:
        from doorward.service.client.log_client import LogClient

        key = arguments.key or os.environ.get("DOORWARD_KEY", "")
        if not key:
            raise ConfigurationError("--key", "is missing: a site's, as `doorward keys add` shows it; or DOORWARD_KEY")
        return LogClient(service, key)
    return _FileSource(arguments.folder)


class _FileSource:
    """The log of a service on this host, with the decisions of all sites."""

    def __init__(self, folder: Path | None) -> None:
        from doorward.service.server.folder import LOG, service_folder
        from doorward.service.server.log_reader import LogFileReader

        path = service_folder(folder) / LOG
        if not path.exists():
            hint = "name a service with --service and --key, or the folder of one with --folder"
            raise DataError(path, f"there is no decision log: {hint}")
        self._reader = LogFileReader(path)

    def find(self, decision: str) -> dict[str, Any] | None:
        from doorward.service.server.log_json import document

        record = self._reader.find(decision)
        return document(record) if record else None

    def after(self, filters: Mapping[str, str], cursor: int, limit: int) -> tuple[list[dict[str, Any]], int]:
        from doorward.service.server.log_json import summary
        from doorward.service.server.log_questions import question

        query = question(filters.items(), "", 0).query
        found, cursor = self._reader.after(query, cursor, limit)
        return [summary(record) for record in found], cursor

    def close(self) -> None:
        """There is nothing that stays open."""


# --- one decision


def _one(source: Source, arguments: argparse.Namespace) -> int:
    found = source.find(arguments.id)
    if found is None:
        print(f"there is no decision {printable(arguments.id)}")
        return NO
    for text in [as_json(found)] if arguments.json else in_full(found, coloured=_coloured()):
        print(text)
    return YES


# --- as they are made


class _Follower:
    """Prints decisions, and goes on where the service went away and came back.

    Args:
        source: Where they are read.
        arguments: What was asked for.
    """

    def __init__(self, source: Source, arguments: argparse.Namespace) -> None:
        self._source = source
        self._arguments = arguments
        given = {name: getattr(arguments, name) for name in (*_FILTERS, "dry_run")}
        self._filters = {name: value for name, value in given.items() if value}
        self._cursor = 0
        self._away = self._begun = False

    def run(self) -> int:
        """Print what there is, and what comes."""
        coloured = _coloured()
        for decision in self._decisions():
            text = as_json(decision) if self._arguments.json else line(decision, coloured=coloured)
            print(text, flush=True)
        return YES

    def _decisions(self) -> Iterator[dict[str, Any]]:
        while True:
            before = self._cursor
            found = self._asked()
            if found is not None:
                yield from found
                if self._arguments.once:
                    return
            if not found:
                time.sleep(_PAUSE_AWAY if found is None or not before else _PAUSE)

    def _asked(self) -> list[dict[str, Any]] | None:
        """What has come; None while nobody answers."""
        first = not self._begun
        limit = max(1, self._arguments.n) if first else _MOST
        try:
            found, self._cursor = self._source.after(self._filters, self._cursor, limit)
        except (ServiceError, DataError) as error:
            if self._arguments.once or getattr(error, "code", "") in _FINAL:
                raise
            self._note(away=True, why=str(error))
            return None
        self._begun = True
        self._note(away=False)
        return [] if first and not self._arguments.n else found

    def _note(self, *, away: bool, why: str = "") -> None:
        """Say it once when the service goes, and once when it is back."""
        if away != self._away:
            _say(f"{why}; trying again until it does" if away else "it answers again")
        self._away = away


def _coloured() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def _say(text: str) -> None:
    print(f"doorward tail: {printable(text, 500)}", file=sys.stderr, flush=True)
