"""The bounds of the in-memory store: caps, evictions, floods of new keys, refusals that outlive them."""

from __future__ import annotations

import gc
import os
import random
import sys
from pathlib import Path

import pytest
from tests.stores.hits import BAN, FIXED, HOUR, MINUTE, admitted, keys_of, limit, refuse
from tests.stores.oracle import SOAK

from doorward.clock import NANOSECONDS
from doorward.effects import Hit
from doorward.errors import ConfigurationError
from doorward.stores.memory import MemoryStore
from doorward.testing import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(clock: FakeClock) -> MemoryStore:
    return MemoryStore(clock=clock)


def test_p3_counters_never_exceed_the_cap() -> None:
    """The cap is hard after every single hit, and what went early is counted."""
    store = MemoryStore(max_keys=10)
    for number in range(1000):
        store.count([limit(f"k{number}")])
        assert store.stats()["keys"] == min(number + 1, 10)
    assert store.stats()["keys_evicted"] == 990


def test_p3_expired_go_first_then_the_oldest(clock: FakeClock) -> None:
    """A full store drops what has expired, wherever it stands, and only then the oldest."""
    store = MemoryStore(max_keys=4, clock=clock)
    for key, interval in (("old", HOUR), ("short", MINUTE // 6), ("mid", HOUR), ("new", HOUR)):
        store.count([limit(key, 5, interval)])
    clock.advance(10)
    held = []
    for newcomer in ("x", "y"):
        store.count([limit(newcomer, 5, HOUR)])
        held.append([key for key in ("old", "mid", "new") if store.peek([limit(key, 5, HOUR)])[0].remaining == 4])
    assert held == [["old", "mid", "new"], ["mid", "new"]]


def test_p3_a_full_store_looks_for_expired_keys_as_time_passes(clock: FakeClock) -> None:
    """In a larger store too, what expired after the last look goes before the oldest."""
    store = MemoryStore(max_keys=200, clock=clock)
    for number in range(200):
        store.count([limit(f"k{number}", 5, HOUR if number != 150 else 5 * NANOSECONDS)])
    store.count([limit("first newcomer")])
    clock.advance(5)
    store.count([limit("second newcomer")])
    assert store.stats()["keys_evicted"] == 1
    assert store.peek([limit("k1", 5, HOUR)])[0].remaining == 4


def test_p3_idle_keys_are_dropped(clock: FakeClock) -> None:
    """Memory follows the live keys: 20,000 idle ones go as new ones come."""
    store = MemoryStore(clock=clock)
    for number in range(20_000):
        store.count([limit(f"idle{number}", 5, NANOSECONDS)])
    clock.advance(61)
    for number in range(5_000):
        store.count([limit(f"new{number}")])
    assert store.stats()["keys"] < 6_000
    assert store.stats()["keys_evicted"] == 0


def test_p3_a_flood_of_new_keys_leaves_the_idle_no_place(clock: FakeClock) -> None:
    """While every key lives for a second, a minute of new ones holds about as many as a second brings."""
    store = MemoryStore(clock=clock)
    for number in range(60_000):
        store.count([limit(f"k{number}", 5, NANOSECONDS)])
        clock.advance(0.001)
    assert store.stats()["keys"] < 20_000


@pytest.mark.parametrize("others", [1_024, 10_000])
def test_p3_other_clients_cannot_free_a_limited_one(others: int) -> None:
    """As many others as two peers forget a client after do not free a refused one, even in a store much smaller."""
    store = MemoryStore(max_keys=100)
    refuse(store, "limited")
    for number in range(others):
        store.count([limit(f"other{number}")])
    assert admitted(store, limit("limited", 1, HOUR)) == [False]


@pytest.mark.timeout(1800)
def test_p3_a_flood_of_spoofed_addresses() -> None:
    """300,000 addresses (10,000,000 in a soak) neither free a refused or banned client nor break the cap."""
    store = MemoryStore(max_keys=250_000 if SOAK else 20_000)
    refuse(store, "limited")
    for _ in range(2):
        store.count([limit("dry", 1, HOUR, dry_run=True)])
    store.ban("banned", 3600)
    refused = [limit("limited", 1, HOUR), limit("dry", 1, HOUR), Hit("banned", BAN, 0, 0)]
    before = resident()
    for number in range(10_000_000 if SOAK else 300_000):
        store.count((Hit(f"spoofed{number}", FIXED, 100, HOUR),))
        if number % 10_000 == 0:
            assert [admitted(store, hit) for hit in refused] == [[False]] * 3
    assert [admitted(store, hit) for hit in refused] == [[False]] * 3
    assert store.stats()["keys"] == (250_000 if SOAK else 20_000)
    assert resident() - before <= 64 * 2**20


def resident() -> int:
    """Bytes of this process that are in memory."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_p3_a_flooding_client_costs_constant_memory(store: MemoryStore) -> None:
    """A hundred thousand refused hits of one client leave exactly what a few do."""
    refuse(store, "k", 20)
    before = sys.getsizeof(store._refused.get("k")[1]), len(store._refused._heap)
    for _ in range(100_000):
        store.count((limit("k", 20, HOUR),))
    assert (sys.getsizeof(store._refused.get("k")[1]), len(store._refused._heap)) == before


def test_p3_beyond_max_refusals_the_one_that_ends_soonest_goes(clock: FakeClock) -> None:
    """It loses its protection, not its counter, and that is counted."""
    store = MemoryStore(max_keys=1, max_refusals=2, clock=clock)
    for key, hours in (("long", 3), ("short", 1), ("middle", 2)):
        refuse(store, key, 1, hours * HOUR)
    assert store.stats()["refusals"] == 2
    assert store.stats()["refusals_evicted"] == 1
    assert store.peek([limit("short", 1, HOUR)])[0].admitted is False
    store.count([limit("newcomer")])
    still = [store.peek([limit(key, 1, h * HOUR)])[0].admitted for key, h in (("long", 3), ("short", 1), ("middle", 2))]
    assert still == [False, True, False]


def test_p3_a_refusal_that_has_ended_is_an_ordinary_counter_again(clock: FakeClock) -> None:
    """When the wait is over, the counter goes back among the others, with what it has counted."""
    store = MemoryStore(clock=clock)
    for _ in range(3):
        store.count([limit("k", 3)])
        clock.advance(10)
    assert admitted(store, limit("k", 3)) == [False]
    assert (store.stats()["keys"], store.stats()["refusals"]) == (0, 1)
    clock.advance(31)
    store.count([limit("other")])
    assert (store.stats()["keys"], store.stats()["refusals"]) == (2, 0)
    assert store.peek([limit("k", 3)])[0].remaining == 1


def test_p3_a_refused_counter_that_has_expired_is_forgotten(clock: FakeClock) -> None:
    """If nothing is left of it when its refusal ends, it takes no place among the counters."""
    store = MemoryStore(clock=clock)
    refuse(store, "k", 1, MINUTE)
    clock.advance(60)
    store.count([limit("other")])
    assert (store.stats()["keys"], store.stats()["refusals"]) == (1, 0)


def test_p3_a_longer_refusal_prolongs_the_protection(clock: FakeClock) -> None:
    """A small hit refused for a while, then a large one refused for longer: protected until the latter ends."""
    store = MemoryStore(max_keys=1, clock=clock)
    for _ in range(3):
        store.count([limit("k", 3)])
        clock.advance(10)
    store.count([limit("k", 3)])
    store.count([limit("k", 3, cost=3)])
    store.count([limit("k", 3), limit("k", 3)])
    clock.advance(31)
    for number in range(50):
        store.count([limit(f"other{number}")])
    assert store.peek([limit("k", 3)])[0].remaining == 1


def test_p3_random_floods_keep_each_key_in_one_place(clock: FakeClock) -> None:
    """Under random hits of many plans, a key is never both counted and set aside, and every figure adds up."""
    rng, store = random.Random(1), MemoryStore(max_keys=30, max_refusals=10, clock=clock)
    for _ in range(20_000):
        clock.advance(rng.choice((0, 0, 0, 0.5, 7)))
        key = f"k{rng.randrange(80)}"
        store.count([limit(key, rng.randint(1, 3), rng.choice((NANOSECONDS, MINUTE)), cost=rng.randint(1, 4))])
        if rng.random() < 0.001:
            store.reset("k1")
    counted, aside = keys_of(store)
    assert not counted & aside
    assert (len(counted), len(aside)) == (store.stats()["keys"], store.stats()["refusals"])
    assert len(store._refused._heap) == len(aside) <= 10


@pytest.mark.parametrize("field", ["max_keys", "max_refusals", "max_values"])
def test_p24_bounds_are_checked(field: str) -> None:
    """A bound below one is an error that names it."""
    with pytest.raises(ConfigurationError, match=field):
        MemoryStore(**{field: 0})


def test_p3_bans_are_bounded(clock: FakeClock) -> None:
    """Beyond the bound the ban that ends soonest goes; a ban that was prolonged is not taken for it."""
    store = MemoryStore(max_refusals=3, clock=clock)
    for key, ttl in (("prolonged", 1), ("soon", 5), ("late", 50), ("prolonged", 100), ("new", 70)):
        store.ban(key, ttl)
    assert sorted(store.bans()) == ["late", "new", "prolonged"]
    assert store.stats()["bans_evicted"] == 1


def test_p3_a_ban_that_has_ended_makes_room(clock: FakeClock) -> None:
    """It is not counted as one that went before its time."""
    store = MemoryStore(max_refusals=1, clock=clock)
    store.ban("ended", 1)
    clock.advance(1)
    store.ban("new", 1)
    assert (store.stats()["bans"], store.stats()["bans_evicted"]) == (1, 0)


def test_p3_banning_and_lifting_for_ever_costs_nothing(store: MemoryStore) -> None:
    """However often a key is banned and freed, nothing is left of it."""
    for _ in range(1_000):
        store.ban("k", 1000)
        store.unban("k")
    assert len(store._bans._heap) == 0


def test_p3_values_are_bounded(clock: FakeClock) -> None:
    """A full map drops the expired first, then the oldest."""
    store = MemoryStore(max_values=3, clock=clock)
    for key, ttl in (("a", 100), ("brief", 1), ("b", 100)):
        store.put(key, key.encode(), ttl)
    clock.advance(2)
    for key in ("c", "d"):
        assert store.add_if_absent(key, 100)
    assert [key for key in ("a", "brief", "b", "c", "d") if store.get(key) is not None] == ["b", "c", "d"]


def test_a_key_that_was_reset_is_refused_and_protected_anew() -> None:
    """The place that a forgotten refusal leaves behind serves the next refusal of the same key."""
    store = MemoryStore(max_keys=2)
    refuse(store, "k")
    store.reset("k")
    refuse(store, "k")
    for number in range(10):
        store.count([limit(f"other{number}")])
    assert admitted(store, limit("k", 1, HOUR)) == [False]
