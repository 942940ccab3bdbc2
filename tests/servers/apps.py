"""What the servers serve: one protected application as ASGI and WSGI, which tells what reached it.

``/limited`` has a limit of five for each client; everything else is not limited. ``/hash`` digests the body as it
streams, ``/state`` says how the process stands, ``/slow`` answers piece by piece until the client has gone.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from doorward import Conclusion, Decision, Doorward, RuleReason, sliding_window
from doorward.asgi import DoorwardMiddleware as ASGIMiddleware
from doorward.requests import environ_path
from doorward.rules.base import Outcome, Phase, Rule, View
from doorward.wsgi import DoorwardMiddleware as WSGIMiddleware

STORM = b"x" * 65536


@dataclass(frozen=True, kw_only=True)
class Teller(Rule):
    """Tells what rules see: the path, and every value of the headers that may be ambiguous."""

    kind: ClassVar[str] = "TELLER"
    phase: ClassVar[Phase] = Phase.LOCAL

    def evaluate(self, view: View) -> Outcome:
        request = view.request
        seen = {
            "path": request.path,
            "host": request.host,
            "cookies": list(request.cookies("a")),
            "agents": list(request.headers.values("user-agent")),
            "headers": len(list(request.headers)),
            "query": list(request.query_values("q")),
        }
        return Outcome(Conclusion.ALLOW, RuleReason("teller", json.dumps(seen)))


@dataclass(frozen=True, kw_only=True)
class BodyReader(Teller):
    """Has bodies held."""

    needs_body: ClassVar[bool] = True


aj = Doorward(
    [
        Teller(name="teller"),
        BodyReader(name="reader", paths=["/hash", "/hash-json"]),
        sliding_window(max=5, interval="10m", paths=["/limited", "/ws"]),
    ]
)


def state() -> dict[str, Any]:
    """How this process stands."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    try:
        tasks = len(asyncio.all_tasks())
    except RuntimeError:
        tasks = 0
    return {
        "pid": os.getpid(),
        "rss": int(status["VmRSS"].split()[0]) * 1024,
        "tasks": tasks,
        "files": len(list(Path("/proc/self/fd").iterdir())),
        "counts": aj.health()["counts"],
    }


def told(path: str, decision: Decision | None) -> dict[str, Any]:
    """What was routed, and what rules saw."""
    seen = decision.results[0].reason.message if decision is not None else "{}"  # type: ignore[attr-defined]
    return {"routed": path, "rules": json.loads(seen)}


async def _asgi(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
    elif scope["type"] == "websocket":
        await _websocket(receive, send)
    elif scope["path"] == "/slow":
        await _slow(receive, send)
    else:
        await _answer(scope, receive, send)


async def _answer(scope: Any, receive: Any, send: Any) -> None:
    digest, length, more = hashlib.sha256(), 0, True
    while more and scope["path"].startswith("/hash"):
        message = await receive()
        digest.update(message.get("body", b""))
        length += len(message.get("body", b""))
        more = message.get("more_body", False)
    if scope["path"] == "/state":
        body = state()
    elif scope["path"].startswith("/hash"):
        body = {"sha256": digest.hexdigest(), "length": length, "rss": state()["rss"]}
    else:
        body = told(scope["path"], scope.get("doorward.decision"))
    data = json.dumps(body).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(data)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": data})


async def _lifespan(receive: Any, send: Any) -> None:
    while (message := await receive())["type"] != "lifespan.shutdown":
        await send({"type": f"{message['type']}.complete"})
    await send({"type": "lifespan.shutdown.complete"})


async def _websocket(receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message.get("text") or ""})


async def _slow(receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    gone = asyncio.ensure_future(receive())
    while not gone.done():
        await send({"type": "http.response.body", "body": STORM, "more_body": True})
        await asyncio.sleep(0.005)


def _wsgi(environ: Any, start_response: Any) -> Any:
    path = environ_path(environ)
    if path == "/slow":
        start_response("200 OK", [])
        return (STORM for _ in range(2000))
    if path == "/state":
        body = state()
    elif path.startswith("/hash"):
        body = _hashed(environ)
    else:
        body = told(path, environ.get("doorward.decision"))
    data = json.dumps(body).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(data)))])
    return [data]


def _hashed(environ: Any) -> dict[str, Any]:
    digest, length = hashlib.sha256(), 0
    left = int(environ.get("CONTENT_LENGTH") or 0) or 2**62
    while left and (piece := environ["wsgi.input"].read(min(65536, left))):
        digest.update(piece)
        length += len(piece)
        left -= len(piece)
    return {"sha256": digest.hexdigest(), "length": length, "rss": state()["rss"]}


asgi = ASGIMiddleware(_asgi, aj)
wsgi = WSGIMiddleware(_wsgi, aj)
