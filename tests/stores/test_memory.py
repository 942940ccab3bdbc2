"""The in-memory store: all-or-none groups, dry runs, bounds, floods, bans, values, threads, forks."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from math import inf

import pytest
from tests.stores.hits import BAN, BUCKET, FIXED, HOUR, MINUTE, SLIDING, admitted, keys_of, limit, refuse
from tests.stores.oracle import SlidingOracle

from doorward.effects import Algorithm, Charge, Hit
from doorward.errors import StoreError
from doorward.stores.base import Store
from doorward.stores.memory import MemoryStore
from doorward.testing import FakeClock

every_algorithm = pytest.mark.parametrize("algorithm", [FIXED, BUCKET, SLIDING])


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(clock: FakeClock) -> MemoryStore:
    return MemoryStore(clock=clock)


def test_it_is_a_store(store: MemoryStore) -> None:
    """It has every method of the protocol, and never waits for anything outside the process."""
    assert isinstance(store, Store)
    assert store.blocking is False


# Groups and dry runs


def test_p10_a_group_is_charged_all_or_none(store: MemoryStore) -> None:
    """When one limit refuses, none of its group is charged; the others say that they had room, and how much."""
    refuse(store, "full")
    verdicts = store.count([limit("a"), limit("full", 1, HOUR), limit("b")])
    assert [verdict.admitted for verdict in verdicts] == [True, False, True]
    assert [verdict.remaining for verdict in verdicts] == [3, 0, 3]
    assert [verdict.reset_after for verdict in verdicts] == [0.0, 3600.0, 0.0]
    assert store.stats()["keys"] == 0


def test_p10_groups_are_charged_apart(store: MemoryStore) -> None:
    """A refusal in one group does not keep another from being charged."""
    refuse(store, "full")
    verdicts = store.count([limit("a", group=1), limit("full", 1, HOUR, group=2), limit("b", group=2)])
    assert [verdict.remaining for verdict in verdicts] == [2, 0, 3]


def test_p10_hits_of_one_call_may_share_a_key(store: MemoryStore) -> None:
    """Each sees what those before it charge; together they cannot exceed the limit, and a refusal undoes them all."""
    shared = limit("k", 2)
    assert admitted(store, shared, shared, shared) == [True, True, False]
    assert store.peek([shared])[0].remaining == 2
    assert [verdict.remaining for verdict in store.count([shared, shared])] == [1, 0]


def test_p10_dry_runs_are_charged_as_if_live(store: MemoryStore) -> None:
    """Each alone, after the live ones; one that refuses holds nobody back."""
    hits = [limit("dry", 1, dry_run=True), limit("live", 3), limit("other", 3, dry_run=True)]
    assert [verdict.remaining for verdict in store.count(hits)] == [0, 2, 2]
    assert admitted(store, *hits) == [False, True, True]
    assert store.peek([hits[1]])[0].remaining == 1


def test_p10_dry_runs_are_only_looked_at_when_a_live_hit_was_refused(store: MemoryStore) -> None:
    """Then they say what they would have done, and stay uncharged."""
    refuse(store, "full")
    for _ in range(3):
        verdict = store.count([limit("dry", 2, dry_run=True), limit("full", 1, HOUR)])[0]
        assert (verdict.admitted, verdict.remaining) == (True, 2)


@every_algorithm
def test_p10_peek_changes_nothing(store: MemoryStore, algorithm: Algorithm) -> None:
    """It answers as ``count`` would, with what is left before the charge."""
    hit = limit("k", 2, algorithm=algorithm)
    assert [store.peek([hit])[0][:2] for _ in range(3)] == [(True, 2)] * 3
    store.count([hit])
    store.count([hit])
    peeked = store.peek([hit])[0]
    assert peeked == store.count([hit])[0]
    assert (peeked.admitted, peeked.remaining) == (False, 0)


@every_algorithm
def test_p10_retry_after_is_exact(store: MemoryStore, clock: FakeClock, algorithm: Algorithm) -> None:
    """The seconds of a refusal are enough for the same hit, and a nanosecond less is not."""
    hit = limit("k", 7, 10_000_000_019, algorithm=algorithm)
    for _ in range(20):
        while (verdict := store.count([hit])[0]).admitted:
            clock.advance(0.1)
        clock.advance(verdict.retry_after)
        clock.advance(-1e-9)
        assert not store.peek([hit])[0].admitted
        clock.advance(1e-9)
        assert store.peek([hit])[0].admitted


@every_algorithm
def test_p10_refund_makes_room_again(store: MemoryStore, algorithm: Algorithm) -> None:
    """A charge taken back at once is as if it had never been made, for a refused counter too."""
    hit = limit("k", 2, algorithm=algorithm)
    first, second = store.count([hit])[0], store.count([hit])[0]
    assert admitted(store, hit) == [False]
    store.refund([Charge(hit, second.at), Charge(hit, first.at)])
    assert store.peek([hit])[0].remaining == 2
    store.refund([Charge(limit("unknown"), first.at), Charge(Hit("k", BAN, 1, 1), first.at)])


def test_p10_random_calls_match_brute_force() -> None:
    """Groups, shared keys, refusals and a tiny store that is never full: admissions are those of exact logs."""
    for seed in range(300):
        rng, clock = random.Random(seed), FakeClock()
        store, oracles = MemoryStore(clock=clock), {key: SlidingOracle(4, MINUTE) for key in "abc"}
        for _ in range(30):
            clock.advance(rng.choice((0, 1, 7, 20, 59, 60)))
            hits = [limit(rng.choice("abc"), 4, cost=rng.randint(1, 3)) for _ in range(rng.randint(1, 3))]
            assert all(admitted(store, *hits)) is _brute_force(oracles, hits, clock.now_ns())


def _brute_force(oracles: dict[str, SlidingOracle], hits: list[Hit], now: int) -> bool:
    asked = {key: sum(hit.cost for hit in hits if hit.key == key) for key in oracles}
    if any(cost > oracles[key].room(now) for key, cost in asked.items()):
        return False
    for key, cost in asked.items():
        oracles[key].admit(cost, now)
    return True


# Bans


def test_a_ban_refuses_until_it_ends(store: MemoryStore, clock: FakeClock) -> None:
    """Banned keys are refused for the rest of the ban, others and later hits are admitted."""
    ban = Hit("k", BAN, 9, 0)
    assert store.count([ban])[0][:4] == (True, 9, 0.0, 0.0)
    store.ban("k", 10)
    clock.advance(4)
    assert store.count([ban])[0][:4] == (False, 0, 6.0, 6.0)
    assert store.peek([ban, Hit("other", BAN, 9, 0)])[1].admitted
    clock.advance(6)
    assert store.count([ban])[0].admitted


def test_a_banned_client_is_not_charged(store: MemoryStore) -> None:
    """A ban and a limit in one group: while banned the limit is not charged; it says that it had room."""
    store.ban("k", 10)
    assert admitted(store, Hit("k", BAN, 0, 0), limit("k", 1)) == [False, True]
    assert store.unban("k")
    assert admitted(store, Hit("k", BAN, 0, 0), limit("k", 1)) == [True, True]
    assert admitted(store, Hit("k", BAN, 0, 0), limit("k", 1)) == [True, False]


def test_bans_are_listed_and_lifted(store: MemoryStore, clock: FakeClock) -> None:
    """``bans`` has the seconds left; lifting one that is not there says so; a ban without end lasts."""
    store.ban("a", 10)
    store.ban("b", inf)
    store.ban("a", 20)
    clock.advance(1)
    assert store.bans()["a"] == 19.0
    assert store.bans()["b"] > 10**9
    assert [store.unban("a"), store.unban("a"), store.unban("never")] == [True, False, False]
    assert list(store.bans()) == ["b"]


# Sums, marks, values


def test_tally_adds_up_and_sinks(store: MemoryStore, clock: FakeClock) -> None:
    """Weights of the last half window count in full; a window later nothing is left."""
    assert [store.tally("k", 1.5, 60), store.tally("k", 2.0, 60)] == [1.5, 3.5]
    assert store.tally("other", 1.0, 60) == 1.0
    clock.advance(60)
    assert store.tally("k", 1.0, 60) == 1.0


def test_one_caller_wins_a_mark(store: MemoryStore, clock: FakeClock) -> None:
    """A mark can be set once until it ends or is deleted."""
    assert [store.add_if_absent("nonce", 10), store.add_if_absent("nonce", 10)] == [True, False]
    clock.advance(10)
    assert store.add_if_absent("nonce", 10)
    store.delete("nonce")
    assert store.add_if_absent("nonce", 10)


def test_values_are_kept_for_their_time(store: MemoryStore, clock: FakeClock) -> None:
    """A value can be read until its end, replaced and deleted; deleting what is not there is fine."""
    store.put("k", b"one", 10)
    store.put("k", b"two", 10)
    clock.advance(9.5)
    assert (store.get("k"), store.get("other")) == (b"two", None)
    clock.advance(0.5)
    assert store.get("k") is None
    store.put("k", b"three", 1)
    store.delete("k")
    store.delete("k")
    assert store.get("k") is None


# Housekeeping


def test_reset_forgets_counters_and_sums_not_bans(store: MemoryStore) -> None:
    """All keys with the prefix, refused ones too, are as new; others and bans stay."""
    refuse(store, "app:refused")
    store.count([limit("app:counted"), limit("other:counted")])
    store.tally("app:sum", 1.0, 60)
    store.ban("app:banned", 60)
    assert store.reset("app:") == 3
    assert store.reset("app:") == 0
    assert admitted(store, limit("app:refused", 1, HOUR)) == [True]
    assert store.tally("app:sum", 1.0, 60) == 1.0
    assert store.peek([limit("other:counted")])[0].remaining == 2
    assert list(store.bans()) == ["app:banned"]


def test_a_closed_store_raises(clock: FakeClock) -> None:
    """After ``close`` every call raises ``StoreError``; closing again does not."""
    with MemoryStore(clock=clock) as store:
        store.put("k", b"v", 10)
    store.close()
    calls = (
        lambda: store.count([limit("k")]),
        lambda: store.peek([]),
        lambda: store.refund([]),
        lambda: store.tally("k", 1.0, 1),
        lambda: store.add_if_absent("k", 1),
        lambda: store.get("k"),
        lambda: store.put("k", b"", 1),
        lambda: store.delete("k"),
        lambda: store.reset("k"),
        store.stats,
        lambda: store.ban("k", 1),
        lambda: store.unban("k"),
        store.bans,
    )
    for call in calls:
        with pytest.raises(StoreError):
            call()


@pytest.fixture
def _eager_threads() -> Iterator[None]:
    """Let threads take turns after every few instructions, so that a missing lock shows."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@every_algorithm
@pytest.mark.usefixtures("_eager_threads")
def test_p10_threads_never_admit_more_than_max(algorithm: Algorithm, clock: FakeClock) -> None:
    """32 threads on one key with a limit of 500 are admitted exactly 500 times."""
    store = MemoryStore(clock=clock)
    hit = Hit("k", algorithm, 500, HOUR)
    with ThreadPoolExecutor(32) as pool:
        batches = [pool.submit(lambda: sum(store.count((hit,))[0].admitted for _ in range(100))) for _ in range(32)]
    assert sum(batch.result() for batch in batches) == 500


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # newer Pythons warn of what is tested here
def test_p17_a_forked_child_does_not_inherit_a_held_lock() -> None:
    """Children forked while other threads hammer the store can use it, and find it whole."""
    store = MemoryStore(max_keys=1000)
    stop = []

    def hammer() -> None:
        for number in range(10_000_000):
            store.count((limit(f"k{number % 5000}"),))
            if stop:
                return

    with ThreadPoolExecutor(2) as pool:
        pool.submit(hammer)
        try:
            codes = [_fork_and_count(store) for _ in range(20)]
        finally:
            stop.append(True)
    assert codes == [0] * 20


def _fork_and_count(store: MemoryStore) -> int:
    child = os.fork()
    if not child:
        counted, _ = keys_of(store)
        free = store._lock.acquire(timeout=5)
        os._exit(0 if free and len(counted) == store._counters.held else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@every_algorithm
@pytest.mark.parametrize("jump", [-3600, 3600, -5])
def test_p11_clock_jumps_of_the_store(store: MemoryStore, clock: FakeClock, algorithm: Algorithm, jump: int) -> None:
    """After a step of the clock every wait is finite and not negative, and two intervals later all are let in."""
    hit = limit("k", 5, algorithm=algorithm)
    for _ in range(8):
        store.count([hit])
    clock.advance(jump)
    verdict = store.count([hit])[0]
    assert 0 <= verdict.retry_after <= 120
    assert 0 <= verdict.reset_after <= 120
    clock.advance(120)
    assert admitted(store, hit) == [True]
