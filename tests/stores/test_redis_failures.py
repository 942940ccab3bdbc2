"""Servers that are silent, slow, lying, killed, stopped or demoted: an error in time, no wait after it, recovery."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.stores.hits import limit
from tests.stores.liars import (
    Behaviour,
    cut_short,
    delayed,
    dripping,
    endless,
    listening,
    reset,
    saying,
    silent,
)
from tests.stores.valkeys import Valkey, free_port, running, until

from doorward.effects import Hit
from doorward.errors import DeadlineExceeded, StoreError
from doorward.stores.redis import RedisStore

ROOT = Path(__file__).parents[2]
SHORT = 0.3
"""Seconds: the deadline of tests that run into it."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Valkey]:
    valkey = Valkey(tmp_path)
    with running(valkey):
        yield valkey


def count(store: RedisStore, kind: str, *hits: Hit) -> Any:
    """One decision, by either kind."""
    if kind == "blocking":
        return store.count(hits)

    async def ask() -> Any:
        try:
            return await store.aio.count(hits)
        finally:
            await store.aio._awaiting.close()

    return asyncio.run(ask())


def call(store: RedisStore, kind: str) -> Any:
    return count(store, kind, limit("k", most=10**6))


def works(store: RedisStore, kind: str = "blocking") -> bool:
    try:
        return bool(call(store, kind))
    except StoreError:
        return False


both = pytest.mark.parametrize("kind", ["blocking", "awaiting"])

LIES: dict[str, tuple[Behaviour, str]] = {
    "silent": (silent, "deadline"),
    "dripping": (dripping, "deadline"),
    "endless": (endless, "longer than"),
    "too-long": (saying(b"$200000000\r\n"), "longer than"),
    "too-many": (saying(b"*200000000\r\n"), "items"),
    "too-deep": (saying(b"*1\r\n" * 100), "not of the Redis protocol"),
    "http": (saying(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "not of the Redis protocol"),
    "random": (saying(bytes(range(256))), "not of the Redis protocol"),
    "no-number": (saying(b":x\r\n"), "not of the Redis protocol"),
    "cut-short": (cut_short, "closed the connection"),
    "reset": (reset, "broke"),
    "too-much": (saying(b"+OK\r\n+OK\r\n"), "more than it was asked"),
    "wrong-type": (saying(b":1\r\n"), "makes no sense"),
    "wrong-length": (saying(b"$3\r\nabc\r\n"), "makes no sense"),
    "not-a-number": (saying(b"$33\r\n" + b"\xff" * 33 + b"\r\n"), "makes no sense"),
    "nothing": (saying(b"$-1\r\n"), "makes no sense"),
    "loading": (saying(b"-LOADING Valkey is loading the dataset in memory\r\n"), "loading its data"),
    "readonly": (saying(b"-READONLY You can't write against a read only replica.\r\n"), "became a replica"),
    "out-of-memory": (saying(b"-OOM command not allowed\r\n"), "out of memory"),
    "moved": (saying(b"-MOVED 1 127.0.0.1:1\r\n"), "refused a command"),
    "no-script": (saying(b"-NOSCRIPT No matching script.\r\n"), "refused a command"),
    "empty-error": (saying(b"-\r\n"), "refused a command"),
}


@both
@pytest.mark.parametrize("lie", LIES)
def test_a_server_that_lies_is_an_error(lie: str, kind: str) -> None:
    """P8: whatever comes, or does not, is a StoreError that says what it was, within the deadline."""
    behaviour, why = LIES[lie]
    with (
        listening(behaviour) as liar,
        RedisStore(liar.url, timeout=SHORT) as store,
        pytest.raises(StoreError, match=why),
    ):
        call(store, kind)


@both
def test_a_connection_that_lied_is_not_used_again(kind: str) -> None:
    """Nobody knows where its next answer would begin."""
    with listening(saying(b"garbage\r\n")) as liar, RedisStore(liar.url, timeout=SHORT) as store:
        assert not works(store, kind)
        assert store.figures()["connections_idle"] == 0


@both
def test_a_silent_server_is_waited_for_once(kind: str) -> None:
    """P8: after one call that waited to its deadline, calls are answered at once, and say what for."""
    with listening(silent) as liar, RedisStore(liar.url, timeout=SHORT) as store:
        with pytest.raises(DeadlineExceeded):
            call(store, kind)
        for _ in range(100):
            with pytest.raises(StoreError, match="known to be down: the server did not answer within the deadline"):
                call(store, kind)


@both
def test_nobody_listens(kind: str) -> None:
    """A refused connection is an error that names the server; then nobody waits."""
    with RedisStore(f"valkey://127.0.0.1:{free_port()}", timeout=5) as store:
        with pytest.raises(StoreError, match=r"cannot connect to 127\.0\.0\.1"):
            call(store, kind)
        with pytest.raises(StoreError, match="known to be down"):
            call(store, kind)


@both
def test_p8_a_killed_server_is_used_again_when_it_is_back(server: Valkey, kind: str) -> None:
    """P8: killed with connections open, then restarted: service without a restart of ours."""
    with RedisStore(server.url(), timeout=SHORT) as store:
        call(store, kind)
        server.kill()
        assert not works(store, kind)
        server.start()
        until(lambda: works(store, kind), "never back")
        assert store.figures()["outages"] == 1
        assert store.figures()["servers_down"] == 0


@both
def test_p8_a_stopped_server_is_used_again_when_it_goes_on(server: Valkey, kind: str) -> None:
    """P8: SIGSTOP leaves connections open and silent; what was sent meanwhile is never taken for an answer."""
    with RedisStore(server.url(), timeout=SHORT) as store:
        store.put("v", b"before", 60)
        server.stop()
        with pytest.raises(DeadlineExceeded):
            call(store, kind)
        with pytest.raises(StoreError, match="known to be down"):
            store.get("v")
        server.resume()
        until(lambda: works(store, kind), "never back")
        assert store.get("v") == b"before"


@both
def test_p8_a_server_that_becomes_a_replica_is_left(server: Valkey, kind: str) -> None:
    """P8: READONLY is an error, and the connections are dropped; as a primary again, it is used again."""
    with RedisStore(server.url(), timeout=2) as store:
        call(store, kind)
        server.ask("REPLICAOF", "127.0.0.1", str(free_port()))
        with pytest.raises(StoreError, match="became a replica"):
            call(store, kind)
        assert store.figures()["connections_idle"] == 0
        assert not works(store, kind)
        server.ask("REPLICAOF", "NO", "ONE")
        until(lambda: works(store, kind), "never back")


@both
def test_p8_a_server_without_memory_refuses_and_recovers(server: Valkey, kind: str) -> None:
    """P8: OOM is an answer, in time: an error for the call, and nothing that has to be recovered from."""
    with RedisStore(server.url(), timeout=2) as store:
        call(store, kind)
        server.ask("CONFIG", "SET", "maxmemory", "1")
        with pytest.raises(StoreError, match="out of memory"):
            call(store, kind)
        server.ask("CONFIG", "SET", "maxmemory", "0")
        call(store, kind)
        assert store.figures()["outages"] == 0


def test_a_connection_that_the_server_closed_while_idle_costs_nothing(server: Valkey) -> None:
    """Idle connections that were cut are noticed before they are used."""
    with RedisStore(server.url()) as store:
        call(store, "blocking")
        server.ask("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        call(store, "blocking")
        assert store.figures()["outages"] == 0


@pytest.mark.parametrize("form", ["redis+sentinel://{}/group", "redis+cluster://{}"])
def test_p8_no_entry_answers_and_that_is_found_out_once(form: str) -> None:
    """P8: of several servers that may be asked where the primary is, each has a part of the deadline; awaited too."""
    with contextlib.ExitStack() as stack:
        liars = [stack.enter_context(listening(silent)) for _ in range(3)]
        entries = ",".join([f"127.0.0.1:{liar.port}" for liar in liars])
        store = stack.enter_context(RedisStore(form.format(entries), timeout=SHORT))

        async def ask() -> None:
            for _ in range(3):
                with pytest.raises(StoreError):
                    await store.aio.count([limit("k")])
            assert store.figures()["servers_down"] == 3
            await store.aio.close()

        asyncio.run(ask())


def test_servers_that_are_down_are_asked_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    """A silent one does not keep another, which is back, waiting: each waits here for the other."""
    met = threading.Barrier(2)
    with RedisStore(f"redis://127.0.0.1:{free_port()}") as store:
        assert not works(store)
        process = store._processes.current()
        nodes = process.router.nodes()
        assert len(nodes) == 1
        monkeypatch.setattr(type(process), "_probe", lambda self, node: met.wait(30))
        process._probe_at_once(nodes * 2)
        assert not met.broken


def test_only_one_probe_at_a_time(server: Valkey) -> None:
    """While a server is down, many callers make one thread ask after it."""
    with listening(silent) as liar, RedisStore(liar.url, timeout=SHORT) as store:
        assert not works(store)
        callers = [threading.Thread(target=works, args=(store,)) for _ in range(16)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        watching = [thread for thread in threading.enumerate() if thread.name == "doorward-redis-outage"]
        assert len(watching) == 1
        assert liar.accepted <= 3
    until(lambda: not watching[0].is_alive(), "a closed store goes on asking")


def test_p17_cancelled_calls_never_give_their_answers_to_others(server: Valkey) -> None:
    """P17: twenty calls cancelled anywhere, over connections with a delay: each later call gets its own answer."""

    async def storm(store: RedisStore) -> None:
        for number in range(20):
            await store.aio.put(f"k{number}", b"%d" % number, 60)
        for number in range(20):
            cut = asyncio.create_task(store.aio.get("k0"))
            await asyncio.sleep(0.005 * number)
            cut.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await cut
            assert await store.aio.get(f"k{number}") == b"%d" % number
        answers = await asyncio.gather(*[store.aio.get(f"k{number}") for number in range(20)])
        assert answers == [b"%d" % number for number in range(20)]
        assert store.figures()["outages"] == 0
        await store.aio.close()

    with listening(delayed(server.port, 0.03)) as proxy:
        asyncio.run(storm(RedisStore(proxy.url, timeout=20)))


def test_p17_cancelled_calls_leave_no_connections_behind(server: Valkey) -> None:
    """P17: after 300 cancelled calls no more connections are open than the pool holds, and none is waited for."""

    async def storm(store: RedisStore) -> None:
        for _ in range(30):
            calls = [asyncio.create_task(store.aio.count([limit("k")])) for _ in range(10)]
            await asyncio.sleep(0.001)
            for each in calls:
                each.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
        assert await store.aio.count([limit("other")])
        await store.aio.close()

    asyncio.run(storm(RedisStore(server.url(), timeout=20)))
    until(lambda: int(server.info("clients", "connected_clients")) == 1, "connections stay open")


def test_a_call_that_is_cancelled_at_its_deadline_counts_as_a_failure() -> None:
    """Whoever watches the same deadline from outside cancels just before it ends: the breaker has to hear of it."""

    async def ask(store: RedisStore) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.99 * SHORT):
                await store.aio.get("k")
        with pytest.raises(StoreError, match="known to be down"):
            await store.aio.get("k")

    with listening(silent) as liar, RedisStore(liar.url, timeout=SHORT) as store:
        asyncio.run(ask(store))


def test_more_callers_than_connections_wait_their_turn(server: Valkey) -> None:
    """Forty threads over two connections are all served."""
    with RedisStore(server.url(query="?max_connections=2"), timeout=30) as store:
        callers = [threading.Thread(target=call, args=(store, "blocking")) for _ in range(40)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        assert store.peek([limit("k", most=10**6)])[0].remaining == 10**6 - 40
        assert store.figures()["connections_opened"] <= 2


def test_all_connections_in_use_is_not_the_servers_failure(server: Valkey) -> None:
    """A caller that finds none free in time is told so, and the server is not taken for down."""
    with (
        listening(delayed(server.port, 0.2)) as proxy,
        RedisStore(f"{proxy.url}?max_connections=1", timeout=20) as slow,
    ):
        slow.get("warm")
        process = slow._processes.current()
        blocker = threading.Thread(target=slow.get, args=("k",))
        blocker.start()
        until(lambda: slow.figures()["connections_idle"] == 0, "not in use")
        process._timeout = 0.05
        with pytest.raises(DeadlineExceeded, match="all 1 connections"):
            slow.get("k")
        blocker.join()
        assert slow.figures()["outages"] == 0


FORKING = """
import os, sys
from doorward.effects import Algorithm, Hit
from doorward.stores.redis import RedisStore
store = RedisStore(sys.argv[1], timeout=20)
hit = Hit("forked", Algorithm.FIXED_WINDOW, 1000, 10**15)
store.count([hit])
children = []
for number in range(4):
    child = os.fork()
    if not child:
        status = 1
        try:
            for _ in range(50):
                store.count([hit])
            store.put(f"child{number}", str(os.getpid()).encode(), 60)
            status = store.get(f"child{number}") != str(os.getpid()).encode()
            store.close()
        finally:
            os._exit(status)
    children.append(child)
for _ in range(50):
    store.count([hit])
codes = [os.waitpid(child, 0)[1] for child in children]
assert codes == [0] * 4, codes
assert store.figures()["connections_opened"] == 1, store.figures()
print(store.peek([hit])[0].remaining)
"""


@pytest.mark.parametrize("library", ["valkey", "redis"])
def test_p17_children_of_a_fork_have_connections_of_their_own(server: Valkey, library: str) -> None:
    """P17: parent and children go on at once, no answer gets lost or mixed up, and the parent's connection stays."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), *sys.path])}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FORKING, server.url(library)],
        env=environment, capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    assert done.stdout == f"{1000 - 1 - 5 * 50}\n"


def test_passwords_log_in_and_are_never_told(tmp_path: Path) -> None:
    """The right password is accepted; a wrong one is an error without it, and so is no password at all."""
    valkey = Valkey(tmp_path, "--requirepass", "s3cret-word")
    with running(valkey):
        url = f"valkey://:s3cret-word@127.0.0.1:{valkey.port}"
        with RedisStore(url, timeout=5) as store:
            assert works(store)
            assert works(store, "awaiting")
            assert "s3cret" not in repr(store) + repr(store.aio) + repr(store._target)
        for wrong in (url.replace("s3cret-word", "wrong-w0rd"), f"valkey://127.0.0.1:{valkey.port}"):
            with RedisStore(wrong, timeout=5) as store:
                for kind in ("blocking", "awaiting", "blocking"):
                    with pytest.raises(StoreError) as caught:
                        call(store, kind)
                    assert "wrong-w0rd" not in str(caught.value)


def test_time_passes(server: Valkey) -> None:
    """Marks, values and bans end by the server's clock."""
    with RedisStore(server.url(), timeout=20) as store:
        began = time.monotonic()
        assert store.add_if_absent("m", 0.2)
        store.put("v", b"x", 0.2)
        store.ban("b", 0.2)
        until(lambda: not store.bans(), "the ban stays")
        until(lambda: store.get("v") is None, "the value stays")
        until(lambda: store.add_if_absent("m", 60), "the mark stays")
        assert time.monotonic() - began >= 0.2
