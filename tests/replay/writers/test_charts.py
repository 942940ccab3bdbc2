"""Charts say what the figures say: bars add up to counts, are as high as these, and stand where their time is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.clock import NANOSECONDS
from doorward.replay.report import Span
from doorward.replay.writers.charts import (
    LEAST_HEIGHT,
    MOST_BARS,
    MOST_TICKS,
    lane,
    round_top,
    stretches,
    time_ticks,
)

HOUR = 3600 * NANOSECONDS
BEGAN = 1_785_542_400 * NANOSECONDS  # 2026-08-01 00:00:00 UTC
COUNTS = st.integers(0, 10**13)
SERIES = st.lists(st.tuples(st.integers(0, 5_000), COUNTS, COUNTS, COUNTS), min_size=1, max_size=400)


def allowed(span: Span) -> int:
    return span.allowed


@given(SERIES, st.sampled_from([NANOSECONDS, HOUR, 7]))
def test_bars_add_up_to_the_counts(series: list[tuple[int, int, int, int]], step: int) -> None:
    """However many spans there are, in whichever order, and with holes between them."""
    spans = [Span(BEGAN + slot * step, *counts) for slot, *counts in series]
    whole = stretches(spans, 0)
    for name in ("allowed", "denied", "would_deny"):
        drawn = lane(whole, lambda span, name=name: getattr(span, name))
        assert drawn.total == sum(getattr(span, name) for span in spans)
        assert sum(bar.requests for bar in drawn.bars) == drawn.total
    assert len(whole.spans) <= MOST_BARS


@given(SERIES)
def test_bars_are_as_high_as_their_counts_and_stand_apart(series: list[tuple[int, int, int, int]]) -> None:
    """In the chart, none on another, each at its time, by one scale."""
    spans = [Span(BEGAN + slot * HOUR, *counts) for slot, *counts in series]
    whole = stretches(spans, 0)
    drawn = lane(whole, allowed)
    end = 0.0
    for bar in drawn.bars:
        assert bar.x >= end - 1e-9
        end = bar.x + bar.width
        exact = 100 * bar.requests / drawn.top
        assert bar.height == pytest.approx(exact) or (exact < LEAST_HEIGHT and bar.height == LEAST_HEIGHT)
        assert bar.x == pytest.approx(100 * (bar.began_ns - whole.began_ns) / (whole.ended_ns - whole.began_ns))
    assert end <= 100 + 1e-6


def test_spans_are_not_changed() -> None:
    """Neighbours are added in copies."""
    spans = [Span(BEGAN + n * HOUR, n) for n in range(400)]
    stretches(spans, 0)
    assert spans == [Span(BEGAN + n * HOUR, n) for n in range(400)]


def test_neighbours_are_added_where_there_are_too_many() -> None:
    """A year by the hour becomes bars of 53 hours."""
    whole = stretches([Span(BEGAN + n * HOUR, 1) for n in range(8_760)], 0)
    assert whole.step_ns == 53 * HOUR
    assert [span.allowed for span in whole.spans] == [53] * 165 + [15]


def test_one_span_is_as_long_as_the_recording() -> None:
    """Its length can be told from nothing else."""
    whole = stretches([Span(BEGAN, 5)], BEGAN + HOUR)
    assert lane(whole, allowed).bars == [(0.0, 100.0, pytest.approx(100 * 5 / 6), 5, BEGAN)]


@given(st.integers(0, 10**30))
def test_scales_end_at_round_numbers(most: int) -> None:
    """Not below the highest bar, and not over twice as high."""
    top = round_top(most)
    assert max(most, 1) <= top <= 2 * max(most, 1)
    assert str(top).rstrip("0") in {"1", "2", "4", "6", "8"}


@pytest.mark.parametrize(
    ("most", "marks"),
    [
        (0, ["1", "0"]),
        (1, ["1", "0"]),
        (3, ["4", "2", "0"]),
        (10, ["10", "5", "0"]),
        (1_234, ["2k", "1k", "0"]),
        (900_000, ["1M", "500k", "0"]),
    ],
    ids=str,
)
def test_marks_of_a_scale(most: int, marks: list[str]) -> None:
    """The top, its half where that is a whole number, and nothing."""
    drawn = lane(stretches([Span(BEGAN, most), Span(BEGAN + HOUR, 0)], 0), allowed)
    assert [mark.text for mark in drawn.marks] == marks
    assert [drawn.marks[0].at, drawn.marks[-1].at] == [100, 0]


@pytest.mark.parametrize(
    ("hours", "texts"),
    [
        (1 / 3600, ["00:00:00", "00:00:01"]),
        (0.5, ["00:00", "00:05", "00:10", "00:15", "00:20", "00:25", "00:30"]),
        (24, ["00:00", "06:00", "12:00", "18:00", "00:00"]),
        (48, ["01 Aug 00:00", "01 Aug 12:00", "02 Aug 00:00", "02 Aug 12:00", "03 Aug 00:00"]),
        (168, ["01 Aug", "02 Aug", "03 Aug", "04 Aug", "05 Aug", "06 Aug", "07 Aug", "08 Aug"]),
        (24 * 365, ["Sep 2026", "Nov 2026", "Jan 2027", "Mar 2027", "May 2027", "Jul 2027"]),
        (24 * 3653, ["Jan 2028", "Jan 2030", "Jan 2032", "Jan 2034", "Jan 2036"]),
    ],
    ids=["second", "half-hour", "day", "two-days", "week", "year", "ten-years"],
)
def test_times_on_the_axis(hours: float, texts: list[str]) -> None:
    """At round times in UTC."""
    assert [tick.text for tick in time_ticks(BEGAN, BEGAN + int(hours * HOUR))] == texts


@given(st.integers(-(10**20), 10**20), st.integers(-(10**20), 10**20))
def test_times_of_any_recording(began: int, ended: int) -> None:
    """Few, in order, in the chart; none where times are not known."""
    ticks = time_ticks(began, ended)
    assert len(ticks) <= MOST_TICKS
    assert sorted(tick.at for tick in ticks) == [tick.at for tick in ticks]
    assert all(0 <= tick.at <= 100 for tick in ticks)
    assert began > 0 or not ticks


def test_a_mark_stands_where_its_time_is() -> None:
    """By the scale of the bars: the mark of the third day stands where the third day's bar begins."""
    whole = stretches([Span(BEGAN + n * HOUR, 1) for n in range(168)], 0)
    bar = lane(whole, allowed).bars[48]
    tick = time_ticks(whole.began_ns, whole.ended_ns)[2]
    assert tick.text == "03 Aug"
    assert tick.at == pytest.approx(bar.x)
