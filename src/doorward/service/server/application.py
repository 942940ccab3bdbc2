"""The ASGI application of the decision service."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from doorward.drivers import is_async
from doorward.errors import DoorwardError
from doorward.service.procedures import BASE
from doorward.service.server import health, parts
from doorward.service.server.connect import ConnectError, code_of
from doorward.service.server.service import Method, Service, internal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from doorward.service.server.parts import Parts
    from doorward.service.server.settings import ServiceSettings

METHODS = ("Decide", "Report")


def create_app(settings: ServiceSettings, opened: Callable[[ServiceSettings], Parts] | None = None) -> Starlette:
    """The service as an ASGI application, for any server that runs the lifespan. Nothing is opened before that.

    Args:
        settings: The settings.
        opened: Makes the parts, in each worker; :func:`~.parts.open_parts` by default.

    Until the server has run the lifespan, every path is answered 503.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        try:
            parts.make_folder(settings)
            own = await asyncio.to_thread(opened or parts.open_parts, settings)
            if own.warm is not None:
                await own.warm()
        except DoorwardError as error:
            app.state.failure = error  # a server would only have its traceback
            raise
        service = app.state.service = Service(settings, own)
        app.router.routes[:] = [
            *[Route(BASE + name, Method(name, service)) for name in METHODS],
            *health.routes(service),
            *own.routes,
            *(own.pages or [Route("/", _no_pages(settings))]),
        ]
        writing = asyncio.create_task(service.keep_figures())
        try:
            yield
        finally:
            service.draining = True
            writing.cancel()
            with suppress(asyncio.CancelledError):
                await writing
            await _close(service)

    app = Starlette(
        routes=[Route("/{path:path}", _Starting())],
        lifespan=lifespan,
        middleware=[Middleware(_Guard)],
        exception_handlers={HTTPException: _http_error, ConnectError: _connect_error},
    )
    app.router.redirect_slashes = False
    return app


async def _close(service: Service) -> None:
    await service.close()
    store: Any = service.parts.store
    with suppress(Exception):  # nothing is left to be done without it
        if is_async(store):
            await store.close()
        else:
            await asyncio.to_thread(store.close)


class _Starting:
    """Answers while the lifespan has not run."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        error = ConnectError("unavailable", "the service is starting; its server has to run the lifespan")
        await error.response()(scope, receive, send)


class _Guard:
    """Answers what raises outside of the two methods. Starlette's own would hand the error on to the server's log.

    Args:
        app: What is guarded.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:
            if scope["type"] != "http":
                raise
            response = internal(error, "a page failed")
            if not begun:
                await response(scope, receive, send)


async def _http_error(request: Request, error: Exception) -> Response:
    """404, 405 and the like, in JSON. In another mapping of paths than Connect's the code is the HTTP status's."""
    assert isinstance(error, HTTPException)
    what = {404: "there is nothing at this path", 405: "this method is not answered here"}
    known = error.status_code == 404 and not request.url.path.startswith(BASE)
    answer = ConnectError(
        "not_found" if known else "unimplemented" if error.status_code in what else code_of(error.status_code),
        what.get(error.status_code, "the request was refused"),
        status=error.status_code,
        headers=dict(error.headers or {}),
    )
    return answer.response()


async def _connect_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ConnectError)
    return error.response()


def _no_pages(settings: ServiceSettings) -> Callable[[Request], Any]:
    """What stands at ``/`` without pages."""
    why = "pages need an extra: pip install 'doorward[service]'" if settings.pages else "pages are switched off"

    async def index(_request: Request) -> Response:
        return JSONResponse({"service": "doorward", "pages": why})

    return index


__all__ = ["create_app"]
