"""Reports and refunds: in batches, bounded, never in anybody's way, and sent before the program ends."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import threading
import warnings
import weakref
from functools import partial

import pytest
from tests.chaos.http_server import Chaos, closed_port, echo
from tests.chaos.left_over import threads, until
from tests.service.client.scripted import Hand, Scripted
from tests.service.client.ways import KEY

from doorward.errors import ServiceError
from doorward.service.client.caller import Caller
from doorward.service.client.desk import LARGEST
from doorward.service.client.http_transport import HttpTransport
from doorward.service.client.reporter import Reporter
from doorward.service.client.transport import Reply
from doorward.service.messages import ReportRequest

GOOD = Reply(200, "application/json", b"{}")
DOWN = ServiceError("down")


def bad(status: int) -> Reply:
    return Reply(status, "application/json", b"{}")


def made(*script: object, **options: object) -> tuple[Reporter, Caller, Scripted]:
    transport = Scripted(*script)
    caller = Caller(transport, random=lambda: 1.0)
    return Reporter(caller, **options), caller, transport


def report(number: int) -> dict[str, object]:
    return {"client": f"c{number}", "decision": {"id": f"lreq_{number}", "conclusion": "CONCLUSION_DENY"}}


def told(bodies: list[bytes]) -> tuple[list[str], list[str]]:
    """The ids of the decisions and the charges in what was sent, as the service reads it."""
    ids: list[str] = []
    charges: list[str] = []
    for body in bodies:
        request = ReportRequest.model_validate_json(body)
        every = ([request] if request.decision else []) + list(request.more)
        ids += [each.decision.id for each in every]
        charges += request.refunds
    return ids, charges


def test_reports_are_sent_together() -> None:
    """Those that come within a moment of each other, in the messages of the wire."""
    reporter, _, transport = made(GOOD)
    for number in range(250):
        reporter.put(report(number))
    reporter.refund(["a", "b"])
    assert reporter.flush(30)
    ids, charges = told(transport.bodies)
    assert ids == [f"lreq_{number}" for number in range(250)]
    assert charges == ["a", "b"]
    assert transport.calls <= 5
    figures = reporter.figures()
    assert figures == {"reported": 250, "dropped": 0, "refunded": 2, "refunds_lost": 0, "waiting": 0}
    reporter.close()


def test_a_refund_needs_no_report() -> None:
    """And is sent without waiting for a full batch, nor for a flush."""
    reporter, _, transport = made(GOOD)
    reporter.refund(["only"])
    until(lambda: transport.calls == 1)
    assert told(transport.bodies) == ([], ["only"])
    reporter.close()


def test_one_report_is_sent_soon() -> None:
    """Nobody has to flush."""
    reporter, _, transport = made(GOOD)
    reporter.put(report(1))
    until(lambda: transport.calls == 1)
    assert told(transport.bodies) == (["lreq_1"], [])
    reporter.close()


def test_the_newest_are_kept_where_there_is_no_room() -> None:
    """While the service is slow the queue is bounded; what is lost is counted."""
    reporter, _, transport = made(GOOD, most=10, batch=5)
    transport.gate = threading.Event()
    reporter.put(report(0))
    until(lambda: transport.calls == 1)
    for number in range(1, 31):
        reporter.put(report(number))
        reporter.refund([str(number)])
    assert reporter.figures()["dropped"] == 20
    assert reporter.figures()["refunds_lost"] == 20
    transport.gate.set()
    assert reporter.flush(30)
    ids, charges = told(transport.bodies)
    assert ids == ["lreq_0", *[f"lreq_{number}" for number in range(21, 31)]]
    assert charges == [str(number) for number in range(21, 31)]
    reporter.close()


def test_reports_outlast_an_outage() -> None:
    """They wait while the breaker is open, and are sent when the service is back."""
    with Chaos(echo) as server:
        server.stop()
        transport = HttpTransport(server.url, KEY)
        caller = Caller(transport, failures=1)
        reporter = Reporter(caller)
        with pytest.raises(ServiceError):
            caller.call("/x", b"{}", 1.0)
        for number in range(5):
            reporter.put(report(number))
        assert not reporter.flush(20)  # not waited for: it is away
        assert reporter.figures()["waiting"] == 5
        server.start()
        until(lambda: reporter.figures()["reported"] == 5)
        sent = [body for body in server.bodies if body != b"{}"]
        assert told(sent)[0] == [f"lreq_{number}" for number in range(5)]
        reporter.close()
        transport.close()


def test_a_report_whose_sending_failed_is_sent_once_more_and_a_refund_is_not() -> None:
    """The service may have read it: it knows a report by its id, but would give a charge back twice."""
    reporter, _, transport = made(DOWN, GOOD)
    reporter.put(report(1))
    reporter.refund(["charge"])
    assert reporter.flush(30)
    assert [told([body]) for body in transport.bodies] == [(["lreq_1"], ["charge"]), (["lreq_1"], [])]
    assert reporter.figures() == {"reported": 1, "dropped": 0, "refunded": 0, "refunds_lost": 1, "waiting": 0}
    reporter.close()


def test_a_batch_that_the_service_cannot_take_does_not_block_the_next() -> None:
    """It is dropped and counted."""
    reporter, caller, transport = made(bad(400), bad(413), GOOD)
    reporter.put(report(1))
    until(lambda: transport.calls == 2)
    reporter.put(report(2))
    assert reporter.flush(30)
    assert told(transport.bodies[2:]) == (["lreq_2"], [])
    assert (reporter.figures()["dropped"], caller.figures()["state"]) == (1, "closed")
    reporter.close()


def test_what_cannot_be_written_as_json_is_dropped() -> None:
    """And what is too large; the others go."""
    reporter, _, transport = made(GOOD)
    loop: dict[str, object] = {}
    loop["itself"] = loop
    for each in ({"client": object()}, loop, {"client": "x" * (LARGEST + 1)}, report(7)):
        reporter.put(each)
    assert reporter.flush(30)
    assert told(transport.bodies) == (["lreq_7"], [])
    assert reporter.figures()["dropped"] == 3
    reporter.close()


def test_a_report_may_be_made_by_the_thread_that_sends_it() -> None:
    """A request that is refused does not wait for its report to be written."""
    makers: list[str] = []

    def make(number: int) -> dict[str, object]:
        makers.append(threading.current_thread().name)
        return report(number)

    reporter, _, transport = made(GOOD)
    for number in range(3):
        reporter.put(partial(make, number))
    reporter.put(report(3))
    assert reporter.flush(30)
    assert told(transport.bodies) == (["lreq_0", "lreq_1", "lreq_2", "lreq_3"], [])
    assert makers == ["doorward-reports"] * 3
    reporter.close()


def test_a_report_that_cannot_be_made_is_dropped_and_said_once() -> None:
    """The others go; and those who put them hear nothing of it."""
    said: list[str] = []
    transport = Scripted(GOOD)
    reporter = Reporter(Caller(transport, on_change=said.append))

    def broken() -> dict[str, object]:
        raise KeyError("a visitor's secret")

    for number in range(3):
        reporter.put(broken)
        reporter.put(report(number))
    reporter.put(lambda: {"client": object()})
    assert reporter.flush(30)
    assert told(transport.bodies) == (["lreq_0", "lreq_1", "lreq_2"], [])
    assert reporter.figures()["dropped"] == 4
    assert said == ["a decision cannot be reported to the decision service: KeyError"]
    reporter.close()


def test_large_reports_are_sent_in_bodies_of_bounded_size() -> None:
    """A service takes no request without an end."""
    reporter, _, transport = made(GOOD)
    for number in range(20):
        reporter.put({**report(number), "sdkVersion": "x" * 60_000})
    assert reporter.flush(30)
    assert sum(body.count(b'"lreq_') for body in transport.bodies) == 20
    assert max(map(len, transport.bodies)) <= LARGEST + 1_000
    reporter.close()


@pytest.mark.parametrize("report", [{}, {"a": 1}], ids=["empty", "one field"])
def test_any_mapping_makes_good_json(report: dict[str, object]) -> None:
    """Alone and with others."""
    reporter, _, transport = made(GOOD)
    for _ in range(3):
        reporter.put(report)
    reporter.refund(["c"])
    assert reporter.flush(30)
    merged: dict[str, object] = {}
    for body in transport.bodies:
        merged |= json.loads(body)
    assert merged["refunds"] == ["c"]
    reporter.close()


def test_an_idle_reporter_has_a_thread_that_sleeps_and_none_before_it_is_used() -> None:
    """It waits for a condition without a time-out: the kernel has nothing to do for it."""
    before = threads("doorward-reports")
    reporter, _, transport = made(GOOD)
    assert threads("doorward-reports") == before
    reporter.put(report(1))
    assert reporter.flush(30)
    assert len(threads("doorward-reports")) == len(before) + 1
    desk = reporter._current
    waits: list[object] = []
    real = desk._changed.wait

    def wait(timeout: float | None = None) -> bool:
        waits.append(timeout)
        return real(timeout)

    desk._changed.wait = wait
    reporter.tend()  # looks around once, and sleeps again
    until(lambda: waits)
    assert waits == [None]
    reporter.close()
    assert threads("doorward-reports") == before
    assert transport.calls == 1


def test_closing_sends_what_waits_and_takes_nothing_more() -> None:
    """What comes later is counted as dropped."""
    reporter, _, transport = made(GOOD)
    reporter.put(report(1))
    reporter.close(30)
    reporter.put(report(2))
    reporter.refund(["late"])
    reporter.close(30)
    assert told(transport.bodies) == (["lreq_1"], [])
    assert (reporter.figures()["dropped"], reporter.figures()["refunds_lost"]) == (1, 1)
    assert reporter.flush(30)


def test_closing_does_not_wait_for_a_service_that_is_away() -> None:
    """What is lost is counted."""
    clock = Hand()
    caller = Caller(Scripted(DOWN), clock=clock, failures=1)
    reporter = Reporter(caller)
    with pytest.raises(ServiceError):
        caller.call("/x", b"{}", 1.0)
    for number in range(3):
        reporter.put(report(number))
    reporter.close(3600)
    assert reporter.figures()["dropped"] == 3
    assert reporter.figures()["waiting"] == 0


def test_a_reporter_that_nobody_holds_ends_its_thread() -> None:
    """A client that was made and thrown away costs no thread for ever; what waits is sent before."""
    before = threads("doorward-reports")
    reporter, _, transport = made(GOOD)
    reporter.put(report(1))
    gone = weakref.ref(reporter)
    del reporter
    gc.collect()
    assert gone() is None
    until(lambda: threads("doorward-reports") <= before)
    assert told(transport.bodies) == (["lreq_1"], [])


def test_many_threads_put() -> None:
    """Each report is sent once."""
    reporter, _, transport = made(GOOD, most=10_000)

    def work(part: int) -> None:
        for number in range(200):
            reporter.put(report(1_000 * part + number))

    running = [threading.Thread(target=work, args=(part,)) for part in range(8)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(30)
    assert reporter.flush(30)
    ids = told(transport.bodies)[0]
    assert len(ids) == len(set(ids)) == 1_600
    reporter.close()


def test_a_forked_child_reports_for_itself() -> None:
    """Its queue begins empty: what waited belongs to the parent."""
    with Chaos(echo) as server:
        transport = HttpTransport(server.url, KEY)
        reporter = Reporter(Caller(transport))
        reporter.put(report(1))
        assert reporter.flush(30)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of forks while there are threads
            child = os.fork()
        if child == 0:
            try:
                empty = reporter.figures()["reported"] == 0
                reporter.put(report(2))
                os._exit(0 if reporter.flush(30) and empty else 1)
            except BaseException:
                os._exit(2)
        assert os.waitpid(child, 0)[1] == 0
        reporter.put(report(3))
        assert reporter.flush(30)
        assert sorted(told(server.bodies)[0]) == ["lreq_1", "lreq_2", "lreq_3"]
        reporter.close()
        transport.close()


PROGRAM = """
import sys, threading
from doorward.service.client.caller import Caller
from doorward.service.client.http_transport import HttpTransport
from doorward.service.client.reporter import Reporter
reporters = [Reporter(Caller(HttpTransport(sys.argv[1], "key"))) for _ in range(int(sys.argv[2]))]
for reporter in reporters:
    reporter.put({"client": "end", "decision": {"id": "lreq_end"}})
print("done")
"""


@pytest.mark.parametrize("mode", ["up", "refused", "black hole"])
def test_the_end_of_the_interpreter_flushes_and_does_not_hang(mode: str) -> None:
    """Reports of a program that just ends are sent; a service that is silent holds it up for a bounded time."""
    with Chaos(echo if mode == "up" else "black hole") as server:
        url = f"http://127.0.0.1:{closed_port()}" if mode == "refused" else server.url
        ended = subprocess.run(
            [sys.executable, "-X", "dev", "-W", "error", "-c", PROGRAM, url, "5"],
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, "done\n", "")
        if mode == "up":
            assert told(server.bodies)[0] == ["lreq_end"] * 5


def test_warming_is_done_on_the_thread() -> None:
    """The first call finds a connection; a service that is not there is no error."""
    with Chaos(echo) as server:
        transport = HttpTransport(server.url, KEY)
        reporter = Reporter(Caller(transport))
        reporter.warm()
        until(lambda: server.accepted == 1)
        reporter.close()
        transport.close()
    lost = HttpTransport(f"http://127.0.0.1:{closed_port()}", KEY)
    other = Reporter(Caller(lost))
    other.warm()
    assert other.flush(30)
    other.close()
    lost.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_has_died_is_replaced() -> None:
    """Whatever ended it: the next report, or the next call that is refused, begins another."""
    reporter, caller, transport = made(GOOD)
    reporter.put(report(1))
    assert reporter.flush(30)

    def die() -> None:
        raise SystemExit

    healthy, caller.away_for = caller.away_for, die
    reporter.tend()
    until(lambda: not reporter._current._thread.is_alive())
    caller.away_for = healthy
    reporter.put(report(2))
    assert reporter.flush(30)
    assert told(transport.bodies)[0] == ["lreq_1", "lreq_2"]
    reporter.close()
