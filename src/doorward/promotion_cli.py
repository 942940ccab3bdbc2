"""``doorward promotion``: what a dry-run rule would have done, from the log of the application or of a service."""

from __future__ import annotations

import argparse
import gzip
import sys
import time
import zlib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from doorward.clock import NANOSECONDS
from doorward.duration import nanoseconds
from doorward.errors import ConfigurationError, DataError
from doorward.output_files import check_once, check_outputs
from doorward.printable import describe, printable
from doorward.promotion.log_lines import LONGEST_LINE, read
from doorward.promotion.report import Promoting
from doorward.promotion.writers import write
from doorward.replay.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorward.promotion.report import PromotionReport

_SUFFIXES = {".json": "json", ".html": "html", ".md": "markdown", ".txt": "text"}
_EPILOG = """examples:
  doorward promotion app.log app.log.1.gz --since 7d               all dry-run rules, from the application's log
  doorward promotion --rule new-limit -o report.html app.log       one of them, as a page for others
  journalctl -u myapp -o cat | doorward promotion -                from standard input
  doorward promotion --folder /var/lib/doorward --since 7d         from the log of a service, on its host

FILES hold what the logger "doorward" writes, behind any prefix, or as JSON; or lines of `doorward tail --json`.

Exit status: 0 done; 1 a rule that --rule names is not in the log; 2 a wrong argument or file.
"""


def add_promotion(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    command = commands.add_parser(
        "promotion",
        help="say what dry-run rules would have refused",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("files", metavar="FILES", nargs="*", help="of doorward's log, .gz too; - for standard input")
    command.add_argument("--folder", type=Path, metavar="PATH", help="of a service, on its host, in place of files")
    command.add_argument("--site", default="", metavar="SITE", help="of the service: only this application")
    command.add_argument("--rule", default="", metavar="NAME", help="only this one; default: all dry-run rules")
    command.add_argument("--since", metavar="TIME", help="such as 7d, or a time in ISO 8601")
    command.add_argument("--until", metavar="TIME", help="the same")
    command.add_argument("--samples", type=int, default=20, metavar="N", help="of each rule; default: %(default)s")
    command.add_argument(
        "--print", dest="kind", choices=("text", "json", "markdown", "none"), default="text", help="default: text"
    )
    about = "also write it there, as its suffix says: .html .md .json .txt; may be repeated"
    command.add_argument("-o", dest="outputs", action="append", default=[], metavar="FILE", help=about)
    command.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    if bool(arguments.files) == bool(arguments.folder):
        raise ConfigurationError("FILES", "must be files of a log, or --folder in their place")
    if not 0 <= arguments.samples <= 1_000:
        raise ConfigurationError("--samples", "must be from 0 to 1000")
    kinds = [(Path(name), _kind(name)) for name in arguments.outputs]
    check_once(arguments.files, "FILES")
    check_outputs(arguments.outputs, arguments.files)
    now_ns = time.time_ns()
    since_ns, until_ns = _time(arguments.since, "--since", now_ns), _time(arguments.until, "--until", now_ns)
    if 0 < until_ns <= since_ns:
        raise ConfigurationError("--until", "must be later than --since: nothing is between them")
    report = _report(arguments, since_ns, until_ns)
    for path, kind in kinds:
        _save(path, write(report, kind))
    if arguments.kind != "none":
        sys.stdout.write(write(report, arguments.kind))
    found = [rule for rule in report.rules if rule.would_refuse or rule.asked]
    return 1 if arguments.rule and not found else 0


def _report(arguments: argparse.Namespace, since_ns: int, until_ns: int) -> PromotionReport:
    if arguments.folder:
        from doorward.service.server.promoting import of_folder  # brings sqlite3

        return of_folder(
            arguments.folder,
            rule=arguments.rule,
            site=arguments.site,
            since_ns=since_ns,
            until_ns=until_ns,
            samples=arguments.samples,
        )
    promoting = Promoting(arguments.rule, since_ns=since_ns, until_ns=until_ns, samples=arguments.samples)
    reading = Reading()
    for file in arguments.files:
        try:
            with _opened(file) as stream:
                for found in read(_lines(stream), file, reading):
                    promoting.add(found)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            reading.skip(file, reading.lines + 1, f"the rest of a damaged file: {describe(error)}", "")
        except OSError as error:
            raise DataError(file, f"cannot be read: {describe(error)}") from error
    report = promoting.report(arguments.files, reading.skipped)
    if not report.decisions and not report.rules:
        report.notes.insert(0, f"None of {reading.lines:,} lines is of doorward's log.")
    return report


@contextmanager
def _opened(file: str) -> Iterator[BinaryIO]:
    if file == "-":
        yield sys.stdin.buffer
        return
    with Path(file).open("rb") as raw:
        if raw.peek(2)[:2] != b"\x1f\x8b":
            yield raw
            return
        with gzip.open(raw) as stream:
            yield stream  # type: ignore[misc]  # reads as a file does


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """Lines of bounded length: the rest of a longer one is left out."""
    while line := stream.readline(LONGEST_LINE):
        yield line
        while line and len(line) >= LONGEST_LINE and not line.endswith(b"\n"):
            line = stream.readline(LONGEST_LINE)


def _time(text: str | None, name: str, now_ns: int) -> int:
    """Nanoseconds since the Unix epoch; 0 where none is given."""
    from datetime import UTC, datetime

    if not text:
        return 0
    if text[:1].isdigit() and text[-1:].isalpha() and "T" not in text.upper():
        return max(1, now_ns - nanoseconds(text, name))
    try:
        moment = datetime.fromisoformat(text)
        return max(1, round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * NANOSECONDS))
    except (ValueError, OverflowError):
        raise ConfigurationError(name, f"must be such as 7d, or a time in ISO 8601, not {printable(text)!r}") from None


def _kind(name: str) -> str:
    kind = _SUFFIXES.get(Path(name).suffix.lower())
    if kind is None:
        raise ConfigurationError("-o", f"must end in {', '.join(_SUFFIXES)}, not {printable(name)!r}")
    return kind


def _save(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError("-o", f"{printable(str(path))} cannot be written: {describe(error)}") from error


__all__ = ["add_promotion"]
