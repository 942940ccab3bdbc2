"""In-process servers: they call an application as ASGI and PEP 3333 say, and keep what it answered."""

from __future__ import annotations

import asyncio
import contextlib
import io
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

from tests.behaviour.clients.base import PEER, AppUnderTest, Lines, Reply, SocketReply

from doorward import DeadlineExceeded

HOST = ("host", "shop.example")


def scope_of(
    target: str, *, method: str = "GET", headers: Lines = (), peer: str | None = PEER, kind: str = "http"
) -> dict[str, Any]:
    """The ASGI scope of a request, as uvicorn makes it."""
    raw_path, _, query = target.partition("?")
    lines = headers if any(name.lower() == "host" for name, _ in headers) else [HOST, *headers]
    scope: dict[str, Any] = {
        "type": kind,
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": "http" if kind == "http" else "ws",
        "path": unquote(raw_path),
        "raw_path": raw_path.encode("latin-1", "replace"),
        "query_string": query.encode("latin-1", "replace"),
        "root_path": "",
        "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in lines],
        "client": (peer, 50000) if peer else None,
        "server": ("127.0.0.1", 80),
        "state": {},
    }
    return {**scope, "method": method} if kind == "http" else {**scope, "subprotocols": []}


class Exchange:
    """One HTTP request to an ASGI application. ``receive`` blocks at its end, as servers' do, until all is answered."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._pieces = list(pieces) or [b""]
        self._done = asyncio.Event()
        self.received = 0
        self.messages: list[Any] = []

    async def receive(self) -> Any:
        self.received += 1
        if self._pieces:
            body = self._pieces.pop(0)
            return {"type": "http.request", "body": body, "more_body": bool(self._pieces)}
        await self._done.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.messages.append(dict(message))
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            self._done.set()

    def reply(self, error: BaseException | None = None, prefix: str = "http.response") -> Reply:
        start = next((m for m in self.messages if m["type"] == f"{prefix}.start"), None)
        if start is None:
            return Reply(0, error=error)
        lines = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in start.get("headers", ())]
        chunks = [m["body"] for m in self.messages if m["type"] == f"{prefix}.body" and m.get("body")]
        return Reply(start["status"], lines, chunks, error)


async def call_asgi(app: Callable[..., Awaitable[None]], scope: dict[str, Any], pieces: Sequence[bytes] = ()) -> Reply:
    """One request to an ASGI application."""
    exchange = Exchange(pieces)
    try:
        await app(scope, exchange.receive, exchange.send)
    except Exception as error:
        return exchange.reply(error)
    return exchange.reply()


async def call_socket(
    app: Callable[..., Awaitable[None]], scope: dict[str, Any], texts: Sequence[str] = ("hello",)
) -> SocketReply:
    """Open a websocket, send ``texts``, leave."""
    pending: list[Any] = [
        {"type": "websocket.connect"},
        *({"type": "websocket.receive", "text": text} for text in texts),
        {"type": "websocket.disconnect", "code": 1000},
    ]
    exchange = Exchange(())

    async def receive() -> Any:
        return pending.pop(0)

    await app(scope, receive, exchange.send)
    sent = exchange.messages
    accepted = any(m["type"] == "websocket.accept" for m in sent)
    echoed = [m["text"] for m in sent if m["type"] == "websocket.send"]
    code = next((m.get("code", 1000) for m in sent if m["type"] == "websocket.close"), None)
    denial = exchange.reply(prefix="websocket.http.response")
    return SocketReply(accepted, echoed, code, denial if denial.status else None)


class AsgiDriver(AppUnderTest):
    """Talks to an ASGI application on one event loop."""

    awaits = True

    def __init__(self, setup: Any) -> None:
        super().__init__(setup)
        self.runner = asyncio.Runner()

    def request(
        self,
        target: str,
        *,
        method: str = "GET",
        headers: Lines = (),
        body: bytes | Sequence[bytes] = b"",
        peer: str | None = PEER,
    ) -> Reply:
        lines = [*headers, ("content-length", str(len(body)))] if isinstance(body, bytes) and body else headers
        scope = scope_of(target, method=method, headers=lines, peer=peer)
        return self.runner.run(call_asgi(self.app, scope, [body] if isinstance(body, bytes) else body))

    def socket(self, target: str = "/ws", *, extension: bool = False, peer: str = PEER) -> SocketReply:
        """Open a websocket, on a server with or without the denial response extension."""
        scope = scope_of(target, kind="websocket", peer=peer)
        scope["extensions"] = {"websocket.http.response": {}} if extension else {}
        return self.runner.run(call_socket(self.app, scope))

    def settle(self, answer: Any) -> Any:
        async def awaited() -> Any:
            return await answer

        return self.runner.run(awaited())

    def close(self) -> None:
        # A test's deadline may be too short for a store that closes on a thread; nothing is held open by it.
        with contextlib.suppress(DeadlineExceeded):
            self.runner.run(self.aj.aclose())
        self.runner.close()


def environ_of(
    target: str,
    *,
    method: str = "GET",
    headers: Lines = (),
    body: bytes | Sequence[bytes] = b"",
    peer: str | None = PEER,
) -> dict[str, Any]:
    """The WSGI environ of a request, as gunicorn makes it."""
    raw_path, _, query = target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(raw_path).decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": HOST[1],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body if isinstance(body, bytes) else b"".join(body)),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    if peer:
        environ["REMOTE_ADDR"] = peer
    for name, value in headers:
        key = name.upper().replace("-", "_")
        key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
        environ[key] = f"{environ[key]},{value}" if key in environ and key != "HTTP_HOST" else value
    if not isinstance(body, bytes):
        environ["wsgi.input_terminated"] = True
    elif body:
        environ["CONTENT_LENGTH"] = str(len(body))
    return environ


def call_wsgi(app: Callable[..., Any], environ: dict[str, Any]) -> Reply:
    """One request to a WSGI application."""
    started: list[tuple[str, Lines]] = []
    chunks: list[bytes] = []

    def start_response(status: str, lines: Lines, exc_info: Any = None) -> Callable[[bytes], None]:
        if exc_info is None:
            assert not started, "start_response was called twice"
        started[:] = [(status, lines)]
        return chunks.append

    def reply(error: BaseException | None) -> Reply:
        if not started:
            return Reply(0, error=error)
        status, lines = started[0]
        return Reply(int(status[:3]), [(n.lower(), v) for n, v in lines], [chunk for chunk in chunks if chunk], error)

    iterable: Any = None
    try:
        iterable = app(environ, start_response)
        chunks.extend(iterable)
    except Exception as error:
        return reply(error)
    finally:
        if hasattr(iterable, "close"):
            iterable.close()
    return reply(None)


class WsgiDriver(AppUnderTest):
    """Talks to a WSGI application."""

    awaits = False

    def request(
        self,
        target: str,
        *,
        method: str = "GET",
        headers: Lines = (),
        body: bytes | Sequence[bytes] = b"",
        peer: str | None = PEER,
    ) -> Reply:
        return call_wsgi(self.app, environ_of(target, method=method, headers=headers, body=body, peer=peer))

    def close(self) -> None:
        with contextlib.suppress(DeadlineExceeded):
            self.aj.close()
