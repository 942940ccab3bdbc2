"""One small application in each framework, with what is said about its routes on blocking and on awaiting views.

"/" is a page with a form; "/inside" and "/plain" tell what they got; "/sync/…" and "/async/…" are marked as ``SAID``
says; "…/step-up" asks for more in the view itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from html import escape
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import flask
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path as url_path
from fastapi import Depends, FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route
from tests.adapters.django_setup import ensure_django, urlconf

from doorward import AsyncDoorward, Doorward
from doorward_fastapi import DoorwardFastAPI
from doorward_flask import DoorwardFlask
from doorward_starlette import DoorwardStarlette

ensure_django()
import doorward_django  # noqa: E402  (Django has to be configured first)

STYLES = ("sync", "async")
METHODS = ["GET", "POST"]
STEP_UP = "step-up"
EXCLUDED = ["/plain", "/*/protect"]
"""Paths that no rule is asked on, but for what is said about a route."""

SAID: Mapping[str, Callable[[Any], Callable[[Any], Any]]] = {
    "skip": lambda guard: guard.skip,
    "exempt": lambda guard: guard.exempt,
    "protect": lambda guard: guard.protect,
    "challenge": lambda guard: guard.challenge("work"),
    "always-challenge": lambda guard: guard.always_challenge("work", max_age="5m"),
    "require-human": lambda guard: guard.require_human,
    "block": lambda guard: guard.block,
    "block-bots": lambda guard: guard.block_bots,
}
FORM = """<!doctype html><html lang="en"><title>form</title><link rel="icon" href="data:,"><h1>Form</h1>
<form method="post" action="/inside?q=1"><input name="a" value="1&amp;2 é"><textarea name="b">l1
l2</textarea><input name="submit" value="s"><button>Send</button></form></html>"""
INSIDE = """<!doctype html><html lang="en"><title>inside</title><link rel="icon" href="data:,"><h1>Inside</h1>
<pre id="got">{}</pre></html>"""


def shown(method: str | None, path: str, fields: Any = ()) -> str:
    """What a view answers."""
    return INSIDE.format(escape(json.dumps([method, path, [list(pair) for pair in fields]]), quote=False))


class Framework(NamedTuple):
    """One framework behind one kind of server.

    Attributes:
        name: What it is.
        server: How it is served, as ``tests.challenges.pages.conftest.served`` names it.
        client: The kind of client that it takes.
        made: Its application, while the context is open.
    """

    name: str
    server: str
    client: type[Any]
    made: Callable[[Any], Any]


# --- Flask


@contextmanager
def _flask(aj: Any) -> Iterator[Any]:
    app = flask.Flask("matrix", static_folder=None)
    guard = DoorwardFlask(aj=aj, exclude=EXCLUDED)

    def told() -> str:
        return shown(flask.request.method, flask.request.path, flask.request.form.items(multi=True))

    def views() -> dict[str, Callable[[], Any]]:
        async def awaiting() -> str:
            return told()

        return {"sync": lambda: told(), "async": awaiting}  # noqa: PLW0108  (one view for each mark)

    def stepping() -> str:
        guard.require("human", max_age="5m")
        return told()

    async def stepping_async() -> str:
        return stepping()

    app.add_url_rule("/", "form", lambda: FORM)
    for name in ("inside", "plain"):
        app.add_url_rule(f"/{name}", name, told, methods=METHODS)
    for name, say in SAID.items():
        for style, view in views().items():
            app.add_url_rule(f"/{style}/{name}", f"{style}-{name}", say(guard)(view))
    app.add_url_rule(f"/sync/{STEP_UP}", "sync-step-up", stepping)
    app.add_url_rule(f"/async/{STEP_UP}", "async-step-up", stepping_async)
    guard.init_app(app)
    yield app


# --- Django


def _answered(request: HttpRequest) -> HttpResponse:
    fields = [(name, value) for name, values in request.POST.lists() for value in values]
    return HttpResponse(shown(request.method, request.path, fields))


def _django_views() -> dict[str, Callable[..., Any]]:
    def blocking(request: HttpRequest) -> HttpResponse:
        return _answered(request)

    async def awaiting(request: HttpRequest) -> HttpResponse:
        return _answered(request)

    return {"sync": blocking, "async": awaiting}


def _stepping(request: HttpRequest) -> HttpResponse:
    doorward_django.require(request, "human", max_age="5m")
    return _answered(request)


async def _stepping_async(request: HttpRequest) -> HttpResponse:
    await doorward_django.arequire(request, "human", max_age="5m")
    return _answered(request)


def _django_urls() -> Any:
    marked = [url_path(f"{style}/{name}", say(doorward_django)(view))
              for name, say in SAID.items() for style, view in _django_views().items()]  # fmt: skip
    return urlconf(
        url_path("", lambda request: HttpResponse(FORM)),
        *[url_path(name, _answered) for name in ("inside", "plain")],
        *marked,
        url_path(f"sync/{STEP_UP}", _stepping),
        url_path(f"async/{STEP_UP}", _stepping_async),
    )


def _django(handler: type[Any]) -> Callable[[Any], Any]:
    @contextmanager
    def made(aj: Any) -> Iterator[Any]:
        with override_settings(DOORWARD={"client": aj, "exclude": EXCLUDED}, ROOT_URLCONF=_django_urls()):
            yield handler()

    return made


# --- Starlette and FastAPI


async def _form(request: Request) -> HTMLResponse:
    return HTMLResponse(FORM)


async def _inside(request: Request) -> HTMLResponse:
    fields = parse_qsl((await request.body()).decode(), keep_blank_values=True)
    return HTMLResponse(shown(request.method, request.url.path, fields))


def _awaiting_views() -> dict[str, Callable[..., Any]]:
    def blocking(request: Request) -> HTMLResponse:
        return HTMLResponse(shown(request.method, request.url.path))

    async def awaiting(request: Request) -> HTMLResponse:
        return blocking(request)

    return {"sync": blocking, "async": awaiting}


def _asgi_views(guard: Any) -> dict[str, Callable[..., Any]]:
    def stepping(request: Request) -> HTMLResponse:
        guard.require_in_thread(request, "human", max_age="5m")
        return HTMLResponse(shown(request.method, request.url.path))

    async def stepping_async(request: Request) -> HTMLResponse:
        await guard.require(request, "human", max_age="5m")
        return HTMLResponse(shown(request.method, request.url.path))

    marked = {f"/{style}/{name}": say(guard)(view)
              for name, say in SAID.items() for style, view in _awaiting_views().items()}  # fmt: skip
    return {**marked, f"/sync/{STEP_UP}": stepping, f"/async/{STEP_UP}": stepping_async}


@contextmanager
def _starlette(aj: Any) -> Iterator[Any]:
    guard = DoorwardStarlette(aj=aj, exclude=EXCLUDED)
    plain = [Route("/", _form), *[Route(path, _inside, methods=METHODS) for path in ("/inside", "/plain")]]
    app = Starlette(routes=[*plain, *[Route(path, view) for path, view in _asgi_views(guard).items()]])
    guard.init_app(app)
    yield app


@contextmanager
def _fastapi(aj: Any) -> Iterator[Any]:
    app = FastAPI(openapi_url=None)
    guard = DoorwardFastAPI(aj=aj, exclude=EXCLUDED)
    app.add_api_route("/", _form, response_model=None)
    for path in ("/inside", "/plain"):
        app.add_api_route(path, _inside, methods=METHODS, response_model=None)
    for path, view in _asgi_views(guard).items():
        app.add_api_route(path, view, response_model=None)
    needed = [Depends(guard.required("human", max_age="5m"))]
    for style, view in _awaiting_views().items():
        app.add_api_route(f"/{style}/depends", view, response_model=None, dependencies=needed)
    guard.init_app(app)
    yield app


FRAMEWORKS = (
    Framework("flask", "flask", Doorward, _flask),
    Framework("django", "django", Doorward, _django(WSGIHandler)),
    Framework("django-async", "django-async", AsyncDoorward, _django(ASGIHandler)),
    Framework("fastapi", "fastapi", AsyncDoorward, _fastapi),
    Framework("starlette", "starlette", AsyncDoorward, _starlette),
)
