"""The application in Flask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, Response, request
from tests.behaviour.clients import views
from tests.behaviour.clients.drivers import WsgiDriver

from doorward_flask import DoorwardFlask

METHODS = ["GET", "POST", "PUT", "DELETE"]


def echoing(name: str) -> Callable[..., Any]:
    """A new view, for decorators to mark."""

    def view(**_: object) -> Any:
        return views.echo(request.method, request.path, request.get_data())

    view.__qualname__ = name
    return view


def stream() -> Response:
    return Response(iter(views.CHUNKS))


def login() -> tuple[str, int]:
    return "login", views.status_of(request.query_string.decode())


def own_headers() -> Response:
    response = Response("own")
    for name, value in views.OWN_HEADERS:
        response.headers.add(name, value)
    return response


def refund() -> str:
    request.environ["doorward.decision"].refund()
    return "refunded"


class FlaskApp(WsgiDriver):
    """``DoorwardFlask`` and its decorators."""

    name = "flask"

    def build(self) -> Any:
        def handler() -> str:
            decision = self.aj.protect(request, **views.protect_arguments(request.query_string.decode()))
            return views.told(decision)

        def step_up() -> str:
            guard.require(**views.step_up_arguments(request.query_string.decode()))
            return "stepped up"

        app = Flask(__name__, static_folder=None)
        guard = DoorwardFlask(aj=self.aj, **self.layer_options())
        mark = self.marks(guard)
        for path in (*views.ECHOING, "/anything/<path:rest>"):
            view = mark.get(path, lambda view: view)(echoing(path))
            app.add_url_rule(path, endpoint=path.replace(".", "-"), view_func=view, methods=METHODS)
        others = {
            "/stream": stream,
            "/login": login,
            "/own-headers": own_headers,
            "/handler": handler,
            "/step-up": step_up,
        }
        for path, plain in {**others, "/refund": refund, "/boom": views.boom}.items():
            app.add_url_rule(path, endpoint=path, view_func=plain)
        if self.setup.protected:
            guard.init_app(app)
        return app

    def own_answer(self, status: int, text: str) -> Any:
        return Response(text, status)
