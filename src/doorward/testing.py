"""Public doubles for tests: of doorward, and of applications that use it."""

from __future__ import annotations

from doorward.clock import NANOSECONDS

__all__ = ["FakeClock"]


class FakeClock:
    """A clock that stands still until it is told.

    Args:
        start: Seconds since the Unix epoch; the default is a round hour, so that windows start there too.
    """

    __slots__ = ("_now",)

    def __init__(self, start: float = 1_800_000_000.0) -> None:
        self._now = round(start * NANOSECONDS)

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch."""
        return self._now

    def now(self) -> float:
        """Seconds since the Unix epoch."""
        return self._now / NANOSECONDS

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass; a negative number steps the clock back, as a broken host would."""
        self._now += round(seconds * NANOSECONDS)
