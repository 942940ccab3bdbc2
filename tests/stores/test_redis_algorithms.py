"""What the scripts decide is what the algorithms in Python decide: the same verdicts, for any sequence of calls."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import pytest
from tests.stores.hits import BAN, BUCKET, FIXED, SLIDING
from tests.stores.oracle import SOAK, steps
from tests.stores.valkeys import Valkey, running

from doorward.effects import Charge, Hit, Verdict
from doorward.stores.memory import MemoryStore
from doorward.stores.redis import RedisStore

SEQUENCES = 2_000 if SOAK else 120
MICRO = 1_000
MINUTE = 60_000_000_000
INTERVALS = (7 * MICRO, 1001 * MICRO, MINUTE, MINUTE + MICRO, 97_531_000_000 + 7 * MICRO, 3_600 * 10**9)
"""Whole microseconds, as the server counts them."""
START = 1_800_000_000_000_000_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    valkey = Valkey(tmp_path_factory.mktemp("valkey"))
    with running(valkey):
        yield valkey


class Pair:
    """Both stores, at one time."""

    def __init__(self, server: Valkey, seed: int, namespace: str) -> None:
        self.now = START
        self.rng = random.Random(seed)
        self.memory = MemoryStore(clock=self)
        self.redis = RedisStore(server.url(query=f"?namespace={namespace}{seed}"), timeout=20, time=self.microseconds)

    def now_ns(self) -> int:
        return self.now

    def microseconds(self) -> int:
        return self.now // MICRO

    def pass_time(self, interval: int) -> None:
        self.now += steps(self.rng, interval) // 2 // MICRO * MICRO


def a_hit(rng: random.Random, plans: Sequence[Hit]) -> Hit:
    hit = rng.choice(plans)
    cost = 1 if rng.random() < 0.5 else rng.randint(1, hit.max + 1)
    return hit._replace(cost=cost, group=rng.randrange(3), dry_run=rng.random() < 0.3)


def plans_of(rng: random.Random) -> list[Hit]:
    plans = []
    for number in range(4):
        most = rng.choice((rng.randint(1, 12), rng.randint(13, 200), 10**15 - 1))
        plans.append(Hit(f"k{number}", rng.choice((FIXED, SLIDING, BUCKET)), most, rng.choice(INTERVALS)))
    return [*plans, Hit("k0", BAN, 1, 1)]


def in_memory_order(hits: list[Hit]) -> list[Hit]:
    """One dry-run flag for each group, as the engine sets them."""
    return [hit._replace(group=hit.group + 3 * hit.dry_run) for hit in hits]


def test_p10_every_verdict_is_that_of_the_algorithms_in_python(server: Valkey) -> None:
    """P10: counts, peeks and refunds of groups, of all algorithms and costs, and bans: not one number differs."""
    admitted = refused = 0
    for seed in range(SEQUENCES):
        pair = Pair(server, seed, "verdicts")
        rng, charges = pair.rng, list[Charge]()
        plans = plans_of(rng)
        with pair.redis:
            for _ in range(25):
                pair.pass_time(plans[0].interval)
                chance = rng.random()
                if chance < 0.1:
                    length = rng.randint(70, 200)
                    pair.memory.ban("k0", length)
                    pair.redis.ban("k0", length)
                elif chance < 0.2:
                    assert pair.memory.unban("k0") == pair.redis.unban("k0")
                elif chance < 0.35 and charges:
                    taken = [charges.pop(rng.randrange(len(charges)))]
                    pair.memory.refund(taken)
                    pair.redis.refund(taken)
                else:
                    hits = in_memory_order([a_hit(rng, plans) for _ in range(rng.choice((1, 1, 2, 3, 5)))])
                    assert_same(hits, pair.redis.peek(hits), pair.memory.peek(hits))
                    ours, theirs = pair.redis.count(hits), pair.memory.count(hits)
                    assert_same(hits, ours, theirs)
                    charges += _charged(hits, ours)
                    admitted += sum(verdict.admitted for verdict in ours)
                    refused += sum(not verdict.admitted for verdict in ours)
    assert admitted > SEQUENCES
    assert refused > SEQUENCES


def assert_same(hits: Sequence[Hit], ours: Sequence[Verdict], theirs: Sequence[Verdict]) -> None:
    """Equal, but that a bucket's waits are told in whole microseconds, rounded up."""
    for hit, own, other in zip(hits, ours, theirs, strict=True):
        if hit.algorithm is BUCKET:
            for wait in ("reset_after", "retry_after"):
                assert -1e-12 <= getattr(own, wait) - getattr(other, wait) < 1.000001e-6, (hit, own, other)
            assert own == other._replace(reset_after=own.reset_after, retry_after=own.retry_after), hit
        else:
            assert own == other, hit


def _charged(hits: Sequence[Hit], verdicts: Sequence[Verdict]) -> list[Charge]:
    if not all(verdict.admitted for verdict in verdicts):
        return []
    return [Charge(hit, verdict.at) for hit, verdict in zip(hits, verdicts, strict=True)]


def test_sums_are_those_of_the_algorithm_in_python(server: Valkey) -> None:
    """A tally sinks on the server as it does in memory."""
    for seed in range(max(10, SEQUENCES // 20)):
        pair = Pair(server, seed, "sums")
        window = pair.rng.choice((60, 61, 600))
        with pair.redis:
            for _ in range(20):
                pair.pass_time(int(window * 1e9))
                weight = pair.rng.choice((1.0, 0.3, 2.5))
                assert pair.redis.tally("t", weight, window) == pytest.approx(pair.memory.tally("t", weight, window))


@pytest.mark.parametrize("algorithm", [FIXED, SLIDING, BUCKET], ids=str)
def test_intervals_are_rounded_up_to_microseconds(server: Valkey, algorithm: object) -> None:
    """An interval of a fraction of a microsecond more is counted as a whole one more, so that never too much goes."""
    pair = Pair(server, 0, f"rounding{algorithm}")
    hit = Hit("k", algorithm, 1, MINUTE + 1)  # type: ignore[arg-type]
    with pair.redis:
        assert pair.redis.count([hit])[0].admitted
        wait = pair.redis.count([hit])[0].retry_after
        pair.now += int(wait * 1e9) // MICRO * MICRO
        if algorithm is not FIXED:
            assert wait == pytest.approx(60.000001, abs=1e-9)
        assert pair.redis.peek([hit])[0].admitted
        pair.now -= MICRO
        assert not pair.redis.peek([hit])[0].admitted


@pytest.mark.parametrize("algorithm", [FIXED, SLIDING, BUCKET], ids=str)
def test_p11_a_clock_that_steps_back_locks_nobody_out(server: Valkey, algorithm: object) -> None:
    """P11: after the server's clock stepped back by an hour, a counter from before counts as none."""
    pair = Pair(server, 0, f"back{algorithm}")
    hit = Hit("k", algorithm, 1, MINUTE)  # type: ignore[arg-type]
    with pair.redis:
        pair.now += 3_600 * 10**9
        assert [pair.redis.count([hit])[0].admitted for _ in range(2)] == [True, False]
        pair.now -= 3_600 * 10**9
        verdict = pair.redis.count([hit])[0]
        assert verdict.admitted
        assert 0 <= verdict.reset_after <= 60


def test_every_key_expires(server: Valkey) -> None:
    """Whatever is written has an end: nothing is left when its time is over."""
    store = RedisStore(server.url(query="?namespace=expiring"), timeout=20)
    with store:
        store.count([Hit(f"k{a}", a, 5, MINUTE) for a in (FIXED, SLIDING, BUCKET)])
        store.tally("t", 1, 60)
        store.ban("b", 60)
        store.add_if_absent("m", 60)
        store.put("v", b"x", 60)
    keys = server.ask("KEYS", "expiring:*")
    assert len(keys) == 8
    assert all(0 < server.ask("PTTL", key.decode()) <= 121_000 for key in keys)


def test_p10_a_real_window_admits_exactly_its_limit_from_many_threads(server: Valkey) -> None:
    """P10: sixteen threads at once on the server's own clock: 500 of 500, by each algorithm."""
    import threading

    for algorithm in (FIXED, SLIDING, BUCKET):
        hit = Hit(f"many{algorithm}", algorithm, 500, 100 * 3_600 * 10**9)
        store = RedisStore(server.url(query="?namespace=many"), timeout=20)
        counts: list[int] = []

        def work(store: RedisStore = store, hit: Hit = hit, counts: list[int] = counts) -> None:
            counts.append(sum(store.count([hit])[0].admitted for _ in range(60)))

        with store:
            threads = [threading.Thread(target=work) for _ in range(16)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert sum(counts) == 500
