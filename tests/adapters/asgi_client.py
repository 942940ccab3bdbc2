"""Requests to an ASGI application in this process, without a server."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.behaviour.clients.base import Reply, SocketReply
from tests.behaviour.clients.drivers import call_asgi, call_socket, scope_of

from doorward import AsyncDoorward, fixed_window
from doorward.testing import FakeClock

DENIAL = {"websocket.http.response": {}}


def client_of(*rules: Any, **options: Any) -> AsyncDoorward:
    """A client with a clock that stands still."""
    return AsyncDoorward(list(rules), clock=FakeClock(), **options)


def at_most(count: int, **options: Any) -> Any:
    return fixed_window(max=count, window=60, **options)


def send(app: Any, target: str = "/", *, root_path: str = "", host: str = "shop.example", **more: Any) -> Reply:
    """Send one request."""
    body = more.pop("body", b"")
    lines = [*more.pop("headers", ()), ("host", host)]
    scope = {**scope_of(target, headers=lines, **more), "root_path": root_path}
    return asyncio.run(call_asgi(app, scope, [body] if body else ()))


def statuses(app: Any, count: int, target: str = "/", **more: Any) -> list[int]:
    """The statuses of several equal requests."""
    return [send(app, target, **more).status for _ in range(count)]


def connect(app: Any, target: str = "/ws", *, denial: bool = False) -> SocketReply:
    """Open a websocket, say hello, leave."""
    scope = scope_of(target, kind="websocket")
    return asyncio.run(call_socket(app, {**scope, "extensions": DENIAL} if denial else scope))


def remaining(reply: Reply) -> str | None:
    """The RateLimit header."""
    return reply.header("ratelimit")
