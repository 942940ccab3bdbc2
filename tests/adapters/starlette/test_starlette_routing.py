"""The endpoint that is found before the application runs is the one that runs; its scope is left alone."""

from __future__ import annotations

import copy
from functools import partial
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import Host, Mount, Route, Router, WebSocketRoute
from tests.adapters.asgi_client import client_of, connect, send
from tests.behaviour.clients.drivers import scope_of
from tests.behaviour.doubles import Spy

from doorward_starlette import DoorwardMiddleware
from doorward_starlette.routing import endpoint_of


async def first(request: Any) -> PlainTextResponse:
    return PlainTextResponse(request.scope["path"])


async def second(request: Any) -> PlainTextResponse:
    return PlainTextResponse(request.scope["path"])


async def socket(websocket: Any) -> None:
    await websocket.accept()
    await websocket.close()


class Resource(HTTPEndpoint):
    async def get(self, request: Any) -> PlainTextResponse:
        return PlainTextResponse("resource")


def inner() -> Starlette:
    return Starlette(routes=[Route("/deep/{name}", second), Route("/", first)])


def starlette_app(seen: list[Any]) -> Starlette:
    routes = [
        Route("/", first),
        Route("/only-post", first, methods=["POST"]),
        Route("/only-post", second, methods=["PUT"]),
        Route("/items/{name}", second),
        Route("/files/{rest:path}", first),
        Route("/partial", partial(first)),
        Route("/resource", Resource),
        WebSocketRoute("/ws", socket),
        Mount("/mount", routes=[Route("/x", first), Mount("/again", routes=[Route("/y", second)])]),
        Mount("/app", app=inner()),
        Mount("/zipped", app=GZipMiddleware(inner())),
        Mount("/with", routes=[Route("/x", second)], middleware=[Middleware(GZipMiddleware)]),
        Mount("/router", app=Router([Route("/x", first)], middleware=[Middleware(GZipMiddleware)])),
        Host("api.example", app=Router([Route("/on-host", second)])),
        Route("/späti/{name}", first),
    ]
    return Starlette(routes=routes, middleware=[Middleware(Looking, seen=seen), Middleware(GZipMiddleware)])


def fastapi_app(seen: list[Any], **options: Any) -> FastAPI:
    app = FastAPI(middleware=[Middleware(Looking, seen=seen)], **options)
    deep, router = APIRouter(), APIRouter(prefix="/v1")
    deep.get("/deep/{name}")(second)
    deep.add_api_websocket_route("/ws", socket)
    deep.mount("/mounted", inner())
    router.include_router(deep, prefix="/inner")
    router.post("/only-post")(first)
    router.put("/only-post")(second)
    app.include_router(router, prefix="/api")
    app.include_router(router, prefix="/again")
    app.get("/")(first)
    sub = FastAPI()
    sub.include_router(router)
    app.mount("/sub", sub)
    return app


SHARED = ("app", "doorward.decision", "doorward.state")


class Looking:
    """Middleware that keeps what it foresees and what came, and whether looking changed the scope."""

    def __init__(self, app: Any, seen: list[Any]) -> None:
        self.app = app
        self.seen = seen

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        keys = set(scope)
        plain = {key: value for key, value in scope.items() if key not in SHARED}
        before = copy.deepcopy(plain)  # the headers, state and what FastAPI keeps, too
        foreseen = endpoint_of(scope, self.app)
        assert set(scope) == keys
        assert {key: scope[key] for key in before} == before
        await self.app(scope, receive, send)
        self.seen.append((foreseen, scope.get("endpoint")))


STARLETTE = ["/", "/items/a", "/items/a/", "/items/%2e%2e", "/items/a%2Fb", "/files/a//b/%2e%2e/c", "/partial",
             "/resource", "/mount/x", "/mount/again/y", "/app/deep/n", "/app/", "/zipped/deep/n", "/with/x",
             "/router/x", "/sp%C3%A4ti/%E2%98%83", "//", "//items/a", "/mount//x", "/./items/a",
             "/%69tems/a"]  # fmt: skip
FASTAPI = ["/", "/api/v1/inner/deep/x", "/again/v1/inner/deep/%2e", "/api/v1/inner/mounted/deep/x",
           "/sub/v1/inner/deep/x"]  # fmt: skip


def agreed(make: Any, target: str, **more: Any) -> Any:
    """The endpoint that was foreseen, having checked that it is the one that ran."""
    seen: list[Any] = []
    send(make(seen), target, **more)
    [(foreseen, ran)] = seen
    ran = ran if (callable(ran) and ran in (first, second, Resource, socket)) or isinstance(ran, partial) else None
    assert getattr(foreseen, "func", foreseen) is getattr(ran, "func", ran)
    return foreseen


@pytest.mark.parametrize("target", STARLETTE)
def test_starlette_runs_the_endpoint_that_was_foreseen(target: str) -> None:
    """Plain routes, mounts, mounted middleware, converters, doubled slashes, dots and Unicode are routed alike."""
    agreed(starlette_app, target)


@pytest.mark.parametrize("target", ["/items/a", "/mount/x", "/resource", "/app/deep/n", "/router/x", "/partial"])
def test_an_endpoint_is_found_where_there_is_one(target: str) -> None:
    """The agreement is not that neither finds anything."""
    assert agreed(starlette_app, target) is not None


@pytest.mark.parametrize("target", FASTAPI)
def test_fastapi_runs_the_endpoint_that_was_foreseen(target: str) -> None:
    """Included routers, which FastAPI resolves late, nested and included twice, mounts and sub-applications."""
    assert agreed(fastapi_app, target) is not None


@pytest.mark.parametrize(("method", "expected"), [("POST", first), ("PUT", second), ("DELETE", first)])
@pytest.mark.parametrize(("make", "target"), [(starlette_app, "/only-post"), (fastapi_app, "/api/v1/only-post")])
def test_the_method_chooses_among_routes_of_one_path(make: Any, target: str, method: str, expected: Any) -> None:
    """A whole match wins; without one it is the first route of the path, which answers 405."""
    assert agreed(make, target, method=method) is expected


def test_the_host_chooses_a_route() -> None:
    """Host routes are entered for their host only."""
    assert agreed(starlette_app, "/on-host", host="api.example") is second
    assert agreed(starlette_app, "/on-host", host="shop.example") is None


@pytest.mark.parametrize(("make", "target"), [(starlette_app, "/ws"), (fastapi_app, "/api/v1/inner/ws")])
def test_websocket_routes_are_found(make: Any, target: str) -> None:
    """A websocket's endpoint is foreseen as a request's is."""
    seen: list[Any] = []
    connect(make(seen), target)
    assert seen == [(socket, socket)]


@pytest.mark.filterwarnings("ignore:The `root_path` parameter is deprecated")
def test_a_root_path_of_fastapi_is_respected() -> None:
    """FastAPI(root_path=…) replaces the server's root path before it routes."""
    assert agreed(partial(fastapi_app, root_path="/proxy"), "/proxy/api/v1/inner/deep/x") is second


def test_a_broken_route_is_looked_at_no_further() -> None:
    """Middleware that hides what it wraps leaves the endpoint unknown."""
    assert endpoint_of(scope_of("/"), object()) is None


def test_middleware_around_an_application_finds_its_routes() -> None:
    """No Starlette has put itself into the scope yet when middleware is outermost."""
    assert endpoint_of(scope_of("/items/a"), starlette_app([])) is second


# --- rules see the path that is routed


ROUTED = ["/", "/a", "/a/", "//", "//a", "/a//b", "/%2e/a", "/a/%2e%2e/b", "/a%2Fb", "/%E2%98%83", "/a%20b", "/%C3%A9",
          "/outer", "/outer/", "/outer/a", "/outered/a", "/outer//a", "/outer/outer/a"]  # fmt: skip


def rule_path(target: str, root_path: str, wrap: Any) -> tuple[str, str]:
    """The path that rules saw, and the one that Starlette routed."""
    spy, routed = Spy(), []

    async def catch_all(scope: Any, receive: Any, send: Any) -> None:
        from starlette._utils import get_route_path

        routed.append(get_route_path(scope))
        await PlainTextResponse("")(scope, receive, send)

    send(wrap(catch_all, client_of(spy)), target, root_path=root_path)
    [view] = spy.seen
    return view.request.path, routed[0]


def as_application(app: Any, aj: Any) -> Any:
    router = Router(default=app)
    starlette = Starlette(middleware=[Middleware(DoorwardMiddleware, aj=aj, default_exemptions=False)])
    starlette.router = router
    return starlette


@pytest.mark.parametrize("root_path", ["", "/outer", "/outer/", "/"])
@pytest.mark.parametrize("target", ROUTED)
def test_rules_see_the_path_that_is_routed(target: str, root_path: str) -> None:
    """Whatever the root path, doubled slashes, dots and escapes: rules and router read one path."""
    seen, routed = rule_path(target, root_path, as_application)
    assert seen == (routed or "/")


def test_middleware_of_a_mount_sees_the_path_below_it() -> None:
    """A rule within a mounted application names paths as that application does."""
    spy = Spy()
    inside = Starlette(routes=[Route("/x", first)], middleware=[Middleware(DoorwardMiddleware, aj=client_of(spy))])
    send(Starlette(routes=[Mount("/mount", app=inside)]), "/base/mount/x", root_path="/base")
    assert [view.request.path for view in spy.seen] == ["/x"]


def test_looking_is_left_out_where_nothing_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Applications without decorators do not pay for a second routing."""
    monkeypatch.setattr("doorward_starlette.middleware.reached", lambda *_: pytest.fail("routes were looked up"))
    app = DoorwardMiddleware(starlette_app([]), client_of())
    assert send(app, "/items/a").status == 200


def test_a_scope_without_router_falls_back_to_its_endpoint() -> None:
    """Middleware of one Route runs after routing: the endpoint is in the scope already."""
    assert endpoint_of({**scope_of("/"), "endpoint": second}, lambda: None) is second
