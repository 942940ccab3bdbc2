"""Tells the service of what the client decided by itself, off the way of the request; and finds out when it is back.

Reports wait in a queue of bounded length for a thread that sends many at once. While the service is away they are
kept, the newest as long as there is room: what happens now is what the service has to act upon and what people look
at, and the limits that an old report is about have ended.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import time
import weakref
from typing import TYPE_CHECKING

from doorward.locks import lock_over_forks
from doorward.service.client.desk import Desk, Plan
from doorward.service.procedures import DECIDE, REPORT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from doorward.service.client.caller import Caller
    from doorward.service.client.desk import Report

MOST = 1_000
BATCH = 100
CLOSE_SECONDS = 2.0


class Reporter:
    """A queue and its thread, which is started when there is something to do; anew in a child of a fork.

    Args:
        caller: Whom to tell through, and whose service to probe.
        probe: What to ask a service that may be back: a question that has no effect.
        most: Reports, and charges to take back, that wait.
        batch: Reports that are sent at once.
    """

    def __init__(self, caller: Caller, *, probe: bytes = b"{}", most: int = MOST, batch: int = BATCH) -> None:
        self._caller = caller
        self._plan = Plan(REPORT, DECIDE, probe, most, batch)
        self._lock = lock_over_forks()
        self._current = Desk(caller, self._plan)
        self._closed = False
        me = weakref.ref(self)
        caller.on_away = lambda: _tend(me())
        _open.add(self)

    def put(self, report: Report) -> None:
        """Have a decision reported: ``ReportRequest`` in the proto3 JSON mapping. Never waits, never raises.

        Args:
            report: It, or what makes it: that is called in the reporter's thread, off the way of the request.
        """
        self._desk().put(reports=[report])

    def refund(self, charges: Iterable[str]) -> None:
        """Have charges taken back, as the service has named them. Never waits, never raises."""
        self._desk().put(charges=charges)

    def warm(self) -> None:
        """Have the thread connect, so that the first call need not."""
        self._desk().put(warm=True)

    def tend(self) -> None:
        """Have the thread find out when the service is back."""
        self._desk().put()

    def flush(self, seconds: float = CLOSE_SECONDS) -> bool:
        """Wait until all is sent, for ``seconds`` at most; whether it is. A service that is away is not waited for."""
        return self._desk().flush(seconds)

    def close(self, seconds: float = CLOSE_SECONDS) -> None:
        """Flush, and end the thread; what comes now is dropped."""
        self._closed = True
        self._desk().close(seconds)

    def figures(self) -> dict[str, int]:
        """How this process stands: ``reported``, ``dropped``, ``refunded``, ``refunds_lost`` and ``waiting``."""
        return self._desk().figures()

    def _desk(self) -> Desk:
        desk = self._current
        return desk if desk.pid == os.getpid() else self._start_anew()

    def _start_anew(self) -> Desk:
        with self._lock:
            if self._current.pid != os.getpid():
                self._current = Desk(self._caller, self._plan)
                if self._closed:
                    self._current.stop()
            return self._current

    def __del__(self) -> None:
        # The thread knows the desk only. Nobody waits here: this may be any thread, in the middle of anything.
        with contextlib.suppress(Exception):
            if self._current.pid == os.getpid():
                self._current.stop()


def _tend(reporter: Reporter | None) -> None:
    if reporter is not None:
        reporter.tend()


_open: weakref.WeakSet[Reporter] = weakref.WeakSet()


@atexit.register
def _flush_all() -> None:
    """At the end of the interpreter: all at once, so that many do not take longer than one."""
    ends = time.monotonic() + CLOSE_SECONDS
    desks = [reporter._current for reporter in list(_open)]  # noqa: SLF001  (this module's own)
    mine = [desk for desk in desks if desk.pid == os.getpid()]
    for desk in mine:
        desk.stop()
    for desk in mine:
        desk.close(max(0.0, ends - time.monotonic()))


__all__ = ["Reporter"]
