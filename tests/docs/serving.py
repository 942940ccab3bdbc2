"""A real decision service, for what the documents say about it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "doorward"]
DEADLINE = 30.0
DOCUMENTED_URL, DOCUMENTED_KEY = "http://127.0.0.1:8710", "dwk_example"


class Service(NamedTuple):
    """One that runs.

    Attributes:
        folder: Where it was started.
        url: Of the service.
        key: Of an application.
    """

    folder: Path
    url: str
    key: str

    def fill_in(self, source: str) -> str:
        """A block of a document, about this service."""
        assert DOCUMENTED_URL in source
        assert DOCUMENTED_KEY in source
        return source.replace(DOCUMENTED_URL, self.url).replace(DOCUMENTED_KEY, self.key)

    def run(self, *command: str, **more: str) -> str:
        """What a command prints."""
        return run(self.folder, *command, **more)


def environment(**more: str) -> dict[str, str]:
    """Without what the machine's own variables say."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("DOORWARD_", "ARCJET_"))}
    return {**plain, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT / 'adapters'}", "PYTHONUNBUFFERED": "1", **more}


def run(folder: Path, *command: str, **more: str) -> str:
    """What a command prints, in a folder."""
    done = subprocess.run(
        command, cwd=folder, env=environment(**more), capture_output=True, text=True, timeout=DEADLINE, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def serving(folder: Path, add: list[str], serve: list[str]) -> Iterator[Service]:
    """A service that was begun with two commands of a document, on any port."""
    key = re.search(r"dwk_\w+", run(folder, *COMMAND, *add))
    assert key is not None
    with (folder / "serve.log").open("w") as log:
        process = subprocess.Popen(
            [*COMMAND, *serve, "--port", "0"], cwd=folder, env=environment(), stdout=log, stderr=subprocess.STDOUT
        )
    try:
        yield Service(folder, _url(process, folder / "serve.log"), key[0])
    finally:
        process.terminate()
        process.wait(DEADLINE)


def _url(process: subprocess.Popen[bytes], log: Path) -> str:
    import httpx

    ends = time.monotonic() + DEADLINE
    while time.monotonic() < ends:
        assert process.poll() is None, log.read_text()
        found = re.search(r"decision service on (http://\S+)", log.read_text())
        try:
            if found and httpx.get(f"{found[1]}/health/ready").status_code == 200:
                return found[1]
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError(log.read_text())
