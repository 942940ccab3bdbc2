"""The application as a WSGI application, without a framework."""

from __future__ import annotations

import json
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from tests.behaviour.clients import views
from tests.behaviour.clients.drivers import WsgiDriver

from doorward.answers import Answer
from doorward.requests import environ_path
from doorward.wsgi import DoorwardMiddleware


class RawWsgi(WsgiDriver):
    """``doorward.wsgi.DoorwardMiddleware`` around a function."""

    name = "wsgi"
    decorates = False

    def build(self) -> Any:
        app = application(self.aj)
        return DoorwardMiddleware(app, self.aj, **self.layer_options()) if self.setup.protected else app

    def own_answer(self, status: int, text: str) -> Any:
        return Answer(status, [("Content-Type", "text/plain")], text.encode())


def application(aj: Any) -> Any:
    """The routes of ``views.py``."""

    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        path, query = environ_path(environ), environ["QUERY_STRING"]

        def answer(status: int, chunks: Iterable[bytes], lines: Iterable[tuple[str, str]] = ()) -> Iterable[bytes]:
            start_response(f"{status} {HTTPStatus(status).phrase}", list(lines))
            return chunks

        if path in views.ECHOING or path.startswith("/anything/"):
            body = views.echo(environ["REQUEST_METHOD"], path, _read(environ))
            return answer(200, [json.dumps(body).encode()])
        if path == "/stream":
            return answer(200, iter(views.CHUNKS))
        if path == "/login":
            return answer(views.status_of(query), [b"login"])
        if path == "/own-headers":
            return answer(200, [b"own"], views.OWN_HEADERS)
        if path == "/handler":
            decision = aj.protect(environ, **views.protect_arguments(query))
            return answer(200, [views.told(decision).encode()])
        return _rest(aj, path, environ, answer)

    return app


def _rest(aj: Any, path: str, environ: Any, answer: Any) -> Any:
    if path == "/step-up":
        needed = aj.answer(environ, aj.require(environ, **views.step_up_arguments(environ["QUERY_STRING"])))
        return answer(needed.status, [needed.body], needed.headers) if needed else answer(200, [b"stepped up"])
    if path == "/boom":
        views.boom()
    if path == "/refund":
        environ["doorward.decision"].refund()
        return answer(200, [b"refunded"])
    return answer(404, [b"not found"])


def _read(environ: Any) -> bytes:
    if environ.get("wsgi.input_terminated"):
        return bytes(environ["wsgi.input"].read())
    return bytes(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
