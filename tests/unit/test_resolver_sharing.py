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
from doorward.resolving.flights import MOST_IN_FLIGHT, Flights
from doorward.resolving.honesty import KEPT, Honesty, Root
from doorward.resolving.servers import Server
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
    flights = Flights()
    lost, leading = join(flights, "k", -1)
    assert leading
    taken, leading = join(flights, "k")
    assert leading
    flights.land("k", lost)
    assert join(flights, "k") == (taken, False)
    flights.land("k", taken)
    assert taken.landed.is_set()
    assert not flights._flying


def join(flights: Flights, key: object, seconds: float = LATE):
    return flights.join(key, time.monotonic() + seconds, threading.Event)


def full(seconds: float = LATE) -> tuple[Flights, list]:
    flights = Flights()
    return flights, [join(flights, number, seconds)[0] for number in range(MOST_IN_FLIGHT)]


def test_so_many_fly_at_once_and_no_more() -> None:
    """Who asks what is on its way already is welcome; one that has landed makes room for one."""
    flights, flying = full()
    with pytest.raises(NotAsked, match=f"{MOST_IN_FLIGHT} questions wait for the name servers already"):
        join(flights, "more")
    assert join(flights, 0) == (flying[0], False)
    flights.land(0, flying[0])
    assert join(flights, "more")[1]
    with pytest.raises(NotAsked):
        join(flights, 0)


def test_flights_without_leaders_take_no_room() -> None:
    """Their time was over long ago."""
    flights, _ = full(seconds=-1)
    assert join(flights, "more")[1]
    assert len(flights._flying) == 1


def test_a_question_whose_leader_is_gone_can_be_taken_over() -> None:
    """It needs no more room than it had."""
    flights, flying = full()
    flying[0].ends = 0.0
    assert join(flights, 0)[1]
    with pytest.raises(NotAsked):
        join(flights, "more")


def test_flights_of_a_parent_take_no_room_in_its_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their leaders have not come along."""
    flights, _ = full()
    monkeypatch.setattr("doorward.resolving.flights.os.getpid", lambda: -1)
    assert join(flights, "more")[1]


@pytest.mark.parametrize("root", Root)
def test_what_is_said_of_the_root_is_kept_for_a_while(clock: FakeClock, root: Root) -> None:
    """Of one server, and asked again after it."""
    honesty = Honesty(clock)
    honesty.says(Server("192.0.2.1"), root)
    clock.advance(KEPT[root] - 1)
    assert honesty.said(Server("192.0.2.1")) is root
    assert honesty.said(Server("192.0.2.2")) is None
    clock.advance(1)
    assert honesty.said(Server("192.0.2.1")) is None


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
