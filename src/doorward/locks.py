"""Locks that a fork does not leave locked."""

from __future__ import annotations

import os
import threading
from weakref import ref

_known: dict[int, ref[threading.Lock]] = {}
"""Locks in the order of their making."""
_forking = threading.Lock()
_held: list[threading.Lock] = []


def lock_over_forks() -> threading.Lock:
    """A lock that is held over every fork, so that a child finds it free and what it guards whole.

    Without, a child that is forked while another thread holds the lock would wait for that thread for ever. A fork
    takes locks in the reverse order of their making: under one, only those that were made before it may be taken.
    """
    lock = threading.Lock()
    key = id(lock)
    _known[key] = ref(lock, lambda _: _known.pop(key, None))
    return lock


def _hold_all() -> None:
    global _held  # noqa: PLW0603  (of the one thread that forks)
    _forking.acquire()
    # A list of its own, filled lock by lock: what a signal's handler raises here ends this, and the fork goes on.
    _held = held = []
    # A copy, in one step: locks may go while this looks.
    for known in reversed(_known.copy().values()):
        if (lock := known()) is not None:
            lock.acquire()
            held.append(lock)


def _release_all() -> None:
    global _held
    locks, _held = _held, []
    for lock in locks:
        lock.release()
    _forking.release()


# One hook for all locks, which come and go with their owners: a hook itself can never be taken off.
if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    os.register_at_fork(before=_hold_all, after_in_parent=_release_all, after_in_child=_release_all)
