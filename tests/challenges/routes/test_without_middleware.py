"""Challenges without middleware: a decision can be answered, and the endpoints mounted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import flask
import pytest
from fastapi import Depends, FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from tests.adapters.django_setup import ensure_django, urlconf
from tests.behaviour.challenged import JSON, PAGE, Visitor
from tests.behaviour.clients.base import Reply
from tests.behaviour.clients.drivers import call_asgi, call_wsgi, environ_of, scope_of
from tests.behaviour.doubles import AwaitedStore
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from doorward import AsyncDoorward, ConfigurationError, Doorward, RequestContext, UnsupportedRequest, challenge
from doorward.asgi import ChallengeEndpoints as AsgiEndpoints
from doorward.testing import FakeClock
from doorward.wsgi import ChallengeEndpoints as WsgiEndpoints
from doorward_fastapi import DoorwardFastAPI
from doorward_flask import DoorwardFlask
from doorward_starlette import DoorwardStarlette

ensure_django()

from django.core.handlers.asgi import ASGIHandler  # noqa: E402
from django.core.handlers.wsgi import WSGIHandler  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.test import Client, override_settings  # noqa: E402
from django.urls import include, path  # noqa: E402

import doorward_django  # noqa: E402  (Django has to be configured first)

OPTIONS: Any = {"challenges": {"kinds": ["wait"]}, "secret": "a secret that nobody knows, of tests"}


class Site:
    """An application as :class:`Visitor` wants it."""

    def __init__(self, app: Any, clock: FakeClock, *, awaits: bool, root: str = "") -> None:
        self.app, self.clock, self.awaits, self.root = app, clock, awaits, root

    def request(self, target: str, *, method: str = "GET", headers: Any = (), body: bytes = b"") -> Reply:
        lines = [*headers, ("Content-Length", str(len(body)))] if body and self.awaits else headers
        if self.awaits:
            scope = scope_of(target, method=method, headers=lines)
            if self.root:
                scope["root_path"] = self.root
            return asyncio.run(call_asgi(self.app, scope, [body]))
        environ = environ_of(target, method=method, headers=lines, body=body)
        if self.root:
            environ["SCRIPT_NAME"], environ["PATH_INFO"] = self.root, environ["PATH_INFO"].removeprefix(self.root)
        return call_wsgi(self.app, environ)


def visiting(app: Any, clock: FakeClock, *, awaits: bool, root: str = "") -> Visitor:
    site: Any = Site(app, clock, awaits=awaits, root=root)
    return Visitor(site, f"{root}/.doorward")


# --- aj.answer


def test_an_answer_says_what_middleware_would() -> None:
    """A challenge as page or problem; None for who may go on."""
    aj = Doorward([challenge("wait", paths=["/x"])], clock=FakeClock(), **OPTIONS)

    def asked(path: str, accept: str) -> RequestContext:
        headers = [("Accept", accept), ("User-Agent", "x")]
        return RequestContext(
            method="GET", scheme="https", host="a.example", path=path, query="", headers=headers, peer="203.0.113.9"
        )

    page, program, free = asked("/x", "text/html"), asked("/x", "application/json"), asked("/", "text/html")
    answers = [aj.answer(each, aj.protect(each)) for each in (page, program, free)]
    assert answers[0] is not None
    assert answers[1] is not None
    assert b'name="token"' in answers[0].body
    assert b'"challenge"' in answers[1].body
    assert answers[2] is None
    with pytest.raises(UnsupportedRequest):
        aj.answer(object(), aj.protect(page))


# --- endpoints that are mounted


def starlette_site(aj: AsyncDoorward) -> Any:
    async def page(request: Request) -> Response:
        guard = DoorwardStarlette(aj=aj)
        refused: Response | None = await guard.answer(request, await aj.protect(request))
        return refused or PlainTextResponse("in")

    return Starlette(routes=[Route("/", page), Mount("/.doorward", AsgiEndpoints(aj))])


def fastapi_site(aj: AsyncDoorward) -> Any:
    app = FastAPI()
    app.mount("/.doorward", AsgiEndpoints(aj))

    @app.get("/")
    async def page(request: Request) -> Any:
        refused = await DoorwardFastAPI(aj=aj).answer(request, await aj.protect(request))
        return refused or PlainTextResponse("in")

    return app


def raw_asgi_site(aj: AsyncDoorward) -> Any:
    endpoints = AsgiEndpoints(aj)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if "/.doorward/" in scope["path"]:
            await endpoints(scope, receive, send)
            return
        answer = aj.answer(scope, await aj.protect(scope))
        response = Response(answer.body, answer.status, dict(answer.headers)) if answer else PlainTextResponse("in")
        await response(scope, receive, send)

    return app


@pytest.mark.parametrize("make", [starlette_site, fastapi_site, raw_asgi_site])
@pytest.mark.parametrize("root", ["", "/shop"])
def test_mounted_in_asgi(make: Any, root: str) -> None:
    """The whole way without middleware, also below a root path."""
    clock = FakeClock()
    visitor = visiting(make(AsyncDoorward([challenge("wait")], clock=clock, **OPTIONS)), clock, awaits=True, root=root)
    assert visitor.pass_challenge(f"{root}/").body == b"in"


@pytest.mark.parametrize("root", ["", "/shop"])
def test_mounted_in_wsgi(root: str) -> None:
    """By Werkzeug's dispatcher, which moves the prefix to SCRIPT_NAME."""
    clock = FakeClock()
    aj = Doorward([challenge("wait")], clock=clock, **OPTIONS)

    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        answer = aj.answer(environ, aj.protect(environ))
        start_response("403 Forbidden" if answer else "200 OK", list(answer.headers) if answer else [])
        return [answer.body if answer else b"in"]

    site = DispatcherMiddleware(app, {"/.doorward": WsgiEndpoints(aj)})  # type: ignore[dict-item]
    visitor = visiting(site, clock, awaits=False, root=root)
    assert visitor.pass_challenge(f"{root}/").body == b"in"


def test_mounted_in_flask() -> None:
    """A view that decides by itself, and answers with the extension's ``answer``."""
    clock = FakeClock()
    app = flask.Flask("shop")
    guard = DoorwardFlask(rules=[challenge("wait")], clock=clock, **OPTIONS)
    with app.app_context():
        endpoints = WsgiEndpoints(guard.client)

    @app.get("/")
    def page() -> Any:
        return guard.answer(guard.protect()) or "in"

    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/.doorward": endpoints})  # type: ignore[method-assign,dict-item]
    assert visiting(app, clock, awaits=False).pass_challenge("/").body == b"in"


@contextmanager
def mounted_in_django(clock: FakeClock, *, awaits: bool, **options: Any) -> Iterator[Any]:
    """A visitor of ``doorward_django.urls``, and views that answer: with CSRF checks on, and no middleware of ours."""
    kind = AsyncDoorward if "store" in options else Doorward
    client = kind([challenge("wait")], clock=clock, **OPTIONS, **options)

    def page(request: HttpRequest) -> Any:
        return doorward_django.answer(request, doorward_django.protect(request)) or HttpResponse("in")

    async def page_async(request: HttpRequest) -> Any:
        decision = await doorward_django.aprotect(request)
        return await doorward_django.aanswer(request, decision) or HttpResponse("in")

    csrf = ["django.middleware.csrf.CsrfViewMiddleware"]
    with override_settings(DOORWARD={"client": client}, MIDDLEWARE=csrf):
        import sys

        sys.modules.pop("doorward_django.urls", None)  # it reads the setting once, as URLs are read
        urls = urlconf(path("", include("doorward_django.urls")), path("", page_async if awaits else page))
        with override_settings(ROOT_URLCONF=urls):
            yield visiting(ASGIHandler() if awaits else WSGIHandler(), clock, awaits=awaits)


@pytest.mark.parametrize("awaits", [False, True])
def test_mounted_in_django(awaits: bool) -> None:
    """Passed, in place."""
    with mounted_in_django(FakeClock(), awaits=awaits) as visitor:
        assert visitor.pass_challenge("/").body == b"in"


def test_mounted_in_django_with_a_store_that_is_awaited() -> None:
    """Regression: every answer was refused, for want of a store that blocks."""
    clock = FakeClock()
    with mounted_in_django(clock, awaits=True, store=AwaitedStore(clock)) as visitor:
        assert visitor.pass_challenge("/").body == b"in"


def test_mounted_in_django_and_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in other applications: there is nothing."""
    monkeypatch.setenv("DOORWARD_MODE", "OFF")
    with mounted_in_django(FakeClock(), awaits=False):
        assert Client().get("/.doorward/landed").status_code == 404


def test_what_is_no_endpoint_is_404(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mounted elsewhere, or while everything is switched off, there is nothing."""
    aj = Doorward([], clock=FakeClock(), **OPTIONS)
    assert call_wsgi(WsgiEndpoints(aj), environ_of("/verify")).status == 404
    assert asyncio.run(call_asgi(AsgiEndpoints(aj), scope_of("/other/verify"))).status == 404
    monkeypatch.setenv("DOORWARD_MODE", "OFF")
    off = Doorward([], clock=FakeClock(), **OPTIONS)
    assert call_wsgi(WsgiEndpoints(off), environ_of("/.doorward/landed")).status == 404


@pytest.mark.parametrize("kind", [AsgiEndpoints, WsgiEndpoints])
def test_what_is_no_client_is_refused(kind: Any) -> None:
    """A mistake is found where it is made."""
    with pytest.raises(ConfigurationError):
        kind("redis://")


# --- step-up in adapters


def test_a_fastapi_dependency_steps_up() -> None:
    """``Depends(guard.required(…))`` answers by itself, and is nothing in the schema."""
    clock = FakeClock()
    app = FastAPI()
    guard = DoorwardFastAPI(app, rules=[], clock=clock, **OPTIONS)

    @app.get("/", dependencies=[Depends(guard.required("wait", max_age="5m"))])
    def page() -> str:
        return "in"

    assert app.openapi()["paths"]["/"]["get"].get("parameters") is None
    assert visiting(app, clock, awaits=True).pass_challenge("/").json() == "in"
    with pytest.raises(ConfigurationError):
        guard.required("divine")


def test_decorators_of_fastapi_leave_signatures_alone() -> None:
    """Parameters, their order, names and documentation stay, for blocking and awaiting endpoints."""
    app = FastAPI()
    guard = DoorwardFastAPI(app, rules=[], clock=FakeClock(), **OPTIONS)

    @app.get("/a/{item}")
    @guard.require_human
    async def first(item: int, limit: int = 3) -> dict[str, int]:
        """The first."""
        return {"item": item, "limit": limit}

    @app.get("/b/{item}")
    @guard.block
    @guard.challenge("wait", max_age="5m")
    def second(item: int, limit: int = 3) -> dict[str, int]:
        """The second."""
        return {"item": item, "limit": limit}

    for view, name in ((first, "first"), (second, "second")):
        operation = app.openapi()["paths"][f"/{'a' if name == 'first' else 'b'}/{{item}}"]["get"]
        assert [parameter["name"] for parameter in operation["parameters"]] == ["item", "limit"]
        assert (view.__name__, view.__doc__) == (name, f"The {name}.")


def test_django_without_middleware_is_403_and_no_500() -> None:
    """``require`` in a project that has forgotten the middleware: refused, by Django's own page."""

    def page(request: HttpRequest) -> HttpResponse:
        doorward_django.require(request, "wait")
        return HttpResponse("in")

    setting = {"client": Doorward([], clock=FakeClock(), **OPTIONS)}
    with override_settings(DOORWARD=setting, MIDDLEWARE=[], ROOT_URLCONF=urlconf(path("", page))):
        assert call_wsgi(WSGIHandler(), environ_of("/", headers=PAGE)).status == 403


def test_flask_error_handlers_do_not_swallow_a_challenge() -> None:
    """An application that handles every exception itself still answers the challenge."""
    app = flask.Flask("shop")
    guard = DoorwardFlask(app, rules=[], clock=FakeClock(), **OPTIONS)

    @app.errorhandler(Exception)
    def broken(error: Exception) -> Any:
        return "broken", 500

    @app.errorhandler(403)
    def forbidden(error: Exception) -> Any:
        return "no", 403

    @app.get("/")
    def page() -> str:
        guard.require("wait")
        return "in"

    reply = call_wsgi(app, environ_of("/", headers=JSON))
    assert reply.json()["challenge"]["kind"] == "wait"
