"""``shared://`` as a store: it answers what the store in memory answers, whatever is asked in whatever order."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.stores.hits import BAN, BUCKET, FIXED, HOUR, MINUTE, SLIDING, admitted, limit, refuse
from tests.stores.oracle import SOAK

from doorward.effects import Algorithm, Charge, Hit
from doorward.errors import StoreError
from doorward.stores.base import Store
from doorward.stores.memory import MemoryStore
from doorward.stores.shared.header import PAGE
from doorward.stores.shared.sqlite import SQLiteStore
from doorward.stores.shared.store import SharedStore
from doorward.testing import FakeClock

MEGABYTE = 1 << 20
KINDS = {"table": SharedStore, "sqlite": SQLiteStore}
every_algorithm = pytest.mark.parametrize("algorithm", [FIXED, BUCKET, SLIDING])

Make = Callable[..., Any]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=list(KINDS))
def make(request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock) -> Iterator[Make]:
    """Opens the file of this test, each time anew."""
    opened = []

    def store(size: int | None = MEGABYTE, name: str = "table") -> Any:
        opened.append(KINDS[request.param](tmp_path / name, size, clock=clock, timeout=20.0))
        return opened[-1]

    yield store
    for each in opened:
        each.close()


@pytest.fixture
def store(make: Make) -> Any:
    return make()


def test_it_is_a_store(store: Any) -> None:
    """It has every method of the protocol; only the table can be called without a thread."""
    assert isinstance(store, Store)
    assert store.blocking is isinstance(store, SQLiteStore)


# The same as memory


def test_p10_random_calls_answer_as_the_store_in_memory(make: Make, clock: FakeClock) -> None:
    """Groups, dry runs, refunds, bans, sums, marks, values, resets, steps of the clock: verdicts equal to the last bit.

    The calls go to three stores of one file in turn, as they would come from three processes.
    """
    for seed in range(400 if SOAK else 25):
        rng, memory = random.Random(seed), MemoryStore(clock=clock)
        shared = [make(name=f"table{seed}") for _ in range(3)]
        charges: list[Charge] = []
        for number in range(80):
            clock.advance(rng.choice((0, 0, 1e-9, 1, 7, 20, 59, 60, 61, 3600)))
            call = rng.choice(CALLS)
            name, *arguments = call(rng, charges)
            want = getattr(memory, name)(*arguments)
            got = getattr(rng.choice(shared), name)(*arguments)
            assert got == want or list(got) == list(want), (seed, number, name, arguments)
            if name == "count":
                charges += [
                    Charge(hit, verdict.at)
                    for hit, verdict in zip(arguments[0], want, strict=True)
                    if all(each.admitted for each in want)
                ]
        for each in shared:
            each.close()


def _hits(rng: random.Random) -> list[Hit]:
    hits = []
    for _ in range(rng.choice((1, 1, 2, 3, 6))):
        algorithm = rng.choice((FIXED, BUCKET, SLIDING, SLIDING, BAN))
        most = rng.choice((1, 3, 12, 40, 1000))
        name = f"app:{algorithm[0]}{most}:{rng.choice('abé')}"
        dry = rng.random() < 0.2
        cost = rng.choice((1, 1, 1, 2, most, most + 1))
        hits.append(Hit(name, algorithm, most, rng.choice((MINUTE, HOUR)), cost, rng.randint(0, 1), dry))
    return hits


def _refund(rng: random.Random, charges: list[Charge]) -> tuple[Any, ...]:
    rng.shuffle(charges)
    taken = [charges.pop() for _ in range(min(len(charges), rng.randint(1, 3)))]
    return "refund", taken


def _key(rng: random.Random) -> str:
    return rng.choice(("app:F3:a", "app:B1:b", "x", "\ud800\0"))


CALLS: tuple[Callable[[random.Random, list[Charge]], tuple[Any, ...]], ...] = (
    *[lambda rng, charges: ("count", _hits(rng))] * 6,
    lambda rng, charges: ("peek", _hits(rng)),
    _refund,
    lambda rng, charges: ("tally", _key(rng), rng.choice((0.5, 2.0)), rng.choice((60, 3600))),
    lambda rng, charges: ("add_if_absent", _key(rng), rng.choice((1, 60))),
    lambda rng, charges: ("put", _key(rng), rng.randbytes(rng.choice((0, 5, 300, 2000))), rng.choice((1, 60))),
    lambda rng, charges: ("get", _key(rng)),
    lambda rng, charges: ("delete", _key(rng)),
    lambda rng, charges: ("ban", f"app:B{rng.choice((1, 3, 12))}:{rng.choice('abé')}", rng.choice((5, 60))),
    lambda rng, charges: ("unban", f"app:B{rng.choice((1, 3, 12))}:{rng.choice('abé')}"),
    lambda rng, charges: ("ban", _key(rng), float("inf")),
    lambda rng, charges: ("unban", _key(rng)),
)


def test_bans_are_listed_and_lifted(store: Any, clock: FakeClock) -> None:
    """``bans`` has the seconds left, under the keys as they were given; lifting one that is not there says so."""
    store.ban("a", 10)
    store.ban("é\ud800\0", float("inf"))
    store.ban("a", 20)
    clock.advance(1)
    assert store.bans()["a"] == 19.0
    assert set(store.bans()) == {"a", "é\ud800\0"}
    assert [store.unban("a"), store.unban("a"), store.unban("never")] == [True, False, False]
    assert store.unban("é\ud800\0")
    assert store.bans() == {}
    assert admitted(store, Hit("a", BAN, 1, 1)) == [True]


def test_reset_forgets_counters_and_sums_not_bans(store: Any) -> None:
    """All keys with the prefix, refused ones too, are as new; others, values and bans stay."""
    refuse(store, "app:refused")
    store.count([limit("app:counted"), limit("other:counted")])
    store.tally("app:sum", 1.0, 60)
    store.ban("app:banned", 60)
    store.put("app:value", b"v", 60)
    assert store.reset("app:") == 3
    assert store.reset("app:") == 0
    assert admitted(store, limit("app:refused", 1, HOUR)) == [True]
    assert store.peek([limit("other:counted")])[0].remaining == 2
    assert (list(store.bans()), store.get("app:value")) == (["app:banned"], b"v")


def test_keys_of_any_text_are_kept_apart(store: Any) -> None:
    """Long keys, keys that differ at the end, control characters, lone surrogates; and each kind of entry."""
    keys = ["", "k", "k\0", "é" * 512, "é" * 511 + "e", "😀" * 512, "\ud800", "%", "_"]
    for key in keys:
        store.put(key, key.encode("utf-8", "surrogatepass")[:50], 60)
        store.tally(key, len(key), 60)
    for key in keys:
        assert store.get(key) == key.encode("utf-8", "surrogatepass")[:50]
        assert store.tally(key, 1.0, 60) == len(key) + 1
        assert store.peek([limit(key)])[0].remaining == 3
    assert store.reset("%") == 1


@every_algorithm
@pytest.mark.parametrize("jump", [-3600, 3600, -5])
def test_p11_clock_jumps(store: Any, clock: FakeClock, algorithm: Algorithm, jump: int) -> None:
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


# Floods


def test_p3_a_flood_of_keys_spares_refusals_and_bans(make: Make) -> None:
    """Many more new keys than there is room for: a refused and a banned client stay so, and all is counted."""
    store = make()
    keys = 7_000 if isinstance(store, SQLiteStore) else 40_000
    refuse(store, "victim")
    store.ban("banned", 3600)
    for number in range(keys):
        store.count([limit(f"flood:{number}", 5, algorithm=FIXED)])
        if number % 997 == 0:
            assert admitted(store, limit("victim", 1, HOUR)) == [False]
    assert admitted(store, limit("victim", 1, HOUR)) == [False]
    assert admitted(store, Hit("banned", BAN, 1, 1)) == [False]
    stats = store.stats()
    assert stats["refusals_evicted"] == stats["bans_evicted"] == 0
    assert stats["keys_evicted"] > 0
    assert stats["keys_evicted"] + stats["keys"] == keys + 1


def test_p3_refusals_and_bans_go_last_and_are_counted(make: Make, clock: FakeClock) -> None:
    """When everything is spared, the one that ends soonest goes: the latest ban is still there."""
    store = make()
    keys = 6_000 if isinstance(store, SQLiteStore) else 9_000
    for number in range(keys):
        store.ban(f"b{number}", 3600 + number)
    stats = store.stats()
    assert stats["bans_evicted"] > 0
    assert stats["bans"] + stats["bans_evicted"] == keys
    assert admitted(store, Hit(f"b{keys - 1}", BAN, 1, 1)) == [False]
    store.count([limit("new", algorithm=FIXED)])
    assert store.stats()["bans_evicted"] > stats["bans_evicted"]


def test_p3_expired_keys_make_room_first(make: Make, clock: FakeClock) -> None:
    """When the minute of a full table is over, as many new keys fit, and nothing is evicted."""
    store = make()
    for _ in range(3):
        for number in range(2000):
            store.count([limit(f"k{clock.now()}{number}", 5, algorithm=FIXED)])
        clock.advance(60)
    assert store.stats()["keys_evicted"] == 0


# Damage


def test_bytes_overwritten_by_something_else_raise_store_errors_only(tmp_path: Path, clock: FakeClock) -> None:
    """Random bytes in the buckets while the table is in use: calls answer or raise ``StoreError``, time and again."""
    for seed in range(100 if SOAK else 12):
        rng = random.Random(seed)
        store = SharedStore(tmp_path / f"table{seed}", 5 * PAGE, clock=clock)
        table = store._counters.table
        start = table.buckets(0).start
        for _ in range(400):
            if rng.random() < 0.3:
                at = rng.randrange(start, table.header.size - 40)
                table.data[at : at + 40] = rng.choice((rng.randbytes(40), bytes(40), b"\xff" * 40))
            clock.advance(rng.choice((0, 1, 60)))
            name, *arguments = rng.choice(CALLS)(rng, [])
            with contextlib.suppress(StoreError):
                getattr(store, name)(*arguments)
            with contextlib.suppress(StoreError):
                store.put(f"more {rng.randrange(100)}", bytes(rng.randrange(2_000)), 60)
            with contextlib.suppress(StoreError):
                rng.choice((store.bans, store.stats, lambda store=store: store.reset("app:")))()


# The end


def test_a_closed_store_raises(store: Any) -> None:
    """After ``close`` every call raises ``StoreError``; closing again does not."""
    store.put("k", b"v", 10)
    store.close()
    store.close()
    calls = (
        lambda: store.count([limit("k")]),
        lambda: store.count([limit("k"), limit("l")]),
        lambda: store.peek([limit("k")]),
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


def test_counters_outlive_the_processes(make: Make) -> None:
    """Who opens the file later finds what was counted, and the bans."""
    first = make()
    refuse(first, "k")
    first.ban("b", 60)
    first.close()
    later = make()
    assert admitted(later, limit("k", 1, HOUR)) == [False]
    assert list(later.bans()) == ["b"]
