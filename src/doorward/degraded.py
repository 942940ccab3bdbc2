"""Knows whether the store answers: said once per change, counted, and what it said last kept for the local limiter."""

from __future__ import annotations

from collections import OrderedDict
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar

from doorward.clock import NANOSECONDS
from doorward.effects import Algorithm
from doorward.locks import lock_over_forks
from doorward.printable import describe
from doorward.stores.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doorward.clock import Clock
    from doorward.effects import Hit, Verdict
    from doorward.journal import Journal

MOST_REMEMBERED = 10_000
_SAID_AGAIN = 60.0
"""Seconds after which an outage is said to go on, and again each minute."""


class StoreWatch:
    """One client's store, as seen from this process.

    Args:
        journal: Where changes are logged.
        clock: The time.
        local: Hears what the store says about counters; None where the store cannot fail.

    Attributes:
        down: Whether the last call for counters failed.
        since: When it began to fail, in nanoseconds since the Unix epoch; 0 while it does not.
        failures: Calls of the store that failed.
        degraded: Times that limits were decided without the store.
        changes: Times that the store was lost.
        turns: Times that it was lost or came back.

    A call that overlaps a turn says nothing about how things are now: an answer that was on its way when the store was
    lost does not bring it back. Who asks several at once notes ``turns`` before, and gives it as ``since``.
    """

    __slots__ = (
        "_clock",
        "_journal",
        "_local",
        "_lock",
        "_then",
        "changes",
        "degraded",
        "down",
        "failures",
        "since",
        "turns",
    )

    what: ClassVar[str] = "store"
    """What it is called in messages."""
    decides: ClassVar[str] = "limit"
    """What goes on without it."""

    def __init__(self, journal: Journal, clock: Clock, local: LocalLimiter | None = None) -> None:
        self._journal = journal
        self._clock = clock
        self._local = local
        self._lock = lock_over_forks()
        self._then = 0
        self.down = False
        self.since = self.failures = self.degraded = self.changes = self.turns = 0

    def call_failed(self) -> None:
        """Count a call that failed and decides about no limit."""
        with self._lock:
            self.failures += 1

    def lost(self, error: Exception, since: int | None = None) -> None:
        """A question about limits was not answered, or not with sense."""
        with self._lock:
            self.failures += 1
            self.degraded += 1
            lost_before = self.down
            if not lost_before:
                if since not in (None, self.turns):
                    return
                self.down, self.since, self._then = True, self._clock.now_ns(), self.degraded - 1
                self.changes += 1
                self.turns += 1
        if lost_before:
            self._still_lost(error)
        else:
            self._journal.change(
                self.what, f"{self.what} lost, each {self.decides} goes on as its on_error says: {describe(error)}"
            )

    def _still_lost(self, error: Exception) -> None:
        """An outage goes on: the decisions that are made without it say so in the log."""

    def answered(self, hits: Sequence[Hit], verdicts: Sequence[Verdict], since: int | None = None) -> None:
        """A question about limits was answered."""
        if self.down and since in (None, self.turns):
            self._back()
        self.heard(hits, verdicts)

    def heard(self, hits: Sequence[Hit], verdicts: Sequence[Verdict]) -> None:
        """What it said about counters, for when it is lost."""
        if self._local is not None:
            self._local.hear(hits, verdicts)

    def _back(self) -> None:
        with self._lock:
            if not self.down:
                return
            lasted = max(0, self._clock.now_ns() - self.since) / NANOSECONDS
            decided = self.degraded - self._then
            self.down, self.since = False, 0
            self.turns += 1
        self._journal.change(
            self.what, f"{self.what} back after {lasted:.3g} s; {decided} decisions were made without it"
        )

    def health(self) -> dict[str, object]:
        """For ``health()``: whether decisions are made without it now, for how many seconds, and how many were."""
        with self._lock:
            lasted = (self._clock.now_ns() - self.since) / NANOSECONDS if self.down else 0.0
            return {
                "failing_open": self.down,
                "failing_open_seconds": max(0.0, lasted),
                "decided_without": self.degraded,
                "outages": self.changes,
            }

    def figures(self) -> dict[str, int]:
        """For ``stats()``: whole numbers, ``since`` in seconds since the Unix epoch."""
        with self._lock:
            return {
                "outage.failures": self.failures,
                "outage.degraded": self.degraded,
                "outage.times": self.changes,
                "outage.since": self.since // NANOSECONDS,
            }


class ServiceWatch(StoreWatch):
    """A decision service, which counts like a store, and decides about more than limits."""

    __slots__ = ()
    what: ClassVar[str] = "service"
    decides: ClassVar[str] = "rule"

    def _still_lost(self, error: Exception) -> None:
        """Nobody is to overlook that everything fails open: it is said again each minute."""
        lasted = (self._clock.now_ns() - self.since) / NANOSECONDS
        if lasted < _SAID_AGAIN:
            return
        so_far = f"{self.degraded - self._then} decisions were made without it"
        self._journal.warn(
            f"{self.what}.away", f"{self.what} still lost after {lasted:.0f} s; {so_far}: {describe(error)}"
        )


class LocalLimiter:
    """Decides about limits in this process while the store does not answer.

    It begins where the store left off: a counter that the store has spoken of has no more room here than it had there.
    What was admitted here stays counted over several outages.

    Args:
        clock: The time.
        most: Counters whose last answer is remembered; the one remembered first goes first.
    """

    __slots__ = ("_clock", "_heard", "_lock", "_most", "_store")

    def __init__(self, clock: Clock, most: int = MOST_REMEMBERED) -> None:
        self._clock = clock
        self._most = most
        self._heard: OrderedDict[str, tuple[int, int]] = OrderedDict()
        # The store's own lock is made before this one: over a fork, locks are taken in the reverse order.
        self._store = MemoryStore(clock=clock)
        self._lock = lock_over_forks()

    def hear(self, hits: Sequence[Hit], verdicts: Sequence[Verdict]) -> None:
        """Remember what the store said: units left, and until when that matters."""
        heard, now = self._heard, self._clock.now_ns()
        for (key, algorithm, *_), (_, remaining, reset_after, retry_after, _) in zip(hits, verdicts, strict=True):
            if algorithm is Algorithm.BAN:
                continue
            if len(heard) >= self._most and key not in heard:
                with suppress(KeyError):  # another thread may have taken the last
                    heard.popitem(last=False)
            heard[key] = remaining, now + int(max(reset_after, retry_after) * NANOSECONDS)

    def count(self, hits: Sequence[Hit]) -> Sequence[Verdict]:
        """As of a store."""
        with self._lock:
            for hit in hits:
                self._catch_up(hit)
            return self._store.count(hits)

    def _catch_up(self, hit: Hit) -> None:
        """Charge what the store had counted, the first time that its counter is asked for here."""
        left, until = self._heard.pop(hit.key, (0, 0))
        if self._clock.now_ns() < until:
            surplus = self._store.peek([hit])[0].remaining - left
            if surplus > 0:
                self._store.count([hit._replace(cost=surplus)])


__all__ = ["LocalLimiter", "ServiceWatch", "StoreWatch"]
