"""Refusals that are remembered in this process."""

from __future__ import annotations

from doorward.refusals import Refusal, Refusals


def test_a_refusal_holds_until_it_ends_and_for_at_least_its_cost() -> None:
    """Not a nanosecond longer, and not for less."""
    refusals = Refusals(10**10)
    refusals.remember("k", Refusal(100, 3, 2), 0, 0)
    assert refusals.recall("k", 2, 50) is None
    assert refusals.recall("k", 3, 99) == Refusal(100, 3, 2, believed_ns=100)
    assert refusals.recall("other", 3, 99) is None
    assert refusals.recall("k", 3, 100) is None
    assert len(refusals) == 0


def test_a_refusal_is_believed_no_longer_than_is_safe() -> None:
    """Where others can lift it, it is asked for again soon; its end stays what it is."""
    refusals = Refusals(10)
    refusals.remember("k", Refusal(100, 1, 0), 50, 0)
    assert refusals.recall("k", 1, 59).until_ns == 100
    assert refusals.recall("k", 1, 60) is None


def test_refusals_are_bounded_and_the_first_goes_first() -> None:
    """One that is known already takes no other's place."""
    refusals = Refusals(10**10, most=2)
    for key in ("a", "b", "b", "c"):
        refusals.remember(key, Refusal(100, 1, 0), 0, 0)
    assert [key for key in "abc" if key in refusals] == ["b", "c"]


def test_refusals_can_be_forgotten() -> None:
    """One, or all."""
    refusals = Refusals(10**10)
    for key in ("a", "b"):
        refusals.remember(key, Refusal(100, 1, 0), 0, 0)
    refusals.forget("a")
    refusals.forget("never known")
    assert len(refusals) == 1
    refusals.clear()
    assert len(refusals) == 0


def test_a_full_memory_that_is_cleared_at_the_same_time_is_no_error() -> None:
    """Another thread may empty it between the look and the step."""
    refusals = Refusals(10**10, most=0)
    refusals.remember("a", Refusal(100, 1, 0), 0, 0)
    assert "a" in refusals


def test_what_was_said_before_something_was_lifted_is_not_remembered_after() -> None:
    """A reset between the store's answer and its remembering must not be undone by it."""
    refusals = Refusals(10**10)
    epoch = refusals.epoch
    refusals.clear()
    refusals.remember("k", Refusal(100, 1, 0), 0, epoch)
    assert "k" not in refusals
