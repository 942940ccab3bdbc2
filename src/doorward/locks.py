"""Locks that a fork does not leave locked."""

from __future__ import annotations

import os
import threading


def lock_over_forks() -> threading.Lock:
    """A lock that is held over every fork, so that a child finds it free and what it guards whole.

    Without, a child that is forked while another thread holds the lock would wait for that thread for ever. The hooks
    know the lock only, so that they do not keep its owner alive: they can never be taken off.
    """
    lock = threading.Lock()
    if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
        os.register_at_fork(before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release)
    return lock
