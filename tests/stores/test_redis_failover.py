"""Failover: Sentinel names another primary, a Cluster promotes a replica. Found without a restart, and bounded loss."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.stores.hits import FIXED, limit
from tests.stores.test_redis_failures import both, count, works
from tests.stores.valkeys import Cluster, Group, Valkey, free_port, until

from doorward.errors import StoreError
from doorward.stores.redis import RedisStore
from doorward.stores.redis.commands import Names
from doorward.stores.redis.routing import slot_of

DAY = 86_400 * 10**9


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Group]:
    with Group(tmp_path) as servers:
        yield servers


@both
def test_a_group_is_found_through_its_sentinels(group: Group, kind: str) -> None:
    """The primary serves, whoever of the Sentinels is alive; a replica is never written to."""
    group.sentinels[0].kill()
    with RedisStore(group.url(), timeout=5) as store:
        until(lambda: works(store, kind), "not found")
    assert group.primary.ask("EXISTS", "doorward:c:k") == 1


def test_a_primary_that_is_killed_is_replaced(group: Group) -> None:
    """After Sentinel has promoted the replica, both kinds of store use it; what was replicated is still counted."""
    hit = limit("kept", most=10, interval=DAY, algorithm=FIXED)
    with RedisStore(group.url(), timeout=1) as store:
        for _ in range(4):
            store.count([hit])
        until(lambda: _offset(group.replica) >= _offset(group.primary), "not replicated")
        group.primary.kill()
        with pytest.raises(StoreError):
            store.count([hit])
        until(lambda: works(store), "no service after the failover")
        assert store.peek([hit])[0].remaining == 6
        assert count(store, "awaiting", hit)[0].remaining == 5


def _offset(server: Valkey) -> int:
    name = "master_repl_offset" if server.info("replication", "role") == "master" else "slave_repl_offset"
    return int(server.info("replication", name))


def test_a_failover_on_demand_moves_everybody(group: Group) -> None:
    """The old primary lives on as a replica; its READONLY sends the store to the Sentinels."""
    with RedisStore(group.url(), timeout=1) as store:
        assert works(store)
        assert group.sentinels[0].ask("SENTINEL", "FAILOVER", "shop") == b"OK"
        until(lambda: group.replica.info("replication", "role") == "master", "no failover")
        until(lambda: works(store) and group.replica.ask("EXISTS", "doorward:c:k") == 1, "not moved")


def test_a_group_that_nobody_knows(group: Group) -> None:
    """A wrong name is an error that says so."""
    url = group.url().replace("/shop", "/shed")
    with RedisStore(url, timeout=2) as store, pytest.raises(StoreError, match="knows no group 'shed'"):
        store.get("k")


def test_no_sentinel_is_there() -> None:
    """Nobody to ask: an error, at once, and again."""
    with RedisStore(f"valkey+sentinel://127.0.0.1:{free_port()}/shop", timeout=5) as store:
        for _ in range(2):
            with pytest.raises(StoreError, match="cannot find out where the primary is"):
                store.get("k")


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with Cluster(tmp_path, replica=True) as nodes:
        yield nodes


def a_key_in(first: int, last: int) -> str:
    """A client's key whose slot is within bounds."""
    names = Names("doorward", tagged=True)
    keys = (f"default::fw_1234567:{number:024x}" for number in range(100_000))
    return next(key for key in keys if first <= slot_of(names.counter(key)) <= last)


def test_a_node_that_is_killed_is_replaced_by_its_replica(cluster: Cluster) -> None:
    """While it is down, the keys of the others are served; afterwards all are, with what was counted."""
    lost, kept = a_key_in(0, 5460), a_key_in(10923, 16383)
    hits = [limit(key, most=10, interval=DAY, algorithm=FIXED) for key in (lost, kept)]
    with RedisStore(cluster.url(), timeout=1) as store:
        store.count(hits)
        until(lambda: _offset(cluster.nodes[3]) >= _offset(cluster.nodes[0]), "not replicated")
        cluster.nodes[0].kill()
        with pytest.raises(StoreError):
            store.count(hits)
        # What the living node had charged for the group was given back.
        assert store.peek(hits[1:])[0].remaining == 9

        def back() -> bool:
            try:
                return bool(store.count(hits[:1])[0].admitted)
            except StoreError:
                assert store.count(hits[1:])
                return False

        until(back, "the replica was not promoted")
        assert store.peek(hits[:1])[0].remaining == 8


def test_slots_that_move_are_followed(cluster: Cluster) -> None:
    """MOVED and ASK: a slot that is being moved, and then has moved, is served all along; nothing is counted twice."""
    key = a_key_in(0, 5460)
    hit = limit(key, most=100, interval=DAY, algorithm=FIXED)
    slot = str(slot_of(Names("doorward", tagged=True).counter(key)))
    source, target = cluster.nodes[0], cluster.nodes[1]
    ids = [node.ask("CLUSTER", "MYID").decode() for node in (source, target)]
    name = Names("doorward", tagged=True).counter(key).decode()
    with RedisStore(cluster.url(), timeout=5) as store:
        store.count([hit])
        target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", ids[0])
        source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", ids[1])
        assert source.ask("MIGRATE", "127.0.0.1", str(target.port), name, "0", "5000") == b"OK"
        assert store.count([hit])[0].remaining == 98
        assert count(store, "awaiting", hit)[0].remaining == 97
        for node in (target, source):
            node.ask("CLUSTER", "SETSLOT", slot, "NODE", ids[1])
        assert store.count([hit])[0].remaining == 96
        before = source.calls("evalsha")
        assert store.count([hit])[0].remaining == 95
        assert source.calls("evalsha") == before


def test_a_cluster_is_found_through_any_node(cluster: Cluster) -> None:
    """One node of the URL is enough, and dead ones are passed over."""
    dead = f"valkey+cluster://127.0.0.1:{free_port()},127.0.0.1:{cluster.nodes[2].port}"
    with RedisStore(dead, timeout=5) as store:
        assert works(store)


def test_a_server_that_is_no_cluster_says_so(tmp_path: Path) -> None:
    """The wrong scheme is an error that tells it."""
    valkey = Valkey(tmp_path)
    try:
        valkey.start()
        url = valkey.url("valkey+cluster")
        with RedisStore(url, timeout=5) as store, pytest.raises(StoreError, match="cluster support disabled"):
            store.get("k")
    finally:
        valkey.kill()
