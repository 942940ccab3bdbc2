"""What the DNS has said lately, and what could not be learnt."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

from doorward.clock import NANOSECONDS
from doorward.locks import lock_over_forks

if TYPE_CHECKING:
    from collections.abc import Hashable

    from doorward.clock import Clock
    from doorward.effects import DnsAnswer

SIZE = 4096
SHORTEST, LONGEST, LONGEST_NEGATIVE = 5.0, 3600.0, 900.0
"""Seconds that an answer is kept, whatever it says itself; a domain may be given its mail server any minute."""

FAILED = 2.0
"""Seconds that a failure is kept, so that a dead zone does not cost the deadline in every request."""


class Failure(NamedTuple):
    """There was no answer.

    Attributes:
        problem: Why.
        waited: Seconds of silence after which that was said; infinite when it was not silence.
    """

    problem: str
    waited: float

    @property
    def silent(self) -> bool:
        """Whether nobody said anything."""
        return self.waited < float("inf")

    def holds_for(self, timeout: float) -> bool:
        """Whether somebody with so much time need not ask again: much more time might bring an answer."""
        return timeout <= 2 * self.waited


class Cache:
    """Bounded; what was used longest ago goes first. Thread safe.

    Args:
        clock: The time.
        size: The most answers and failures.
    """

    def __init__(self, clock: Clock, size: int = SIZE) -> None:
        self._clock = clock
        self._size = size
        self._lock = lock_over_forks()
        self._held: OrderedDict[Hashable, tuple[int, DnsAnswer | Failure]] = OrderedDict()

    def get(self, key: Hashable) -> DnsAnswer | Failure | None:
        """What is known about ``key``."""
        now = self._clock.now_ns()
        with self._lock:
            held = self._held.get(key)
            if held is None:
                return None
            if now < held[0]:
                self._held.move_to_end(key)
                return held[1]
            del self._held[key]
            return None

    def answered(self, key: Hashable, answer: DnsAnswer, ttl: float) -> None:
        """Keep an answer for ``ttl`` seconds, within bounds (RFC 2308 section 5 for those that say no)."""
        longest = LONGEST if answer.records else LONGEST_NEGATIVE
        self._put(key, answer, min(max(ttl, SHORTEST), longest))

    def failed(self, key: Hashable, failure: Failure) -> None:
        """Keep a failure for a moment."""
        self._put(key, failure, FAILED)

    def _put(self, key: Hashable, value: DnsAnswer | Failure, seconds: float) -> None:
        ends = self._clock.now_ns() + round(seconds * NANOSECONDS)
        with self._lock:
            self._held[key] = (ends, value)
            self._held.move_to_end(key)
            if len(self._held) > self._size:
                self._held.popitem(last=False)
