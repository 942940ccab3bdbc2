"""A guarded view asked by OPTIONS, which no rule is asked about by default: where the view answers, it is guarded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import flask
import pytest
from fastapi import FastAPI
from flask.views import MethodView
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from tests.adapters.django_setup import MIDDLEWARE, ensure_django, urlconf
from tests.behaviour.clients.base import Reply
from tests.behaviour.clients.drivers import call_asgi, call_wsgi, environ_of, scope_of

from doorward import Doorward
from doorward_fastapi import DoorwardFastAPI
from doorward_flask import DoorwardFlask
from doorward_starlette import DoorwardStarlette

ensure_django()

from django.core.handlers.asgi import ASGIHandler  # noqa: E402
from django.core.handlers.wsgi import WSGIHandler  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.test import override_settings  # noqa: E402
from django.urls import path  # noqa: E402
from django.views import View  # noqa: E402

import doorward_django  # noqa: E402  (Django has to be configured first)

SECRETS: Any = {"challenges": {"kinds": ["wait"]}, "secret": "a secret that nobody knows, of tests"}
PREFLIGHT = [("Origin", "https://other.example"), ("Access-Control-Request-Method", "POST")]
INSIDE = b"what has to be paid for"
MARKS = ["challenge", "require_human", "protect"]


def by_wsgi(app: Any, target: str, headers: Any = PREFLIGHT) -> Reply:
    return call_wsgi(app, environ_of(target, method="OPTIONS", headers=headers))


def by_asgi(app: Any, target: str, headers: Any = PREFLIGHT) -> Reply:
    return asyncio.run(call_asgi(app, scope_of(target, method="OPTIONS", headers=headers), []))


@pytest.mark.parametrize("mark", ["challenge", "require_human"])
@pytest.mark.parametrize("awaits", [False, True])
def test_django_runs_functions_whatever_the_method(mark: str, awaits: bool) -> None:
    """``curl -X OPTIONS`` had the page without a challenge."""
    guarding: Callable[[Any], Any] = getattr(doorward_django, mark)

    @guarding
    def function(request: HttpRequest) -> HttpResponse:
        return HttpResponse(INSIDE)

    @guarding
    class Listing(View):
        def get(self, request: HttpRequest) -> HttpResponse:
            return HttpResponse(INSIDE)

    @guarding
    class Answering(View):
        def options(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            return HttpResponse(INSIDE)

    routes = [path("f", function), path("l", Listing.as_view()), path("a", Answering.as_view())]
    settings = {"MIDDLEWARE": [MIDDLEWARE], "ROOT_URLCONF": urlconf(*routes)}
    with override_settings(DOORWARD={"client": Doorward([], **SECRETS)}, **settings):
        handler: Any = ASGIHandler() if awaits else WSGIHandler()
        ask = by_asgi if awaits else by_wsgi
        assert [ask(handler, each).status for each in ("/f", "/a", "/l")] == [403, 403, 200]
        assert ask(handler, "/l").body == b""


def test_flask_answers_by_itself_unless_the_view_does() -> None:
    app = flask.Flask("shop")
    guard = DoorwardFlask(rules=[], **SECRETS)

    @app.route("/own", methods=["GET", "OPTIONS"])
    @app.route("/automatic")
    @guard.challenge("wait")
    def own() -> bytes:
        return INSIDE

    @guard.challenge("wait")
    class Methods(MethodView):
        def options(self) -> bytes:
            return INSIDE

    app.add_url_rule("/methods", view_func=Methods.as_view("methods"))
    guard.init_app(app)
    assert [by_wsgi(app, each).status for each in ("/own", "/methods", "/automatic")] == [403, 403, 200]
    assert by_wsgi(app, "/automatic").body == b""


@pytest.mark.parametrize("mark", MARKS)
def test_starlette_asks_where_the_endpoint_runs(mark: str) -> None:
    """What is left is for CORS middleware further in, which answers preflights without the endpoint."""
    guard = DoorwardStarlette(rules=[], **SECRETS)
    step_up: Any = getattr(guard, mark)

    async def view(request: Request) -> PlainTextResponse:
        return PlainTextResponse(INSIDE)

    class Answering(HTTPEndpoint):
        async def options(self, request: Request) -> PlainTextResponse:
            return PlainTextResponse(INSIDE)

    class Silent(HTTPEndpoint):
        async def get(self, request: Request) -> PlainTextResponse:
            return PlainTextResponse(INSIDE)

    guarded = guard.challenge("wait")(step_up(view))
    routes = [Route("/get", guarded), Route("/options", guarded, methods=["GET", "OPTIONS"])]
    routes += [Route("/a", guard.challenge("wait")(Answering)), Route("/s", guard.challenge("wait")(Silent))]
    cors = Middleware(CORSMiddleware, allow_origins=["https://other.example"], allow_methods=["POST"])
    app = Starlette(routes=[*routes, Mount("/below", routes=routes)], middleware=[cors])
    guard.init_app(app)
    for prefix in ("", "/below"):
        preflights = [by_asgi(app, prefix + each).status for each in ("/options", "/a", "/get", "/s")]
        assert preflights == [403, 403, 200, 200]
        others = [by_asgi(app, prefix + each, ()).status for each in ("/options", "/a", "/get", "/s")]
        assert others == [403, 403, 405, 405]


def test_fastapi_asks_where_the_endpoint_runs() -> None:
    app = FastAPI()
    guard = DoorwardFastAPI(rules=[], **SECRETS)

    @app.api_route("/options", methods=["GET", "OPTIONS"])
    @app.get("/get")
    @guard.challenge("wait")
    async def view() -> str:
        return INSIDE.decode()

    guard.init_app(app)
    assert [by_asgi(app, each).status for each in ("/options", "/get")] == [403, 405]
