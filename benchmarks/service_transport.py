"""What it takes to ask a decision service, beside httpx and bare sockets: to a bare Starlette handler on loopback.

``python -m benchmarks.service_transport``: all in turns, in one run.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

from benchmarks.common import Row, Table
from doorward.errors import ServiceError
from doorward.service.client.caller import Caller
from doorward.service.client.http_transport import HttpTransport
from doorward.service.client.transport import Call

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

SERVER = """
import sys, uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

async def answer(request):
    await request.body()
    return Response(b'{"decision":{"id":"req_1"}}', media_type="application/json")

uvicorn.run(Starlette(routes=[Route("/{path:path}", answer, methods=["POST"])]), port=int(sys.argv[1]),
            log_level="error", access_log=False)
"""
BODY = b'{"details":{"headers":{"user-agent":"' + b"x" * 900 + b'"}}}'
PATH = "/proto.decide.v1alpha1.DecideService/Decide"
KEY = "benchmark"
ROUNDS = 20


class Server:
    """The handler, in a process of its own."""

    def __enter__(self) -> str:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self._process = subprocess.Popen([sys.executable, "-c", SERVER, str(port)], env=os.environ)
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
            except OSError:
                time.sleep(0.05)
            else:
                return f"http://127.0.0.1:{port}"

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()


def _raw(url: str) -> bytes:
    host = url.removeprefix("http://")
    return f"POST {PATH} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(BODY)}\r\n\r\n".encode() + BODY


def _address(url: str) -> tuple[str, int]:
    return "127.0.0.1", int(url.rpartition(":")[2])


def blocking_ways(url: str) -> dict[str, Callable[[], object]]:
    """A bare socket, doorward and httpx."""
    import httpx

    plain, request = socket.create_connection(_address(url)), _raw(url)
    transport, client = HttpTransport(url, KEY), httpx.Client(base_url=url, trust_env=False)

    def bare() -> object:
        plain.sendall(request)
        return plain.recv(65_536)

    return {
        "sync, bare socket": bare,
        "sync, doorward": lambda: transport.send(Call(PATH, BODY, 5.0)),
        "sync, httpx": lambda: client.post(PATH, content=BODY),
    }


async def awaiting_ways(url: str) -> dict[str, Callable[[], Awaitable[object]]]:
    """Bare streams, doorward and httpx."""
    import httpx

    (reader, writer), request = await asyncio.open_connection(*_address(url)), _raw(url)
    transport, client = HttpTransport(url, KEY), httpx.AsyncClient(base_url=url, trust_env=False)

    async def bare() -> object:
        writer.write(request)
        return await reader.read(65_536)

    return {
        "async, bare streams": bare,
        "async, doorward": lambda: transport.asend(Call(PATH, BODY, 5.0)),
        "async, httpx": lambda: client.post(PATH, content=BODY),
    }


def refused_ways() -> dict[str, Callable[[], object]]:
    """A caller that has given the service up."""

    class Down:
        def send(self, call: Call) -> Any:
            raise ServiceError("down")

        async def asend(self, call: Call) -> Any:
            raise ServiceError("down")

    caller = Caller(Down(), failures=1)

    def refused() -> None:
        try:
            caller.call(PATH, BODY, 5.0)
        except ServiceError:
            return

    refused()
    return {"sync, doorward, breaker open": refused}


def measure_sync(url: str, calls: int) -> dict[str, list[float]]:
    """Microseconds of each call."""
    ways = {**blocking_ways(url), **refused_ways()}
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            for _ in range(calls // ROUNDS):
                start = time.perf_counter()
                way()
                found[name].append((time.perf_counter() - start) * 1e6)
    return found


async def measure_async(url: str, calls: int) -> dict[str, list[float]]:
    """The same, awaiting."""
    ways = await awaiting_ways(url)
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            for _ in range(calls // ROUNDS):
                start = time.perf_counter()
                await way()
                found[name].append((time.perf_counter() - start) * 1e6)
    return found


def _row(name: str, found: list[float]) -> Row:
    found = sorted(found)
    quantiles = {label: found[int(len(found) * share)] for label, share in (("p50", 0.5), ("p99", 0.99))}
    return Row([name, *[f"{value:,.1f}" for value in quantiles.values()]], quantiles)


def tables(*, quick: bool) -> list[Table]:
    """One table."""
    calls = 1_000 if quick else 5_000
    with Server() as url:
        found = {**measure_sync(url, calls), **asyncio.run(measure_async(url, calls))}
    note = "One POST of 1 kB to a bare Starlette handler under uvicorn on loopback, by connections that are kept; µs."
    return [Table("Asking a service", note, ("", "p50", "p99"), [_row(*each) for each in found.items()])]


if __name__ == "__main__":
    print(tables(quick="--quick" in sys.argv)[0].markdown())
