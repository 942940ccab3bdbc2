"""How a recording went over time, in a bounded number of equally long stretches, however long it is."""

from __future__ import annotations

from doorward.clock import NANOSECONDS
from doorward.replay.report import Span

MOST_SPANS = 120


class Spans:
    """Counts requests by time. Stretches are a second long at first; when they are too many, twice as long.

    Args:
        most: Stretches at most; even.
    """

    __slots__ = ("_first", "_most", "_spans", "width_ns")

    def __init__(self, most: int = MOST_SPANS) -> None:
        self._most = most
        self._spans: list[Span] = []
        self._first = 0
        self.width_ns = NANOSECONDS

    def at(self, now_ns: int) -> Span:
        """The stretch of a time that is no earlier than any asked for before."""
        place = now_ns // self.width_ns
        if not self._spans:
            self._first = place
        while place - self._first >= self._most:
            self._double()
            place = now_ns // self.width_ns
        while len(self._spans) <= place - self._first:
            self._spans.append(Span((self._first + len(self._spans)) * self.width_ns))
        return self._spans[-1]

    def all(self) -> list[Span]:
        """All stretches from the first request to the last."""
        return list(self._spans)

    def _double(self) -> None:
        self.width_ns *= 2
        first = self._first // 2
        joined: list[Span] = []
        for number, span in enumerate(self._spans):
            place = (self._first + number) // 2 - first
            if place == len(joined):
                joined.append(Span((first + place) * self.width_ns))
            into = joined[place]
            into.allowed += span.allowed
            into.denied += span.denied
            into.would_deny += span.would_deny
        self._first, self._spans = first, joined


__all__ = ["MOST_SPANS", "Spans"]
