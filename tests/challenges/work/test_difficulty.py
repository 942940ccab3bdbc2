"""How many counters there are to search."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.challenges.work.difficulty import FREE_ISSUES, FREE_PASSES, IDLE, Load, Tally, counters

WEIGHTS = st.floats(-1e308, 1e308)
LOADS = st.builds(Load, st.floats(0, 1e12), st.floats(0, 1e12))
BOUNDS = st.integers(1, 100_000).flatmap(lambda least: st.tuples(st.just(least), st.integers(least, 100_000)))


@given(WEIGHTS, LOADS, BOUNDS)
def test_it_is_never_out_of_bounds(weight: float, load: Load, bounds: tuple[int, int]) -> None:
    """Whatever is found about a request, and whatever goes on."""
    least, most = bounds
    assert least <= counters(weight, load, least, most) <= most


@given(WEIGHTS, WEIGHTS, LOADS, BOUNDS)
def test_more_doubt_is_never_easier(one: float, other: float, load: Load, bounds: tuple[int, int]) -> None:
    """Nor is more load."""
    low, high = sorted((one, other))
    assert counters(low, load, *bounds) <= counters(high, load, *bounds)
    busier = Load(load.issued * 2, load.passed * 2)
    assert counters(low, load, *bounds) <= counters(low, busier, *bounds)


@pytest.mark.parametrize(
    ("weight", "load", "expected"),
    [
        (0, IDLE, 1000),
        (-50, IDLE, 1000),
        (10, IDLE, 2000),
        (20, IDLE, 4000),
        (500, IDLE, 4000),
        (0, Load(FREE_ISSUES, FREE_PASSES), 1000),
        (0, Load(passed=2 * FREE_PASSES), 2000),
        (0, Load(issued=2 * FREE_ISSUES), 2000),
        (10, Load(2 * FREE_ISSUES, 2 * FREE_PASSES), 4000),
        (0, Load(issued=60_000), 4000),  # a thousand challenges a second
    ],
)
def test_by_weight_and_by_load(weight: float, load: Load, expected: int) -> None:
    """The table of the documentation."""
    assert counters(weight, load, 1000, 4000) == expected


def test_a_tally_forgets_after_a_minute() -> None:
    """And takes no more room however long it counts."""
    tally = Tally()
    for now_ms in range(0, 3_600_000, 500):
        tally.issued(now_ms)
    tally.passed(3_599_000)
    assert tally.load(3_599_999) == Load(120.0, 1.0)
    assert tally.load(3_700_000) == IDLE
    assert len(tally._slots) <= 6


def test_a_clock_that_goes_back_breaks_no_tally() -> None:
    """It counts where it was, within a minute."""
    tally = Tally()
    tally.issued(1_000_000)
    tally.issued(970_000)
    assert tally.load(970_000) == Load(2.0, 0.0)
    assert tally.load(1_000_000) == Load(2.0, 0.0)
