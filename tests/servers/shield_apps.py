"""One application behind a shield, as ASGI and WSGI: it tells what reached it, and how its process stands.

``/after`` has a shield that looks after the response; everything else one that looks before. ``/state`` has none.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from tests.servers.apps import state

from doorward import Doorward, shield
from doorward.asgi import DoorwardMiddleware as ASGIMiddleware
from doorward.requests import environ_path
from doorward.wsgi import DoorwardMiddleware as WSGIMiddleware

AFTER = ["/after", "/after-stream"]
aj = Doorward(
    [
        shield(exclude=["/state", *AFTER]),
        shield(when="after", threshold=2.0, paths=AFTER),
    ]
)


def told(path: str, body: bytes) -> bytes:
    """What was received, or how the process stands."""
    if path == "/state":
        return json.dumps({**state(), "counts": aj.health()["counts"]}).encode()
    return json.dumps({"path": path, "length": len(body), "sha256": hashlib.sha256(body).hexdigest()}).encode()


async def _asgi(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        while (message := await receive())["type"] != "lifespan.shutdown":
            await send({"type": f"{message['type']}.complete"})
        await send({"type": "lifespan.shutdown.complete"})
    elif scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (await receive())["type"] == "websocket.receive":
            pass
    else:
        await _answer(scope["path"], receive, send)


async def _answer(path: str, receive: Any, send: Any) -> None:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    data = told(path, body)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    for piece in [data] if path != "/after-stream" else [data[:10], data[10:]]:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def _wsgi(environ: Any, start_response: Any) -> Any:
    path = environ_path(environ)
    stream = environ["wsgi.input"]
    length = environ.get("CONTENT_LENGTH")
    body = stream.read(int(length)) if length else stream.read() if environ.get("wsgi.input_terminated") else b""
    data = told(path, body)
    start_response("200 OK", [("Content-Type", "application/json")])
    return [data] if path != "/after-stream" else iter([data[:10], data[10:]])


asgi = ASGIMiddleware(_asgi, aj)
wsgi = WSGIMiddleware(_wsgi, aj)
