"""What workers serve that share one table: a path for each algorithm with a limit of 500, and who answers.

``SHARED_TABLE`` names the file.
"""

from __future__ import annotations

import json
import os
from typing import Any

from doorward import Doorward, fixed_window, sliding_window, token_bucket
from doorward.asgi import DoorwardMiddleware as ASGIMiddleware
from doorward.wsgi import DoorwardMiddleware as WSGIMiddleware

MOST = 500

aj = Doorward(
    [
        fixed_window(max=MOST, window="52w", paths=["/fixed"]),
        sliding_window(max=MOST, interval="52w", paths=["/sliding"]),
        token_bucket(capacity=MOST, refill_rate=1, interval="1d", paths=["/bucket"]),
    ],
    store=f"shared://{os.environ['SHARED_TABLE']}?size=4MB",
)


def _state() -> bytes:
    return json.dumps({"pid": os.getpid(), "counts": aj.health()["counts"]}).encode()


async def _asgi(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        while (message := await receive())["type"] != "lifespan.shutdown":
            await send({"type": f"{message['type']}.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    body = _state()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _wsgi(environ: Any, start_response: Any) -> Any:
    body = _state()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


asgi = ASGIMiddleware(_asgi, aj)
wsgi = WSGIMiddleware(_wsgi, aj)
