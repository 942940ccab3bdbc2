"""Knows when a server is down, so that nobody waits for it: a circuit breaker, pure, without clock and randomness.

Rules:

1. *Closed*: calls go through. So many failures as ``failures`` says, with no success between them, open it. As a rule
   that is one: the caller that paid for it is the last that does.
2. *Open*: calls are answered at once. The first probe is due after ``first`` seconds, and each that fails doubles the
   wait for the next up to ``longest``. Waits are drawn between all of that and less by ``spread``, so that many
   processes do not come back as one.
3. *Half open*: one probe at a time, begun by whoever asks first once it is due. A probe that never reports is
   given up after ``patience`` seconds, so that a thread that died cannot keep a breaker open.
4. A success closes it, whoever reports it; a failure that began before it was last closed is not held against it.
"""

from __future__ import annotations

import threading
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST = 0.05
LONGEST = 1.0
PATIENCE = 5.0
SPREAD = 0.5


class Phase(StrEnum):
    """What a breaker does with calls."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half open"


class Breaker:
    """One server's. Safe from any thread.

    Args:
        clock: Seconds that never go back.
        random: A number from 0 to 1.
        first: Seconds from the failure to the first probe, at most.
        longest: Seconds between probes, at most.
        patience: Seconds after which a probe counts as failed if nobody says how it went.
        failures: Failures one after the other that open it.
        spread: Share of each wait that chance decides about.

    Attributes:
        closed: Whether calls go through. To read it costs nothing.
        cause: What opened it, in plain English.
        opened: How many times it went from closed to open.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        random: Callable[[], float],
        *,
        first: float = FIRST,
        longest: float = LONGEST,
        patience: float = PATIENCE,
        failures: int = 1,
        spread: float = SPREAD,
    ) -> None:
        self._clock = clock
        self._random = random
        self._first = first
        self._longest = longest
        self._patience = patience
        self._failures = failures
        self._spread = spread
        self._failed = 0
        self._lock = threading.Lock()
        self._wait = first
        self._due = 0.0
        self._probing_until: float | None = None
        self._closed_at = clock()
        self.closed = True
        self.cause = ""
        self.opened = 0

    @property
    def phase(self) -> Phase:
        """What it does with calls now."""
        with self._lock:
            if self.closed:
                return Phase.CLOSED
            return Phase.OPEN if self._probing_until is None else Phase.HALF_OPEN

    def failed(self, cause: str, began: float | None = None) -> bool:
        """A call or a probe failed; whether that opened the breaker.

        Args:
            cause: Why, in plain English.
            began: When the call began, by the breaker's clock.
        """
        with self._lock:
            now = self._clock()
            if self.closed:
                if began is not None and began < self._closed_at:
                    return False
                self._failed += 1
                if self._failed < self._failures:
                    return False
                self.closed, self.cause, self._wait = False, cause, self._first
                self.opened += 1
                self._schedule(now)
                return True
            # Calls that were under way when it opened say nothing new; a probe does.
            if self._probing_until is not None:
                self.cause, self._probing_until = cause, None
                self._wait = min(self._longest, 2 * self._wait)
                self._schedule(now)
            return False

    def succeeded(self) -> bool:
        """A call or a probe went well; whether that closed the breaker."""
        if self.closed and not self._failed:
            return False
        with self._lock:
            self._failed = 0
            if self.closed:
                return False
            self.closed, self._probing_until, self._closed_at = True, None, self._clock()
            return True

    def begin_probe(self) -> bool:
        """Whether the caller is to try the server now, and to say how it went."""
        with self._lock:
            now = self._clock()
            if self.closed or now < self._due or not (self._probing_until is None or now >= self._probing_until):
                return False
            self._probing_until = now + self._patience
            return True

    def wait(self) -> float:
        """Seconds until a probe may be due; 0.0 when it is."""
        with self._lock:
            if self.closed:
                return 0.0
            due = self._due if self._probing_until is None else self._probing_until
            return max(0.0, due - self._clock())

    def _schedule(self, now: float) -> None:
        self._due = now + self._wait * (1 - self._spread * (1 - self._random()))
