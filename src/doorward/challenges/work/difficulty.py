"""How many counters a client has to search: by how doubtful its request is, and by how much is asked of us.

The search is over a range of which the server has picked one counter by chance, so that it ends for certain: half of
all searches end within half the range, and none goes beyond it. Whoever gives up early and asks for another puzzle
gains nothing by it.
"""

from __future__ import annotations

from collections import deque
from math import log2
from typing import NamedTuple

WEIGHT_PER_DOUBLING = 10.0
"""As much more in a request's sum of weights doubles the search."""
FREE_PASSES = 60.0
"""Challenges passed a minute, in this process, before the search grows: who passes many pays more for each."""
FREE_ISSUES = 600.0
"""The same of challenges posed: most of those that a flood asks for are never answered."""

_MOST_DOUBLINGS = 32.0
_SLOT_MS, _SLOTS = 10_000, 6


class Load(NamedTuple):
    """What was asked of one process in the last minute.

    Attributes:
        issued: Challenges posed.
        passed: Challenges passed.
    """

    issued: float = 0.0
    passed: float = 0.0


IDLE = Load()


def counters(weight: float, load: Load, least: int, most: int) -> int:
    """How many counters to search: ``least * 2 ** (weight / 10 + load)``, and never more than ``most``.

    The load adds a doubling for each doubling of what is passed beyond 60 a minute, or posed beyond 600. Doubt that is
    below 0 takes nothing away.

    Args:
        weight: The request's sum of weights.
        load: What was asked of this process in the last minute.
        least: Without doubt and load; at least 1.
        most: At least ``least``.
    """
    pressure = max(1.0, load.passed / FREE_PASSES, load.issued / FREE_ISSUES)
    doublings = max(0.0, weight) / WEIGHT_PER_DOUBLING + log2(pressure)
    return min(most, int(least * 2 ** min(_MOST_DOUBLINGS, doublings)))


class Tally:
    """Counts a minute, in slots of 10 s: not to the last one where threads race, which a difficulty does not need."""

    def __init__(self) -> None:
        self._slots: deque[list[int]] = deque(maxlen=_SLOTS)  # [number of the slot, issued, passed]

    def issued(self, now_ms: int) -> None:
        """A challenge was posed."""
        self._slot(now_ms)[1] += 1

    def passed(self, now_ms: int) -> None:
        """A challenge was passed."""
        self._slot(now_ms)[2] += 1

    def load(self, now_ms: int) -> Load:
        """The last minute's."""
        now = now_ms // _SLOT_MS
        recent = [slot for slot in list(self._slots) if abs(now - slot[0]) < _SLOTS]
        return Load(float(sum(slot[1] for slot in recent)), float(sum(slot[2] for slot in recent)))

    def _slot(self, now_ms: int) -> list[int]:
        number = now_ms // _SLOT_MS
        newest = self._slots[-1][0] if self._slots else -_SLOTS
        # What is late by less than a minute counts there; where the clock was set back by more, it begins anew.
        if number > newest or newest - number >= _SLOTS:
            self._slots.append([number, 0, 0])
        return self._slots[-1]
