"""Error pages around any ASGI or WSGI application: what it answers an error with makes room for ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doorward.context import text
from doorward.runtime import ANSWERED
from doorward.wsgi import status_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from doorward.asgi import ASGIApp, Message, Receive, Scope, Send
    from doorward.error_pages.pages import ErrorPages
    from doorward.wsgi import Environ, StartResponse, WSGIApp

    Lines = Sequence[tuple[str, str]]

_REPLACED = ("text/html", "text/plain")


def makes_room(pages: ErrorPages, status: int, headers: Lines, handled: Mapping[str, Any]) -> bool:
    """Whether an application's answer is one that a page of ours takes the place of.

    Not what a client of ours answers inside, which ``handled`` (the scope, or the environ) tells: a challenge could not
    be passed, and a refusal has a reference.
    """
    if handled.get(ANSWERED):
        return False
    kind = next((value for name, value in headers if name.lower() == "content-type"), "")
    return pages.covers(status) and (not kind or kind.lower().startswith(_REPLACED))


class AsgiErrorPages:
    """An ASGI application with error pages.

    Args:
        pages: How errors are answered.
        app: The application.
    """

    def __init__(self, pages: ErrorPages, app: ASGIApp) -> None:
        self._pages, self._app = pages, app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        await self._app(scope, receive, _Watch(self._pages, scope, send).send)


class _Watch:
    def __init__(self, pages: ErrorPages, scope: Scope, send: Send) -> None:
        self._pages, self._scope, self._send = pages, scope, send
        self._replacing = False

    async def send(self, message: Message) -> None:
        """In place of the server's ``send``: drops the body that is replaced."""
        if message["type"] == "http.response.start":
            lines = [(text(name), text(value)) for name, value in message.get("headers", ())]
            if makes_room(self._pages, message["status"], lines, self._scope):
                self._replacing = True
                await self._replace(message["status"], lines)
                return
        if not self._replacing:
            await self._send(message)

    async def _replace(self, status: int, lines: Lines) -> None:
        from doorward.asgi import send_answer

        asked = [(text(name).lower(), text(value)) for name, value in self._scope["headers"]]
        accept, languages = _values(asked, "accept"), _values(asked, "accept-language")
        answer = self._pages.answer(status, accept, languages, headers=lines)
        await send_answer(self._send, answer, head=self._scope.get("method") == "HEAD")


class WsgiErrorPages:
    """A WSGI application with error pages.

    Args:
        pages: How errors are answered.
        app: The application.
    """

    def __init__(self, pages: ErrorPages, app: WSGIApp) -> None:
        self._pages, self._app = pages, app

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Handle one request."""
        begun: list[Any] = []
        passed: list[bool] = []

        def begin(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            # What was handed on is the server's: with exc_info it replaces that, or raises where it was sent already.
            if not passed and makes_room(self._pages, _number(status), headers, environ):
                begun[:] = [status, headers]
                return lambda _: None  # write(), of what is replaced
            begun.clear()
            passed.append(True)
            return start_response(status, headers, *error)

        body = self._app(environ, begin)
        if not begun and not passed:
            body = _from_first(body)  # a generator calls start_response when its first piece is asked for
        if not begun:
            return body
        close = getattr(body, "close", None)
        if close is not None:
            close()
        answer = self._answer(environ, *begun)
        length = ("Content-Length", str(len(answer.body)))
        start_response(status_line(answer.status), [*answer.headers, length])
        return [] if environ.get("REQUEST_METHOD") == "HEAD" else [answer.body]

    def _answer(self, environ: Environ, status: str, headers: Lines) -> Any:
        accept, languages = environ.get("HTTP_ACCEPT", ""), environ.get("HTTP_ACCEPT_LANGUAGE", "")
        return self._pages.answer(_number(status), [accept], [languages], headers=headers)


class _Resumed:
    """An iterable whose first piece was taken already."""

    def __init__(self, first: list[bytes], rest: Any, whole: Any) -> None:
        self.first, self._rest, self._whole = first, rest, whole

    def __iter__(self) -> Any:
        yield from self.first
        yield from self._rest

    def close(self) -> None:
        """Close the application's own."""
        close = getattr(self._whole, "close", None)
        if close is not None:
            close()


def _from_first(body: Iterable[bytes]) -> _Resumed:
    rest = iter(body)
    resumed = _Resumed([], rest, body)
    try:
        resumed.first += [piece for piece in [next(rest, None)] if piece is not None]
    except BaseException:
        resumed.close()  # the server is not to get hold of it
        raise
    return resumed


def _number(status: str) -> int:
    try:
        return int(status[:3])
    except ValueError:
        return 0


def _values(lines: Lines, name: str) -> list[str]:
    return [value for found, value in lines if found == name]
