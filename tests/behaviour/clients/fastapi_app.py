"""The application in FastAPI."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from tests.behaviour.clients import starlette_app, views
from tests.behaviour.clients.drivers import AsgiDriver

from doorward_fastapi import DoorwardFastAPI


def echoing(name: str) -> Any:
    """A new view that FastAPI runs in a thread, for decorators to mark."""

    def view(request: Request) -> dict[str, Any]:
        return views.echo(request.method, request.url.path, b"")

    view.__qualname__ = name
    return view


class FastAPIApp(AsgiDriver):
    """``DoorwardFastAPI`` and its decorators; plain echoing views are blocking functions."""

    name = "fastapi"
    sockets = True

    def build(self) -> Any:
        async def handler(request: Request) -> Response:
            decision = await self.aj.protect(request, **views.protect_arguments(request.url.query))
            return PlainTextResponse(views.told(decision))

        def step_up(request: Request) -> Response:
            guard.require_in_thread(request, **views.step_up_arguments(request.url.query))
            return PlainTextResponse("stepped up")

        app = FastAPI(openapi_url=None)
        guard = DoorwardFastAPI(aj=self.aj, **self.layer_options())
        for path, mark in self.marks(guard).items():
            app.api_route(path, methods=starlette_app.METHODS)(mark(echoing(path)))
        plain = {"/stream": starlette_app.stream, "/boom": starlette_app.boom, "/login": starlette_app.login}
        more: dict[str, Any] = {
            "/step-up": step_up,
            "/own-headers": starlette_app.own_headers,
            "/refund": starlette_app.refund,
            "/handler": handler,
        }
        for path, view in {**plain, **more}.items():
            app.add_api_route(path, view, response_model=None)
        for path in (*views.ECHOING, "/anything/{rest:path}"):
            app.add_api_route(path, starlette_app.echo, methods=starlette_app.METHODS, response_model=None)
        app.add_api_websocket_route("/ws", starlette_app.websocket)
        if self.setup.protected:
            guard.init_app(app)
        return app

    def own_answer(self, status: int, text: str) -> Any:
        return PlainTextResponse(text, status)
