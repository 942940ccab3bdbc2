"""The pages over a real server, a real browser, and an ASGI client."""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Self

import httpx
import pytest
import uvicorn
from playwright.sync_api import Browser, sync_playwright
from tests.service.pages.doubles import Site, seeded

from doorward.clock import SystemClock

# Of Debian's Chromium as root in a container, on a network without a way out.
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"]  # fmt: skip
NAMES = [os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome"]


class Running:
    """A site behind uvicorn, in a thread."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.seeds = list(site.reader.records)
        self.bans = dict(site.bans.held)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.server = uvicorn.Server(uvicorn.Config(site.app, log_level="warning", lifespan="off", ws="none"))
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.socket]}, daemon=True)

    def __enter__(self) -> Self:
        self.thread.start()
        deadline = time.monotonic() + 20
        while not self.server.started:
            assert time.monotonic() < deadline, "uvicorn does not start"
            time.sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.thread.join(20)
        self.socket.close()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A site with little in it."""
    return Site(tmp_path, seeded(SystemClock().now_ns(), 200))


@pytest.fixture
async def http(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    """A client of it, without a log-in."""
    transport = httpx.ASGITransport(site.app, client=("192.0.2.10", 5000))
    async with httpx.AsyncClient(transport=transport, base_url="http://pages.example") as client:
        yield client


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    path = next((found for name in NAMES if name and (found := shutil.which(name))), None)
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("there is no Chromium: run tools/setup_chromium.sh")
        pytest.skip("there is no Chromium on this computer: run tools/setup_chromium.sh, or name one in $CHROMIUM")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A site with a week of decisions, behind uvicorn."""
    with Running(Site(tmp_path_factory.mktemp("pages"), seeded(SystemClock().now_ns(), 2000))) as server:
        yield server


@pytest.fixture
def running(served: Running) -> Running:
    """The same, as it was at first."""
    served.site.reader.records = list(served.seeds)
    served.site.reader.broken = False
    served.site.bans.held = dict(served.bans)
    return served


@pytest.fixture
def anyio_backend() -> str:
    """The loop that servers run."""
    return "asyncio"
