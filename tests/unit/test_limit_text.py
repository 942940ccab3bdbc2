"""Limits written as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward import ConfigurationError
from doorward.clock import NANOSECONDS
from doorward.rules.limit_text import Rate, parse_limits

RIGHT = [
    ("5/minute", [(5, 60)]),
    ("5 / minutes", [(5, 60)]),
    ("100 per 10 minutes", [(100, 600)]),
    ("5/30s", [(5, 30)]),
    ("1 PER Hour", [(1, 3600)]),
    ("3/2hrs", [(3, 7200)]),
    ("7/week", [(7, 604800)]),
    ("5/minute; 100/day", [(5, 60), (100, 86400)]),
    ("5/min;;100/d;", [(5, 60), (100, 86400)]),
    ("9/secs", [(9, 1)]),
]
WRONG = [
    None, 5, "", ";", "5", "5/", "/minute", "0/minute", "5/0minutes", "-5/minute", "5/fortnight", "5/ms", "5 minutes",
    "5per minute", "5/minute extra",
    "5.5/minute", "５/minute", "1/9999999days", f"{10**16}/minute", "9" * 19 + "/min",
    ";".join(["5/minute"] * 17), "5/minute;" + " " * 500,
]  # fmt: skip


@pytest.mark.parametrize(("text", "rates"), RIGHT)
def test_what_people_write_is_understood(text: str, rates: list[tuple[int, int]]) -> None:
    """Slash or ``per``, any unit, singular or plural, several with semicolons."""
    assert parse_limits(text) == tuple(Rate(most, span * NANOSECONDS) for most, span in rates)


@pytest.mark.parametrize("text", WRONG, ids=lambda text: repr(text)[:30])
def test_what_is_no_limit_is_an_error_that_names_the_field(text: object) -> None:
    """A limit that was misunderstood would be a hole; it is refused instead."""
    with pytest.raises(ConfigurationError) as caught:
        parse_limits(text, "limits")
    assert caught.value.field == "limits"
    assert len(str(caught.value)) < 900


def test_a_mistyped_unit_is_answered_with_the_nearest_one() -> None:
    """The message helps."""
    with pytest.raises(ConfigurationError, match=r"unknown unit 'minuets'. Did you mean minute\?"):
        parse_limits("5/minuets")


@given(st.text(max_size=60) | st.from_regex(r"[0-9/ perminutes;]{0,60}", fullmatch=True))
def test_any_text_is_a_limit_or_an_error(text: str) -> None:
    """Nothing else is ever raised, and what is parsed is in range."""
    try:
        rates = parse_limits(text)
    except ConfigurationError:
        return
    assert all(rate.max >= 1 and rate.interval >= NANOSECONDS for rate in rates)
