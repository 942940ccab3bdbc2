"""The requests that are measured: a browser's GET with 12 headers, as a server hands it to an application."""

from __future__ import annotations

import io
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.common import Call

AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"
HEADERS = [
    ("host", "shop.example"),
    ("user-agent", AGENT),
    ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"),
    ("accept-language", "en-GB,en;q=0.9,de;q=0.7"),
    ("accept-encoding", "gzip, deflate, br"),
    ("connection", "keep-alive"),
    ("referer", "https://shop.example/items?page=1"),
    ("cookie", "session=6f1f0f2d4c6b4d0c9f6a; theme=dark"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-site", "same-origin"),
    ("upgrade-insecure-requests", "1"),
    ("cache-control", "max-age=0"),
]
PATH = "/items"
QUERY = "q=red+shoes&page=2"
PROXY = "10.0.0.7"
"""The trusted proxy's address. Addresses are only written into requests here, never contacted."""


def address(number: int) -> str:
    """A public-looking address, another for each number below 2**24."""
    return f"11.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def agent(number: int) -> str:
    """A browser's ``User-Agent``, another for each number below 2**24; that of :data:`HEADERS` for 0."""
    return AGENT.replace("130.0.0.0", f"130.0.{number >> 8}.{number & 255}")


def headers_of(number: int) -> list[tuple[str, str]]:
    """The header lines of a browser, with a ``User-Agent`` of its own unless the number is 0."""
    return [(name, agent(number) if name == "user-agent" else value) for name, value in HEADERS] if number else HEADERS


def lines(client: str, *, proxied: bool, browser: int) -> tuple[str, list[tuple[str, str]]]:
    """The peer's address and the headers of a client's request."""
    own = headers_of(browser)
    return (PROXY, [*own, ("x-forwarded-for", client)]) if proxied else (client, own)


def asgi_scope(client: str, *, proxied: bool = False, browser: int = 0) -> dict[str, Any]:
    """An HTTP scope (ASGI 3.0) as uvicorn makes it."""
    peer, headers = lines(client, proxied=proxied, browser=browser)
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": PATH,
        "raw_path": PATH.encode(),
        "query_string": QUERY.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers],
        "client": (peer, 40000),
        "server": ("127.0.0.1", 8000),
        "state": {},
    }


def wsgi_environ(client: str, *, proxied: bool = False, browser: int = 0) -> dict[str, Any]:
    """An environ (PEP 3333)."""
    peer, headers = lines(client, proxied=proxied, browser=browser)
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": PATH,
        "QUERY_STRING": QUERY,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": peer,
        "REMOTE_PORT": "40000",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **{"HTTP_" + name.upper().replace("-", "_"): value for name, value in headers},
    }


def asgi_call(app: Any, *, clients: int, proxied: bool = False, browsers: int = 1) -> Call:
    """Time an ASGI application on requests of so many clients in turn, with so many browsers.

    The call raises ValueError when a request is answered with anything but 200.
    """

    def prepare(number: int) -> tuple[dict[str, Any], bytes]:
        return asgi_scope(address(number % clients), proxied=proxied, browser=number % browsers), b""

    return timed_asgi(app, prepare)


def timed_asgi(app: Any, prepare: Callable[[int], tuple[dict[str, Any], bytes]]) -> Call:
    """Time an ASGI application on the scopes and bodies that ``prepare`` makes before the clock starts.

    The call raises ValueError when a request is answered with anything but 200.
    """

    async def call(number: int) -> int:
        status = 0
        scope, body = prepare(number)

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            nonlocal status
            status = message.get("status", status)

        start = time.perf_counter_ns()
        await app(scope, receive, send)
        taken = time.perf_counter_ns() - start
        return _checked(taken, status)

    return call


def wsgi_call(app: Any, *, clients: int, proxied: bool = False, browsers: int = 1) -> Call:
    """As :func:`asgi_call`, of a WSGI application."""

    def prepare(number: int) -> dict[str, Any]:
        return wsgi_environ(address(number % clients), proxied=proxied, browser=number % browsers)

    return timed_wsgi(app, prepare)


def timed_wsgi(app: Any, prepare: Callable[[int], dict[str, Any]]) -> Call:
    """As :func:`timed_asgi`, of a WSGI application and environs."""

    async def call(number: int) -> int:
        statuses: list[int] = []
        environ = prepare(number)
        start = time.perf_counter_ns()
        answer = app(environ, lambda status, *_: statuses.append(int(status[:3])))
        b"".join(answer)
        close = getattr(answer, "close", None)
        if close is not None:
            close()
        taken = time.perf_counter_ns() - start
        return _checked(taken, statuses[0])

    return call


def _checked(taken: int, status: int) -> int:
    if status != 200:
        raise ValueError(f"answered {status}: not the work that is to be measured")
    return taken
