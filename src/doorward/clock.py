"""Where time comes from. Everything else is handed a :class:`Clock`.

Times are whole nanoseconds since the Unix epoch, so that sums and comparisons are exact.
"""

from __future__ import annotations

import time
from typing import Protocol

NANOSECONDS = 1_000_000_000
"""Nanoseconds in a second."""


class Clock(Protocol):
    """What doorward needs of a clock: :class:`SystemClock`, or ``doorward.testing.FakeClock``."""

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch. Must never go back."""
        ...


class SystemClock:
    """The wall clock as it stood at the start, carried on by the monotonic clock.

    Windows stay aligned to the hour and the minute, and a step of the wall clock (NTP, an operator, a leap second)
    neither frees a refused client nor locks one out.
    """

    __slots__ = ("_offset",)

    def __init__(self) -> None:
        self._offset = time.time_ns() - time.monotonic_ns()

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch."""
        return self._offset + time.monotonic_ns()
