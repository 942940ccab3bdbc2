"""The service as a child process, and a client that writes the bytes it is told to."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import httpx
from tests.service.app import doubles

ROOT = Path(__file__).parents[3]
DEADLINE = 30.0
POLL = 0.02


def until(condition: Callable[[], Any], what: str) -> Any:
    """What ``condition`` answers, once that is something."""
    ends = time.monotonic() + DEADLINE
    while not (found := condition()):
        assert time.monotonic() < ends, what
        time.sleep(POLL)
    return found


class Running:
    """``python -m tests.service.app.doubles``: the application with doubles for the other parts."""

    def __init__(self, folder: Path, *, server: str = "hypercorn", workers: int = 1, **variables: str) -> None:
        path = os.pathsep.join(str(ROOT / part) for part in ("src", "adapters", "."))
        self.folder = folder
        self.server = server
        self._workers = workers
        self._environ = {
            **os.environ,
            "PYTHONPATH": path,
            "ONLY_UVICORN": "1" if server == "uvicorn" else "",
            "DOORWARD_SERVICE_FOLDER": str(folder / "service"),
            **{f"DOORWARD_SERVICE_{name.upper()}": value for name, value in variables.items()},
        }
        self.port = 0
        self.process: Any = None

    def __enter__(self) -> Self:
        self.log = self.folder / "log"
        command = [sys.executable, "-m", "tests.service.app.doubles", "0", str(self._workers)]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=self._environ, stdout=subprocess.PIPE, stderr=log, text=True
            )
        self.port = int(self.process.stdout.readline())
        until(self.is_up, "the service did not start")
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.stop()
        self.process.stdout.close()

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        try:
            return self.process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def is_up(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        with contextlib.suppress(OSError, httpx.HTTPError):
            return self.get("/health/live").status_code == 200
        return False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.url + path, timeout=DEADLINE)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE)

    def raw(self, *pieces: bytes) -> tuple[int, bytes] | None:
        """Send bytes as they are: status and body of the first answer; None where there was none."""
        with self.connect() as connection:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                for piece in pieces:
                    connection.sendall(piece)
            return answer_on(connection)

    def memory(self) -> int:
        """Resident bytes of the process, at the most so far."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))


def answer_on(connection: socket.socket) -> tuple[int, bytes] | None:
    with contextlib.closing(http.client.HTTPResponse(connection)) as response:
        try:
            response.begin()
            return response.status, response.read()
        except (OSError, http.client.HTTPException):
            return None


def request(*lines: str, key: str = doubles.KEY, path: str = "", method: str = "POST") -> bytes:
    """A head with these lines besides what every call has."""
    target = path or "/proto.decide.v1alpha1.DecideService/Decide"
    head = [f"{method} {target} HTTP/1.1", "Host: service.example", "Content-Type: application/json",
            f"Authorization: Bearer {key}", *lines, "", ""]  # fmt: skip
    return "\r\n".join(head).encode("latin-1")
