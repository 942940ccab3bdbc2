"""``doorward eval``: how well attack detection does on labelled requests."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from doorward.errors import ConfigurationError
from doorward.evaluation import BadRow, Report, Row, Tally, evaluate, read
from doorward.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from doorward.attacks.evidence import Finding

_EPILOG = """\
Each line of FILE is a JSON object with at least "is_attack"; also "class", "method", "path", "query", "headers",
"body" or "body_base64", "id", "source". Exit status: 0 when the thresholds are met, 1 when not, 2 for a wrong
argument or file.
"""
_MOST_FINDINGS = 3


def add_eval(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    command = commands.add_parser("eval", help="score attack detection on labelled requests", epilog=_EPILOG)
    command.add_argument("file", metavar="FILE", help="JSON lines; - for standard input")
    command.add_argument("--paranoia", type=int, default=1, choices=(1, 2, 3), help="default: %(default)s")
    command.add_argument(
        "--wrong", type=_count, default=0, metavar="N", help="show up to N misses and N false positives"
    )
    command.add_argument("--rules", action="store_true", help="show how often each rule was right and wrong")
    command.add_argument("--json", action="store_true", help="print the figures as JSON")
    command.add_argument("--min-recall", type=_share, default=0.0, metavar="P", help="such as 88%%")
    command.add_argument("--max-false-positives", type=_share, default=1.0, metavar="P", help="such as 0.1%%")
    command.set_defaults(run=_eval)


def _eval(arguments: argparse.Namespace) -> int:
    from doorward.builders.shield import shield

    scanner = shield(paranoia=arguments.paranoia).scanner
    try:
        report = evaluate(_rows(arguments.file), scanner, most_wrong=arguments.wrong)
    except (OSError, UnicodeDecodeError, BadRow) as error:
        raise ConfigurationError("FILE", printable(str(error))) from error
    if not report.attacks and not report.benign:
        raise ConfigurationError("FILE", "holds no labelled request")
    if arguments.json:
        print(json.dumps(report.to_dict(), indent=1))
    else:
        _print(report, arguments)
    met = report.recall() >= arguments.min_recall and report.false_positives() <= arguments.max_false_positives
    return 0 if met else 1


def _rows(file: str) -> Iterator[Row]:
    if file == "-":
        yield from read(sys.stdin)
        return
    with Path(file).open(encoding="utf-8", errors="surrogateescape") as lines:
        yield from read(lines)


def _count(text: str) -> int:
    if not text.isdecimal() or len(text) > 9:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of rows")
    return int(text)


def _share(text: str) -> float:
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not 0.0 <= share <= 1.0:
        raise argparse.ArgumentTypeError(f"{text!r} is no share such as 0.1% or 0.001")
    return share


def _print(report: Report, arguments: argparse.Namespace) -> None:
    _table("attacks denied", report.attacks)
    _table("benign denied", report.benign)
    if arguments.rules:
        print("\nrules: attacks and benign requests in which they found something")
        for rule, (hits, mistakes) in sorted(report.rules.items()):
            print(f"  {hits:7d} {mistakes:7d}  {rule}")
    for failure, count in report.failures.most_common():
        print(f"\nfailed {count} times: {printable(failure)}")
    for label, title in ((True, "missed"), (False, "false positive")):
        for row, findings in [entry for entry in report.wrong if entry[0].is_attack is label]:
            print(f"\n{title}: {_described(row)}")
            _findings(findings)


def _table(title: str, tallies: Mapping[str, Tally]) -> None:
    if not tallies:
        return
    print(f"\n{title}, by class" if len(tallies) > 1 else f"\n{title}")
    for kind, tally in sorted(tallies.items()):
        _line(printable(kind), tally)
    if len(tallies) > 1:
        every = tallies.values()
        _line("all", Tally(sum(t.rows for t in every), sum(t.denied for t in every), sum(t.suspicious for t in every)))


def _line(name: str, tally: Tally) -> None:
    print(
        f"  {100 * tally.share:6.2f} %  {tally.denied:6d} of {tally.rows:6d}  {tally.suspicious:6d} suspected  {name}"
    )


def _described(row: Row) -> str:
    request = row.request
    body = (request.body or b"").decode("latin-1")
    return printable(
        f"{row.name} ({row.kind}, {row.source}) {request.method} {request.path}?{request.query} {body}", 400
    )


def _findings(findings: tuple[Finding, ...]) -> None:
    for finding in findings[:_MOST_FINDINGS]:
        print(f"  {finding.weight:g} {finding.rule} in {finding.place} {finding.name}: {finding.reason}")
