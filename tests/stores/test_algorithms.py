"""The algorithms by hand: edges of windows, bursts, hammering clients, broken clocks, odd arguments."""

from __future__ import annotations

from fractions import Fraction
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.clock import NANOSECONDS
from doorward.effects import Algorithm, Hit
from doorward.stores.algorithms import DECIDE, State, add_weight, expiry_of, refund, seconds

FIXED, BUCKET, SLIDING = Algorithm.FIXED_WINDOW, Algorithm.TOKEN_BUCKET, Algorithm.SLIDING_WINDOW
every_algorithm = pytest.mark.parametrize("algorithm", [FIXED, BUCKET, SLIDING])
START = 1_800_000_000 * NANOSECONDS
HOUR = 3600 * NANOSECONDS
MINUTE = 60 * NANOSECONDS


class Counter:
    def __init__(self, algorithm: Algorithm, limit: int, interval: int) -> None:
        self.algorithm = algorithm
        self.plan = limit, interval
        self.state: State | None = None
        self.admitted: list[int] = []

    def hit(self, now: int, cost: int = 1) -> tuple[int, int, int] | None:
        """What is left, reset and retry; None for a refusal."""
        new, *figures = DECIDE[self.algorithm](self.state, *self.plan, cost, now)
        if new is None:
            return None
        self.state = new
        self.admitted.append(now)
        return figures[0], figures[1], figures[2]

    def retry(self, now: int, cost: int = 1) -> int:
        return DECIDE[self.algorithm](self.state, *self.plan, cost, now)[3]

    def burst(self, now: int, size: int = 30) -> int:
        return sum(self.hit(now) is not None for _ in range(size))


@pytest.mark.parametrize(("algorithm", "worst"), [(FIXED, 20), (SLIDING, 10)])
def test_p10_boundary_burst(algorithm: Algorithm, worst: int) -> None:
    """Bursts on both sides of a boundary: a fixed window admits both by definition, a sliding one only the first."""
    counter = Counter(algorithm, 10, 2 * NANOSECONDS)
    counter.burst(START + 1_850_000_000)
    counter.burst(START + 2_100_000_000)
    assert len(counter.admitted) == worst


def test_p10_early_hit_then_bursts_around_its_expiry() -> None:
    """A hit that opened the window early does not let a sliding window admit two bursts around its end."""
    counter = Counter(SLIDING, 10, 2 * NANOSECONDS)
    for at in (0.3, 2.2, 2.4):
        counter.burst(START + round(at * NANOSECONDS))
    times = counter.admitted
    assert max(sum(first <= at < first + 2 * NANOSECONDS for at in times) for first in times) == 10


@every_algorithm
def test_p10_hammering_client_gets_its_full_share(algorithm: Algorithm) -> None:
    """A client that never stops, at 3.3 times the rate, is admitted as often as one that waits."""
    counter = Counter(algorithm, 10, 2 * NANOSECONDS)
    for at in range(START, START + 6 * NANOSECONDS, 60_000_000):
        counter.hit(at)
    assert len(counter.admitted) == (39 if algorithm is BUCKET else 30)


@every_algorithm
def test_p10_refused_hits_do_not_prolong(algorithm: Algorithm) -> None:
    """Thousands of refused hits leave the moment of the next admission where it was."""
    counter = Counter(algorithm, 5, MINUTE)
    counter.burst(START, 5)
    free = START + counter.retry(START)
    for at in range(START, free, MINUTE // 5000):
        assert counter.hit(at) is None
    assert counter.hit(free) is not None


def test_p10_hits_one_interval_apart_share_no_sliding_window() -> None:
    """The window is half open: a hit exactly one interval after another is outside its window, a sooner one is not."""
    counter = Counter(SLIDING, 1, MINUTE)
    assert counter.hit(START)
    assert not counter.hit(START + MINUTE - 1)
    assert counter.hit(START + MINUTE)


def test_p10_a_bucket_refills_evenly() -> None:
    """A third of a token's time buys nothing, its whole time buys one token, even where it is no whole nanosecond."""
    counter = Counter(BUCKET, 3, 10)
    counter.burst(START)
    assert [at for at in range(1, 11) if counter.hit(START + at)] == [4, 7, 10]


@every_algorithm
@pytest.mark.parametrize("used", [0, 2])
def test_p10_a_cost_above_max_waits_for_what_there_is(algorithm: Algorithm, used: int) -> None:
    """It is refused for good, and told how long until as much as possible is free."""
    counter = Counter(algorithm, 5, MINUTE)
    for _ in range(used):
        counter.hit(START)
    retry = counter.retry(START, cost=6)
    assert counter.hit(START, cost=6) is None
    assert (retry > 0) is (used > 0)
    assert counter.hit(START + retry, cost=6) is None
    assert counter.hit(START + retry, cost=5) is not None


@every_algorithm
@pytest.mark.parametrize("limit", [0, 1, 2**32, 2**63])
def test_p10_extreme_limits(algorithm: Algorithm, limit: int) -> None:
    """A limit of nothing admits nothing, and one of 2**63 counts as exactly as a small one."""
    counter = Counter(algorithm, limit, MINUTE)
    assert (counter.hit(START, cost=max(1, limit)) is not None) is (limit > 0)
    assert counter.hit(START) is None
    assert counter.retry(START) >= 0


@every_algorithm
@pytest.mark.parametrize("other", [FIXED, BUCKET, SLIDING])
def test_p11_a_state_of_another_algorithm_does_no_harm(algorithm: Algorithm, other: Algorithm) -> None:
    """If two plans share a key by mistake, each call still answers, and never with a wait of over two intervals."""
    counter = Counter(other, 7, MINUTE)
    counter.burst(START)
    counter.algorithm = algorithm
    counter.plan = 3, MINUTE
    assert 0 <= counter.retry(START) <= 2 * MINUTE
    assert counter.hit(START + 2 * MINUTE) is not None
    assert counter.state is not None
    refund(counter.state, Hit("k", other, 3, MINUTE), START, START + 2 * MINUTE)


@every_algorithm
@given(plans=st.lists(st.tuples(st.integers(0, 200), st.integers(1, 5), st.integers(1, 200)), max_size=12))
def test_p11_a_plan_that_changes_under_a_key_does_no_harm(
    algorithm: Algorithm, plans: list[tuple[int, int, int]]
) -> None:
    """Limits and intervals that change from hit to hit neither raise nor make anyone wait for over two intervals."""
    counter = Counter(algorithm, 1, 1)
    for most, minutes, cost in plans:
        counter.plan = most, minutes * MINUTE
        counter.hit(START, cost)
        assert 0 <= counter.retry(START, cost) <= 2 * minutes * MINUTE
        if counter.state is not None:
            counter.state = refund(counter.state, Hit("k", algorithm, most, minutes * MINUTE, cost // 2), START, START)


@every_algorithm
@pytest.mark.parametrize("jump", [-HOUR, HOUR, -MINUTE * 3 // 2, -5 * NANOSECONDS, 5 * NANOSECONDS, 10 * MINUTE])
@pytest.mark.parametrize("offset", [0, 3 * NANOSECONDS, 59 * NANOSECONDS])
def test_p11_clock_jumps(algorithm: Algorithm, jump: int, offset: int) -> None:
    """No step of the clock raises, gives a negative wait, shuts out for over two intervals, or admits over 2 * max."""
    counter = Counter(algorithm, 50, MINUTE)
    before = START + offset
    counter.burst(before, 60)
    after = before + jump
    admitted_at_once = counter.burst(after, 60)
    assert admitted_at_once <= 50
    assert 0 <= counter.retry(after) <= 2 * MINUTE
    assert counter.hit(after + 2 * MINUTE) is not None


@every_algorithm
def test_p11_a_small_step_back_frees_nobody(algorithm: Algorithm) -> None:
    """A refused client is still refused after the clock has stepped back five seconds, and its wait is exact."""
    counter = Counter(algorithm, 3, MINUTE)
    now = START + 2 * NANOSECONDS
    counter.burst(now)
    now -= 5 * NANOSECONDS
    retry = counter.retry(now)
    assert counter.hit(now) is None
    assert counter.hit(now + retry - 1) is None
    assert counter.hit(now + retry) is not None


def test_p11_a_small_step_back_shortens_no_window() -> None:
    """What is admitted after a step back stays in the log as long as what was admitted before it."""
    counter = Counter(SLIDING, 3, MINUTE)
    counter.burst(START, 2)
    assert counter.hit(START - 5 * NANOSECONDS) is not None
    assert counter.hit(START + MINUTE - 1) is None
    assert counter.burst(START + MINUTE) == 3


def test_p11_a_refund_after_a_step_back_gives_no_more_than_was_taken() -> None:
    """Time that seems to have run backwards is not credited."""
    counter = Counter(BUCKET, 6, MINUTE)
    counter.hit(START, cost=6)
    assert counter.state is not None
    now = START - 10 * NANOSECONDS
    counter.state = refund(counter.state, Hit("k", BUCKET, 6, MINUTE, cost=3), START, now)
    assert counter.burst(START) == 3


@pytest.mark.parametrize("limit", [10_000, 3_200])
def test_a_sliding_state_never_outgrows_its_groups(limit: int) -> None:
    """However high the limit, a state stays within 272 bytes."""
    counter = Counter(SLIDING, limit, MINUTE)
    for at in range(START, START + 3 * MINUTE, MINUTE // 7_000):
        counter.hit(at)
        assert len(counter.state or b"") <= 272


def test_p10_fixed_refund_after_the_window_changes_nothing() -> None:
    """A charge of an earlier window is not given back to the next one."""
    counter = Counter(FIXED, 3, MINUTE)
    counter.hit(START)
    counter.hit(START + MINUTE)
    assert counter.state is not None
    assert refund(counter.state, Hit("k", FIXED, 3, MINUTE), START, START + MINUTE) == counter.state


def test_p10_bucket_refund_counts_what_flowed_back() -> None:
    """What has refilled since the charge is not given a second time."""
    counter = Counter(BUCKET, 6, MINUTE)
    counter.hit(START, cost=6)
    half = START + MINUTE // 2
    assert counter.state is not None
    counter.state = refund(counter.state, Hit("k", BUCKET, 6, MINUTE, cost=4), START, half)
    figures = counter.hit(half)
    assert figures is not None
    assert figures[0] == 3 + 1 - 1


def test_p10_sliding_refund_keeps_the_times_of_the_others() -> None:
    """Taking back the middle one of three hits leaves the first and the last where they were."""
    counter = Counter(SLIDING, 3, MINUTE)
    for second in (0, 10, 20):
        counter.hit(START + second * NANOSECONDS)
    assert counter.state is not None
    now = START + 21 * NANOSECONDS
    counter.state = refund(counter.state, Hit("k", SLIDING, 3, MINUTE), START + 10 * NANOSECONDS, now)
    assert counter.hit(now) is not None
    assert counter.retry(now) == 39 * NANOSECONDS
    assert counter.state is not None
    assert expiry_of(counter.state) == now + MINUTE


@given(st.integers(0, 2**70))
def test_p10_seconds_never_fall_short(nanoseconds: int) -> None:
    """A duration as a float is at least what it stands for, and above it by next to nothing."""
    result = seconds(nanoseconds)
    assert round(result * 1e9) >= nanoseconds
    assert Fraction(result) <= Fraction(nanoseconds, NANOSECONDS) * (1 + Fraction(1, 2**50))


def test_tally_sinks_to_nothing_within_its_window() -> None:
    """Half a window later all of a weight is still there, a window later none of it, wherever the window began."""
    for start in range(START, START + 100, 7):
        tally, _ = add_weight(None, 4.0, 100, start)
        assert add_weight(tally, 0.0, 100, start + 50)[1] == 4.0
        assert add_weight(tally, 0.0, 100, start + 100)[1] == 0.0


@given(st.lists(st.tuples(st.integers(0, 60), st.floats(0, 10)), max_size=30))
def test_tally_never_over_counts(pauses: list[tuple[int, float]]) -> None:
    """The sum is between that of the last half window and that of the last window."""
    now, tally, log = START, None, []
    for pause, weight in pauses:
        now += pause
        log.append((now, weight))
        tally, total = add_weight(tally, weight, 100, now)
        assert total <= sum(w for at, w in log if at > now - 100) + 1e-9
        assert total >= sum(w for at, w in log if at > now - 50) - 1e-9


def test_tally_is_bounded_when_the_clock_steps_back() -> None:
    """A tally from the future counts as none."""
    tally, _ = add_weight(None, 4.0, 100, START + 1000)
    assert add_weight(tally, 1.0, 100, START)[1] == 1.0


def test_p10_sequence_of_a_readme_reader() -> None:
    """Five a minute: what is left counts down, and the wait is that of the oldest hit."""
    counter = Counter(SLIDING, 5, MINUTE)
    figures = [counter.hit(START + at * NANOSECONDS) for at in range(5)]
    assert [left for left, _, _ in filter(None, figures)] == [4, 3, 2, 1, 0]
    waits = (counter.retry(START + at * NANOSECONDS) // NANOSECONDS for at in count(5))
    assert [next(waits), next(waits)] == [55, 54]
