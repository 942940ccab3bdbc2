"""A decorator on an endpoint whose application has no middleware is not silently without effect."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint, WebSocketEndpoint
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from tests.adapters.asgi_client import at_most, client_of, connect, send, statuses
from tests.behaviour.clients.drivers import scope_of

from doorward_starlette import DoorwardStarlette


def guard_without_app(*rules: Any, **options: Any) -> DoorwardStarlette:
    return DoorwardStarlette(aj=client_of(*rules), **options)


def blocking(guard: DoorwardStarlette) -> Any:
    @guard.limit("1/minute")
    def endpoint(x: Any) -> PlainTextResponse:
        return PlainTextResponse("ok")

    return endpoint


def awaiting(guard: DoorwardStarlette) -> Any:
    @guard.limit("1/minute")
    async def endpoint(x: Any) -> PlainTextResponse:
        return PlainTextResponse("ok")

    return endpoint


def of_class(guard: DoorwardStarlette) -> Any:
    @guard.limit("1/minute")
    class Endpoint(HTTPEndpoint):
        async def get(self, x: Any) -> PlainTextResponse:
            return PlainTextResponse("ok")

    return Endpoint


def of_method(guard: DoorwardStarlette) -> Any:
    class Endpoint(HTTPEndpoint):
        @guard.limit("1/minute")
        async def get(self, x: Any) -> PlainTextResponse:
            return PlainTextResponse("ok")

    return Endpoint


@pytest.mark.parametrize("make", [blocking, awaiting, of_class, of_method])
def test_the_limit_holds_without_middleware(make: Any, caplog: pytest.LogCaptureFixture) -> None:
    """The endpoint enforces its mark itself, and the log says once what is missing."""
    guard = guard_without_app()
    app = Starlette(routes=[Route("/", make(guard))])
    with caplog.at_level(logging.WARNING, "doorward"):
        assert statuses(app, 3) == [200, 429, 429]
    assert len([r for r in caplog.records if "init_app" in r.getMessage()]) == 1
    assert guard.client.health()["counts"]["warning.no middleware"] == 3


@pytest.mark.parametrize("make", [blocking, awaiting, of_class, of_method])
def test_wrapped_endpoints_are_charged_once_where_there_is_middleware(make: Any) -> None:
    """Regression of flask-Humanify, counted twice: here by the middleware and by the endpoint itself."""
    guard = guard_without_app()
    app = Starlette(routes=[Route("/", make(guard))])
    guard.init_app(app)
    assert statuses(app, 2) == [200, 429]
    assert "warning.no middleware" not in guard.client.health()["counts"]


def test_the_refusal_is_the_middlewares() -> None:
    """Status, headers and body agree but for the id."""
    replies = []
    for with_middleware in (True, False):
        guard = guard_without_app()
        app = Starlette(routes=[Route("/", awaiting(guard))])
        if with_middleware:
            guard.init_app(app)
        send(app)
        reply = send(app, headers=[("accept", "application/json")])
        replies.append((reply.status, reply.lines, reply.json()["detail"]))
    assert replies[0] == replies[1]


def test_exempt_alone_charges_nothing() -> None:
    """The application's rules are not asked for an exempt endpoint."""
    guard = guard_without_app(at_most(1))

    @guard.exempt
    async def endpoint(x: Any) -> PlainTextResponse:
        return PlainTextResponse("ok")

    assert statuses(Starlette(routes=[Route("/", endpoint)]), 3) == [200, 200, 200]


@pytest.mark.parametrize("denial", [False, True])
def test_websockets_are_refused_without_middleware(denial: bool) -> None:
    """Functions and classes; before the websocket is accepted."""
    guard = guard_without_app()

    @guard.limit("1/minute")
    async def function(ws: Any) -> None:
        await ws.accept()

    @guard.limit("1/minute")
    class Class(WebSocketEndpoint):
        encoding = "text"

    app = Starlette(routes=[WebSocketRoute("/ws", function), WebSocketRoute("/class", Class)])
    for target in ("/ws", "/class"):
        assert [connect(app, target, denial=denial).accepted for _ in range(2)] == [True, False]


def test_enforce_false_refuses_nothing() -> None:
    """What the object was told about refusing holds for endpoints too."""
    guard = guard_without_app(enforce=False)
    assert statuses(Starlette(routes=[Route("/", awaiting(guard))]), 2) == [200, 200]


def test_endpoints_can_be_called_by_hand() -> None:
    """A unit test calls a decorated endpoint as if it were not decorated."""
    guard = guard_without_app()
    assert blocking(guard)(Request(scope_of("/"))).status_code == 200
    assert blocking(guard)(None).status_code == 200
    assert asyncio.run(awaiting(guard)(None)).status_code == 200


@pytest.mark.swallows_errors
def test_a_failure_within_the_guard_lets_the_request_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """The host application never breaks because of us."""
    guard = guard_without_app()
    app = Starlette(routes=[Route("/", awaiting(guard))])
    monkeypatch.setattr(guard.layer, "admit", None)
    assert statuses(app, 2) == [200, 200]
