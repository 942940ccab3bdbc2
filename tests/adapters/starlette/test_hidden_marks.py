"""A decorator of somebody else's that keeps nothing of what it wraps hides no mark: the endpoint looks after itself."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from tests.behaviour.clients.drivers import call_asgi, scope_of

from doorward import deny
from doorward_starlette import DoorwardStarlette

SECRET = "s" * 40


def hiding(view: Any) -> Any:
    """Without functools.wraps."""

    async def wrapper(request: Request) -> Any:
        return await view(request)

    return wrapper


def fresh() -> Any:
    async def endpoint(request: Request) -> PlainTextResponse:
        return PlainTextResponse("reached")

    return endpoint


def guard_of(app: Starlette | None, **options: Any) -> DoorwardStarlette:
    return DoorwardStarlette(app, rules=[], secret=SECRET, challenges={"kinds": ["wait"]}, **options)


def status(app: Any, path: str = "/", method: str = "GET") -> int:
    return asyncio.run(call_asgi(app, scope_of(path, method=method, headers=[("Accept", "text/html")]))).status


@pytest.mark.parametrize("first", [True, False], ids=["init_app first", "init_app last"])
@pytest.mark.parametrize("mounted", [True, False])
def test_a_hidden_mark_holds(first: bool, mounted: bool) -> None:
    """Middleware saw no mark and let the request in, and the endpoint believed that it had been asked about."""
    app = Starlette()
    guard = guard_of(app if first else None)
    route = Route("/", hiding(guard.challenge("wait")(fresh())))
    app.router.routes.append(Mount("/sub", routes=[route]) if mounted else route)
    if not first:
        guard.init_app(app)
    assert status(app, "/sub/" if mounted else "/") == 403


def test_all_marks_of_a_hidden_stack_hold() -> None:
    """Those that were made on the wrapper, too."""
    app = Starlette()
    guard = guard_of(app)
    marked = guard.limit("1/minute")(guard.guard(deny(methods=["POST"]))(fresh()))
    app.router.routes.append(Route("/", hiding(marked), methods=["GET", "POST"]))
    assert [status(app, method=method) for method in ("POST", "GET", "GET")] == [403, 200, 429]


def test_marks_that_middleware_reads_are_obeyed_once() -> None:
    """A limit of one counts one, whatever else is around the endpoint."""
    app = Starlette()
    guard = guard_of(app)
    kept = functools.wraps(inner := guard.limit("2/minute")(fresh()))(hiding(inner))
    app.router.routes.append(Route("/", kept))
    assert [status(app) for _ in range(3)] == [200, 200, 429]


def test_a_view_that_another_view_calls_has_the_marks_of_that_one() -> None:
    """As in Flask: its own are those of its own route."""
    app = Starlette()
    guard = guard_of(app)
    asked = guard.challenge("wait")(fresh())
    app.router.routes.extend([Route("/asked", asked), Route("/free", hiding(asked))])
    assert [status(app, path) for path in ("/asked", "/free")] == [403, 200]


@pytest.mark.parametrize("awaiting", [True, False])
@pytest.mark.parametrize("installed", [True, False])
def test_partials_are_endpoints_too(awaiting: bool, installed: bool) -> None:
    """Without middleware, awaiting ones were an AttributeError where they were decorated, and blocking ones open."""

    def blocking(text: str, request: Request) -> PlainTextResponse:
        return PlainTextResponse(text)

    async def awaited(text: str, request: Request) -> PlainTextResponse:
        return PlainTextResponse(text)

    app = Starlette()
    guard = guard_of(app if installed else None)
    view: Callable[..., Any] = functools.partial(awaited if awaiting else blocking, "reached")
    app.router.routes.append(Route("/", guard.challenge("wait")(view)))
    assert status(app) == 403
