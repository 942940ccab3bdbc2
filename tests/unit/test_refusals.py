"""Refusals that are remembered in this process."""

from __future__ import annotations

from doorward.refusals import Refusal, Refusals


def test_a_refusal_holds_until_it_ends_and_for_at_least_its_cost() -> None:
    """Not a nanosecond longer, and not for less."""
    refusals = Refusals(10**10)
    refusals.remember("k", Refusal(100, 3, 2), 0)
    assert refusals.recall("k", 2, 50) is None
    assert refusals.recall("k", 3, 99) == Refusal(100, 3, 2)
    assert refusals.recall("other", 3, 99) is None
    assert refusals.recall("k", 3, 100) is None
    assert len(refusals) == 0


def test_a_refusal_is_believed_no_longer_than_is_safe() -> None:
    """Where others can lift it, it is asked for again soon."""
    refusals = Refusals(10)
    refusals.remember("k", Refusal(100, 1, 0), 50)
    assert refusals.recall("k", 1, 59).until_ns == 60
    assert refusals.recall("k", 1, 60) is None


def test_refusals_are_bounded_and_the_first_goes_first() -> None:
    """One that is known already takes no other's place."""
    refusals = Refusals(10**10, most=2)
    for key in ("a", "b", "b", "c"):
        refusals.remember(key, Refusal(100, 1, 0), 0)
    assert [key for key in "abc" if key in refusals] == ["b", "c"]


def test_refusals_can_be_forgotten() -> None:
    """One, or all."""
    refusals = Refusals(10**10)
    for key in ("a", "b"):
        refusals.remember(key, Refusal(100, 1, 0), 0)
    refusals.forget("a")
    refusals.forget("never known")
    assert len(refusals) == 1
    refusals.clear()
    assert len(refusals) == 0


def test_a_full_memory_that_is_cleared_at_the_same_time_is_no_error() -> None:
    """Another thread may empty it between the look and the step."""
    refusals = Refusals(10**10, most=0)
    refusals.remember("a", Refusal(100, 1, 0), 0)
    assert "a" in refusals
