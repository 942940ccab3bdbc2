"""A small load generator, for machines without wrk: connections that ask, wait for the answer, and ask again."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

from benchmarks.common import emit
from benchmarks.traffic import HEADERS, PATH, QUERY

REQUEST = (
    f"GET {PATH}?{QUERY} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in HEADERS) + "\r\n"
).encode()
_OK = b"HTTP/1.1 200"
_END = b"\r\n\r\n"


class Connection(asyncio.Protocol):
    """One client."""

    def __init__(self, taken: list[int]) -> None:
        self.taken = taken
        self.bad = 0
        self._held = b""
        self._length = 0
        self._sent = 0
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask."""
        self._transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        """Ask again when the answer is complete."""
        self._held += data
        if not self._complete():
            return
        self.taken.append(time.perf_counter_ns() - self._sent)
        self.bad += not self._held.startswith(_OK)
        self._held = b""
        self._ask()

    def _complete(self) -> bool:
        head, end, body = self._held.partition(_END)
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        return bool(end) and len(body) >= int(length or 0)

    def _ask(self) -> None:
        self._sent = time.perf_counter_ns()
        self._transport.write(REQUEST)


async def load(port: int, connections: int, seconds: float) -> dict[str, float]:
    """Requests a second, latencies in milliseconds, answers other than 200; after a second to warm up."""
    loop = asyncio.get_running_loop()
    taken: list[int] = []
    clients = []
    for _ in range(connections):
        transport, protocol = await loop.create_connection(lambda: Connection(taken), "127.0.0.1", port)
        clients.append((transport, protocol))
    await asyncio.sleep(min(1, seconds / 3))
    taken.clear()
    start = time.perf_counter()
    await asyncio.sleep(seconds)
    lasted, found = time.perf_counter() - start, sorted(taken)
    for transport, _ in clients:
        transport.abort()
    return {
        "rps": len(found) / lasted,
        "p50_ms": found[len(found) // 2] / 1e6,
        "p99_ms": found[int(len(found) * 0.99)] / 1e6,
        "bad": sum(client.bad for _, client in clients),
    }


def main() -> None:
    """Usage: load.py PORT CONNECTIONS SECONDS."""
    port, connections, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    try:
        import uvloop

        runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
    except ImportError:
        runner = asyncio.Runner()
    with runner:
        emit(runner.run(load(port, connections, seconds)))


if __name__ == "__main__":
    main()
