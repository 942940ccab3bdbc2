"""Several layers around one application, mounted applications, and bodies that are still under way."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.behaviour.clients.drivers import call_asgi, call_wsgi, environ_of, scope_of
from tests.behaviour.doubles import BodySpy, Spy

from doorward import AsyncDoorward, Doorward, sliding_window
from doorward.asgi import DoorwardMiddleware as ASGIMiddleware
from doorward.wsgi import DoorwardMiddleware as WSGIMiddleware


async def reached(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"reached"})


def wsgi_reached(environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [])
    return [b"reached"]


def limit() -> Any:
    return sliding_window(max=2, interval="1m", name="limit", count_when=200)


@pytest.mark.parametrize("layer", [{}, {"rate_limit_headers": True}], ids=["plain", "headers"])
def test_two_middlewares_of_one_client_count_once(layer: dict[str, Any]) -> None:
    """Each rule is asked once, and headers are written once, however many layers wrap the application."""
    spy = Spy()
    aj = AsyncDoorward([spy, limit()])
    app = ASGIMiddleware(ASGIMiddleware(reached, aj, **layer), aj, **layer)
    replies = [asyncio.run(call_asgi(app, scope_of("/x"))) for _ in range(3)]
    assert [reply.status for reply in replies] == [200, 200, 429]
    assert len(spy.seen) == 3
    assert replies[0].header("RateLimit") == ('"limit";r=1;t=60' if layer else None)


def test_two_wsgi_middlewares_of_one_client_count_once() -> None:
    """The same of WSGI."""
    aj = Doorward([limit()])
    app = WSGIMiddleware(WSGIMiddleware(wsgi_reached, aj), aj, rate_limit_headers=True)
    replies = [call_wsgi(app, environ_of("/x")) for _ in range(3)]
    assert [reply.status for reply in replies] == [200, 200, 429]


def test_two_clients_around_one_application_are_asked_each() -> None:
    """Clients of their own count on their own, and the tighter decides."""
    outer, inner = AsyncDoorward([limit()], name="outer"), AsyncDoorward([sliding_window(max=1, interval="1m")])
    app = ASGIMiddleware(ASGIMiddleware(reached, inner), outer)
    assert [asyncio.run(call_asgi(app, scope_of("/x"))).status for _ in range(3)] == [200, 429, 429]


@pytest.mark.parametrize(
    ("root", "path", "routed"),
    [
        ("", "/a", "/a"),
        ("/sub", "/sub/a", "/a"),
        ("/sub", "/sub", "/"),
        ("/sub", "/subway", "/subway"),
        ("/sub", "/other", "/other"),
    ],
)
def test_rules_of_a_mounted_application_see_its_own_paths(root: str, path: str, routed: str) -> None:
    """Below a root path, patterns are about what is below it, as routes are."""
    spy = Spy()
    scope = {**scope_of(path), "root_path": root}
    asyncio.run(call_asgi(ASGIMiddleware(reached, AsyncDoorward([spy])), scope))
    assert spy.seen[0].request.path == routed


def test_p6_the_application_begins_before_the_body_has_come() -> None:
    """P6: as soon as as much is held as rules are shown, the application reads along while the rest is under way."""
    given: list[int] = []
    begun: list[int] = []

    async def receive() -> Any:
        given.append(1)
        return {"type": "http.request", "body": b"x" * 1000, "more_body": len(given) < 100}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        begun.append(len(given))
        while (await receive())["more_body"]:
            begun.append(len(given))

    guarded = ASGIMiddleware(app, AsyncDoorward([BodySpy()], body_limit=2500))
    asyncio.run(guarded(scope_of("/x", method="POST"), receive, None))  # type: ignore[arg-type]
    assert begun[0] == 3
    assert len(given) == 100


def test_p7_nothing_is_received_unless_a_rule_reads_the_body() -> None:
    """P7: without a rule that reads bodies, neither side's first read is brought forward."""

    async def receive() -> Any:
        raise AssertionError("the body was asked for")

    async def send(_: Any) -> None: ...

    aj = AsyncDoorward([Spy(), sliding_window(max=1, interval="1m")])
    for _ in range(2):
        asyncio.run(ASGIMiddleware(reached, aj, rate_limit_headers=True)(scope_of("/x", method="POST"), receive, send))
