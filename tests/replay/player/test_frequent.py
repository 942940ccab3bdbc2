"""The most frequent names, held against counting them all."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.replay.frequent import Frequent

NAMES = st.lists(st.sampled_from([f"n{number}" for number in range(12)]), max_size=300)


def counted(names: list[str], most: int) -> Frequent:
    frequent = Frequent(most)
    for name in names:
        frequent.add(name)
    return frequent


@given(NAMES)
def test_while_all_names_fit_every_count_is_exact(names: list[str]) -> None:
    frequent, truth = counted(names, 12), Counter(names)
    assert frequent.is_exact
    assert dict(frequent.top(12)) == {name: (n, 0) for name, n in truth.items()}


@given(NAMES, st.integers(1, 6))
def test_counts_are_never_too_low_and_too_high_by_no_more_than_they_say(names: list[str], most: int) -> None:
    frequent, truth = counted(names, most), Counter(names)
    assert len(frequent) <= most
    for name in {*truth, "never came"}:
        times, over = frequent.estimate(name)
        assert times - over <= truth[name] <= times
        assert over <= len(names) / most


@given(NAMES, st.integers(1, 6))
def test_what_came_often_enough_is_kept(names: list[str], most: int) -> None:
    kept = {name for name, _ in counted(names, most).top(most)}
    assert kept >= {name for name, times in Counter(names).items() if times > len(names) / most}


@given(NAMES, st.integers(1, 6))
def test_the_counters_add_up_to_everything_that_was_counted(names: list[str], most: int) -> None:
    assert sum(estimate.times for _, estimate in counted(names, most).top(most)) == len(names)


def test_the_most_frequent_come_first_and_equals_by_their_names() -> None:
    assert [name for name, _ in counted(["b", "a", "c", "c"], 5).top(2)] == ["c", "a"]


def test_none_is_no_number_of_counters() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Frequent(0)


def test_many_names_that_come_once_take_no_longer_than_few() -> None:
    frequent = Frequent(20_000)
    for number in range(200_000):  # a minute, where each had to look past those that were given up before it
        frequent.add(str(number))
    assert frequent.estimate("199999").times <= 10
