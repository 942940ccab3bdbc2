"""What a store promises, over real servers: one and a Cluster, blocking and awaiting, by either client library."""

from __future__ import annotations

import asyncio
import importlib.util
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.stores.hits import BAN, BUCKET, FIXED, SLIDING, limit
from tests.stores.valkeys import Cluster, Valkey, running

from doorward.effects import Charge, Hit
from doorward.errors import StoreError
from doorward.stores.base import AsyncStore, Store
from doorward.stores.redis import RedisStore
from doorward.stores.redis.commands import tag_of

CLIENT, OTHER = "0123456789abcdef01234567", "89abcdef0123456789abcdef"
HOUR = 3_600 * 10**9


class Awaited:
    """The store for code that awaits, called from code that does not."""

    def __init__(self, store: RedisStore) -> None:
        self._store = store
        self._runner = asyncio.Runner()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda *arguments: self._runner.run(getattr(self._store.aio, name)(*arguments))

    def close(self) -> None:
        self._runner.run(self._store.aio.close())
        self._runner.close()


def need(library: str) -> None:
    if importlib.util.find_spec(library) is None:
        assert not os.environ.get("CI"), f"{library} is not installed"
        pytest.skip(f"{library} is not installed")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    valkey = Valkey(tmp_path_factory.mktemp("valkey"))
    with running(valkey):
        yield valkey


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Cluster(tmp_path_factory.mktemp("cluster")) as nodes:
        yield nodes


@pytest.fixture(params=["redis", "valkey", "cluster"])
def url(request: pytest.FixtureRequest) -> str:
    if request.param == "cluster":
        cluster: Cluster = request.getfixturevalue("cluster")
        for node in cluster.nodes:
            node.ask("FLUSHALL")
        return cluster.url()
    need(request.param)
    server: Valkey = request.getfixturevalue("server")
    server.ask("FLUSHALL")
    return server.url(request.param)


@pytest.fixture(params=["blocking", "awaiting"])
def store(request: pytest.FixtureRequest, url: str) -> Iterator[Any]:
    opened: Any = RedisStore(url, timeout=20)
    if request.param == "awaiting":
        opened = Awaited(opened)
    yield opened
    opened.close()


def admitted(store: Any, *hits: Hit) -> list[bool]:
    return [verdict.admitted for verdict in store.count(hits)]


def of(client: str, rule: str = "fw", **options: Any) -> Hit:
    return limit(f"default::{rule}:{client}", interval=HOUR, **options)


@pytest.mark.parametrize("algorithm", [FIXED, SLIDING, BUCKET], ids=str)
def test_a_limit_admits_its_max(store: Any, algorithm: Any) -> None:
    """Three of three, then refused with the time to wait; a refused hit changes nothing."""
    hit = of(CLIENT, algorithm=algorithm)
    assert [admitted(store, hit)[0] for _ in range(5)] == [True] * 3 + [False] * 2
    (verdict,) = store.peek([hit])
    assert not verdict.admitted
    assert verdict.remaining == 0
    assert 0 < verdict.retry_after <= verdict.reset_after <= 3_600
    assert admitted(store, of(OTHER, algorithm=algorithm)) == [True]


def test_a_group_is_charged_all_or_none(store: Any) -> None:
    """Where one hit of a group has no room, none is charged, on whichever servers their keys are."""
    small, big, far = of(CLIENT, "a", most=1), of(CLIENT, "b", most=10), of(OTHER, "c", most=10)
    assert admitted(store, small, big, far) == [True] * 3
    assert admitted(store, small, big, far) == [False, True, True]
    assert [verdict.remaining for verdict in store.peek([small, big, far])] == [0, 9, 9]


def test_verdicts_of_what_was_given_back_tell_what_is_left(store: Any) -> None:
    """A hit that had room in a group that was refused tells what is left without the charge."""
    small, far = of(CLIENT, "a", most=1), of(OTHER, "c", most=10)
    store.count([small])
    assert [verdict.remaining for verdict in store.count([small, far])] == [0, 10]


def test_dry_runs_are_only_looked_at_when_a_live_hit_was_refused(store: Any) -> None:
    """A dry run is charged with the live hits that were, and left alone by those that were not."""
    live, dry = of(CLIENT, "a", most=1), of(OTHER, "d", most=5, group=1, dry_run=True)
    assert admitted(store, dry, live) == [True, True]
    assert admitted(store, dry, live) == [True, False]
    assert store.peek([dry])[0].remaining == 4


def test_a_dry_run_that_is_full_refuses_nobody(store: Any) -> None:
    """The live hit is charged whatever a dry run says."""
    live, dry = of(CLIENT, "a", most=5), of(OTHER, "d", most=1, group=1, dry_run=True)
    assert [admitted(store, live, dry) for _ in range(2)] == [[True, True], [True, False]]
    assert store.peek([live])[0].remaining == 3


@pytest.mark.parametrize("algorithm", [FIXED, SLIDING, BUCKET], ids=str)
def test_charges_can_be_taken_back(store: Any, algorithm: Any) -> None:
    """After a refund there is room again; a ban among the charges is passed over."""
    hit = of(CLIENT, algorithm=algorithm, most=1)
    ban = Hit(f"default::ban:{CLIENT}", BAN, 1, 1)
    verdicts = store.count([ban, hit])
    assert admitted(store, hit) == [False]
    store.refund([Charge(each, verdict.at) for each, verdict in zip([ban, hit], verdicts, strict=True)])
    assert admitted(store, hit) == [True]


def test_bans(store: Any) -> None:
    """A banned key is refused with the time left, listed, and free again when the ban is lifted."""
    key = f"default::ban:{CLIENT}"
    ban, hit = Hit(key, BAN, 1, 1), of(CLIENT)
    assert admitted(store, ban, hit) == [True, True]
    store.ban(key, 100)
    verdicts = store.count([ban, hit])
    assert [verdict.admitted for verdict in verdicts] == [False, True]
    assert 90 < verdicts[0].retry_after <= 100
    assert store.peek([hit])[0].remaining == 2
    assert {name: 90 < left <= 100 for name, left in store.bans().items()} == {key: True}
    assert [store.unban(key), store.unban(key)] == [True, False]
    assert store.bans() == {}
    assert admitted(store, ban) == [True]


def test_many_bans_are_listed(store: Any) -> None:
    """More than come in one piece."""
    for number in range(520):
        store.ban(f"default::ban:{number:024x}", 60)
    assert len(store.bans()) == 520


def test_sums(store: Any) -> None:
    """A tally adds up."""
    key = f"default::shield:{CLIENT}"
    assert [store.tally(key, weight, 1000) for weight in (1, 0.5, 2)] == [1, 1.5, 3.5]


def test_marks_and_values(store: Any) -> None:
    """One caller sets a mark; a value is what was put; both can be forgotten."""
    assert [store.add_if_absent("m", 60) for _ in range(2)] == [True, False]
    assert store.get("m") == b""
    assert store.get("v") is None
    store.put("v", b"\r\n\0\xff", 60)
    assert store.get("v") == b"\r\n\0\xff"
    for key in "mv":
        store.delete(key)
        assert store.get(key) is None
    assert store.add_if_absent("m", 60)


def test_endless_times_are_cut(store: Any) -> None:
    """A time to live of for ever is accepted, and so is none."""
    for length in (float("inf"), 0.0):
        store.put("v", b"x", length)
        store.add_if_absent(f"m{length}", length)
        store.ban(f"b{length}", length)
    assert list(store.bans()) == ["binf"]


def test_reset_forgets_by_prefix(store: Any) -> None:
    """Counters and sums whose key begins so, and nothing else; what patterns mean something is taken literally."""
    for client in (CLIENT, OTHER):
        store.count([of(client, "a"), of(client, "b")])
        store.tally(f"default::a:{client}", 1, 60)
    store.count([limit("[a-z]*?\\x", interval=HOUR)])
    store.ban(f"default::a:{CLIENT}", 60)
    assert store.reset("[a-z]*?\\") == 1
    assert store.reset("d?fault") == 0
    assert store.reset(f"default::a:{CLIENT}") == 2
    assert store.peek([of(CLIENT, "a")])[0].remaining == 3
    assert store.peek([of(OTHER, "a")])[0].remaining == 2
    assert list(store.bans()) == [f"default::a:{CLIENT}"]
    assert store.reset("") == 4


def test_stats(store: Any) -> None:
    """Figures of the servers and of the connections."""
    store.count([of(CLIENT)])
    store.ban("b", 60)
    figures = store.stats()
    assert figures["keys"] == 3
    assert figures["bans"] == 1
    assert figures["servers"] in {1, 3}
    assert figures["servers_down"] == figures["outages"] == figures["keys_evicted"] == 0
    assert all(isinstance(figure, int) for figure in figures.values())


def test_nothing_asked_nothing_answered(store: Any) -> None:
    """No hits, no verdicts."""
    assert list(store.count([])) == list(store.peek([])) == []
    store.refund([])


def test_odd_keys(store: Any) -> None:
    """Whatever text a key is: braces, spaces, lone surrogates, 512 characters."""
    for key in ("{}", "a b\r\n", "\ud800", "é" * 512, "{x}:{y}", ":"):
        assert admitted(store, limit(key, most=1, interval=HOUR)) == [True]
        assert admitted(store, limit(key, most=1, interval=HOUR)) == [False]
        store.ban(key, 60)
        assert key in store.bans()
        assert store.reset(key) == 1


def test_a_store_that_was_flushed_begins_anew(store: Any, url: str, request: pytest.FixtureRequest) -> None:
    """Data and scripts that are gone bother nobody."""
    hit = of(CLIENT, most=1)
    assert admitted(store, hit) == [True]
    servers = request.getfixturevalue("cluster").nodes if "cluster" in url else [request.getfixturevalue("server")]
    for each in servers:
        each.ask("FLUSHALL")
        each.ask("SCRIPT", "FLUSH")
    assert [admitted(store, hit)[0] for _ in range(2)] == [True, False]


def test_calls_after_close_raise(url: str) -> None:
    """A closed store says so, in both kinds."""
    store = RedisStore(url)
    store.count([of(CLIENT)])
    store.close()
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.count([of(CLIENT)])
    with pytest.raises(StoreError, match="closed"):
        asyncio.run(store.aio.get("x"))


def test_a_decision_is_one_round_trip(server: Valkey) -> None:
    """Whatever a decision counts, and the ban in front of it, is one call of one script."""
    with RedisStore(server.url()) as store:
        hits = [Hit("ban", BAN, 1, 1), of(CLIENT), of(CLIENT, "s", algorithm=BUCKET), of(OTHER, "t", algorithm=FIXED)]
        store.count(hits)
        before = server.calls("evalsha")
        store.count(hits)
        assert server.calls("evalsha") - before == 1


def test_a_wrong_type_under_our_name_is_an_error(server: Valkey) -> None:
    """A key in the namespace that somebody else wrote is told, and the connection goes on."""
    with RedisStore(server.url()) as store:
        server.ask("HSET", "doorward:c:foreign", "a", "b")
        with pytest.raises(StoreError, match="not ours"):
            store.count([limit("foreign")])
        server.ask("SET", "doorward:c:strange", "x" * 17)
        assert admitted(store, limit("strange"))[0]
        assert store.figures()["outages"] == 0


def test_the_protocols_are_kept(server: Valkey) -> None:
    """Both are stores, say that they may wait, and that they keep the deadline."""
    with RedisStore(server.url()) as store:
        assert isinstance(store, Store)
        assert isinstance(store.aio, AsyncStore)
        assert store.blocking
        assert store.keeps_deadline
        assert store.aio.keeps_deadline


@pytest.mark.parametrize(
    ("key", "tag"),
    [
        ("default::fw_1234567:0123456789abcdef01234567", "0123456789abcdef01234567"),
        ("default:/items/{id}:fw_1234567:0123456789abcdef01234567100/60", "0123456789abcdef01234567"),
        (f"default:{'a' * 64}:fw_1234567:2:0123456789abcdef01234567", "0123456789abcdef01234567"),
    ],
    ids=["plain", "label", "long-scope"],
)
def test_a_key_of_a_cluster_is_tagged_by_its_fingerprint(key: str, tag: str) -> None:
    """All counters of one client are on one node."""
    assert tag_of(key) == tag


def test_a_key_without_a_fingerprint_is_tagged_too() -> None:
    """And evenly."""
    assert len({tag_of(str(number)) for number in range(100)}) == 100
