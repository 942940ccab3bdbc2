"""The same question goes out once at a time: who asks it meanwhile waits for the first, as long as it likes."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from doorward.locks import lock_over_forks

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

GRACE = 0.05
"""Seconds that a leader may be late."""


class Event(Protocol):
    """Of :mod:`threading`, or of :mod:`asyncio`: then used by one loop only."""

    def set(self) -> object:
        """Wake those who wait."""
        ...


E = TypeVar("E", bound=Event)


class Flight(Generic[E]):
    """A question that is on its way.

    Attributes:
        ends: When its leader has given up (``time.monotonic``), whatever became of it.
        landed: Set when there is something to be found in the cache, or the next may try.
    """

    __slots__ = ("ends", "landed")

    def __init__(self, ends: float, landed: E) -> None:
        self.ends = ends
        self.landed = landed


class Flights(Generic[E]):
    """Questions that are on their way, of one kind of waiting. Thread safe.

    Args:
        event: Makes what waiters wait for.
    """

    def __init__(self, event: Callable[[], E]) -> None:
        self._event = event
        self._lock = lock_over_forks()
        self._flying: dict[Hashable, Flight[E]] = {}

    def join(self, key: Hashable, ends: float) -> tuple[Flight[E], bool]:
        """The flight of ``key``, and whether the caller leads it: then it must :meth:`land` whatever happens."""
        own = (os.getpid(), key)  # a fork takes the flights along, not their leaders
        with self._lock:
            flight = self._flying.get(own)
            if flight is not None and time.monotonic() < flight.ends:
                return flight, False
            flight = self._flying[own] = Flight(ends + GRACE, self._event())
            return flight, True

    def land(self, key: Hashable, flight: Flight[E]) -> None:
        """The leader is done: those who wait go on."""
        own = (os.getpid(), key)
        with self._lock:
            if self._flying.get(own) is flight:
                del self._flying[own]
        flight.landed.set()
