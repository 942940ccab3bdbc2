"""The time of a recording."""

from __future__ import annotations


class RecordingClock:
    """Says what time it was when the request that is being played came; never goes back.

    Attributes:
        backwards: Requests that were recorded as earlier than the one before them.
    """

    __slots__ = ("_now", "backwards")

    def __init__(self, now_ns: int = 0) -> None:
        self._now = now_ns
        self.backwards = 0

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch."""
        return self._now

    def reach(self, at_ns: int) -> int:
        """Go on to ``at_ns``, or stay where that is in the past; the time that it is then."""
        if at_ns >= self._now:
            self._now = at_ns
        else:
            self.backwards += 1
        return self._now

    def begin(self, at_ns: int) -> None:
        """Begin anew, at any time: for a store that has forgotten everything."""
        self._now = at_ns


__all__ = ["RecordingClock"]
