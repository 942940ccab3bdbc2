"""The queue of one process and the thread that works it off: for :mod:`doorward.service.client.reporter`."""

from __future__ import annotations

import json
import os
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from doorward.service.client.trouble import NotAsked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from doorward.service.client.caller import Caller

    Report = Mapping[str, Any] | Callable[[], Mapping[str, Any]]

FILL_SECONDS = 0.2
"""That the first report of a batch waits for others."""
SEND_SECONDS = 2.0
LARGEST = 262_144
"""Bytes of a batch; the service takes more."""
MOST_CHARGES = 500
TRIES = 2
"""Of a batch, so that one that the service cannot take does not keep all others from it."""
BUSY_SECONDS = 0.05
"""To wait where all calls that may be in flight are."""


class Plan(NamedTuple):
    """What a desk is told once.

    Attributes:
        report_path: Where reports go.
        probe_path: Where probes go.
        probe: A question that has no effect.
        most: Reports that wait; and charges.
        batch: Reports that are sent at once.
    """

    report_path: str
    probe_path: str
    probe: bytes
    most: int
    batch: int


class Batch(NamedTuple):
    """What is sent at once.

    Attributes:
        reports: Each as JSON.
        charges: To take back.
        tries: How often it was sent.
    """

    reports: list[bytes]
    charges: list[str]
    tries: int = 0

    def body(self) -> bytes:
        """``ReportRequest``: the first report, with the others in it."""
        first = self.reports[0][1:-1] if self.reports else b""
        more = b'"more":[' + b",".join(self.reports[1:]) + b"]" if self.reports[1:] else b""
        refunds = b'"refunds":' + json.dumps(self.charges).encode() if self.charges else b""
        return b"{" + b",".join(part for part in (first, more, refunds) if part) + b"}"


class Desk:
    """The queue of one process. Thread safe; refuses nothing and waits for nothing but where it says so.

    Args:
        caller: Whom to tell through, and whose service to probe.
        plan: How.
    """

    def __init__(self, caller: Caller, plan: Plan) -> None:
        self.pid = os.getpid()
        self._caller = caller
        self._plan = plan
        # Reentrant: the collector of garbage may end a reporter in the middle of this very thread's work.
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._reports: deque[Report] = deque()
        self._charges: deque[str] = deque()
        self._held: deque[Batch] = deque()
        self._packing = 0
        self._oldest = 0.0
        self._warming = self._hurried = self._stopped = self._sending = self._has_complained = False
        self._thread: threading.Thread | None = None
        self._counts: dict[str, int] = dict.fromkeys(("reported", "dropped", "refunded", "refunds_lost"), 0)

    # --- what others call

    def put(self, reports: Iterable[Report] = (), charges: Iterable[str] = (), *, warm: bool = False) -> None:
        """Take note of something to do, and see to it that there is a thread."""
        try:
            with self._lock:
                before = len(self._reports)
                if not (before or self._charges):
                    self._oldest = time.monotonic()
                self._keep(self._reports, reports, "dropped")
                if charges:
                    self._keep(self._charges, charges, "refunds_lost")
                self._warming |= warm
                self._start()
                # Who waits for a batch to fill, or sends one, is not woken for each report: many a client that is
                # refused sends them, and each would be a change of threads.
                if not (before and reports) or charges or warm or before < self._plan.batch <= len(self._reports):
                    self._changed.notify_all()
        except Exception:  # no thread can be started: what waits is sent when one can
            return

    def _keep(self, queue: deque[Any], items: Iterable[Any], lost: str) -> None:
        for item in items:
            if self._stopped or len(queue) >= self._plan.most:
                self._counts[lost] += 1
            if self._stopped:
                continue
            queue.append(item)
            if len(queue) > self._plan.most:
                queue.popleft()

    def _start(self) -> None:
        if self._stopped or (self._thread is not None and self._thread.is_alive()):
            return
        thread = threading.Thread(target=self._run, name="doorward-reports", daemon=True)
        thread.start()
        self._thread = thread

    def flush(self, seconds: float) -> bool:
        """Wait until the queue is empty, or the service is away; whether it is empty."""
        ends = time.monotonic() + seconds
        with self._changed:
            self._hurried = True
            self._changed.notify_all()
            while self._waiting() and self._is_served():
                if not self._changed.wait(max(0.0, ends - time.monotonic())):
                    break
            self._hurried = self._stopped
            return not self._waiting()

    def _is_served(self) -> bool:
        """Whether somebody works the queue off."""
        alive = self._thread is not None and self._thread.is_alive()
        return alive and (self._sending or not self._caller.is_away)

    def stop(self) -> None:
        """Send what there is, and end then."""
        with self._changed:
            self._stopped = self._hurried = True
            self._changed.notify_all()

    def close(self, seconds: float) -> None:
        """Stop, and wait for the end."""
        ends = time.monotonic() + seconds
        self.stop()
        self.flush(seconds)
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(max(0.0, ends - time.monotonic()))

    def figures(self) -> dict[str, int]:
        """Counts, and how many reports wait."""
        with self._changed:
            return {**self._counts, "waiting": self._waiting()}

    def _waiting(self) -> int:
        held = sum([len(batch.reports) + len(batch.charges) for batch in self._held])
        return len(self._reports) + len(self._charges) + held + self._packing

    # --- what the thread does

    def _run(self) -> None:
        while self._wait():
            if self._warming:
                self._warm()
            if self._caller.is_away:
                self._caller.probe(self._plan.probe_path, self._plan.probe)
            else:
                self._send()
            with self._changed:
                self._changed.notify_all()

    def _wait(self) -> bool:
        """Wait for something to do; whether there is, or will be."""
        with self._changed:
            while (seconds := self._idle_for()) != 0.0:
                if self._stopped and (seconds is None or self._caller.is_away):
                    self._give_up()
                    return False
                self._changed.wait(seconds)
            return True

    def _idle_for(self) -> float | None:
        """Seconds until there is something to do; None until somebody says so."""
        if self._warming:
            return 0.0
        away = self._caller.away_for()
        if away is not None:
            return None if self._stopped else away
        if not self._waiting():
            return None
        if self._held or self._hurried or len(self._reports) >= self._plan.batch:
            return 0.0
        return max(0.0, self._oldest + FILL_SECONDS - time.monotonic())

    def _give_up(self) -> None:
        """Count what nobody will send."""
        self._count("dropped", len(self._reports) + sum([len(batch.reports) for batch in self._held]))
        self._count("refunds_lost", len(self._charges) + sum([len(batch.charges) for batch in self._held]))
        for queue in (self._reports, self._charges, self._held):
            queue.clear()
        self._changed.notify_all()

    def _warm(self) -> None:
        self._warming = False
        try:
            self._caller.warm()
        except Exception:
            return  # the first call finds out, and says so

    def _send(self) -> None:
        if not self._held:
            self._pack()
        if not self._held:
            return
        batch = self._held[0]
        self._sending = True
        left = self._sent(batch)
        with self._changed:
            self._sending = False
            if left is None:
                self._held.popleft()
            else:
                self._held[0] = left

    def _pack(self) -> None:
        """Make batches of what waits; while the thread writes JSON, nobody who has a report waits for it."""
        with self._changed:
            taken = [self._reports.popleft() for _ in range(min(len(self._reports), self._plan.batch))]
            charges = [self._charges.popleft() for _ in range(min(len(self._charges), MOST_CHARGES))]
            self._oldest = time.monotonic()
            self._packing = len(taken) + len(charges)
        batches = [Batch([], charges)]
        for report in taken:
            data = self._as_json(report)
            if sum([len(other) for other in batches[-1].reports]) + len(data) > LARGEST:
                batches.append(Batch([], []))
            if data:
                batches[-1].reports.append(data)
        with self._changed:
            self._held.extend([batch for batch in batches if batch.reports or batch.charges])
            self._packing = 0

    def _as_json(self, report: Report) -> bytes:
        try:
            made = report() if callable(report) else report
            data = json.dumps(made, separators=(",", ":")).encode()
        except Exception as error:
            return self._unwritten(type(error).__name__)
        return data if len(data) <= LARGEST else self._unwritten(f"it is larger than {LARGEST} bytes")

    def _unwritten(self, cause: str) -> bytes:
        """Said once: what is wrong with one is wrong with many."""
        self._count("dropped", 1)
        if not self._has_complained:
            self._has_complained = True
            self._caller.tell(f"a decision cannot be reported to the decision service: {cause}")
        return b""

    def _sent(self, batch: Batch) -> Batch | None:
        """Send a batch; what is left of it to be sent again."""
        try:
            self._caller.call(self._plan.report_path, batch.body(), SEND_SECONDS)
        except NotAsked:
            time.sleep(0 if self._caller.is_away else BUSY_SECONDS)
            return batch
        except Exception:
            return self._failed(batch)
        self._count("reported", len(batch.reports))
        self._count("refunded", len(batch.charges))
        return None

    def _failed(self, batch: Batch) -> Batch | None:
        # The service may have read it: a report has an id, but a charge that is taken back twice is a gift.
        self._count("refunds_lost", len(batch.charges))
        if batch.tries + 1 >= TRIES or not batch.reports:
            self._count("dropped", len(batch.reports))
            return None
        return Batch(batch.reports, [], batch.tries + 1)

    def _count(self, what: str, number: int) -> None:
        with self._changed:
            self._counts[what] += number


__all__ = ["Desk", "Plan"]
