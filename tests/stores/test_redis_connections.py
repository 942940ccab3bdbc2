"""TLS, sockets of this host, permissions, and the memory in front: over a real server."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.stores.hits import BAN, BUCKET, FIXED, SLIDING, limit
from tests.stores.liars import Behaviour, delayed, listening
from tests.stores.test_redis_failures import both, works
from tests.stores.valkeys import Valkey, running

from doorward import AsyncDoorward, Doorward, RequestContext, State, fixed_window
from doorward.effects import Charge, Hit
from doorward.errors import StoreError
from doorward.stores.redis import RedisStore

CERTIFICATE = Path(__file__).parents[1] / "data" / "loopback.pem"
NEEDED = (
    "+eval +evalsha +get +set +del +unlink +exists +time +scan +dbsize +info +ping +zadd +zrem +zcard +zrangebyscore "
    "+zrevrange +zremrangebyscore +pexpire +select"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    folder = tmp_path_factory.mktemp("valkey")
    valkey = Valkey(folder, "--unixsocket", str(folder / "s"))
    with running(valkey):
        yield valkey


def over_tls(port: int) -> Behaviour:
    """A proxy that speaks TLS in front of ``port``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    forward = delayed(port, 0)

    def serve(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            forward(secure)

    return serve


@both
@pytest.mark.parametrize("library", ["valkey", "redis"])
def test_tls(server: Valkey, kind: str, library: str) -> None:
    """A certificate of a known authority with the right name is accepted."""
    with listening(over_tls(server.port)) as proxy:
        url = f"{library}s://127.0.0.1:{proxy.port}?ssl_ca_certs={CERTIFICATE}"
        with RedisStore(url, timeout=20) as store:
            assert works(store, kind)


@both
@pytest.mark.parametrize("library", ["valkey", "redis"])
@pytest.mark.parametrize("wrong", ["authority", "name"])
def test_tls_that_is_not_to_be_trusted(server: Valkey, kind: str, library: str, wrong: str) -> None:
    """A certificate of nobody, or for another name, is an error, by either library."""
    with listening(over_tls(server.port)) as proxy:
        host, query = ("127.0.0.1", "") if wrong == "authority" else ("localhost", f"?ssl_ca_certs={CERTIFICATE}")
        with RedisStore(f"{library}s://{host}:{proxy.port}{query}", timeout=20) as store:
            assert not works(store, kind)
            with pytest.raises(StoreError, match="known to be down"):
                store.get("k")


def test_tls_that_is_not_spoken_by_the_server(server: Valkey) -> None:
    """A server without TLS is an error, in time."""
    with RedisStore(f"valkeys://127.0.0.1:{server.port}", timeout=1) as store:
        assert not works(store)


@both
def test_a_socket_of_this_host(server: Valkey, kind: str) -> None:
    """By its path."""
    with RedisStore(f"valkey+unix://{server.folder / 's'}", timeout=20) as store:
        assert works(store, kind)


def test_the_permissions_that_are_needed(server: Valkey) -> None:
    """Those that the documentation names are enough for every call, and for no other key."""
    text = (Path(__file__).parents[2] / "docs" / "stores-redis.md").read_text()
    assert " ".join(NEEDED.split()) in " ".join(text.split())
    server.ask("ACL", "SETUSER", "limiter", "on", ">word", "~doorward:*", "resetchannels", *NEEDED.split())
    with RedisStore(f"valkey://limiter:word@127.0.0.1:{server.port}", timeout=20) as store:
        for algorithm in (FIXED, SLIDING, BUCKET):
            hit = limit(f"k{algorithm}", algorithm=algorithm)
            (verdict,) = store.count([hit])
            store.count([Hit("b", BAN, 1, 1), hit])
            store.peek([hit])
            store.refund([Charge(hit, verdict.at)])
        store.ban("b", 60)
        assert list(store.bans()) == ["b"]
        assert store.unban("b")
        store.tally("t", 1, 60)
        assert store.add_if_absent("permitted", 60)
        store.put("v", b"x", 60)
        store.get("v")
        store.delete("v")
        assert store.reset("k") >= 3
        store.stats()
    url = f"valkey://limiter:word@127.0.0.1:{server.port}?namespace=other"
    with RedisStore(url, timeout=20) as store, pytest.raises(StoreError, match="does not permit a command"):
        store.put("v", b"x", 60)


def test_databases_are_apart(server: Valkey) -> None:
    """The number in the URL is the one that is used, by each kind."""
    with (
        RedisStore(server.url() + "?db=0", timeout=20) as first,
        RedisStore(f"valkey://127.0.0.1:{server.port}/1", timeout=20) as second,
    ):
        first.put("apart", b"x", 60)
        assert second.get("apart") is None


def a_request(address: str) -> RequestContext:
    return RequestContext(method="GET", scheme="https", host="shop.example", path="/", headers=[], peer=address)


def test_a_client_that_was_refused_costs_no_round_trip(server: Valkey) -> None:
    """While its refusal is believed, nobody is asked; others are, and a client that was never refused always is."""
    with RedisStore(server.url(query="?namespace=front"), timeout=20) as store:
        aj = Doorward([fixed_window(max=2, window="1h")], store=store)
        for _ in range(2):
            assert aj.protect(a_request("203.0.113.7")).is_allowed()
        assert aj.protect(a_request("203.0.113.7")).is_denied()
        before = server.calls("evalsha")
        again = aj.protect(a_request("203.0.113.7"))
        assert again.is_denied()
        assert again.results[0].state is State.CACHED
        assert server.calls("evalsha") == before
        assert aj.protect(a_request("203.0.113.8")).is_allowed()
        assert server.calls("evalsha") == before + 1


def test_another_process_can_lift_a_refusal(server: Valkey) -> None:
    """A refusal is believed for a second at most, so that a reset acts everywhere."""
    import time

    from tests.stores.valkeys import until

    from doorward.refusals import SHARED_BELIEF_NS

    with RedisStore(server.url(query="?namespace=lifted"), timeout=20) as store:
        aj, other = (Doorward([fixed_window(max=1, window="1h")], store=store) for _ in range(2))
        client = "203.0.113.9"
        assert [aj.protect(a_request(client)).is_denied() for _ in range(2)] == [False, True]
        began = time.monotonic()
        assert other.reset(client) == 1
        until(lambda: aj.protect(a_request(client)).is_allowed(), "believed for ever")
        assert SHARED_BELIEF_NS == 10**9
        assert time.monotonic() - began < 30


def test_threads_of_one_client_share_what_is_known(server: Valkey) -> None:
    """The blocking and the awaiting client count on the same counters."""
    import asyncio

    async def ask(store: RedisStore) -> list[bool]:
        aj = AsyncDoorward([fixed_window(max=3, window="1h")], store=store.aio)
        try:
            return [(await aj.protect(a_request("203.0.113.10"))).is_allowed() for _ in range(3)]
        finally:
            await store.aio.close()

    store = RedisStore(server.url(query="?namespace=shared"), timeout=20)
    aj = Doorward([fixed_window(max=3, window="1h")], store=store)
    threads = [threading.Thread(target=aj.protect, args=(a_request("203.0.113.10"),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert asyncio.run(ask(store)) == [True, False, False]
