"""The parts that callers of a resolver share: pure, by a clock that stands still."""

from __future__ import annotations

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.effects import DnsAnswer
from doorward.resolving.breaker import PATIENCE, PAUSE, SUSPECT, Breaker
from doorward.resolving.cache import Cache, Failure
from doorward.resolving.failures import NotAsked
from doorward.resolving.flights import Flights
from doorward.testing import FakeClock

LATE = 20.0


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def suspicious(clock: FakeClock) -> Breaker:
    breaker = Breaker(clock)
    for number in range(SUSPECT):
        assert not breaker.wants_proof(LATE)
        breaker.silence(str(number), LATE)
    return breaker


def test_one_name_over_and_over_raises_no_suspicion(clock: FakeClock) -> None:
    """Its own servers may be dead."""
    breaker = Breaker(clock)
    for _ in range(10):
        breaker.silence("dead.example", LATE)
    assert not breaker.wants_proof(LATE)


def test_one_caller_at_a_time_asks_for_the_proof(suspicious: Breaker) -> None:
    """The others go on asking, as long as nothing is proved."""
    assert [suspicious.wants_proof(LATE) for _ in range(3)] == [True, False, False]


def test_a_proof_that_nobody_finished_is_asked_for_again(suspicious: Breaker, clock: FakeClock) -> None:
    """Its caller was cancelled."""
    assert suspicious.wants_proof(LATE)
    clock.advance(PAUSE)
    assert suspicious.wants_proof(LATE)


def test_a_failed_proof_spares_everybody_a_pause(suspicious: Breaker, clock: FakeClock) -> None:
    """Then one has to prove again; nobody is sent to prove who has no time for it."""
    assert suspicious.wants_proof(LATE)
    suspicious.proof_failed()
    with pytest.raises(NotAsked):
        suspicious.wants_proof(LATE)
    clock.advance(PAUSE)
    with pytest.raises(NotAsked):
        suspicious.wants_proof(PATIENCE / 2)
    assert suspicious.wants_proof(LATE)
    with pytest.raises(NotAsked):
        suspicious.wants_proof(LATE)


def test_a_word_from_anybody_ends_all_suspicion(suspicious: Breaker) -> None:
    """Also after a failed proof."""
    suspicious.wants_proof(LATE)
    suspicious.proof_failed()
    suspicious.heard()
    assert not suspicious.wants_proof(LATE)


def test_a_flight_whose_leader_is_gone_is_taken_over() -> None:
    """Whatever became of it; its late landing does not end the new one."""
    flights = Flights(threading.Event)
    lost, leading = flights.join("k", time.monotonic() - 1)
    assert leading
    taken, leading = flights.join("k", time.monotonic() + LATE)
    assert leading
    flights.land("k", lost)
    assert flights.join("k", time.monotonic() + LATE) == (taken, False)
    flights.land("k", taken)
    assert taken.landed.is_set()
    assert not flights._flying


VALUES = st.one_of(st.just(Failure("silent", 1.0)), st.just(DnsAnswer(True, ("a",))), st.just(DnsAnswer(False)))
STEPS = st.lists(st.tuples(st.sampled_from("abcd"), st.none() | VALUES, st.integers(0, 4000)), max_size=60)


@given(STEPS)
def test_a_cache_forgets_when_it_should_and_never_grows(steps) -> None:
    """Against a dictionary of when each entry ends, and the order in which they were used."""
    clock = FakeClock()
    cache = Cache(clock, size=3)
    model: dict[str, tuple[float, object]] = {}
    for key, value, number in steps:
        if value is None:
            known = model.pop(key, None)
            live = known is not None and clock.now() < known[0]
            assert cache.get(key) == (known[1] if live else None)
            if live:
                model[key] = known
            clock.advance(number / 4)
            continue
        if isinstance(value, Failure):
            cache.failed(key, value)
            seconds = 2
        else:
            cache.answered(key, value, number)
            seconds = min(max(number, 5), 3600 if value.records else 900)
        model.pop(key, None)
        model[key] = (clock.now() + seconds, value)
        while len(model) > 3:
            del model[next(iter(model))]
        assert len(cache._held) <= 3
