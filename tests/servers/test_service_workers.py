"""Decision services on two hosts, two workers each, on one Valkey: what applications ask them is counted exactly."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import pytest
from tests.servers.service_apps import CALLERS, EACH, LIMITS, MOST
from tests.stores.oracle import SOAK
from tests.stores.valkeys import DEADLINE, Valkey, running

from doorward.service.server.keys import Keys

ROOT = Path(__file__).parents[2]
RUNS = 10 if SOAK else 1
PATIENCE = 120.0 if SOAK else 50.0
WAYS = ("blocking", "awaiting")
Totals = dict[str, Counter[str]]
ASKED = len(WAYS) * CALLERS * EACH


class Child:
    """A process whose lines are read."""

    def __init__(self, module: str, arguments: Sequence[str], log: Path) -> None:
        self.log = log
        path = os.pathsep.join(str(ROOT / part) for part in ("src", "adapters", "."))
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("DOORWARD_")}
        with log.open("wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                cwd=ROOT, env={**inherited, "PYTHONPATH": path, "PYTHONDEVMODE": "0"},
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, bufsize=1,
            )  # fmt: skip

    @property
    def _out(self) -> IO[str]:
        assert self.process.stdout is not None
        return self.process.stdout

    def line(self, seconds: float = DEADLINE) -> str:
        """The next line; there must be one in time."""
        assert select.select([self._out], [], [], seconds)[0], f"nothing said: {self.log.read_text()}"
        line = self._out.readline()
        assert line, self.log.read_text()
        return line

    def tell(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")

    def end(self) -> None:
        self.process.terminate()
        try:
            self.process.communicate(timeout=DEADLINE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()


@contextlib.contextmanager
def ending(children: list[Child]) -> Iterator[None]:
    try:
        yield
        for child in children:
            assert "Traceback" not in child.log.read_text(), child.log.read_text()
    finally:
        for child in children:
            child.end()


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[list[str], str]]:
    """The URLs of two hosts' services, each with a folder of its own, and a key that both know."""
    folder = tmp_path_factory.mktemp("services")
    (folder / "0").mkdir()
    keys = Keys(folder / "0" / "keys.sqlite")
    token = keys.add("shop").token
    keys.close()
    shutil.copytree(folder / "0", folder / "1")
    valkey, children = Valkey(folder / "valkey"), []
    with running(valkey), ending(children):
        urls = []
        for host in "01":
            options = ["--folder", str(folder / host), "--store", valkey.url(), "--timeout", "50", "--no-pages"]
            arguments = ["serve", "--port", "0", "--workers", "2", *options]
            children.append(Child("tests.servers.service_host", arguments, folder / f"service-{host}.log"))
        for child in children:
            found = re.search(r"http://127\.0\.0\.1:\d+", child.line())
            assert found is not None
            urls.append(found[0])
        yield urls, token


@pytest.fixture(scope="module")
def applications(services: tuple[list[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Child]]:
    """One that blocks and one that awaits, each a client of both services."""
    urls, token = services
    folder, started = tmp_path_factory.mktemp("applications"), []
    with ending(started):
        for way in WAYS:
            started.append(Child("tests.servers.service_apps", [way, token, *urls], folder / f"{way}.log"))
        for child in started:
            assert json.loads(child.line()) == "ready"
        yield started


def said(applications: Sequence[Child], ip: str, services: Sequence[int]) -> Totals:
    """What all callers together were told about a visitor, by limit, where each application asks one service."""
    for child, service in zip(applications, services, strict=True):
        child.tell(f"{ip} {service}")
    answers = [json.loads(child.line(PATIENCE)) for child in applications]
    return {name: sum([Counter(answer[name]) for answer in answers], Counter()) for name in LIMITS}


@pytest.mark.timeout(1800 if SOAK else 120)
@pytest.mark.parametrize(
    "asked",
    [pytest.param((0, 0), id="all-at-one", marks=pytest.mark.soak), pytest.param((0, 1), id="spread-over-both")],
)
def test_p10_two_services_of_two_workers_admit_exactly_the_limit(
    asked: Sequence[int], applications: list[Child]
) -> None:
    """P10: 16 callers at once, limit 500: 500 admitted by each algorithm, run after run; nobody is let in beside it."""
    for run in range(RUNS):
        visitor = f"203.0.113.{100 * sum(asked) + run}"
        assert said(applications, visitor, asked) == {name: {"ALLOW": MOST, "DENY": ASKED - MOST} for name in LIMITS}, (
            run
        )
        # Now nobody remembers this visitor but the Valkey.
        elsewhere = said(applications, visitor, [1 - number for number in asked])
        assert elsewhere == {name: {"DENY": ASKED} for name in LIMITS}, run
