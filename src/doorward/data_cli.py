"""``doorward data``: what compiled data there is, and bringing it up to date from public feeds."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doorward.errors import ConfigurationError, DataError
from doorward.printable import printable

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from doorward.intelligence.feeds import Feed
    from doorward.intelligence.fetching import Fetcher
    from doorward.intelligence.update_report import Report
    from doorward.intelligence.updating import Update

GOOD, BAD, INTERRUPTED = 0, 1, 130
_KEPT = "the data that was there stays in use"
_UNREACHABLE = "No feed could be reached: is there a network? If there is a proxy, HTTPS_PROXY must name it."
_EPILOG = """examples:
  doorward data update                              everything whose terms allow any use
  doorward data update --only tor,vpn               these kinds
  doorward data update --accept firehol-proxies     and a feed with terms of its own, from now on
  doorward data update --offline                    make the files again from the copies of the feeds"""


def add_data(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    data = commands.add_parser("data", help="show the data about bots, addresses and domains, or bring it up to date")
    actions = data.add_subparsers(dest="action", required=True, metavar="ACTION")
    _add_status(actions)
    _add_update(actions)


def _folder(arguments: argparse.Namespace) -> Path:
    from doorward.intelligence.library import DATA_VARIABLE, user_folder

    folder: Path | None = arguments.folder or user_folder()
    if folder is None:
        raise ConfigurationError("--folder", f"must be given, or {DATA_VARIABLE} set: this user has no home")
    return folder


# --- doorward data status


def _add_status(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = actions.add_parser("status", help="show where each file came from, how old it is, and what is missing")
    command.add_argument("--folder", type=Path, metavar="PATH", help="the data folder; default: where updates go")
    command.add_argument("--json", action="store_true", help="for programs")
    command.set_defaults(run=_status)


def _status(arguments: argparse.Namespace) -> int:
    from doorward.intelligence import data_status

    found = data_status.gather(_folder(arguments))
    if arguments.json:
        print(json.dumps(found, indent=1))
    else:
        print("\n".join(data_status.in_words(found)))
    return BAD if found["problems"] else GOOD


# --- doorward data update


def _add_update(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    from argparse import RawDescriptionHelpFormatter

    command = actions.add_parser(
        "update", help="fetch the public feeds", epilog=_EPILOG, formatter_class=RawDescriptionHelpFormatter
    )
    listed: dict[str, Any] = {"action": "extend", "type": _names, "default": []}
    command.add_argument("--only", metavar="KINDS", help="feeds that tell these kinds, with commas between", **listed)
    command.add_argument("--feed", metavar="IDS", help="exactly these feeds", **listed)
    command.add_argument("--accept", metavar="IDS", help="feeds besides whose terms you accept; or: all", **listed)
    command.add_argument("--drop", metavar="IDS", help="do without these feeds: their data is removed", **listed)
    command.add_argument(
        "--accept-shrink", metavar="IDS", help="feeds that may have lost more than half this time", **listed
    )
    command.add_argument("--list", action="store_true", help="show the feeds and their terms, and fetch nothing")
    command.add_argument("--offline", action="store_true", help="make the files again from the copies of the feeds")
    command.add_argument("--folder", type=Path, metavar="PATH", help="where to; default: DOORWARD_DATA, or the user's")
    command.add_argument("--mirror", metavar="URL", help="fetch each feed from URL/<id> instead")
    command.add_argument("--catalogue", type=Path, metavar="FILE", help="TOML with feeds of your own")
    command.add_argument("--deadline", type=_seconds, default=120.0, help="seconds for each feed; default: %(default)g")
    command.add_argument("--json", action="store_true", help="for programs")
    command.set_defaults(run=_update)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < 86_400:
        raise ValueError(text)
    return seconds


def _update(arguments: argparse.Namespace) -> int:
    catalogue = _catalogue(arguments)
    if arguments.list:
        print(_listing(catalogue, as_json=arguments.json))
        return GOOD
    folder = _folder(arguments)
    fetcher = None if arguments.offline else _fetcher(arguments.deadline)
    try:
        return _run(arguments, _made(arguments, folder, catalogue, fetcher))
    except DataError as error:
        print(f"doorward data update: {error}", file=sys.stderr)
    except OSError as error:
        print(f"doorward data update: {folder} cannot be written ({error.strerror or error}); {_KEPT}", file=sys.stderr)
    except KeyboardInterrupt:
        print(f"doorward data update: interrupted; {_KEPT}", file=sys.stderr)
        return INTERRUPTED
    finally:
        if fetcher is not None:
            fetcher.close()
    return BAD


def _catalogue(arguments: argparse.Namespace) -> dict[str, Feed]:
    from doorward.intelligence import catalogue_file
    from doorward.intelligence.feeds import CATALOGUE

    catalogue = CATALOGUE if arguments.catalogue is None else catalogue_file.load(arguments.catalogue)
    return catalogue if arguments.mirror is None else catalogue_file.mirrored(catalogue, arguments.mirror)


def _fetcher(deadline: float) -> Fetcher:
    from doorward import __version__
    from doorward.intelligence.fetching import Fetcher

    try:
        return Fetcher(f"doorward/{__version__} (data update)", deadline=deadline)
    except ImportError as error:
        raise ConfigurationError("data update", f"needs the package httpx, or --offline ({error})") from error


def _made(arguments: argparse.Namespace, folder: Path, catalogue: dict[str, Feed], fetcher: Fetcher | None) -> Update:
    from doorward.intelligence.data_watchers import watcher
    from doorward.intelligence.feeds import check_names, chosen
    from doorward.intelligence.updating import Update, copies_in

    known = copies_in(folder)
    check_names("--drop", arguments.drop, known | catalogue.keys())
    check_names("--accept-shrink", arguments.accept_shrink, catalogue)
    accept = [*arguments.accept, *arguments.accept_shrink]
    feeds = chosen(catalogue, feeds=arguments.feed, only=arguments.only, accept=accept, known=known)
    return Update(
        folder,
        catalogue,
        feeds,
        fetcher,
        watcher(for_program=arguments.json),
        accept_shrink=arguments.accept_shrink,
        drop=arguments.drop,
    )


def _run(arguments: argparse.Namespace, update: Update) -> int:
    report = update.run()
    print(json.dumps(_as_json(report), indent=1) if arguments.json else "\n".join(_in_words(report)))
    return GOOD if report.is_good else BAD


def _as_json(report: Report) -> dict[str, Any]:
    return {
        "ok": report.is_good,
        "folder": str(report.folder),
        "feeds": {
            outcome.feed.id: {**outcome.record._asdict(), "result": outcome.result} for outcome in report.outcomes
        },
        "written": dict(report.written),
        "problems": list(report.problems),
    }


def _in_words(report: Report) -> list[str]:
    from doorward.intelligence.update_report import counted, failure_in_words, failures, unreachable, wrapped

    lines = [_UNREACHABLE] if unreachable(report.outcomes) else []
    failed = failures(report.outcomes)
    for (result, cause), outcomes in failed.items():
        lines += failure_in_words(result, cause, outcomes)
    lines += [f"problem: {printable(problem, 1000)}" for problem in report.problems]
    written = [f"{name} ({counted(entries)})" for name, entries in report.written.items()]
    lines.append(f"{report.folder}: {'new: ' + ', '.join(written) if written else 'nothing has changed'}")
    if len(failed) > 1:
        bad = sum(map(len, failed.values()))
        lines.append(f"{bad} of {len(report.outcomes)} feeds could not be brought up to date")
    return [wrapped(line) for line in lines]


def _listing(catalogue: dict[str, Feed], *, as_json: bool) -> str:
    if as_json:
        return json.dumps(
            {feed.id: feed._asdict() | {"terms": feed.terms._asdict()} for feed in catalogue.values()}, indent=1
        )
    rows: list[Sequence[str]] = [("FEED", "KIND", "FETCHED", "TERMS", "FROM")]
    for feed in catalogue.values():
        fetched = "by default" if feed.default else "on request"
        rows.append((feed.id, ",".join(feed.kinds), fetched, feed.terms.licence, feed.url))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
