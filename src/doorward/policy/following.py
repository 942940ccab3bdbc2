"""Follows a policy file while the application runs: notices changes cheaply, and loads them beside the requests."""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from doorward.clock import NANOSECONDS
from doorward.errors import ConfigurationError, DataError
from doorward.locks import lock_over_forks
from doorward.policy.documents import Signature
from doorward.policy.errors import PolicyError
from doorward.printable import describe, printable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from doorward.clock import Clock
    from doorward.facade import Facade
    from doorward.journal import Journal
    from doorward.policy.loading import Policy

LOOK_NS = NANOSECONDS
"""How often the file is looked at, at most."""
_LONGEST_ERROR = 500

Sighting = Signature | str
"""What the file looks like from outside; what is in the way of looking, where something is."""


class PolicyFile:
    """The policy of a running client, and the file that it came from.

    A change is taken over when the file has looked the same twice, a second apart: what an editor is still writing may
    well be a whole policy with half of the rules. Loading happens in a thread of its own that ends with it.

    Args:
        path: The file; absolute, since applications change their folder.
        policy: What it said at first.
        take_over: Puts a policy in force and says what changed, a line each; None, where a newer one is in force.
            Raises ConfigurationError for one that cannot be.
        adopted: Is told of every facade that comes into being.
        load: Reads the file. Raises PolicyError.
        journal: Counts and logs.
        clock: The time by which to look.

    Attributes:
        policy: What is in force.
        adopted: As given.
    """

    def __init__(
        self,
        path: Path,
        policy: Policy,
        *,
        take_over: Callable[[Policy, int], list[str] | None],
        adopted: Callable[[Facade], None],
        load: Callable[[], Policy],
        journal: Journal,
        clock: Clock,
    ) -> None:
        self.policy = policy
        self._path = path
        self.adopted = adopted
        self._take_over = take_over
        self._load = load
        self._journal = journal
        self._clock = clock
        self._seen: Sighting = policy.signature
        self._tried: Sighting = policy.signature
        self._error = ""
        self._loaded = _now()
        self._reloads = self._failures = 0
        self._turn = 0
        self._thread: threading.Thread | None = None
        # Held for assignments only, never while anything is loaded: a fork waits for it.
        self._lock = lock_over_forks()
        self._next_ns = clock.now_ns() + LOOK_NS

    def look(self) -> None:
        """Have a look at the file, if it is time to. For requests: takes a call of the clock, else a ``stat``."""
        try:
            now_ns = self._clock.now_ns()
            if now_ns >= self._next_ns:
                self._look(now_ns)
        except Exception as error:  # of the application's clock, or no thread to be had
            self._journal.swallowed("policy", error)

    def _look(self, now_ns: int) -> None:
        with self._lock:
            if now_ns < self._next_ns:
                return
            self._next_ns = now_ns + LOOK_NS
            # Of a process that was forked meanwhile, a thread is not alive.
            if self._thread is not None and self._thread.is_alive():
                return
        seen, self._seen = self._seen, self._sighted()
        if self._seen != self._tried and self._seen == seen:
            self._thread = threading.Thread(
                target=self._follow, args=(self._seen,), name="doorward-policy", daemon=True
            )
            self._thread.start()

    def _sighted(self) -> Sighting:
        try:
            return Signature.of(os.stat(self._path))  # noqa: PTH116  (as quick as can be)
        except OSError as error:
            return type(error).__name__

    def _follow(self, sighting: Sighting) -> None:
        """Load what the file says now, in a thread."""
        try:
            self.reload()
        except Exception as error:
            if not isinstance(error, ConfigurationError | DataError):
                self._journal.swallowed("policy", error)
        finally:
            self._tried = sighting

    def reload(self) -> list[str]:
        """Load what the file says now; what changed, a line each.

        Raises:
            PolicyError: It cannot be used. What was in force still is.
        """
        with self._lock:
            self._turn += 1
            turn = self._turn
        try:
            policy = self._load()
            if policy.digest == self.policy.digest:
                self._back_to_normal()
                return []
            changes = self._take_over(policy, turn)
        except Exception as error:
            self._failed(error)
            raise
        if changes is None:
            return []
        with self._lock:
            self._reloads += 1
            self._loaded, self._error = _now(), ""
        said = "; ".join(changes) or "nothing that decides has changed"
        self._journal.change("policy", f"policy {self._name()} was taken over: {said}")
        return changes

    def _back_to_normal(self) -> None:
        if self._error:
            self._error = ""
            self._journal.change("policy", f"policy {self._name()} is again as it is in force")

    def _failed(self, error: Exception) -> None:
        """Keep what is in force; said once for each cause, as long as it lasts."""
        text = str(error).replace("\n", "; ") if isinstance(error, PolicyError) else describe(error)
        with self._lock:
            self._failures += 1
            is_new, self._error = text != self._error, text
        if is_new:
            self._journal.change("policy.failed", f"policy {self._name()} stays as it was: {text}")

    def wait(self, seconds: float) -> None:
        """Wait for a policy that is being loaded, if one is. For tests of applications."""
        if self._thread is not None:
            self._thread.join(seconds)

    def health(self) -> dict[str, object]:
        """How it stands."""
        return {
            "file": printable(str(self.policy.path)),
            "digest": self.policy.digest,
            "loaded": self._loaded,
            "rules": len(self.policy.rules),
            "protection": self.policy.protection,
            "reloads": self._reloads,
            "failures": self._failures,
            "error": printable(self._error, _LONGEST_ERROR),
        }

    def _name(self) -> str:
        return str(self.policy.path)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


__all__ = ["LOOK_NS", "PolicyFile"]
