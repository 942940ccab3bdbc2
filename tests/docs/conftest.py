"""Programs run as users run them: as processes of their own, on a free port of this computer."""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.docs.viewer import Viewer

ROOT = Path(__file__).parents[2]
_ADDRESS = re.compile(r"http://127\.0\.0\.1:([1-9][0-9]*)")


class Answer(NamedTuple):
    """An HTTP answer, read whole."""

    status: int
    headers: http.client.HTTPMessage
    body: str


class Program:
    """A server that was started, and says its port in what it prints."""

    def __init__(self, arguments: list[str], cwd: Path, environ: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=cwd,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.output = ""
        self.port = self._read_port()
        # Emptied, so that the program never waits for somebody to read what it prints.
        self._reader = threading.Thread(target=self._read_rest)
        self._reader.start()

    def _read_port(self) -> int:
        for line in self.process.stdout:
            self.output += line
            if found := _ADDRESS.search(line):
                return int(found[1])
        raise AssertionError(f"the program ended before it said its port:\n{self.output}")

    def _read_rest(self) -> None:
        for line in self.process.stdout:
            self.output += line

    def request(self, method: str, path: str, body: str | None = None, **headers: str) -> Answer:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read().decode())
        finally:
            connection.close()

    def interrupt(self) -> int:
        """Ctrl-C; the exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(20)

    def close(self) -> None:
        """End it, whatever state it is in."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
        self._reader.join(10)
        self.process.stdout.close()


@pytest.fixture
def start() -> Iterator[Callable[..., Program]]:
    """Starts programs, and ends them after the test."""
    programs: list[Program] = []

    def starting(*arguments: str, cwd: Path = ROOT, **environ: str) -> Program:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("DOORWARD_")}
        program = Program(list(arguments), cwd, {**inherited, "PYTHONUNBUFFERED": "1", **environ})
        programs.append(program)
        return program

    yield starting
    for program in programs:
        program.close()


@pytest.fixture
def demo(start: Callable[..., Any]) -> Any:
    """The demonstration on a free port."""
    return start("-m", "demo", DOORWARD_DEMO_PORT="0")


@pytest.fixture
def watch(demo: Any) -> Iterator[Callable[..., Viewer]]:
    """Opens pages, and closes them after the test."""
    viewers: list[Viewer] = []

    def opening(**headers: str) -> Viewer:
        viewers.append(Viewer(demo, **headers))
        return viewers[-1]

    yield opening
    for viewer in viewers:
        viewer.response.close()
        viewer.connection.close()
