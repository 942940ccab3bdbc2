"""What is wrong with a policy file: every mistake with its file, line and field."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from doorward.errors import ConfigurationError
from doorward.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_SHOWN = 50
"""Mistakes that the text of an error lists."""
_LONGEST_PROBLEM = 600


class Mistake(NamedTuple):
    """One thing that is wrong.

    Attributes:
        line: Where, from 1; 0 where it is the file as a whole.
        field: The argument, such as ``rules[2].max``; empty where it is the file as a whole.
        problem: What is wrong, and what is accepted. Printable ASCII, whatever the file holds.
        unreadable: Whether there is nothing to read, rather than something wrong.
    """

    line: int
    field: str
    problem: str
    unreadable: bool = False


class PolicyError(ConfigurationError):
    """A policy file cannot be used. The text has a line ``file:line: field: problem`` for each mistake.

    Args:
        file: The file, as its user wrote it.
        mistakes: What is wrong with it; at least one.

    Attributes:
        file: As given.
        mistakes: All mistakes, in the order of the lines.
        line: Of the first mistake.
        field: Of the first mistake.
        problem: Of the first mistake.
    """

    def __init__(self, file: str, mistakes: Sequence[Mistake]) -> None:
        self.file = file
        self.mistakes = tuple(sorted(mistakes, key=lambda mistake: mistake.line))
        first = self.mistakes[0]
        self.line = first.line
        super().__init__(first.field, first.problem)
        more = len(self.mistakes) - MOST_SHOWN
        lines = [in_words(file, mistake) for mistake in self.mistakes[:MOST_SHOWN]]
        self.args = ("\n".join([*lines, f"and {more} more"] if more > 0 else lines),)


def mistake(line: int, field: str, problem: str, *, unreadable: bool = False) -> Mistake:
    """A mistake whose words may come from the file."""
    return Mistake(line, printable(field), printable(problem, _LONGEST_PROBLEM), unreadable)


def in_words(file: str, mistake: Mistake) -> str:
    """A mistake as compilers put it, so that editors and CI find the line."""
    place = f"{printable(file)}:{mistake.line}" if mistake.line else printable(file)
    return ": ".join(part for part in (place, mistake.field, mistake.problem) if part)


__all__ = ["Mistake", "PolicyError", "in_words", "mistake"]
