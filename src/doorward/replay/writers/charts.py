"""Where the bars and the marks of a chart over time stand: figures alone, in hundredths of the chart's sides."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from doorward.clock import NANOSECONDS
from doorward.replay.report import Span
from doorward.replay.writers.figures import LATEST_NS, short_number, when

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

MOST_BARS = 168
"""An hour each of a week: more cannot be told apart on a page."""
MOST_TICKS = 8
LEAST_HEIGHT = 2.0
"""Of a bar that is not nothing: thinner ones are not seen."""
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_STEPS = (1, 2, 5, 10, 15, 30, *(_MINUTE * n for n in (1, 2, 5, 10, 15, 30)), *(_HOUR * n for n in (1, 2, 3, 6, 12)))
_DAYS = (1, 2, 7, 14)
_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1_200, 2_400, 6_000, 12_000, 24_000)
_TOPS = (1, 2, 4, 6, 8, 10)
"""Round numbers with round halves."""


class Bar(NamedTuple):
    """One stretch of time.

    Attributes:
        x: Of its left side, 0 to 100.
        width: 0 to 100.
        height: From the ground, 0 to 100.
        requests: What it stands for.
        began_ns: When the stretch began.
    """

    x: float
    width: float
    height: float
    requests: int
    began_ns: int


class Tick(NamedTuple):
    """A mark on an axis, 0 to 100 along it, and what is written there."""

    at: float
    text: str


class Lane(NamedTuple):
    """Bars of one kind with a scale of their own, from nothing to ``top``."""

    total: int
    top: int
    marks: list[Tick]
    bars: list[Bar]

    @property
    def peak(self) -> Bar | None:
        """The highest bar, the first of several; None without any."""
        return max(self.bars, key=lambda bar: bar.requests, default=None)


class Stretches(NamedTuple):
    """Spans that are few enough for a chart, all ``step_ns`` long; those in which nothing came may be missing."""

    spans: list[Span]
    began_ns: int
    ended_ns: int
    step_ns: int


def stretches(spans: Sequence[Span], ended_ns: int, most: int = MOST_BARS) -> Stretches:
    """Spans in order of time, neighbours added together where there are more than ``most``.

    Args:
        spans: At least one.
        ended_ns: The end of the last one, where that cannot be told from the others.
        most: Of what comes of it.
    """
    times = sorted({span.began_ns for span in spans})
    began, last = times[0], times[-1]
    gaps = [after - before for before, after in pairwise(times)]
    step = min(gaps) if gaps else max(ended_ns - began, NANOSECONDS)
    slots = (last - began) // step + 1
    step *= -(-slots // most)
    added: dict[int, Span] = {}
    for span in sorted(spans, key=lambda span: span.began_ns):
        slot = (span.began_ns - began) // step
        whole = added.setdefault(slot, Span(began + slot * step))
        whole.allowed += span.allowed
        whole.denied += span.denied
        whole.would_deny += span.would_deny
    return Stretches(list(added.values()), began, began + (max(added) + 1) * step, step)


def lane(whole: Stretches, count_of: Callable[[Span], int]) -> Lane:
    """The bars of one figure."""
    counts = [(span.began_ns, count_of(span)) for span in whole.spans]
    top = round_top(max(count for _, count in counts))
    length = whole.ended_ns - whole.began_ns
    width = 100 * whole.step_ns / length
    bars = [
        Bar(100 * (at - whole.began_ns) / length, width, max(LEAST_HEIGHT, 100 * count / top), count, at)
        for at, count in counts
        if count > 0
    ]
    halves = [top, top // 2, 0] if top % 2 == 0 else [top, 0]
    return Lane(sum(count for _, count in counts), top, [Tick(100 * n / top, short_number(n)) for n in halves], bars)


def round_top(most: int) -> int:
    """The least round number that is not below ``most``, and at least 1."""
    power: int = 10 ** (len(str(max(most, 1))) - 1)
    return next(top * power for top in _TOPS if top * power >= most)


def time_ticks(began_ns: int, ended_ns: int) -> list[Tick]:
    """At most :data:`MOST_TICKS` marks at round times in UTC; none where times are not known."""
    if began_ns <= 0 or ended_ns <= began_ns or began_ns >= LATEST_NS:
        return []
    seconds = (ended_ns - began_ns) / NANOSECONDS
    step = next((n for n in (*_STEPS, *(_DAY * n for n in _DAYS)) if seconds / n <= MOST_TICKS - 1), None)
    if step is None:
        return _placed(_months(began_ns, ended_ns), began_ns, ended_ns, "%b %Y")
    first = -(-began_ns // (step * NANOSECONDS)) * step
    times = range(first, ended_ns // NANOSECONDS + 1, step)
    return _placed((at * NANOSECONDS for at in times), began_ns, ended_ns, _form(step, seconds))


def _form(step: int, seconds: float) -> str:
    if step >= _DAY:
        return "%d %b"
    if step < _MINUTE:
        return "%H:%M:%S"
    return "%H:%M" if seconds <= _DAY else "%d %b %H:%M"


def _months(began_ns: int, ended_ns: int) -> Iterable[int]:
    began, ended = (datetime.fromtimestamp(min(ns, LATEST_NS) // NANOSECONDS, UTC) for ns in (began_ns, ended_ns))
    first, last = (moment.year * 12 + moment.month - 1 for moment in (began, ended))
    step = next(n for n in _MONTHS if (last - first) / n <= MOST_TICKS - 1)
    for month in range(-(-first // step) * step, last + 1, step):
        yield int(datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC).timestamp()) * NANOSECONDS


def _placed(times: Iterable[int], began_ns: int, ended_ns: int, form: str) -> list[Tick]:
    length = ended_ns - began_ns
    return [Tick(100 * (at - began_ns) / length, when(at, form)) for at in times if began_ns <= at <= ended_ns]
