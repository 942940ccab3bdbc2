"""Error pages of a Starlette or FastAPI application."""

from __future__ import annotations

from functools import partial
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response

from doorward import error_pages
from doorward.error_pages.pages import phrase
from doorward_starlette.responses import as_response

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request


class ErrorPages(error_pages.ErrorPages):
    """Answers HTTPExceptions and uncaught exceptions: ``ErrorPages(app, accent="#0b57d0")``; FastAPI's too.

    What FastAPI says about parameters that do not validate is left alone. So are details that are no text, which it
    answers as JSON, statuses that are not covered, and websockets.

    Args:
        app: The application; or call :meth:`init_app`.
        **options: See :class:`doorward.error_pages.ErrorPages`.

    Raises:
        ConfigurationError: An option is wrong.
    """

    def __init__(self, app: Starlette | None = None, **options: Any) -> None:
        super().__init__(**options)
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Starlette) -> None:
        """Answer the errors of an application."""
        usual = app.exception_handlers.get(HTTPException, _plain)
        app.add_exception_handler(HTTPException, partial(self._handled, usual))
        if self.covers(500):
            app.add_exception_handler(Exception, self._failed)

    async def _handled(self, usual: Any, request: Request, error: Any) -> Response:
        said = error.detail or ""
        if not self.covers(error.status_code) or not isinstance(said, str):
            left: Response = await _called(usual, request, error)
            return left
        headers = list((error.headers or {}).items())
        return self._response(request, error.status_code, headers, "" if said == phrase(error.status_code) else said)

    async def _failed(self, request: Request, _: Exception) -> Response:
        # What went wrong is no news for visitors. Starlette raises it again, for the server to log.
        return self._response(request, 500, [], "")

    def _response(self, request: Request, status: int, headers: list[tuple[str, str]], message: str) -> Response:
        asked = request.headers
        accept, languages = asked.getlist("accept"), asked.getlist("accept-language")
        answer = self.answer(status, accept, languages, headers=headers, message=message)
        return as_response(answer, head=request.method == "HEAD")


async def _called(handler: Any, request: Request, error: Any) -> Any:
    """The answer of a handler of the application's own, or its framework's."""
    if iscoroutinefunction(handler):
        return await handler(request, error)
    return await run_in_threadpool(handler, request, error)


async def _plain(_: Request, error: Any) -> Response:
    """As Starlette answers where nothing else was said."""
    if error.status_code in (204, 304):
        return Response(status_code=error.status_code, headers=error.headers)
    return PlainTextResponse(str(error.detail), status_code=error.status_code, headers=error.headers)
