"""The circuit breaker, with a clock and a chance that are the test's."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

import pytest

from doorward.stores.outage import FIRST, LONGEST, PATIENCE, Breaker, Phase


class Hand:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def made(chance: Callable[[], float] = lambda: 1.0) -> tuple[Breaker, Hand]:
    clock = Hand()
    return Breaker(clock, chance), clock


def test_it_begins_closed() -> None:
    """Calls go through, and there is nothing to probe."""
    breaker, _ = made()
    assert breaker.closed
    assert breaker.phase is Phase.CLOSED
    assert not breaker.begin_probe()
    assert breaker.wait() == 0.0


def test_one_failure_opens_it() -> None:
    """Whoever opens it is told so, once; the cause is kept."""
    breaker, _ = made()
    assert breaker.failed("silent")
    assert not breaker.failed("still silent")
    assert not breaker.closed
    assert (breaker.phase, breaker.cause, breaker.opened) == (Phase.OPEN, "silent", 1)


def test_a_probe_is_due_after_the_wait_and_not_before() -> None:
    """One probe, by whoever asks first."""
    breaker, clock = made()
    breaker.failed("silent")
    assert breaker.wait() == pytest.approx(FIRST)
    clock.now += FIRST / 2
    assert not breaker.begin_probe()
    clock.now += FIRST / 2 + 1e-9
    assert breaker.wait() == 0.0
    assert [breaker.begin_probe() for _ in range(3)] == [True, False, False]
    assert breaker.phase is Phase.HALF_OPEN


def test_a_probe_that_goes_well_closes_it() -> None:
    """And the next outage begins with the shortest wait."""
    breaker, clock = made()
    for _ in range(2):
        breaker.failed("silent")
        assert breaker.wait() == pytest.approx(FIRST)
        clock.now += FIRST + 1e-9
        assert breaker.begin_probe()
        assert breaker.succeeded()
        assert breaker.closed
        assert not breaker.succeeded()
    assert breaker.opened == 2


def test_waits_double_up_to_the_longest() -> None:
    """Probes that fail come less and less often, and never less than once a second."""
    breaker, clock = made()
    breaker.failed("silent")
    waits = []
    for _ in range(8):
        waits.append(breaker.wait())
        clock.now += breaker.wait() + 1e-9
        assert breaker.begin_probe()
        breaker.failed("silent still")
    assert waits == pytest.approx([0.05, 0.1, 0.2, 0.4, 0.8, LONGEST, LONGEST, LONGEST])
    assert breaker.cause == "silent still"


def test_waits_are_spread() -> None:
    """Between half of the wait and all of it, so that processes do not come back as one."""
    rng = random.Random(7)
    waits = []
    for _ in range(200):
        breaker, _ = made(rng.random)
        breaker.failed("silent")
        waits.append(breaker.wait())
    assert FIRST / 2 <= min(waits) < 0.6 * FIRST
    assert 0.9 * FIRST < max(waits) <= FIRST


def test_calls_that_were_under_way_do_not_lengthen_the_wait() -> None:
    """Sixteen threads that waited for one silent server are one outage."""
    breaker, _ = made()
    for _ in range(16):
        breaker.failed("silent")
    assert breaker.wait() == pytest.approx(FIRST)


def test_a_probe_that_never_reports_is_given_up() -> None:
    """A thread that died does not keep the breaker open."""
    breaker, clock = made()
    breaker.failed("silent")
    clock.now += FIRST + 1e-9
    assert breaker.begin_probe()
    assert breaker.wait() == pytest.approx(PATIENCE)
    clock.now += PATIENCE + 1e-9
    assert breaker.wait() == 0.0
    assert breaker.begin_probe()


def test_a_failure_from_before_the_recovery_is_not_held_against_it() -> None:
    """A call that began while the server was down, and ends after it came back, does not open it again."""
    breaker, clock = made()
    breaker.failed("silent", began=clock.now)
    slow = clock.now
    clock.now += FIRST + 1e-9
    assert breaker.begin_probe()
    breaker.succeeded()
    clock.now += 0.1
    assert not breaker.failed("silent", began=slow)
    assert breaker.closed
    assert breaker.failed("silent", began=clock.now)


def test_one_of_many_threads_may_probe() -> None:
    """Safe from any thread: exactly one begins the probe, and exactly one is told that it opened."""
    for _ in range(50):
        breaker, clock = made()
        opened: list[bool] = []
        began: list[bool] = []
        start = threading.Barrier(8)

        def work(breaker: Breaker = breaker, opened: list[bool] = opened, start: threading.Barrier = start) -> None:
            start.wait()
            opened.append(breaker.failed("silent"))

        def probe(breaker: Breaker = breaker, began: list[bool] = began, start: threading.Barrier = start) -> None:
            start.wait()
            began.append(breaker.begin_probe())

        for job, found in ((work, opened), (probe, began)):
            threads = [threading.Thread(target=job) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert sorted(found) == [False] * 7 + [True]
            clock.now += FIRST + 1e-9


def test_so_many_failures_as_asked_for_open_it() -> None:
    """One after the other: a success in between begins the count anew, and so does the next outage."""
    clock = Hand()
    breaker = Breaker(clock, lambda: 1.0, failures=3)
    assert [breaker.failed("silent") for _ in range(2)] == [False, False]
    assert not breaker.succeeded()
    assert [breaker.failed("silent") for _ in range(3)] == [False, False, True]
    clock.now += FIRST + 1e-9
    assert breaker.begin_probe()
    assert breaker.succeeded()
    assert [breaker.failed("silent") for _ in range(3)] == [False, False, True]
    assert breaker.opened == 2


def test_the_spread_of_waits_can_be_chosen() -> None:
    """Whoever promises at most one probe a second cannot leave half of a wait to chance."""
    waits = []
    for chance in (0.0, 1.0):
        breaker = Breaker(Hand(), lambda chance=chance: chance, first=2.0, spread=0.2)
        breaker.failed("silent")
        waits.append(breaker.wait())
    assert waits == pytest.approx([1.6, 2.0])
