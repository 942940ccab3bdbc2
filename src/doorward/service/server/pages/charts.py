"""Rates over time, drawn here: one strip for each conclusion, each with a scale of its own.

Stacked, the few denials of a busy hour would be a hair on top of what was allowed; and strips have names, so that
nothing depends on telling colours apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from doorward.clock import NANOSECONDS
from doorward.service.server.pages.filters import iso
from doorward.service.server.pages.texts import number, per_cent, short_time

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from doorward.service.server.pages.filters import Filters
    from doorward.service.server.ports import Rate

STEPS = {"15m": 15, "1h": 60, "24h": 1800, "7d": 3 * 3600}
"""Seconds of one bar, by what a chart shows."""
HEIGHT = 100
_LEAST = 4
"""Of a bar that is not nothing."""
_DRY = "DRY RUN"
_LANES = ("ALLOW", "DENY", "CHALLENGE", "ERROR", _DRY)


class Bar(NamedTuple):
    """One stretch of time."""

    x: int
    y: int
    height: int
    title: str
    href: str


class Lane(NamedTuple):
    """One strip: a conclusion, how often it came about, and its bars."""

    name: str
    total: str
    share: str
    peak: str
    href: str
    summary: str
    bars: list[Bar]


class Chart(NamedTuple):
    """All strips over one axis, and the same figures as rows of a table."""

    lanes: list[Lane]
    width: int
    total: int
    ticks: list[str]
    names: Sequence[str]
    table: list[tuple[str, str, list[str]]]


def chart(rates: Sequence[Rate], filters: Filters) -> Chart:
    """The chart of a stretch of time; ``filters`` go into the links of its bars."""
    seconds = STEPS[filters.range]
    total = sum(sum(rate.counts.values()) for rate in rates)

    def time(at_ns: int) -> str:
        return short_time(at_ns, seconds)

    def to(rate: Rate, name: str) -> str:
        ends = iso(rate.at_ns + seconds * NANOSECONDS)
        return _lane_link(filters, name, range="", since=iso(rate.at_ns), until=ends)

    lanes = [_lane(name, rates, total, filters, time, to) for name in _LANES]
    figures = [
        (time(rate.at_ns), to(rate, ""), [number(_count(rate, name)) for name in _LANES]) for rate in reversed(rates)
    ]
    return Chart(lanes, len(rates), total, _ticks(rates, seconds), _LANES, figures)


def _count(rate: Rate, name: str) -> int:
    return rate.dry if name == _DRY else rate.counts.get(name, 0)


def _lane_link(filters: Filters, name: str, **changes: str) -> str:
    wanted = {"dry": filters.dry or "*"} if name == _DRY else {"conclusion": name, "dry": ""}
    return filters.url(**wanted, **changes)


def _lane(
    name: str,
    rates: Sequence[Rate],
    total: int,
    filters: Filters,
    time: Callable[[int], str],
    to: Callable[[Rate, str], str],
) -> Lane:
    counts = [_count(rate, name) for rate in rates]
    most, of_lane = max(counts, default=0), sum(counts)
    bars = [
        _bar(x, count, most, f"{time(rate.at_ns)}  {number(count)} {name}", to(rate, name))
        for x, (rate, count) in enumerate(zip(rates, counts, strict=True))
        if count
    ]
    peak = f"peak {number(most)} in {_step(filters.range)}"
    when = time(rates[counts.index(most)].at_ns) if most else ""
    summary = f"{name}: {number(of_lane)} in all, {peak} at {when}" if most else f"{name}: none"
    return Lane(
        name,
        number(of_lane),
        per_cent(of_lane, total),
        peak if most else "none",
        _lane_link(filters, name),
        summary,
        bars,
    )


def _bar(x: int, count: int, most: int, title: str, href: str) -> Bar:
    height = max(_LEAST, round(HEIGHT * count / most))
    return Bar(x, HEIGHT - height, height, title, href)


def _step(name: str) -> str:
    seconds = STEPS[name]
    return f"{seconds} s" if seconds < 60 else f"{seconds // 60} min" if seconds < 3600 else f"{seconds // 3600} h"


def _ticks(rates: Sequence[Rate], seconds: int) -> list[str]:
    """Five times along the axis, from the first bar's beginning to the last one's end."""
    if not rates:
        return []
    first, end = rates[0].at_ns, rates[-1].at_ns + seconds * NANOSECONDS
    return [short_time(first + (end - first) * n // 4, seconds) for n in range(5)]
