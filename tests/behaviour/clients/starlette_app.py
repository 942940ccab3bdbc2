"""The application in Starlette."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from tests.behaviour.clients import views
from tests.behaviour.clients.drivers import AsgiDriver

from doorward_starlette import DoorwardStarlette

METHODS = ["GET", "POST", "PUT", "DELETE"]


async def echo(request: Request) -> Response:
    return JSONResponse(views.echo(request.method, request.url.path, await request.body()))


def echoing(name: str) -> Any:
    """A new view, for decorators to mark."""

    async def view(request: Request) -> Response:
        return await echo(request)

    view.__qualname__ = name
    return view


async def stream(request: Request) -> Response:
    async def chunks() -> Any:
        for chunk in views.CHUNKS:
            yield chunk

    return StreamingResponse(chunks())


async def boom(request: Request) -> Response:
    views.boom()
    return Response()


async def login(request: Request) -> Response:
    return PlainTextResponse("login", views.status_of(request.url.query))


async def own_headers(request: Request) -> Response:
    response = PlainTextResponse("own")
    for name, value in views.OWN_HEADERS:
        response.headers.append(name, value)
    return response


async def refund(request: Request) -> Response:
    await request.scope["doorward.decision"].refund()
    return PlainTextResponse("refunded")


async def websocket(socket: WebSocket) -> None:
    await socket.accept()
    async for text in socket.iter_text():
        await socket.send_text(text)


class StarletteApp(AsgiDriver):
    """``DoorwardStarlette`` and its decorators."""

    name = "starlette"
    sockets = True

    def build(self) -> Any:
        async def handler(request: Request) -> Response:
            decision = await self.aj.protect(request, **views.protect_arguments(request.url.query))
            return PlainTextResponse(views.told(decision))

        async def step_up(request: Request) -> Response:
            await guard.require(request, **views.step_up_arguments(request.url.query))
            return PlainTextResponse("stepped up")

        guard = DoorwardStarlette(aj=self.aj, **self.layer_options())
        mark = self.marks(guard)
        paths = {path: mark.get(path, lambda view: view)(echoing(path)) for path in views.ECHOING}
        routes = [Route(path, view, methods=METHODS) for path, view in paths.items()]
        others = {"/stream": stream, "/boom": boom, "/login": login, "/own-headers": own_headers, "/handler": handler}
        routes += [Route(path, view) for path, view in {**others, "/refund": refund, "/step-up": step_up}.items()]
        routes += [Route("/anything/{rest:path}", echo, methods=METHODS)]
        app = Starlette(routes=[*routes, WebSocketRoute("/ws", websocket)])
        if self.setup.protected:
            guard.init_app(app)
        return app

    def own_answer(self, status: int, text: str) -> Any:
        return PlainTextResponse(text, status)
