"""The challenge that waits: for how long, and that not a moment less will do."""

from __future__ import annotations

import pytest

from doorward.challenges.issue import Issue
from doorward.challenges.kinds import Asked, Checked
from doorward.challenges.waiting import Wait
from doorward.context import RequestContext
from doorward.levels import Level

WORDS = {"wait": "for {seconds} seconds"}


def checked(weight: float, waited_ms: int) -> Checked:
    issue = Issue("i" * 22, "wait", Level.WAIT, weight, issued_ms=1_000_000)
    flow = Wait().check(Asked(issue, {}, RequestContext(), "203.0.113.5", issue.issued_ms + waited_ms))
    with pytest.raises(StopIteration) as done:
        next(flow)
    found: Checked = done.value.value
    return found


@pytest.mark.parametrize(
    ("weight", "seconds"), [(0.0, 2), (-20.0, 2), (4.9, 2), (5.0, 3), (12.0, 4), (65.0, 15), (1e300, 15), (-1e300, 2)]
)
def test_the_wait_is_longer_for_more_doubt_and_bounded(weight: float, seconds: int) -> None:
    """What the page says, what the browser is told to wait for, and what the server checks are one figure."""
    posed = Wait().pose(Issue("i" * 22, "wait", Level.WAIT, weight), "/.doorward", WORDS)
    assert f"for {seconds} seconds" in posed.parts
    assert (posed.data["seconds"], posed.refresh_seconds) == (seconds, seconds)
    assert checked(weight, seconds * 1000) == Checked(True)
    assert checked(weight, seconds * 1000 - 1) == Checked(False, "too_early")


def test_a_clock_that_went_back_lets_nobody_in_early() -> None:
    assert checked(0.0, -60_000) == Checked(False, "too_early")
