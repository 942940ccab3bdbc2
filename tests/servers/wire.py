"""Servers as child processes, and a client that writes the bytes it is told to."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parents[2]
DEADLINE = 30.0
POLL = 0.02


@dataclass(frozen=True)
class Kind:
    """A server, and how it is started; ``{port}`` stands for its port."""

    name: str
    command: Sequence[str]
    awaits: bool = False
    sockets: bool = False
    django: bool = False
    continues_itself: bool = False
    """Whether the server answers ``Expect: 100-continue`` before it calls the application."""


def _uvicorn(http_name: str, app: str = "apps:asgi") -> list[str]:
    return ["uvicorn", f"tests.servers.{app}", "--port", "{port}", "--http", http_name, "--ws", "wsproto",
            "--no-access-log", "--log-level", "warning"]  # fmt: skip


def _gunicorn(*more: str, app: str = "apps:wsgi") -> list[str]:
    return ["gunicorn", f"tests.servers.{app}", "-b", "127.0.0.1:{port}", "-w", "1", *more]


KINDS = (
    Kind("uvicorn-h11", _uvicorn("h11"), awaits=True, sockets=True),
    Kind("uvicorn-httptools", _uvicorn("httptools"), awaits=True, sockets=True),
    Kind(
        "hypercorn",
        ["hypercorn", "-b", "127.0.0.1:{port}", "tests.servers.apps:asgi"],
        awaits=True,
        sockets=True,
        continues_itself=True,
    ),
    Kind("gunicorn-sync", _gunicorn("--preload"), continues_itself=True),
    Kind("gunicorn-gthread", _gunicorn("-k", "gthread", "--threads", "4"), continues_itself=True),
    Kind(
        "waitress",
        [
            "waitress",
            "--no-clear-untrusted-proxy-headers",
            "--max-request-body-size=2147483648",
            "--listen=127.0.0.1:{port}",
            "tests.servers.apps:wsgi",
        ],
        continues_itself=True,
    ),
    Kind(
        "django-gunicorn",
        _gunicorn("-k", "gthread", "--threads", "4", app="django_apps:wsgi"),
        continues_itself=True,
        django=True,
    ),
    Kind("django-uvicorn", _uvicorn("httptools", "django_apps:asgi"), awaits=True, continues_itself=True, django=True),
)


@dataclass
class Answer:
    """One HTTP answer, as it was on the wire."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def header(self, name: str) -> str | None:
        found = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(found) <= 1
        return found[0] if found else None


@dataclass
class Server:
    """A running server."""

    kind: Kind
    log: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    _clients: Iterable[int] = field(default_factory=lambda: iter(range(1, 60000)))

    def __enter__(self) -> Self:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        command = [part.format(port=self.port) for part in self.kind.command]
        path = os.pathsep.join(str(ROOT / part) for part in ("src", "adapters", "."))
        environment = {**os.environ, "PYTHONPATH": path, "PYTHONDEVMODE": "0"}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *command], cwd=ROOT, env=environment, stdout=log, stderr=log
            )
        self._wait()
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process is not None
        self.process.terminate()
        try:
            self.process.wait(DEADLINE / 3)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _wait(self) -> None:
        ends = time.monotonic() + DEADLINE
        while time.monotonic() < ends:
            assert self.process is not None
            assert self.process.poll() is None, self.log.read_text()
            try:
                self.connect().close()
            except OSError:
                time.sleep(POLL)
            else:
                return
        raise AssertionError(f"{self.kind.name} did not open its port: {self.log.read_text()}")

    def client(self) -> str:
        """An address that no other test of this server has used."""
        number = next(self._clients)  # type: ignore[call-overload]
        return f"203.0.{number // 250}.{number % 250 + 1}"

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE)

    def raw(self, request: bytes | Iterable[bytes]) -> Answer | None:
        """Send bytes as they are; the first answer, or None where the server hung up without one."""
        with self.connect() as connection:
            # A server that refuses early closes its end while bytes are still under way; its answer is there to read.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                for piece in [request] if isinstance(request, bytes) else request:
                    connection.sendall(piece)
            return read_answer(connection)

    def get(self, target: str, client: str = "", *lines: str) -> Answer:
        """A well-formed GET."""
        forwarded = [f"X-Forwarded-For: {client}"] if client else []
        answer = self.raw(request_of(target, *forwarded, *lines))
        assert answer is not None
        return answer

    def state(self) -> Any:
        return self.get("/state").json()


def request_of(target: str, *lines: str, method: str = "GET", host: str = "Host: shop.example") -> bytes:
    """A request with the lines given, and no others but Host and Connection."""
    head = [f"{method} {target} HTTP/1.1", *([host] if host else []), *lines, "Connection: close", "", ""]
    return "\r\n".join(head).encode("latin-1")


def read_answer(connection: socket.socket) -> Answer | None:
    """The first final answer on a connection; None where the server hung up without one."""
    with contextlib.closing(http.client.HTTPResponse(connection)) as response:
        try:
            response.begin()
            return Answer(response.status, response.getheaders(), response.read())
        except (ConnectionError, http.client.HTTPException):
            return None


def until(condition: Any, what: str) -> None:
    """Poll until something holds.

    Raises:
        AssertionError: It did not, within the deadline.
    """
    ends = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < ends, what
        time.sleep(POLL)
