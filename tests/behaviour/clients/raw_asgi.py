"""The application as an ASGI application, without a framework."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from tests.behaviour.clients import views
from tests.behaviour.clients.drivers import AsgiDriver

from doorward import Decision
from doorward.answers import Answer
from doorward.asgi import DoorwardMiddleware


class RawAsgi(AsgiDriver):
    """``doorward.asgi.DoorwardMiddleware`` around a function."""

    name = "asgi"
    decorates = False
    sockets = True

    def build(self) -> Any:
        app = application(self.aj)
        return DoorwardMiddleware(app, self.aj, **self.layer_options()) if self.setup.protected else app

    def own_answer(self, status: int, text: str) -> Any:
        return Answer(status, [("Content-Type", "text/plain")], text.encode())


def application(aj: Any) -> Any:
    """The routes of ``views.py``."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await _websocket(receive, send)
            return
        path, query = scope["path"], scope["query_string"].decode("latin-1")
        if path in views.ECHOING or path.startswith("/anything/"):
            body = await _read(receive)
            await _answer(send, 200, [json.dumps(views.echo(scope["method"], path, body)).encode()])
        elif path == "/stream":
            await _answer(send, 200, views.CHUNKS)
        elif path == "/boom":
            views.boom()
        elif path == "/login":
            await _answer(send, views.status_of(query), [b"login"])
        elif path == "/own-headers":
            await _answer(send, 200, [b"own"], views.OWN_HEADERS)
        elif path == "/handler":
            decision = await aj.protect(scope, **views.protect_arguments(query))
            await _answer(send, 200, [views.told(decision).encode()])
        elif path == "/step-up":
            needed = await aj.require(scope, **views.step_up_arguments(query))
            answer = aj.answer(scope, needed)
            if answer is not None:
                await _answer(send, answer.status, [answer.body], answer.headers)
            else:
                await _answer(send, 200, [b"stepped up"])
        elif path == "/refund":
            given: Decision = scope["doorward.decision"]
            await given.refund()
            await _answer(send, 200, [b"refunded"])
        else:
            await _answer(send, 404, [b"not found"])

    return app


async def _read(receive: Any) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


async def _answer(send: Any, status: int, chunks: Iterable[bytes], lines: Iterable[tuple[str, str]] = ()) -> None:
    headers = [(name.lower().encode(), value.encode()) for name, value in lines]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    for chunk in chunks:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _websocket(receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message["text"]})
