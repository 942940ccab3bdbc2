"""Locks that a fork does not leave locked."""

from __future__ import annotations

import gc
import os
import signal
import threading
import warnings

import pytest

from doorward import Doorward, locks
from doorward.automation import Examiner
from doorward.locks import lock_over_forks


def over_forks(lock: threading.Lock) -> bool:
    """Whether a lock is held over forks."""
    known = locks._known.get(id(lock))
    return known is not None and known() is lock


def test_a_lock_is_held_over_a_fork_and_free_on_both_sides() -> None:
    """No other thread can hold it in the moment of the fork, so that the child's copy is free."""
    lock = lock_over_forks()
    for _ in ("in the parent", "in the child"):
        locks._hold_all()
        assert lock.locked()
        locks._release_all()
        assert not lock.locked()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows does not fork")
def test_a_fork_waits_for_whoever_holds_a_lock() -> None:
    """The child finds it free, though a thread held it when the fork was asked for."""
    lock = lock_over_forks()
    held, forking = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            held.set()
            forking.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(30)
    threading.Timer(0.05, forking.set).start()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forks with threads, which this is about
        child = os.fork()
    if child == 0:
        os._exit(0 if lock.acquire(blocking=False) else 1)
    thread.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows does not fork")
def test_a_fork_that_a_signal_breaks_into_leaves_no_lock_locked() -> None:
    """What a handler raises while a fork waits for a lock (a time limit, say) ends the waiting, not all requests."""
    held, later = lock_over_forks(), lock_over_forks()

    def break_in(*_: object) -> None:
        raise InterruptedError

    before = signal.signal(signal.SIGALRM, break_in)
    try:
        with held:
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            with pytest.raises(InterruptedError):
                locks._hold_all()
            locks._release_all()
            assert not later.locked()
            assert held.locked()
    finally:
        signal.signal(signal.SIGALRM, before)


def test_what_made_a_lock_takes_it_along() -> None:
    """Rules come and go with policy files: what is left of them must not add up."""
    before = len(locks._known)
    for _ in range(100):
        lock_over_forks()
    gc.collect()
    assert len(locks._known) <= before


def test_what_every_request_locks_is_locked_over_forks() -> None:
    """The journal's lock and the runtime's; the memory store has hooks of its own."""
    runtime = Doorward().runtime
    assert over_forks(runtime._lock)
    assert over_forks(runtime.journal._lock)


def test_what_a_bot_rule_locks_is_locked_over_forks() -> None:
    """A worker that is forked while a thread looks at an agent must not wait for that thread (gunicorn --preload)."""
    examiner = Examiner()
    assert over_forks(examiner._agents._lock)
    assert over_forks(examiner._answers._lock)
