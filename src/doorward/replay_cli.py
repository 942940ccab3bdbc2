"""``doorward replay``: what rules would have decided about recorded traffic."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doorward.errors import ConfigurationError
from doorward.output_files import check_once, check_outputs
from doorward.printable import describe, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from doorward.facade import Facade
    from doorward.replay.reading import Reading
    from doorward.replay.records import Recorded
    from doorward.replay.report import Report, Threshold
    from doorward.replay.thresholds import Most

MET, NOT_MET, WRONG, INTERRUPTED = 0, 1, 2, 130
_PRINTED = ("text", "json", "markdown", "none")
_POLICY_SUFFIXES = (".toml", ".yaml", ".yml", ".json")
_FIELD = "FILES"
_FIRST_SECONDS = 10**8
"""Of 1973: no log is from before, and 20250630 is a day."""
_EPILOG = """examples:
  doorward replay access.log --app myapp:aj
  doorward replay logs/*.gz --rules policy.toml --against main.toml -o report.html -o report.md
  doorward replay access.log --app myapp:aj --as-live --max-denied 0.1%
  doorward replay --rules policy.toml --must-allow customers.jsonl --must-deny attacks.jsonl

Nothing is asked and nothing is changed outside: counters are in memory, time is the recording's, and rules that need
the DNS say that they could not ask. A rule that reads what a recording does not have is left out, and the report says
so. -o takes its kind from the suffix: .json .html .md .sarif .xml (JUnit) .txt.

Exit status: 0 all thresholds are met; 1 one is not; 2 a wrong argument or file, or nothing to play; 130 interrupted.
"""


def add_replay(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    command = commands.add_parser(
        "replay",
        help="take recorded traffic through rules offline, and report what they would have decided",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = command.add_argument
    add("files", metavar="FILES", nargs="*", help="logs, also compressed; - for standard input")
    policy = command.add_mutually_exclusive_group(required=True)
    policy.add_argument("--app", metavar="MODULE:NAME", help="where your Doorward object is, such as myapp:aj")
    policy.add_argument("--rules", metavar="FILE", help="a policy file")
    add("--against", metavar="POLICY", help="a policy file or MODULE:NAME to compare with: what changes")
    add("--format", default="auto", metavar="FORMAT", help=(
        "auto (default), common, combined, json, har, doorward, or 'nginx:' and a log_format"))  # fmt: skip
    add("--since", type=_time, metavar="TIME", help="leave out what is earlier, such as 2025-06-30T12:00:00Z")
    add("--until", type=_time, metavar="TIME", help="leave out what is later")
    add("--as-live", action="store_true", help="take all dry-run rules for live ones")
    add("--no-exemptions", action="store_true", help=(
        "ask rules also about OPTIONS, health checks and static files, which middleware leaves alone"))  # fmt: skip
    add("-o", "--output", action="append", default=[], type=_output, metavar="FILE", help="may be repeated")
    add("--print", choices=_PRINTED, default="text", help="on standard output; default: %(default)s")
    add("--max-denied", type=_most, metavar="P", help="of live rules: a share such as 0.1%%, or a number of requests")
    add("--max-newly-denied", type=_most, metavar="P", help="the same, of what only --against lets pass")
    add("--must-allow", action="append", default=[], metavar="FILE", help="requests that must pass (JSON lines)")
    add("--must-deny", action="append", default=[], metavar="FILE", help="requests that must be denied (JSON lines)")
    add("--samples", type=_count, default=10, metavar="N", help="requests to show of each; default: %(default)s")
    add("--no-progress", action="store_true", help="show no progress bar")
    command.set_defaults(run=_replay)


def _replay(arguments: argparse.Namespace) -> int:
    _check(arguments)
    client = _client(arguments)
    against = None if arguments.against is None else (arguments.against, _against(arguments.against))
    cases = list(_cases(arguments, client))  # first: a mistake in them is not to be found after gigabytes
    report = _played(arguments, client, against)
    report.thresholds = [*_most_denied(arguments, report), *cases]
    _write(arguments, report)
    return _status(arguments, report)


def _check(arguments: argparse.Namespace) -> None:
    """See that what was asked for makes sense, before gigabytes are read."""
    if not arguments.files and not (arguments.must_allow or arguments.must_deny):
        raise ConfigurationError(_FIELD, "must be given, or --must-allow or --must-deny with requests of your own")
    if arguments.max_newly_denied is not None and arguments.against is None:
        raise ConfigurationError("--max-newly-denied", "needs a policy to compare with: give --against")
    if None not in (arguments.since, arguments.until) and arguments.since >= arguments.until:
        raise ConfigurationError("--until", "must be later than --since: nothing is between them")
    check_once(arguments.files, _FIELD)
    read = [*arguments.files, arguments.rules, arguments.against, *arguments.must_allow, *arguments.must_deny]
    check_outputs(arguments.output, read)


# --- the policies


def _client(arguments: argparse.Namespace) -> Facade:
    from doorward.named_app import load_app

    return load_app(arguments.app) if arguments.app else _of_file(arguments.rules, "--rules")


def _against(text: str) -> Facade:
    from doorward.named_app import load_app

    if text.endswith(_POLICY_SUFFIXES) or Path(text).is_file():
        return _of_file(text, "--against")
    return load_app(text, "--against")


def _of_file(file: str, field: str) -> Facade:
    from doorward.policy import load  # brings pydantic

    try:
        client: Facade = load(file).client()
    except OSError as error:
        raise ConfigurationError(field, f"{printable(file)} cannot be read: {error.strerror or error}") from error
    return client


# --- the replay


def _played(arguments: argparse.Namespace, client: Facade, against: tuple[str, Facade] | None) -> Report:
    from doorward.replay.player import replay
    from doorward.replay.reading import Reading
    from doorward.replay.watching import watcher

    reading = Reading()
    shown = None if arguments.no_progress else watcher(reading)
    try:
        return replay(
            client,
            _recorded(arguments, reading),
            name=arguments.app or arguments.rules,
            files=arguments.files,
            reading=reading,
            watch=shown,
            against=against,
            as_live=arguments.as_live,
            exemptions=not arguments.no_exemptions,
            samples=arguments.samples,
        )
    finally:
        if shown is not None:
            shown.close()


def _recorded(arguments: argparse.Namespace, reading: Reading) -> Iterator[Recorded]:
    if not arguments.files:
        return
    from doorward.replay.readers import read

    try:
        yield from read(
            arguments.files,
            format=arguments.format,
            reading=reading,
            since_ns=arguments.since,
            until_ns=arguments.until,
        )
    except OSError as error:
        name = f"{printable(str(error.filename))} " if error.filename else ""
        raise ConfigurationError(_FIELD, f"{name}cannot be read: {error.strerror or describe(error)}") from error


def _cases(arguments: argparse.Namespace, client: Facade) -> Iterator[Threshold]:
    if not (arguments.must_allow or arguments.must_deny):
        return
    from doorward.replay.cases import Cases, read_cases

    options: dict[str, Any] = {"exemptions": not arguments.no_exemptions, "samples": arguments.samples}
    cases = Cases(client, as_live=arguments.as_live, **options)
    for file in arguments.must_allow:
        yield cases.must_allow(read_cases(file, "--must-allow"))
    for file in arguments.must_deny:
        yield cases.must_deny(read_cases(file, "--must-deny"))
    cases.close()


def _most_denied(arguments: argparse.Namespace, report: Report) -> Iterator[Threshold]:
    from doorward.replay.thresholds import most_denied, most_newly_denied

    if arguments.max_denied is not None:
        yield most_denied(report, arguments.max_denied)
    if arguments.max_newly_denied is not None:
        yield most_newly_denied(report, arguments.max_newly_denied)


def _status(arguments: argparse.Namespace, report: Report) -> int:
    from doorward.replay.player import INTERRUPTED as NOTE

    if NOTE in report.notes:
        print(f"doorward replay: {NOTE}", file=sys.stderr)
        return INTERRUPTED
    if arguments.files and not report.requests:
        # A gate through which nothing went is not to be taken for one that held.
        skipped = f"; lines that are none: {sum(report.skipped.values()):,}" if report.skipped else ""
        print(f"doorward replay: {_FIELD}: hold no request{skipped}", file=sys.stderr)
        return WRONG
    return MET if report.passed else NOT_MET


# --- what comes of it


def _write(arguments: argparse.Namespace, report: Report) -> None:
    from doorward.replay.writers import SUFFIXES, write

    if arguments.print == "text":
        colours = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        print(write(report, "text", width=shutil.get_terminal_size((100, 24)).columns, colours=colours).rstrip("\n"))
    elif arguments.print != "none":
        print(write(report, arguments.print).rstrip("\n"))
    for file in arguments.output:
        text = write(report, SUFFIXES[Path(file).suffix.lower()])
        try:
            Path(file).write_text(text, encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            raise ConfigurationError("-o", f"{printable(file)} cannot be written: {error.strerror}") from error


# --- arguments


def _most(text: str) -> Most:
    from doorward.replay.thresholds import parse_most

    most: Most = _parsed(parse_most, text)
    return most


def _time(text: str) -> int:
    from doorward.replay.cases import parse_time

    at_ns: int = _parsed(parse_time, _no_date(text))
    return at_ns


def _no_date(text: str) -> str:
    """``text``, unless it is a year or a day that would be taken for seconds since 1970."""
    digits = text.strip()
    if digits.isdecimal() and 0 < int(digits[:15]) < _FIRST_SECONDS:
        raise argparse.ArgumentTypeError(f"{printable(text)!r} is taken for seconds since 1970: write 2025-06-30")
    return text


def _parsed(parse: Callable[[str], Any], text: str) -> Any:
    try:
        return parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(printable(f"{text!r}: {error}")) from error


def _output(text: str) -> str:
    from doorward.replay.writers import SUFFIXES

    if Path(text).suffix.lower() not in SUFFIXES:
        raise argparse.ArgumentTypeError(f"{printable(text)!r} must end in one of {' '.join(SUFFIXES)}")
    return text


def _count(text: str) -> int:
    if not text.isdecimal() or not 0 <= int(text[:9]) <= 1_000 or len(text) > 9:
        raise argparse.ArgumentTypeError(f"{printable(text)!r} is no number from 0 to 1000")
    return int(text)
