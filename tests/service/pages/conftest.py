"""The pages over a real server, a real browser, and an ASGI client."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Self

import httpx
import pytest
import uvicorn
from playwright.sync_api import Browser
from tests.chromium import launched
from tests.service.pages.doubles import Site, seeded

from doorward.clock import SystemClock


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
    with launched() as running:
        yield running


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
