"""Shows how an update goes on: a line for each feed, and on a terminal with rich a progress bar under them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TextIO

from doorward.intelligence.update_report import REFUSED
from doorward.printable import printable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from doorward.intelligence.feeds import Feed, Terms
    from doorward.intelligence.update_report import Outcome, Watcher


def watcher(*, quiet: bool) -> Watcher:
    """What fits: nothing, lines, or lines and a bar."""
    if quiet:
        return Lines(quiet=True)
    if sys.stdout.isatty():
        try:
            return Bar()
        except ImportError:  # rich is not needed for anything else
            return Lines()
    return Lines()


class Lines:
    """Prints a line for each thing that is worth one.

    Args:
        quiet: Say nothing on standard output, which is a program's, and terms on standard error.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet

    def _say(self, line: str) -> None:
        if not self._quiet:
            _write(sys.stdout, line)

    def begins(self, feeds: Sequence[Feed], new: Collection[str]) -> None:
        """Show the terms of what is downloaded for the first time."""
        for line in terms([feed for feed in feeds if feed.id in new]):
            if self._quiet:
                _write(sys.stderr, line)
            else:
                self._say(line)

    def ends(self, outcome: Outcome) -> None:
        """Say what became of a feed."""
        self._say(in_words(outcome))

    def compiles(self, name: str) -> None:
        """Say what is made."""
        self._say(f"making {name}")

    def closes(self) -> None:
        """Nothing is left to show."""


class Bar(Lines):
    """The same with a progress bar.

    Raises:
        ImportError: rich is not installed.
    """

    def __init__(self) -> None:
        super().__init__()
        from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        columns = (SpinnerColumn(), TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn())
        self._progress: Any = Progress(*columns, transient=True)
        self._task: Any = None

    def _say(self, line: str) -> None:
        self._progress.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def begins(self, feeds: Sequence[Feed], new: Collection[str]) -> None:
        """Show the terms, then the bar."""
        super().begins(feeds, new)
        self._task = self._progress.add_task("fetching", total=len(feeds))
        self._progress.start()

    def ends(self, outcome: Outcome) -> None:
        """Say what became of a feed, and move on."""
        super().ends(outcome)
        self._progress.advance(self._task)

    def closes(self) -> None:
        """Take the bar away."""
        self._progress.stop()


def _write(stream: TextIO, line: str) -> None:
    stream.write(f"{line}\n")
    stream.flush()


def terms(feeds: Sequence[Feed]) -> Iterator[str]:
    """The terms of feeds, each once."""
    by_terms: dict[Terms, list[str]] = {}
    for feed in feeds:
        by_terms.setdefault(feed.terms, []).append(feed.id)
    if by_terms:
        yield "For the first time; by using this data you accept its terms:"
    for found, names in by_terms.items():
        credit = f"; credit: {found.attribution}" if found.attribution else ""
        yield f"  {', '.join(names)}: {found.licence}{f' ({found.url})' if found.url else ''}{credit}"


def in_words(outcome: Outcome) -> str:
    """What became of a feed, in a line."""
    record, name = outcome.record, outcome.feed.id
    if outcome.is_good:
        bad = f", {record.bad} lines left out" if record.bad else ""
        return f"{name}: {outcome.result}, {record.entries:,} entries{bad}"
    kept = f"what it said on {record.date[:10]} stays in use" if record.sha256 else "there is no data from it"
    line = f"{name}: {outcome.result}: it {printable(record.problem, 500)}; {kept}"
    if outcome.result == REFUSED and "shrunk" in record.problem:
        line += f". If that is right: doorward data update --accept-shrink {name}"
    return line
