"""The algorithms against brute force: 2,000 random sequences each, 100,000 under ``DOORWARD_SOAK=1``."""

from __future__ import annotations

import random

import pytest
from tests.stores.oracle import (
    SEQUENCES,
    BucketOracle,
    FixedOracle,
    Oracle,
    SlidingOracle,
    cost_of,
    plan,
    steps,
    window_excess,
)

from doorward.effects import Algorithm, Hit
from doorward.stores.algorithms import DECIDE, GROUPS, State, expiry_of, refund

pytestmark = pytest.mark.timeout(3600)

FIXED, BUCKET, SLIDING = Algorithm.FIXED_WINDOW, Algorithm.TOKEN_BUCKET, Algorithm.SLIDING_WINDOW
ORACLES: dict[Algorithm, type[FixedOracle | BucketOracle | SlidingOracle]] = {
    FIXED: FixedOracle,
    BUCKET: BucketOracle,
    SLIDING: SlidingOracle,
}
every_algorithm = pytest.mark.parametrize("algorithm", [FIXED, BUCKET, SLIDING])
START = 1_800_000_000_000_000_000


class Counter:
    """One key: keeps the state between hits, and a log of what was admitted."""

    def __init__(self, algorithm: Algorithm, limit: int, interval: int) -> None:
        self.algorithm = algorithm
        self.limit = limit
        self.interval = interval
        self.state: State | None = None
        self.log: list[tuple[int, int]] = []

    def look(self, cost: int, now: int) -> tuple[State | None, int, int, int]:
        return DECIDE[self.algorithm](self.state, self.limit, self.interval, cost, now)

    def hit(self, cost: int, now: int) -> bool:
        new = self.look(cost, now)[0]
        if new is not None:
            self.state = new
            self.log.append((now, cost))
        return new is not None

    def refund(self, place: int, now: int) -> None:
        at, cost = self.log.pop(place)
        if self.state is not None:
            self.state = refund(self.state, Hit("k", self.algorithm, self.limit, self.interval, cost), at, now)


def check_against(oracle: Oracle, counter: Counter, rng: random.Random) -> None:
    now = START + rng.randrange(counter.interval)
    for _ in range(30):
        now += steps(rng, counter.interval)
        cost = cost_of(rng, counter.limit)
        room = oracle.room(now)
        left = counter.look(cost, now)[1]
        assert counter.hit(cost, now) is (cost <= room)
        assert left == (room - cost if cost <= room else room)
        if cost <= room:
            oracle.admit(cost, now)


@every_algorithm
def test_p10_decisions_and_remainders_are_those_of_brute_force(algorithm: Algorithm) -> None:
    """Up to a limit of 32, every algorithm admits exactly what its definition admits, and counts what is left."""
    for seed in range(SEQUENCES):
        rng = random.Random(seed)
        limit, interval = plan(rng, max_limit=GROUPS)
        check_against(ORACLES[algorithm](limit, interval), Counter(algorithm, limit, interval), rng)


@every_algorithm
def test_p10_no_window_is_ever_over_max(algorithm: Algorithm) -> None:
    """With charges taken back in between, what was admitted and kept never exceeds the promise, at any time."""
    for seed in range(SEQUENCES):
        rng = random.Random(seed)
        limit, interval = plan(rng, max_limit=12 if seed % 2 else 200)
        counter = Counter(algorithm, limit, interval)
        now = START + rng.randrange(interval)
        for _ in range(25):
            now += steps(rng, interval)
            if counter.log and rng.random() < 0.3:
                counter.refund(rng.randrange(len(counter.log)), now)
            elif counter.hit(cost_of(rng, limit if seed % 4 else limit // 3 + 1), now):
                assert window_excess(algorithm, limit, interval, counter.log) <= 0, (seed, counter.log)


@every_algorithm
def test_p10_retry_is_exact_to_the_nanosecond(algorithm: Algorithm) -> None:
    """After the wait that a refusal names the hit is admitted; one nanosecond sooner it is not."""
    refusals = 0
    for seed in range(SEQUENCES):
        rng = random.Random(seed)
        limit, interval = plan(rng, max_limit=100)
        counter = Counter(algorithm, limit, interval)
        now = START
        for _ in range(20):
            now += steps(rng, interval) // 4
            cost = rng.randint(1, limit)
            if not counter.hit(cost, now):
                retry = counter.look(cost, now)[3]
                assert retry > 0
                assert counter.look(cost, now + retry - 1)[0] is None
                assert counter.look(cost, now + retry)[0] is not None
                refusals += 1
    assert refusals > SEQUENCES


@every_algorithm
def test_p10_a_counter_is_as_good_as_new_at_its_reset(algorithm: Algorithm) -> None:
    """At the reset, and not a nanosecond sooner, everything is free again."""
    for seed in range(SEQUENCES):
        rng = random.Random(seed)
        limit, interval = plan(rng, max_limit=100)
        counter = Counter(algorithm, limit, interval)
        now = START
        for _ in range(10):
            now += steps(rng, interval) // 4
            counter.hit(rng.randint(1, limit), now)
            reset = counter.look(0, now)[2]
            assert counter.look(0, now + reset)[1] == limit
            assert counter.look(0, now + reset - 1)[1] < limit
            assert counter.state is not None
            assert expiry_of(counter.state) == now + reset


@every_algorithm
def test_p10_a_refund_gives_back_what_was_just_taken(algorithm: Algorithm) -> None:
    """A charge taken back at once leaves as much room as before it, up to a limit of 32."""
    for seed in range(SEQUENCES):
        rng = random.Random(seed)
        limit, interval = plan(rng, max_limit=GROUPS)
        counter = Counter(algorithm, limit, interval)
        now = START
        for _ in range(10):
            now += steps(rng, interval) // 3
            before = counter.look(0, now)[1]
            if counter.hit(rng.randint(1, limit), now) and rng.random() < 0.5:
                counter.refund(-1, now)
                assert counter.look(0, now)[1] == before


@pytest.mark.parametrize("limit", [33, 50, 64, 65, 100, 1000])
def test_p10_a_long_sliding_window_admits_31_of_32(limit: int) -> None:
    """Above 32, whatever the traffic, at least 31/32 of what an exact log admits; and never a window over max."""
    interval = 1_000_000
    for seed in range(max(2, SEQUENCES // 400)):
        rng = random.Random(seed)
        counter, exact = Counter(SLIDING, limit, interval), _FastLog(limit, interval)
        now, admitted = START, 0
        pause = max(1, round(interval / limit * rng.choice((0.1, 0.3, 0.7, 1.0, 1.3))))
        for _ in range(6 * limit):
            now += interval // 2 if rng.random() < 2 / limit else rng.randrange(2 * pause)
            admitted += exact.hit(now)
            counter.hit(1, now)
        assert len(counter.log) >= admitted * 31 / 32
        times = [at for at, _ in counter.log]
        assert all(late - early >= interval for early, late in zip(times, times[limit:], strict=False))


class _FastLog:
    """An exact log for hits of cost 1: there is room if the admission ``limit`` before this one has expired."""

    def __init__(self, limit: int, interval: int) -> None:
        self.limit = limit
        self.interval = interval
        self.times: list[int] = []

    def hit(self, now: int) -> bool:
        admitted = len(self.times) < self.limit or self.times[-self.limit] + self.interval <= now
        if admitted:
            self.times.append(now)
        return admitted
