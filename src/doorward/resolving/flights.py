"""The same question goes out once at a time: who asks it meanwhile waits for the first, as long as it likes.

And only so many different ones go out at a time. Each has a socket, and anybody can have names asked for that nobody
answers: the application must not run out of file descriptors over them.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from doorward.locks import lock_over_forks
from doorward.resolving.failures import NotAsked

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

GRACE = 0.05
"""Seconds that a leader may be late."""

MOST_IN_FLIGHT = 100
"""Questions that are on their way at once: a tenth of the file descriptors that a process usually may have."""


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


class Flights:
    """Questions that are on their way, whoever waits for them. Thread safe."""

    def __init__(self) -> None:
        self._lock = lock_over_forks()
        # By process too: a fork takes the flights along, not their leaders.
        self._flying: dict[tuple[int, Hashable], Flight[Any]] = {}

    def join(self, key: Hashable, ends: float, event: Callable[[], E]) -> tuple[Flight[E], bool]:
        """The flight of ``key``, and whether the caller leads it: then it must :meth:`land` whatever happens.

        Args:
            key: The question; also who may wait for it, where not everybody can use the same ``event``.
            ends: When the caller gives up (``time.monotonic``).
            event: Makes what waiters wait for.

        Raises:
            NotAsked: There are :data:`MOST_IN_FLIGHT` others already.
        """
        own = (os.getpid(), key)
        with self._lock:
            flight = self._flying.get(own)
            if flight is not None and time.monotonic() < flight.ends:
                return flight, False
            if len(self._flying) >= MOST_IN_FLIGHT:
                self._make_room()
            flight = self._flying[own] = Flight(ends + GRACE, event())
            return flight, True

    def _make_room(self) -> None:
        """Forget flights without a leader; they have no socket either."""
        here, now = os.getpid(), time.monotonic()
        self._flying = {own: flight for own, flight in self._flying.items() if own[0] == here and now < flight.ends}
        if len(self._flying) >= MOST_IN_FLIGHT:
            raise NotAsked(f"{MOST_IN_FLIGHT} questions wait for the name servers already; this one is not asked")

    def land(self, key: Hashable, flight: Flight[Any]) -> None:
        """The leader is done: those who wait go on."""
        own = (os.getpid(), key)
        with self._lock:
            if self._flying.get(own) is flight:
                del self._flying[own]
        flight.landed.set()
