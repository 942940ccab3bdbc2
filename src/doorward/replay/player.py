"""Plays recorded traffic through the rules of a client, and reports what they came to."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from doorward.replay.clock import RecordingClock
from doorward.replay.comparing import Comparison
from doorward.replay.decider import Decider
from doorward.replay.figures import LISTED, Figures
from doorward.replay.notes import leave_out, notes_of
from doorward.replay.report import Report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from doorward.facade import Facade
    from doorward.replay.reading import Reading
    from doorward.replay.records import Recorded

SAMPLES = 10
INTERRUPTED = "interrupted: the report is about what was read until then"
_SHOW_EVERY = 2_000


class Player:
    """Takes recorded requests through the rules of a client, offline and by the recording's clock.

    The client is left alone: see :func:`doorward.twins.twin`. Memory does not grow with the number of requests.

    Args:
        client: Whose rules.
        name: The policy, as reports are to call it.
        against: The name and the client of a policy to compare with.
        as_live: Take all dry-run rules for live ones, in both policies.
        exemptions: Leave alone what middleware leaves alone by default: OPTIONS, health checks, static files.
        samples: Requests to show for each figure.
    """

    def __init__(
        self,
        client: Facade,
        name: str,
        *,
        against: tuple[str, Facade] | None = None,
        as_live: bool = False,
        exemptions: bool = True,
        samples: int = SAMPLES,
    ) -> None:
        self.name = name
        self.clock = RecordingClock()
        options: dict[str, Any] = {"as_live": as_live, "exemptions": exemptions}
        self.decider = Decider(client, self.clock, **options)
        self.figures = Figures(self.decider, samples)
        self.comparison: Comparison | None = None
        if against is not None:
            base_name, base = against
            self.comparison = Comparison(base_name, Decider(base, self.clock, **options), self.decider, samples)
        self._override = client.runtime.settings.override
        self._began_ns = 0

    def play(self, recorded: Recorded) -> None:
        """Decide about a request, and count what came of it."""
        now_ns = self.clock.reach(recorded.at_ns)
        self._began_ns = self._began_ns or now_ns
        decided = self.decider.decide(recorded)
        self.figures.add(recorded, now_ns, decided)
        if self.comparison is not None:
            self.comparison.add(recorded, now_ns, decided, self.figures.names)
        if late := self.decider.answered(recorded, decided):
            self.figures.add_late(late)

    def report(self) -> Report:
        """What came of it so far."""
        figures = self.figures
        leave_out(figures.tallies, self.decider)
        return Report(
            self.name,
            requests=figures.requests,
            allowed=figures.allowed,
            denied=figures.denied,
            challenged=figures.challenged,
            would_deny=figures.would_deny,
            errors=figures.errors,
            began_ns=self._began_ns,
            ended_ns=self.clock.now_ns(),
            rules=figures.rules(),
            routes=figures.routes.top(LISTED),
            clients=figures.clients.top(LISTED),
            reasons=figures.reasons.top(LISTED),
            spans=figures.spans.all(),
            against=None if self.comparison is None else self.comparison.differences(),
            notes=notes_of(self.decider, figures, self.clock.backwards, self._override),
        )

    def close(self) -> None:
        """Let go of what the twins hold."""
        self.decider.close()
        if self.comparison is not None:
            self.comparison.base.close()


def replay(
    client: Facade,
    recorded: Iterable[Recorded],
    *,
    name: str = "",
    files: Sequence[str] = (),
    reading: Reading | None = None,
    watch: Callable[[int], object] | None = None,
    **options: Any,
) -> Report:
    """Play a recording.

    Ctrl-C ends it: the report is then about what was played, and has the note :data:`INTERRUPTED`.

    Args:
        client: Whose rules decide. It is left alone.
        recorded: The requests in the order of time, as ``doorward.replay.readers.read`` has them.
        name: The policy, as the report is to call it; its client's name when empty.
        files: What is read, for the report.
        reading: Figures of the reader.
        watch: Called now and then with the number of requests so far.
        **options: As of :class:`Player`: ``against``, ``as_live``, ``exemptions``, ``samples``.
    """
    began = time.perf_counter()
    player = Player(client, name or client.runtime.settings.name, **options)
    interrupted = False
    try:
        _play_all(player, recorded, watch)
    except KeyboardInterrupt:
        interrupted = True
    report = player.report()
    player.close()
    report.files = list(files)
    if reading is not None:
        report.lines, report.bytes = reading.lines, reading.bytes
        report.skipped = dict(reading.skipped.most_common())
        report.skipped_samples = list(reading.samples)
        report.notes = [*reading.notes, *report.notes]
    if interrupted:
        report.notes.insert(0, INTERRUPTED)
    report.seconds = time.perf_counter() - began
    report.peak_memory = peak_memory()
    return report


def _play_all(player: Player, recorded: Iterable[Recorded], watch: Callable[[int], object] | None) -> None:
    play = player.play
    if watch is None:
        for one in recorded:
            play(one)
        return
    for number, one in enumerate(recorded, 1):
        play(one)
        if number % _SHOW_EVERY == 0:
            watch(number)


def peak_memory() -> int:
    """Bytes of memory that this process has held at most; 0 where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


__all__ = ["INTERRUPTED", "SAMPLES", "Player", "peak_memory", "replay"]
