"""Real servers with several workers, and counters in the memory of each: it is said, and only then."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[2] / "src"
PATIENCE = 40.0
APP = """
from doorward import Doorward, sliding_window
from doorward.asgi import DoorwardMiddleware as ASGI
from doorward.wsgi import DoorwardMiddleware as WSGI

aj = Doorward([sliding_window(max=500, interval="1h")])


def hello(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]


async def ahello(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        return await send({"type": "lifespan.shutdown.complete"})
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


wsgi, asgi = WSGI(hello, aj), ASGI(ahello, aj)
"""
GUNICORN = ["gunicorn", "-b", "127.0.0.1:PORT", "workers_app:wsgi"]
UVICORN = ["uvicorn", "--port", "PORT", "workers_app:asgi"]
SEVERAL = {
    "gunicorn, its command line": ([*GUNICORN, "-w", "2"], "", "the command line asks for 2 workers"),
    "gunicorn, its file": (GUNICORN, "workers = 2", "gunicorn has started several workers|wsgi.multiprocess"),
    "gunicorn, loaded before": (GUNICORN, "workers = 2\npreload_app = True", "wsgi.multiprocess"),
    "uvicorn": ([*UVICORN, "--workers", "2"], "", "the command line asks for 2 workers"),
}
ALONE = {
    "gunicorn": (GUNICORN, ""),
    "gunicorn, loaded before": (GUNICORN, "preload_app = True"),
    "uvicorn": (UVICORN, ""),
}


class Running:
    """A server of its own process group, and what it has said so far."""

    def __init__(self, folder: Path, command: list[str], configuration: str) -> None:
        (folder / "workers_app.py").write_text(APP)
        (folder / "gunicorn.conf.py").write_text(configuration)
        self.log = folder / "log"
        # uvicorn with several workers does not say which port it was given.
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        command = [word.replace("PORT", str(self.port)) for word in command]
        environ = {**os.environ, "PYTHONPATH": f"{SOURCES}{os.pathsep}{folder}"}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=folder,
                env=environ,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.until(rf"https?://127\.0\.0\.1:{self.port}")

    def until(self, pattern: str) -> re.Match[str]:
        """What of its output matches, once something does."""
        ends = time.monotonic() + PATIENCE
        while not (found := re.search(pattern, self.log.read_text())):
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < ends, self.log.read_text()
            time.sleep(0.05)
        return found

    def ask(self) -> int:
        """The status of a request, as soon as a worker takes it."""
        self.until(r"startup complete|Booting worker")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.request("GET", "/")
        status = connection.getresponse().status
        connection.close()
        return status

    def end(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@pytest.fixture
def started(tmp_path: Path) -> Iterator[list[Running]]:
    running: list[Running] = []
    yield running
    for server in running:
        server.end()


@pytest.mark.parametrize("case", SEVERAL)
def test_several_workers_with_counters_of_their_own_are_noticed(
    case: str, started: list[Running], tmp_path: Path
) -> None:
    """At the start or at the first request, with the reason and what to do."""
    command, configuration, reason = SEVERAL[case]
    started.append(Running(tmp_path, command, configuration))
    assert started[0].ask() == 200
    said = started[0].until(rf"counters are kept in this process alone.*({reason})[^\n]*\n")
    assert "shared:///" in said[0]


@pytest.mark.parametrize("case", ALONE)
def test_nothing_is_said_about_one_worker(case: str, started: list[Running], tmp_path: Path) -> None:
    """A limit that holds needs no warning."""
    command, configuration = ALONE[case]
    started.append(Running(tmp_path, command, configuration))
    assert [started[0].ask() for _ in range(3)] == [200] * 3
    assert "counters are kept" not in started[0].log.read_text()
