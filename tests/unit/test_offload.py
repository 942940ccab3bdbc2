"""Threads for calls that may hang: events instead of sleeping, and no time is measured."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest

from doorward import StoreError
from doorward.offload import Offload

PATIENCE = 20
"""Seconds after which a test has failed; nothing waits this long when all is well."""


class Gate:
    """A call that hangs until it is let go, and says when it has begun."""

    def __init__(self) -> None:
        self.entered = threading.Semaphore(0)
        self.opened = threading.Event()

    def __call__(self) -> str:
        self.entered.release()
        assert self.opened.wait(PATIENCE)
        return "done"


@pytest.fixture
def gate() -> Iterator[Gate]:
    found = Gate()
    yield found
    found.opened.set()


def workers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "doorward-offload"]


def test_a_call_gives_its_answer_or_its_error() -> None:
    """As if it had been called here; also what is no Exception."""
    offload = Offload()
    assert offload.submit(divmod, 7, 3).result(PATIENCE) == (2, 1)
    for error in (ZeroDivisionError(), SystemExit(), StopIteration()):
        with pytest.raises(type(error)):
            offload.submit(_raising, error).result(PATIENCE)


def _raising(error: BaseException) -> None:
    raise error


def test_beyond_the_most_calls_the_next_fails_at_once(gate: Gate) -> None:
    """Instead of queueing behind those that hang; afterwards there is room again."""
    offload = Offload(most=2)
    hanging = [offload.submit(gate) for _ in range(2)]
    for _ in hanging:
        assert gate.entered.acquire(timeout=PATIENCE)
    with pytest.raises(StoreError, match="2 calls to the store are in flight"):
        offload.submit(gate)
    gate.opened.set()
    assert [future.result(PATIENCE) for future in hanging] == ["done", "done"]
    assert offload.submit(gate).result(PATIENCE) == "done"


def test_threads_are_used_again() -> None:
    """One call after the other needs one thread, which does not hold the process open."""
    offload = Offload()
    seen = {offload.submit(threading.current_thread).result(PATIENCE) for _ in range(20)}
    assert len(seen) == 1
    assert all(thread.daemon for thread in seen)
    offload.close()


def test_a_call_whose_caller_gave_up_leaves_no_error_behind(gate: Gate) -> None:
    """Its future was cancelled; the thread goes on to the next."""
    offload = Offload(most=1)
    future = offload.submit(gate)
    assert gate.entered.acquire(timeout=PATIENCE)
    assert future.cancel()
    gate.opened.set()
    after = _when_there_is_room(offload)
    assert after.result(PATIENCE) == 7


def _when_there_is_room(offload: Offload):
    while True:
        try:
            return offload.submit(int, "7")
        except StoreError:
            continue


def test_close_ends_idle_threads_and_those_that_were_busy(gate: Gate) -> None:
    """No thread outlives its store."""
    offload = Offload()
    busy, idle = offload.submit(gate), offload.submit(threading.current_thread)
    threads = [idle.result(PATIENCE)]
    offload.close()
    gate.opened.set()
    assert busy.result(PATIENCE) == "done"
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()


def test_close_without_a_call_does_nothing() -> None:
    """No thread was started, none has to end."""
    before = workers()
    Offload().close()
    assert workers() == before


def test_a_call_after_close_runs_also_where_one_was_in_flight(gate: Gate) -> None:
    """The counts of the threads that were told to end are not those of new ones."""
    offload = Offload(most=1)
    hanging = offload.submit(gate)
    assert gate.entered.acquire(timeout=PATIENCE)
    offload.close()
    gate.opened.set()
    assert hanging.result(PATIENCE) == "done"
    for _ in range(3):
        assert offload.submit(int, "7").result(PATIENCE) == 7


def test_a_thread_that_cannot_be_started_takes_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """When threads run out, calls fail; when there are threads again, calls succeed."""
    offload = Offload(most=1)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", lambda self: _raising(RuntimeError("can't start new thread")))
        for _ in range(3):
            with pytest.raises(RuntimeError, match="can't start"):
                offload.submit(int, "7")
    assert offload.submit(int, "7").result(PATIENCE) == 7


def test_a_forked_process_has_threads_of_its_own(gate: Gate) -> None:
    """Threads do not survive a fork, nor do the calls that were in flight."""
    offload = Offload(most=1)
    offload.submit(gate)
    assert gate.entered.acquire(timeout=PATIENCE)
    child = os.fork()
    if child == 0:  # pragma: no cover  (another process)
        try:
            answer = offload.submit(int, "7").result(PATIENCE)
        finally:
            os._exit(0 if answer == 7 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    with pytest.raises(StoreError):
        offload.submit(int, "7")
