"""What is Flask's and Starlette's own about challenges: blueprints, templates, view classes, mounts."""

from __future__ import annotations

import asyncio
import re
from typing import Any
from urllib.parse import urlencode

import flask
import pytest
from fastapi import APIRouter, FastAPI
from flask.views import MethodView
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket
from tests.behaviour.challenged import PAGE, Visitor
from tests.behaviour.clients.drivers import call_socket, call_wsgi, environ_of, scope_of
from tests.challenges.routes.test_without_middleware import Site

from doorward import challenge, form_trap
from doorward.testing import FakeClock
from doorward_fastapi import DoorwardFastAPI
from doorward_flask import DoorwardFlask
from doorward_starlette import DoorwardStarlette

EXTENSION = {"websocket.http.response": {}}
OPTIONS: Any = {"challenges": {"kinds": ["wait"]}, "secret": "a secret that nobody knows, of tests"}


def visiting(app: Any, clock: FakeClock, *, awaits: bool, root: str = "") -> Visitor:
    site: Any = Site(app, clock, awaits=awaits, root=root)
    return Visitor(site, f"{root}/.doorward")


def test_blueprints_and_view_classes_of_flask() -> None:
    """A blueprint that is stepped up, a method of a class, an async view; an exempt view within."""
    clock = FakeClock()
    app = flask.Flask("shop")
    guard = DoorwardFlask(rules=[], clock=clock, **OPTIONS)
    account = flask.Blueprint("account", __name__, url_prefix="/account")
    guard.challenge("wait")(account)

    @account.get("/")
    def own() -> str:
        return "own"

    @account.get("/help")
    @guard.skip
    def helping() -> str:
        return "help"

    class Orders(MethodView):
        @guard.challenge("wait")
        def post(self) -> str:
            return "ordered"

        def get(self) -> str:
            return "orders"

    app.register_blueprint(account)
    app.add_url_rule("/orders", view_func=Orders.as_view("orders"))
    guard.init_app(app)
    assert visiting(app, clock, awaits=False).pass_challenge("/account/").body == b"own"
    assert call_wsgi(app, environ_of("/account/help", headers=PAGE)).body == b"help"
    assert call_wsgi(app, environ_of("/orders", headers=PAGE)).body == b"orders"
    assert call_wsgi(app, environ_of("/orders", method="POST", headers=PAGE)).status == 403


def test_forms_in_jinja() -> None:
    """``{{ doorward_form("sign-up") }}`` is there in every template of Flask's, and escaped once."""
    clock = FakeClock()
    app = flask.Flask("shop")
    guard = DoorwardFlask(app, rules=[form_trap()], clock=clock, **OPTIONS)

    @app.route("/", methods=["GET", "POST"])
    def sign_up() -> str:
        if flask.request.method == "POST":
            return str(guard.protect(form=flask.request.form).conclusion)
        return flask.render_template_string("<form>{{ doorward_form('sign-up') }}</form>")

    html = call_wsgi(app, environ_of("/", headers=PAGE)).body.decode()
    fields = dict(re.findall('name="([^"]+)" value="([^"]*)"', html))
    assert len(fields) == 2
    clock.advance(5.0)
    headers = [*PAGE, ("Content-Type", "application/x-www-form-urlencoded")]

    def sent(form: dict[str, str]) -> bytes:
        body = urlencode(form).encode()
        return call_wsgi(app, environ_of("/", method="POST", headers=headers, body=body)).body

    assert sent(fields) == b"ALLOW"
    assert sent({**fields, next(iter(fields)): "spam"}) == b"DENY"


@pytest.mark.parametrize("awaits", [False, True])
def test_flask_without_init_app_still_asks(awaits: bool) -> None:
    """A decorated view of an application that was never initialized is challenged as it runs."""
    app = flask.Flask("shop")
    guard = DoorwardFlask(rules=[], clock=FakeClock(), **OPTIONS)

    def view() -> str:
        return "in"

    async def view_async() -> str:
        return "in"

    app.add_url_rule("/", view_func=guard.challenge("wait")(view_async if awaits else view), endpoint="in")
    assert call_wsgi(app, environ_of("/", headers=PAGE)).status == 403


async def page(request: Request) -> Response:
    return PlainTextResponse("in")


async def free(request: Request) -> Response:
    return PlainTextResponse("free")


def blocking_page(request: Request) -> Response:
    return PlainTextResponse("in")


class Class(HTTPEndpoint):
    async def get(self, request: Request) -> Response:
        return PlainTextResponse("in")


@pytest.mark.parametrize("kind", ["awaiting", "blocking", "class"])
@pytest.mark.parametrize("installed", [True, False])
def test_starlette_endpoints(kind: str, *, installed: bool) -> None:
    """Functions and classes, with middleware and without: the mark is obeyed."""
    clock = FakeClock()
    guard = DoorwardStarlette(rules=[], clock=clock, **OPTIONS)
    fresh: Any = type("Own", (Class,), {}) if kind == "class" else page if kind == "awaiting" else blocking_page
    app = Starlette(routes=[Route("/", guard.challenge("wait")(fresh)), Route("/free", free)])
    if installed:
        guard.init_app(app)
    visitor = visiting(app, clock, awaits=True)
    assert visitor.go("/free").status == 200
    if installed:
        assert visitor.pass_challenge("/").body == b"in"
    else:
        assert visitor.go("/").status == 403


def test_a_websocket_is_stepped_up() -> None:
    """``require`` in a websocket's endpoint refuses it before it is accepted."""
    guard = DoorwardStarlette(rules=[], clock=FakeClock(), **OPTIONS)

    async def socket(websocket: WebSocket) -> None:
        await guard.require(websocket, "wait")
        await websocket.accept()

    app = Starlette(routes=[WebSocketRoute("/ws", socket)])
    guard.init_app(app)
    scope = scope_of("/ws", kind="websocket")
    assert not asyncio.run(call_socket(app, scope)).accepted
    told = asyncio.run(call_socket(app, {**scope_of("/ws", kind="websocket"), "extensions": EXTENSION})).denial
    assert told is not None
    assert told.status == 403


@pytest.mark.parametrize("root", ["", "/shop"])
def test_middleware_within_a_mount(root: str) -> None:
    """A mounted application with middleware of its own has its endpoints below its mount."""
    clock = FakeClock()
    inner = Starlette(routes=[Route("/", page)])
    DoorwardStarlette(inner, rules=[challenge("wait")], clock=clock, **OPTIONS)
    app = Starlette(routes=[Mount("/inner", inner), Route("/", page)])
    visitor = visiting(app, clock, awaits=True, root=root)
    visitor.prefix = f"{root}/inner/.doorward"
    assert visitor.go(f"{root}/").status == 200
    assert visitor.pass_challenge(f"{root}/inner/?a=1").body == b"in"


def test_routers_of_fastapi() -> None:
    """Marks on endpoints of a router that is included under a prefix; a raised refusal in a mounted application."""
    clock = FakeClock()
    app, router = FastAPI(), APIRouter(prefix="/account")
    guard = DoorwardFastAPI(app, rules=[], clock=clock, **OPTIONS)

    @router.get("/in")
    @guard.require_human
    async def inside() -> str:
        return "in"

    @router.get("/step")
    async def step(request: Request) -> str:
        await guard.require(request, "wait")
        return "stepped"

    app.include_router(router, prefix="/v1")
    assert visiting(app, clock, awaits=True).pass_challenge("/v1/account/in").json() == "in"
    assert visiting(app, clock, awaits=True).pass_challenge("/v1/account/step").json() == "stepped"


def test_protect_of_fastapi_is_a_decorator_and_a_function() -> None:
    """``@guard.protect`` on an endpoint, ``await guard.protect(request)`` within one."""
    clock = FakeClock()
    app = FastAPI()
    guard = DoorwardFastAPI(app, rules=[challenge("wait")], clock=clock, **OPTIONS)

    @app.get("/health")
    @guard.protect
    async def health(request: Request) -> str:
        return str((await guard.protect(request)).conclusion)

    assert visiting(app, clock, awaits=True).pass_challenge("/health").json() == "ALLOW"
