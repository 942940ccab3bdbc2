"""What an outage of the decision service is made of: the service as a process, the load, and what came of it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

from tests.servers.wire import DEADLINE, ROOT, until

MOST = 5
"""Sign-ups of an address."""
HOST = "127.0.0.1"
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": os.pathsep.join(str(ROOT / part) for part in ("src", "adapters", ".")),
    "PYTHONDEVMODE": "0",
}
_addresses = itertools.count(1)


def new_client() -> str:
    """An address that nobody has used."""
    number = next(_addresses)
    return f"203.0.{number // 250 % 256}.{number % 250 + 1}"


class Service:
    """``doorward serve``, which can be ended and started again on the same port and folder."""

    def __init__(self, folder: Path, resolver: str) -> None:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://{HOST}:{self.port}"
        self._folder = folder / "service"
        self._log = folder / "service.log"
        self._resolver = resolver
        self._process: subprocess.Popen[bytes] | None = None
        command = [sys.executable, "-m", "doorward", "keys", "add", "shop", "--json", "--folder", str(self._folder)]
        self.key = json.loads(subprocess.run(command, check=True, capture_output=True, env=ENVIRONMENT).stdout)["key"]

    def start(self) -> float:
        """Start it; when it was ready, by ``time.monotonic``."""
        command = [sys.executable, "-m", "doorward", "serve", "--port", str(self.port), "--folder", str(self._folder),
                   "--resolver", self._resolver]  # fmt: skip
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, cwd=ROOT, env=ENVIRONMENT, stdout=log, stderr=log)
        until(self._is_ready, "the service does not get ready")
        return time.monotonic()

    def _is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self._log.read_text()
        with contextlib.suppress(OSError), socket.create_connection((HOST, self.port), DEADLINE) as connection:
            connection.sendall(b"GET /health/ready HTTP/1.1\r\nHost: service.example\r\nConnection: close\r\n\r\n")
            return b" 200" in connection.recv(20)
        return False

    def send(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)
        if number == signal.SIGKILL:
            self._process.wait(DEADLINE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self.send(signal.SIGKILL)


class Answer(NamedTuple):
    """What came of one sign-up; status 0 where there was no answer."""

    at: float
    seconds: float
    status: int
    id: str = ""
    local: bool = False
    why: str = ""

    @property
    def by_service(self) -> bool:
        return self.id.startswith("req_") and not self.local


class Load:
    """Sign-ups of people who come once each, from several connections at once, in a thread. A context manager.

    Args:
        port: Of the application.
        connections: Kept alive, where the server does that.
        pause: Seconds of a connection between an answer and the next sign-up.
    """

    def __init__(self, port: int, connections: int, pause: float) -> None:
        self._port = port
        self._connections = connections
        self._pause = pause
        self._ending = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self.answers: list[Answer] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join(DEADLINE)

    def since(self, count: int) -> Sequence[Answer]:
        """The answers after so many."""
        return self.answers[count:]

    async def _run(self) -> None:
        await asyncio.gather(*[self._visit() for _ in range(self._connections)])

    async def _visit(self) -> None:
        connection = Connection(self._port)
        while not self._ending.is_set():
            self.answers.append(await connection.sign_up(new_client()))
            await asyncio.sleep(self._pause)
        connection.close()


class Connection:
    """HTTP/1.1, one sign-up after the other, on a connection that is opened anew when the server has closed it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def sign_up(self, address: str) -> Answer:
        began = time.monotonic()
        try:
            async with asyncio.timeout(DEADLINE):
                status, body = await self._exchange(address)
        except (OSError, EOFError, ValueError, IndexError) as error:  # TimeoutError is an OSError
            self.close()
            return Answer(began, time.monotonic() - began, 0, why=repr(error))
        told = json.loads(body) if status < 500 else {}
        return Answer(began, time.monotonic() - began, status, told.get("id", ""), told.get("local", False))

    async def _exchange(self, address: str) -> tuple[int, bytes]:
        if self._streams is None:
            self._streams = await asyncio.open_connection(HOST, self._port)
        reader, writer = self._streams
        writer.write(
            f"POST /signup?email=ada@shop.example HTTP/1.1\r\nHost: shop.example\r\nX-Forwarded-For: {address}\r\n"
            "User-Agent: Mozilla/5.0\r\nContent-Length: 0\r\n\r\n".encode()
        )
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(head.partition("content-length:")[2].partition("\r\n")[0])
        body = await reader.readexactly(length)
        if "connection: close" in head:
            self.close()
        return int(head.split(" ")[1]), body

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


def sign_up(port: int, address: str, times: int) -> list[Answer]:
    """One client's sign-ups, one after the other."""

    async def visit() -> list[Answer]:
        connection = Connection(port)
        answers = [await connection.sign_up(address) for _ in range(times)]
        connection.close()
        return answers

    return asyncio.run(visit())


def percentiles(answers: Sequence[Answer]) -> dict[str, float]:
    """Milliseconds (nearest rank)."""
    times = sorted(answer.seconds * 1000 for answer in answers)

    def rank(share: float) -> float:
        return times[min(len(times) - 1, int(share * len(times)))]

    return {"p50": rank(0.5), "p99": rank(0.99), "p99.9": rank(0.999), "max": times[-1]}


def shown(what: str, answers: Sequence[Answer]) -> str:
    figures: Any = "  ".join(f"{name} {value:7.1f} ms" for name, value in percentiles(answers).items())
    local = sum(answer.local for answer in answers)
    return f"{what:7} {len(answers):6} sign-ups  {figures}  {local} decided locally"
