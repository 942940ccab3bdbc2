"""Lengths of time as people write them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward import ConfigurationError
from doorward.clock import NANOSECONDS
from doorward.duration import LONGEST, nanoseconds, seconds

RIGHT = [
    (600, 600), (0.25, 0.25), ("30s", 30), ("10m", 600), ("1h30m", 5400), ("1d", 86400), ("2w", 1209600),
    (timedelta(minutes=10), 600), (timedelta(milliseconds=1), 0.001), ("366d", LONGEST),
]  # fmt: skip
WRONG = [
    None, True, "", "10", "10 m", "m", "1.5h", "-1m", "1h 30m", "1M", "１m", "10m\n", [600], -1, LONGEST + 1, "367d",
    float("nan"), float("inf"), -float("inf"), 10**400, timedelta(days=-1),
]  # fmt: skip


@pytest.mark.parametrize(("written", "expected"), RIGHT)
def test_what_people_write_is_understood(written: object, expected: float) -> None:
    """Seconds, text and timedelta mean the same in both units."""
    assert nanoseconds(written, "interval") == round(expected * NANOSECONDS)
    assert seconds(written, "interval") == expected


@pytest.mark.parametrize("written", WRONG, ids=repr)
def test_what_is_no_length_of_time_is_an_error_that_names_the_field(written: object) -> None:
    """Also numbers that are none, and numbers beyond a year."""
    for parse in (nanoseconds, seconds):
        with pytest.raises(ConfigurationError) as caught:
            parse(written, "window")
        assert caught.value.field == "window"


@pytest.mark.parametrize("written", [0, "0", "0s", 0.0009, timedelta(0)])
def test_a_window_has_a_length_and_a_wait_may_have_none(written: object) -> None:
    """Nothing is no window; as a plain duration it is accepted."""
    with pytest.raises(ConfigurationError, match="one millisecond"):
        nanoseconds(written, "window")
    assert 0 <= seconds(written, "wait") < 0.001


@given(st.integers(0, 3), st.integers(0, 23), st.integers(0, 59), st.integers(1, 59))
def test_parts_add_up(days: int, hours: int, minutes: int, rest: int) -> None:
    """Text of several parts is their sum, in whatever order."""
    expected = timedelta(days=days, hours=hours, minutes=minutes, seconds=rest).total_seconds()
    assert seconds(f"{days}d{hours}h{minutes}m{rest}s", "x") == expected
    assert seconds(f"{rest}s{minutes}m{hours}h{days}d", "x") == expected
