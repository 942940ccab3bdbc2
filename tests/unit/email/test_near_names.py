"""Slips of the finger, against the textbook's table of distances."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.near_names import one_edit_apart

WORD = st.text("abc", max_size=7)


def distance(one: str, other: str) -> int:
    """Damerau's distance (optimal string alignment) by dynamic programming."""
    rows = [
        [column + row if 0 in (row, column) else 0 for column in range(len(other) + 1)] for row in range(len(one) + 1)
    ]
    for row in range(1, len(one) + 1):
        for column in range(1, len(other) + 1):
            replaced = rows[row - 1][column - 1] + (one[row - 1] != other[column - 1])
            best = min(rows[row - 1][column] + 1, rows[row][column - 1] + 1, replaced)
            if row > 1 and column > 1 and one[row - 2 : row] == other[column - 2 : column][::-1]:
                best = min(best, rows[row - 2][column - 2] + 1)
            rows[row][column] = best
    return rows[-1][-1]


@given(WORD, WORD)
def test_it_is_damerau_s_distance_of_one(one, other) -> None:
    """For all pairs of short words."""
    assert one_edit_apart(one, other) == (distance(one, other) == 1)


@given(st.text("ab", min_size=1, max_size=30), st.data())
def test_long_names_are_compared_whole(name, data) -> None:
    """An edit anywhere in a long name is seen; so is a second one."""
    place = data.draw(st.integers(0, len(name) - 1))
    edited = name[:place] + "x" + name[place + 1 :]
    assert one_edit_apart(edited, name)
    assert one_edit_apart(edited, name + "y") is False


@pytest.mark.parametrize(
    "typed", ["gmial.com", "gmal.com", "gmail.con", "ggmail.com", "gmail.co", "gmil.com", "agmail.com"]
)
def test_the_usual_slips(typed) -> None:
    """Swapped, left out, replaced, doubled."""
    assert one_edit_apart(typed, "gmail.com")
