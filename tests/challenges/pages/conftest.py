"""Sites for tests of pages, a browser, and servers for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.test import override_settings
from playwright.sync_api import Browser
from tests.challenges.pages.sites import KINDS, made, visitor
from tests.chromium import launched
from tests.loopback import served_by_asgi, served_by_wsgi

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


def served(kind: str, app: Any) -> AbstractContextManager[str]:
    """An application behind a real server: its URL."""
    return served_by_wsgi(app) if kind in ("wsgi", "flask", "django") else served_by_asgi(app)
