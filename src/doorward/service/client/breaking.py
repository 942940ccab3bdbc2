"""Whether the service is asked now: the circuit breaker, and how long the service itself wants to be left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.errors import ServiceError
from doorward.stores.outage import Breaker

if TYPE_CHECKING:
    from collections.abc import Callable

GAP = 1.3
"""Seconds from a probe that failed to the next, at most. With PROBE_SECONDS before it less than 2: so much later than
the service is back, that is known."""
SPREAD = 0.2
"""Share of the gap that chance decides about, so that it is never less than a second."""
PROBE_SECONDS = 0.5
LONGEST_AWAY = 30.0
"""Seconds that the service may ask to be left alone: its word is not taken for more."""
_NO_VISITORS = frozenset({401, 403, 404, 408, 429})


class Away:
    """What one process knows about the service. Safe from any thread.

    Args:
        clock: Monotonic seconds.
        random: A number from 0 to 1.
        failures: One after the other that keep calls away.

    Attributes:
        breaker: The circuit breaker.
        since: When calls were last kept away or let through again, by the clock.
    """

    def __init__(self, clock: Callable[[], float], random: Callable[[], float], failures: int) -> None:
        self._clock = clock
        self.breaker = Breaker(clock, random, first=GAP, longest=GAP, failures=failures, spread=SPREAD)
        self.since = clock()
        self._until = 0.0
        self._wish = ""

    @property
    def cause(self) -> str:
        """Why calls are kept away; empty while they are not."""
        if not self.breaker.closed:
            return self.breaker.cause
        return self._wish if self.is_unwanted else ""

    @property
    def is_unwanted(self) -> bool:
        """Whether the service has asked to be left alone until later than now."""
        return self._until > 0.0 and self._clock() < self._until

    def wait(self) -> float | None:
        """Seconds until a probe is due, or the service may be asked again; None where it is asked."""
        if not self.breaker.closed:
            return self.breaker.wait()
        return max(0.0, self._until - self._clock()) if self.is_unwanted else None

    def obey(self, seconds: float, wish: str) -> None:
        """Leave the service alone, as it has asked."""
        self._wish = wish
        self._until = self._clock() + min(seconds, LONGEST_AWAY)


def is_held_against(status: int) -> bool:
    """Whether an answer says that something is wrong with the service, the key or the way to it.

    Of the rest a visitor may be the cause, by what they send: nobody's visitor switches the service off.
    """
    return not 400 <= status < 500 or status in _NO_VISITORS


def retry_seconds(header: str) -> float:
    """What ``Retry-After`` asks for, where it is a number."""
    return float(header) if header.isascii() and header.isdigit() and len(header) < 9 else 0.0


class Refused(ServiceError):
    """The service has answered, and what it says is no answer to the question.

    Args:
        message: Why, in plain English.
        code: Of the Connect protocol, where there is one.
        status: Of HTTP.
    """

    def __init__(self, message: str, code: str, status: int) -> None:
        super().__init__(message, code)
        self.status = status


__all__ = ["PROBE_SECONDS", "Away", "Refused", "is_held_against", "retry_seconds"]
