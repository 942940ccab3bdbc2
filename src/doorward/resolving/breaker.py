"""What is done about name servers that are silent: everything that asks them costs a deadline.

Silence alone proves little: anybody can have names asked for whose own servers are dead. After a few such names the
servers must therefore prove that they are there, by answering what every resolver knows by heart. If they do not,
questions fail at once for a while; then one question at a time carries the proof, until they answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.clock import NANOSECONDS
from doorward.locks import lock_over_forks
from doorward.resolving.failures import NotAsked

if TYPE_CHECKING:
    from doorward.clock import Clock

SUSPECT = 3
"""Different names in a row that were met with silence."""

PAUSE = 1.0
"""Seconds between proofs."""

PATIENCE = 0.1
"""Seconds. Who waited less has learnt nothing from silence."""


class Breaker:
    """Thread safe.

    Args:
        clock: The time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = lock_over_forks()
        self._unanswered: set[str] = set()
        self._dead = False
        self._next_proof = 0

    def wants_proof(self, timeout: float) -> bool:
        """Whether the servers must prove to this caller that they are there, before they are asked its question.

        Args:
            timeout: Seconds that the caller has.

        Raises:
            NotAsked: They have just failed to.
        """
        if len(self._unanswered) < SUSPECT:
            return False
        now = self._clock.now_ns()
        with self._lock:
            if timeout >= PATIENCE and now >= self._next_proof:
                self._next_proof = now + round(PAUSE * NANOSECONDS)
                return True
            dead = self._dead
        if dead:
            raise NotAsked("the name servers have not answered for some time; they are tried once a second")
        return False

    def silence(self, name: str, waited: float) -> None:
        """Nobody answered a question for ``waited`` seconds."""
        if waited >= PATIENCE:
            with self._lock:
                if len(self._unanswered) < SUSPECT:
                    self._unanswered.add(name)

    def proof_failed(self) -> None:
        """Nobody answered what everybody knows."""
        with self._lock:
            self._dead = True
            self._next_proof = self._clock.now_ns() + round(PAUSE * NANOSECONDS)

    def heard(self) -> None:
        """Somebody answered something."""
        if self._unanswered:
            with self._lock:
                self._unanswered.clear()
                self._dead = False
                self._next_proof = 0
