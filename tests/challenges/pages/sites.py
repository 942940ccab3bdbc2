"""One small site on each framework: "/x" asks for a challenge first, and echoes what it gets; "/away" redirects."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl

import httpx
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse
from django.urls import re_path
from fastapi import FastAPI, Request
from flask import Flask
from flask import request as flask_request
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route
from tests.adapters.django_setup import ensure_django, urlconf

from doorward import Doorward, challenge
from doorward.asgi import DoorwardMiddleware as AsgiMiddleware
from doorward.wsgi import DoorwardMiddleware as WsgiMiddleware
from doorward_fastapi import DoorwardFastAPI
from doorward_flask import DoorwardFlask
from doorward_starlette import DoorwardStarlette

ensure_django()

BROWSER = {
    "accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "accept-language": "en-GB,en;q=0.9",
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "sec-fetch-dest": "document",
    "sec-fetch-mode": "navigate",
    "sec-fetch-site": "same-origin",
}
FORM = '<!doctype html><title>app</title><h1>app</h1><pre id="got">{}</pre>'


def shown(method: str, path: str, fields: Any) -> str:
    """What the site answers."""
    text = json.dumps([method, path, [list(pair) for pair in fields]])
    return FORM.format(text.replace("&", "&amp;").replace("<", "&lt;"))


def make_client(**options: Any) -> Doorward:
    """A client that asks for a challenge on "/x"."""
    challenges = options.pop("challenges", {})
    level, max_age = options.pop("level", "wait"), options.pop("max_age", None)
    offered = {"kinds": ["wait"], **(challenges or {})}
    return Doorward([challenge(level, paths=["/x"], max_age=max_age)], secret="s" * 40, challenges=offered, **options)


def _wsgi(**options: Any) -> Any:
    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        pairs = parse_qsl(body.decode(), keep_blank_values=True)
        start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
        return [shown(environ["REQUEST_METHOD"], environ["PATH_INFO"], pairs).encode()]

    return WsgiMiddleware(app, make_client(**options))


def _asgi(**options: Any) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        pairs = parse_qsl(body.decode(), keep_blank_values=True)
        await HTMLResponse(shown(scope["method"], scope["path"], pairs))(scope, receive, send)

    return AsgiMiddleware(app, make_client(**options))


def _flask(**options: Any) -> Any:
    app = Flask("site")
    DoorwardFlask(app, aj=make_client(**options))

    @app.route("/x", methods=["GET", "POST"])
    def view() -> str:
        return shown(flask_request.method, flask_request.path, flask_request.form.items(multi=True))

    return app


async def _echo(request: Request) -> HTMLResponse:
    pairs = parse_qsl((await request.body()).decode(), keep_blank_values=True)
    return HTMLResponse(shown(request.method, request.url.path, pairs))


def _starlette(**options: Any) -> Any:
    app = Starlette(routes=[Route("/x", _echo, methods=["GET", "POST"])])
    DoorwardStarlette(app, aj=make_client(**options))
    return app


def _fastapi(**options: Any) -> Any:
    app = FastAPI()
    DoorwardFastAPI(app, aj=make_client(**options))
    app.api_route("/x", methods=["GET", "POST"])(_echo)
    return app


def _django_settings(**options: Any) -> dict[str, Any]:
    def view(request: Any) -> HttpResponse:
        pairs = [(name, value) for name, values in request.POST.lists() for value in values]
        return HttpResponse(shown(request.method, request.path, pairs))

    return {"DOORWARD": {"client": make_client(**options)}, "ROOT_URLCONF": urlconf(re_path("^x$", view))}


KINDS = ["wsgi", "asgi", "flask", "starlette", "fastapi", "django", "django-async"]
_MAKERS = {"wsgi": _wsgi, "asgi": _asgi, "flask": _flask, "starlette": _starlette, "fastapi": _fastapi}


def made(kind: str, override: Callable[..., None], **options: Any) -> Any:
    """The application; ``override`` sets settings of Django until the test ends."""
    if kind.startswith("django"):
        override(**_django_settings(**options))
        return ASGIHandler() if kind == "django-async" else WSGIHandler()
    return _MAKERS[kind](**options)


class Awaited(httpx.BaseTransport):
    """An ASGI application, asked by blocking."""

    def __init__(self, app: Any) -> None:
        self._asked = httpx.ASGITransport(app, raise_app_exceptions=False, client=("203.0.113.5", 5000))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Ask it: on a thread of its own, since Playwright may have a loop that runs on this one."""
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, self._answer(request)).result()

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        found = await self._asked.handle_async_request(
            httpx.Request(request.method, request.url, headers=request.headers, content=request.read())
        )
        return httpx.Response(found.status_code, headers=found.headers, content=await found.aread())


def visitor(kind: str, app: Any) -> httpx.Client:
    """A browser without JavaScript."""
    blocking = kind in ("wsgi", "flask", "django")
    transport = httpx.WSGITransport(app, remote_addr="203.0.113.5") if blocking else Awaited(app)
    return httpx.Client(transport=transport, base_url="http://site.example", headers=BROWSER)


class Fields(HTMLParser):
    """The forms of a page: action, attributes, and fields."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: list[tuple[dict[str, str | None], list[tuple[str, str]]]] = []
        self.attributes: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take a tag."""
        found = dict(attrs)
        self.attributes.append((tag, found))
        if tag == "form":
            self.forms.append((found, []))
        elif tag == "input" and found.get("type") == "hidden":
            self.forms[-1][1].append((found["name"] or "", found["value"] or ""))


def form_of(page: str) -> tuple[dict[str, str | None], list[tuple[str, str]]]:
    """The first form of a page."""
    return Fields(page).forms[0]
