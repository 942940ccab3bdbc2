"""Django sites for tests: a URLconf, a DOORWARD setting, and a client of either kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.http import HttpResponse
from django.test import AsyncClient, Client, override_settings
from tests.adapters.django_setup import MIDDLEWARE, ensure_django, urlconf

from doorward import sliding_window
from doorward.testing import FakeClock

ensure_django()

FIVE = {"max": 5, "interval": "1m"}


class Site:
    """One Django site, asked through its sync or its async handler."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.client: Any = (
            Client(raise_request_exception=False) if kind == "sync" else AsyncClient(raise_request_exception=False)
        )

    def request(self, method: str, path: str, *arguments: Any, **options: Any) -> HttpResponse:
        call = getattr(self.client, method)
        return (call if self.kind == "sync" else async_to_sync(call))(path, *arguments, **options)

    def get(self, path: str, **options: Any) -> HttpResponse:
        return self.request("get", path, **options)

    def post(self, path: str, *arguments: Any, **options: Any) -> HttpResponse:
        return self.request("post", path, *arguments, **options)

    def statuses(self, path: str, times: int) -> list[int]:
        return [self.get(path).status_code for _ in range(times)]


MakeSite = Callable[..., Site]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def configure() -> Iterator[Callable[..., None]]:
    """Override settings until the test ends."""
    active: list[override_settings] = []

    def change(**settings: Any) -> None:
        change_ = override_settings(**settings)
        change_.enable()
        active.append(change_)

    yield change
    for each in reversed(active):
        each.disable()


@pytest.fixture(params=["sync", "async"])
def make_site(request: pytest.FixtureRequest, configure: Callable[..., None], clock: FakeClock) -> MakeSite:
    """A site of these URL patterns; five requests a minute unless the test says otherwise."""

    def make(*patterns: Any, middleware: Any = (MIDDLEWARE,), urls: Any = None, **doorward: Any) -> Site:
        options = {"clock": clock, **doorward}
        if "client" in options:
            del options["clock"]
        else:
            options.setdefault("rules", [sliding_window(**FIVE)])
        configure(DOORWARD=options, MIDDLEWARE=list(middleware), ROOT_URLCONF=urls or urlconf(*patterns))
        return Site(request.param)

    return make


class Awaited:
    """A store whose calls have to be awaited."""

    blocking = True

    def __init__(self, store: Any) -> None:
        self.store = store


def _awaited(name: str) -> Any:
    async def call(self: Awaited, *arguments: Any) -> Any:
        return getattr(self.store, name)(*arguments)

    return call


for _name in ("count", "peek", "refund", "tally", "add_if_absent", "get", "put", "delete", "reset", "stats", "ban",
              "unban", "bans", "close"):  # fmt: skip
    setattr(Awaited, _name, _awaited(_name))


def ok(request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
    return HttpResponse("ok")


async def aok(request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
    return HttpResponse("ok")
