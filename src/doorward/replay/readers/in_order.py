"""Requests in the order of time: of one file, whose lines are slightly out of order, and of several together.

Servers write a line when they have answered, and some name the time when the request came. So lines are held until
enough others have come behind them. What comes even later is moved to the time of the request before it, if that is
not more than an hour; or left out. Both are counted.
"""

from __future__ import annotations

import heapq
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from doorward.clock import NANOSECONDS
from doorward.replay.readers.problems import OUT_OF_ORDER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from doorward.replay.reading import Reading
    from doorward.replay.records import Recorded

HELD = 2_048
"""Requests that are held together, by all files that are open."""
LEAST_HELD = 64
LATEST_MOVED_NS = 3600 * NANOSECONDS
_SLACK_NS = 60 * NANOSECONDS
_FOREVER = 1 << 63

_time = itemgetter(0)


class Room:
    """How many requests each open file may hold: all of them together are bounded."""

    def __init__(self) -> None:
        self.open = 0

    @property
    def share(self) -> int:
        """Of each file."""
        return max(LEAST_HELD, HELD // max(1, self.open))


class Planned(NamedTuple):
    """A file that is opened when its time comes.

    Attributes:
        first_ns: The time at which it seems to begin; 0 where that is not known.
        requests: Opens it.
    """

    first_ns: int
    requests: Callable[[], Iterator[list[Recorded]]]


def ordered(lists: Iterable[list[Recorded]], room: Room) -> Iterator[Recorded]:
    """The requests of one file, each up to as many places out of order as the file has room for."""
    held: list[Recorded] = []
    room.open += 1
    try:
        for some in lists:
            held += some
            share = room.share
            if len(held) >= 2 * share:
                held.sort(key=_time)  # stable, and linear for what is nearly in order
                yield from held[:-share]
                del held[:-share]
    finally:
        room.open -= 1
    held.sort(key=_time)
    yield from held


def merged(files: Iterable[Planned]) -> Iterator[Recorded]:
    """The requests of all files; those that begin later are opened later."""
    room = Room()
    waiting = sorted(enumerate(files), key=lambda item: (-item[1].first_ns, -item[0]))
    current: list[tuple[int, int, Recorded, Iterator[Recorded]]] = []
    while waiting or current:
        while waiting and (not current or waiting[-1][1].first_ns - _SLACK_NS <= current[0][0]):
            index, file = waiting.pop()
            rest = ordered(file.requests(), room)
            if (first := next(rest, None)) is not None:
                heapq.heappush(current, (first[0], index, first, rest))
        if current:
            yield from _until_another(current, waiting[-1][1].first_ns - _SLACK_NS if waiting else _FOREVER)


def _until_another(current: list[tuple[int, int, Recorded, Iterator[Recorded]]], opens_ns: int) -> Iterator[Recorded]:
    """What comes before another file has to be opened, or this one has nothing more to say for now."""
    _, index, request, rest = current[0]
    yield request
    least = min([entry[0] for entry in current[1:3]], default=_FOREVER)
    for request in rest:
        at_ns = request[0]
        if at_ns >= least or at_ns >= opens_ns:
            heapq.heapreplace(current, (at_ns, index, request, rest))
            return
        yield request
    heapq.heappop(current)


def in_time(requests: Iterable[Recorded], reading: Reading) -> Iterator[Recorded]:
    """The requests, none earlier than the one before it."""
    last = moved = most = 0
    try:
        for request in requests:
            at_ns = request[0]
            if at_ns >= last:
                last = at_ns
                yield request
            elif last - at_ns <= LATEST_MOVED_NS:
                moved, most = moved + 1, max(most, last - at_ns)
                yield request._replace(at_ns=last)
            else:
                reading.skip(request.source.file, request.source.line, OUT_OF_ORDER, request.request.path)
    finally:
        _notes(reading, moved, most)


def _notes(reading: Reading, moved: int, most: int) -> None:
    if moved:
        reading.notes.append(
            f"{moved:,} requests were logged far out of order: each is played at the time of the one before it, "
            f"up to {most / NANOSECONDS:,.1f} s after its own"
        )
    if reading.skipped[OUT_OF_ORDER]:
        reading.notes.append(
            "times that go back by more than an hour: give files as separate arguments, which are merged by time; "
            "where a clock was ahead, --until leaves out what it dated"
        )


__all__ = ["HELD", "LATEST_MOVED_NS", "Planned", "Room", "in_time", "merged", "ordered"]
