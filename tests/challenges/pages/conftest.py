"""Sites for tests of pages, a browser, and servers for it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn
from django.test import override_settings
from playwright.sync_api import Browser
from tests.challenges.pages.sites import KINDS, made, visitor
from tests.chromium import launched
from werkzeug.serving import make_server

from doorward.testing import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def override() -> Iterator[Callable[..., None]]:
    """Change settings of Django until the test ends."""
    active: list[Any] = []

    def change(**settings: Any) -> None:
        active.append(override_settings(**settings))
        active[-1].enable()

    yield change
    for each in reversed(active):
        each.disable()


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Each framework."""
    return str(request.param)


@pytest.fixture
def site(kind: str, override: Callable[..., None], clock: FakeClock) -> Any:
    """A visitor of a site on each framework."""
    return visitor(kind, made(kind, override, clock=clock))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    with launched() as running:
        yield running


@contextmanager
def served(kind: str, app: Any) -> Iterator[str]:
    """An application behind a real server: its URL."""
    if kind in ("wsgi", "flask", "django"):
        server = make_server("127.0.0.1", 0, app, threaded=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(20)
        server.server_close()
        return
    listening = socket.create_server(("127.0.0.1", 0))
    running = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off", ws="none"))
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not running.started:
        assert time.monotonic() < deadline, "uvicorn does not start"
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    running.should_exit = True
    thread.join(20)
    listening.close()
