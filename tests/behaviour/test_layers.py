"""Several layers around one application, mounted applications, and bodies that are still under way."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from tests.behaviour.clients.drivers import call_asgi, call_wsgi, environ_of, scope_of
from tests.behaviour.doubles import BodySpy, Spy

from doorward import AsyncDoorward, ConfigurationError, Doorward, sliding_window
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


# --- two layers, of which one has not looked


@pytest.mark.parametrize("inner", [{"exclude": ["/x"]}, {}], ids=["exempt", "off"])
def test_a_layer_that_has_not_looked_leaves_the_decision_of_the_outer_one(
    inner: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The application finds the decision of the layer that asked its rules."""
    outer = AsyncDoorward([limit()])
    if not inner:
        monkeypatch.setenv("DOORWARD_MODE", "OFF")
    app = ASGIMiddleware(ASGIMiddleware(reached, AsyncDoorward([limit()]), **inner), outer)
    scope = scope_of("/x")
    asyncio.run(call_asgi(app, scope))
    assert scope["doorward.decision"].limits()


@pytest.mark.parametrize("inner", [{"exclude": ["/x"]}, {}], ids=["exempt", "asked"])
def test_a_layer_outside_that_has_not_looked_says_so(inner: dict[str, Any]) -> None:
    """Where the outer one is exempt, the decision is its own, or that of the inner one if that has looked."""
    asked = WSGIMiddleware(wsgi_reached, Doorward([limit()]), **inner)
    environ = environ_of("/x")
    call_wsgi(WSGIMiddleware(asked, Doorward([limit()]), exclude=["/x"]), environ)
    assert bool(environ["doorward.decision"].limits()) is not bool(inner)


# --- what the application says about routes, and how it answers


def unknown_route(_: object) -> Any:
    raise LookupError("no such converter")


@pytest.mark.swallows_errors
def test_a_route_that_cannot_be_found_out_about_keeps_the_other_rules() -> None:
    """ASGI: a look-up that raises takes the route's own rules away, and no others."""
    aj = AsyncDoorward([sliding_window(max=1, interval="1m")])
    app = ASGIMiddleware(reached, aj, policy_for=unknown_route)
    assert [asyncio.run(call_asgi(app, scope_of("/x"))).status for _ in range(2)] == [200, 429]
    assert aj.health()["counts"]["error.route: LookupError"] == 2  # type: ignore[index]


@pytest.mark.swallows_errors
def test_a_wsgi_route_that_cannot_be_found_out_about_keeps_the_other_rules() -> None:
    """The same of WSGI."""
    aj = Doorward([sliding_window(max=1, interval="1m")])
    app = WSGIMiddleware(wsgi_reached, aj, policy_for=unknown_route)
    assert [call_wsgi(app, environ_of("/x")).status for _ in range(2)] == [200, 429]
    assert aj.health()["counts"]["error.route: LookupError"] == 2  # type: ignore[index]


@pytest.mark.parametrize("layer", [{}, {"rate_limit_headers": True}], ids=["plain", "headers"])
def test_wsgi_headers_of_an_iterator_are_not_lost(layer: dict[str, Any]) -> None:
    """An application may give its headers as an iterator, which can be read only once."""

    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", iter([("X-App", "yes")]))
        return [b"ok"]

    reply = call_wsgi(WSGIMiddleware(app, Doorward([limit()]), **layer), environ_of("/x"))
    assert (reply.header("X-App"), reply.error) == ("yes", None)


@pytest.mark.swallows_errors
@pytest.mark.parametrize(
    ("status", "lines"),
    [("\u00b200 OK", []), (None, []), ("200 OK", [("X-App",)]), ("200 OK", [(1, 2)]), ("200 OK", None)],
    ids=str,
)
def test_a_malformed_wsgi_answer_is_the_servers_to_complain_about(status: Any, lines: Any) -> None:
    """What the application gave to ``start_response`` reaches the server, and nothing is raised on the way."""
    given: list[Any] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response(status, lines)
        return []

    WSGIMiddleware(app, Doorward([limit()]))(environ_of("/x"), lambda *arguments: given.append(arguments))
    assert given == [(status, lines)]


class Awaited:
    """An object that is called as a coroutine function is."""

    async def __call__(self, *_: object) -> None: ...


@pytest.mark.parametrize(
    "on_denied", [Awaited(), Awaited().__call__, partial(Awaited().__call__)], ids=["object", "method", "partial"]
)
def test_wsgi_takes_no_async_on_denied(on_denied: Any) -> None:
    """Nobody there could await it: the mistake is reported when the middleware is made."""
    with pytest.raises(ConfigurationError, match="on_denied"):
        WSGIMiddleware(wsgi_reached, Doorward(), on_denied=on_denied)


def test_a_limit_that_only_the_application_asks_is_told_of_the_response() -> None:
    """What turns out not to count is given back, though the layer itself has no such limit."""
    aj = AsyncDoorward([Spy()])
    more = aj.with_rule(sliding_window(max=1, interval="1m", count_when=401))
    conclusions: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        conclusions.append((await more.protect(scope)).conclusion.value)
        await reached(scope, receive, send)

    for _ in range(3):
        asyncio.run(call_asgi(ASGIMiddleware(app, aj), scope_of("/x")))
    assert conclusions == ["ALLOW"] * 3


@pytest.mark.parametrize("late", [False, True], ids=["before", "generator"])
def test_a_limit_that_only_a_wsgi_application_asks_is_told_of_the_response(late: bool) -> None:
    """The same of WSGI, also where the application is a generator that raises."""
    aj = Doorward([Spy()])
    more = aj.with_rule(sliding_window(max=1, interval="1m", count_when=401))
    conclusions: list[str] = []

    def generated(environ: Any, start_response: Any) -> Iterator[bytes]:
        conclusions.append(more.protect(environ).conclusion.value)
        if late:
            raise LookupError("after the limit was asked")
        yield from wsgi_reached(environ, start_response)

    for _ in range(3):
        call_wsgi(WSGIMiddleware(generated, aj), environ_of("/x"))
    assert conclusions == ["ALLOW"] * 3
