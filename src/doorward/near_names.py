"""Names that somebody mistyped: whether one slip of the finger turns one into the other."""

from __future__ import annotations


def one_edit_apart(typed: str, meant: str) -> bool:
    """Whether exactly one letter was added, left out, replaced, or swapped with its neighbour.

    That is a distance of 1 after Damerau ("A technique for computer detection and correction of spelling errors",
    1964), in linear time.
    """
    shorter = min(len(typed), len(meant))
    if typed == meant or max(len(typed), len(meant)) > shorter + 1:
        return False
    # A slip touches two neighbours at most, so that one end of the name is as it should be: rules out nearly all.
    end = max(0, (shorter - 2) // 2)
    if typed[:end] != meant[:end] and typed[-end:] != meant[-end:]:
        return False
    same = _common_prefix(typed, meant)
    rest, expected = typed[same:], meant[same:]
    if len(rest) != len(expected):
        return rest[1:] == expected or rest == expected[1:]
    swapped = rest[:2] == expected[1::-1] and rest[2:] == expected[2:]
    return swapped or rest[1:] == expected[1:]


def _common_prefix(one: str, other: str) -> int:
    shorter = min(len(one), len(other))
    return next((place for place in range(shorter) if one[place] != other[place]), shorter)
