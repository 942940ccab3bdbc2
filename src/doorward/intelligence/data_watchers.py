"""Shows how an update goes on: a line for each feed that is well, and on a terminal with rich a bar under them.

What went wrong is told in the end, when it is known of how many feeds it is true.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TextIO

from doorward.intelligence.update_report import counted, wrapped

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from doorward.intelligence.feeds import Feed, Terms
    from doorward.intelligence.update_report import Outcome, Watcher


def watcher(*, for_program: bool) -> Watcher:
    """What fits: lines, with a bar on a terminal.

    Args:
        for_program: Leave standard output alone. Then a terminal is shown everything on standard error, and a log the
            terms only.
    """
    stream = sys.stderr if for_program else sys.stdout
    if not stream.isatty():
        return Lines(stream, only_terms=for_program)
    try:
        return Bar(stream)
    except ImportError:  # rich is not needed for anything else
        return Lines(stream)


class Lines:
    """Prints a line for each thing that is worth one.

    Args:
        stream: Where to.
        only_terms: Nothing else is.
    """

    def __init__(self, stream: TextIO, *, only_terms: bool = False) -> None:
        self._stream = stream
        self._only_terms = only_terms

    def _say(self, line: str) -> None:
        self._stream.write(f"{line}\n")
        self._stream.flush()

    def _tell(self, line: str) -> None:
        if not self._only_terms:
            self._say(wrapped(line))

    def begins(self, feeds: Sequence[Feed], new: Collection[str]) -> None:
        """Show the terms of what is downloaded for the first time, and how much there is to do."""
        for line in terms([feed for feed in feeds if feed.id in new]):
            self._say(line)
        if feeds:
            self._tell(f"{len(feeds)} feed{'' if len(feeds) == 1 else 's'} to bring up to date")

    def ends(self, outcome: Outcome) -> None:
        """Say what became of a feed that is well."""
        if outcome.is_good:
            self._tell(in_words(outcome))

    def compiles(self, name: str) -> None:
        """Say what is made."""
        self._tell(f"making {name}")

    def closes(self) -> None:
        """Nothing is left to show."""


class Bar(Lines):
    """The same with a progress bar.

    Args:
        stream: Where to.

    Raises:
        ImportError: rich is not installed.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        from rich.console import Console
        from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        columns = (SpinnerColumn(), TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn())
        self._progress: Any = Progress(*columns, console=Console(file=stream), transient=True)
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


def terms(feeds: Sequence[Feed]) -> Iterator[str]:
    """The terms of feeds, each once, and for which they are."""
    by_terms: dict[Terms, list[str]] = {}
    for feed in feeds:
        by_terms.setdefault(feed.terms, []).append(feed.id)
    if by_terms:
        yield "For the first time; by using this data you accept its terms:"
    for found, names in by_terms.items():
        credit = f"; credit: {found.attribution}" if found.attribution else ""
        yield wrapped(f"  {found.licence}{f' ({found.url})' if found.url else ''}{credit}")
        yield wrapped(f"    {', '.join(names)}", hang=0)


def in_words(outcome: Outcome) -> str:
    """What became of a feed that is well, in a line."""
    record = outcome.record
    bad = f", {record.bad} lines left out" if record.bad else ""
    return f"{outcome.feed.id}: {outcome.result}, {counted(record.entries)}{bad}"
