"""Shows how far a replay is, on standard error, where that is a terminal."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, Protocol, TextIO

if TYPE_CHECKING:
    from doorward.replay.reading import Reading

_SECONDS = 0.2
"""Between two lines: a terminal over a slow connection is not to hold the replay up."""


class Watcher(Protocol):
    """Is told how far a replay is."""

    def __call__(self, requests: int) -> None:
        """So many requests have been played."""
        ...

    def close(self) -> None:
        """Leave the terminal as it was."""
        ...


def watcher(reading: Reading, stream: TextIO | None = None) -> Watcher | None:
    """What fits the terminal; None where there is none.

    Args:
        reading: How far the reader is.
        stream: Standard error as a rule.
    """
    terminal = stream or sys.stderr
    if not terminal.isatty():
        return None
    try:
        return Bar(reading, terminal)
    except ImportError:  # rich comes with the extra "cli"
        return Line(reading, terminal)


class Line:
    """Writes one line over and over.

    Args:
        reading: How far the reader is.
        stream: Where to.
    """

    def __init__(self, reading: Reading, stream: TextIO) -> None:
        self._reading = reading
        self._stream = stream
        self._began = self._shown = time.monotonic()

    def __call__(self, requests: int) -> None:
        """Show it, a few times a second."""
        now = time.monotonic()
        if now - self._shown < _SECONDS:
            return
        self._shown = now
        reading = self._reading
        share = f"{100 * min(1.0, reading.bytes / reading.total):3.0f}% " if reading.total else ""
        rate = requests / max(0.001, now - self._began)
        self._stream.write(f"\r{share}{requests:,} requests, {rate:,.0f}/s\x1b[K")
        self._stream.flush()

    def close(self) -> None:
        """Take the line away."""
        self._stream.write("\r\x1b[K")
        self._stream.flush()


class Bar:
    """A bar of rich's.

    Args:
        reading: How far the reader is.
        stream: Where to.

    Raises:
        ImportError: rich is not installed.
    """

    def __init__(self, reading: Reading, stream: TextIO) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            Progress,
            SpinnerColumn,
            TaskProgressColumn,
            TextColumn,
            TimeRemainingColumn,
        )

        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
        )
        self._reading = reading
        self._progress: Any = Progress(*columns, console=Console(file=stream), transient=True)
        self._task: Any = self._progress.add_task("reading", total=reading.total)
        self._progress.start()

    def __call__(self, requests: int) -> None:
        """Move the bar; rich draws it at a pace of its own."""
        reading = self._reading
        self._progress.update(
            self._task, completed=reading.bytes, total=reading.total, description=f"{requests:,} requests"
        )

    def close(self) -> None:
        """Take the bar away."""
        self._progress.stop()


__all__ = ["Bar", "Line", "Watcher", "watcher"]
