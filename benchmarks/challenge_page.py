"""What a challenge page costs, beside a bare handler in the same run: ``python -m benchmarks.challenge_page``.

The issue's budget: a page in 1 ms. Each is the median of many rounds, of the time of this process on a processor; what
is posed is a wait, in German, and the same with a form of 4 kB that the page keeps. In the frameworks it is the whole
request that is measured, the framework's part in it too.
"""

from __future__ import annotations

import asyncio
import io
import statistics
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from benchmarks import apps
from doorward import Doorward, challenge
from doorward.wsgi import DoorwardMiddleware

if TYPE_CHECKING:
    from collections.abc import Callable

    Ask = Callable[[], object]

ROUNDS, TIMES = 30, 40
BUDGET = 1000.0
PATH = "/items"
HEADERS = {
    "HTTP_ACCEPT": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "HTTP_ACCEPT_LANGUAGE": "de-AT,de;q=0.9,en;q=0.8",
    "HTTP_USER_AGENT": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "HTTP_SEC_FETCH_DEST": "document",
    "HTTP_SEC_FETCH_MODE": "navigate",
    "HTTP_SEC_FETCH_SITE": "same-origin",
    "HTTP_HOST": "site.example",
}


def _environ(method: str = "GET", body: bytes = b"") -> dict[str, Any]:
    return {
        **HEADERS,
        "REQUEST_METHOD": method,
        "PATH_INFO": PATH,
        "QUERY_STRING": "a=1",
        "REMOTE_ADDR": "203.0.113.5",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "https",
        "wsgi.input": io.BytesIO(body),
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": "application/x-www-form-urlencoded" if body else "",
    }


def _bare(_: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"fine"]


def _microseconds(ask: Ask) -> float:
    found = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(TIMES):
            ask()
        found.append((time.process_time() - began) / TIMES * 1e6)
    return statistics.median(found)


def _wsgi(app: Callable[..., Any], status: str = "403", method: str = "GET", body: bytes = b"") -> Ask:
    def start_response(line: str, *_: object) -> None:
        assert line[:3] == status, line

    return lambda: b"".join(app(_environ(method, body), start_response))


def _asgi(app: Callable[..., Any]) -> Ask:
    """As :func:`_wsgi`, with one event loop for all requests."""
    headers = [(key[5:].lower().replace("_", "-").encode(), value.encode()) for key, value in HEADERS.items()]
    loop = asyncio.new_event_loop()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        assert message.get("status", 403) == 403, message

    def ask() -> None:
        scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "https",
                 "path": PATH, "raw_path": PATH.encode(), "query_string": b"a=1", "root_path": "", "headers": headers,
                 "client": ("203.0.113.5", 4000), "server": ("site.example", 443), "state": {}}  # fmt: skip
        loop.run_until_complete(app(scope, receive, send))

    return ask


def _frameworks(client: Doorward) -> dict[str, Ask]:
    """The page, posed in each framework's own way."""
    from fastapi import FastAPI

    from doorward_fastapi import DoorwardMiddleware as FastApis
    from doorward_flask import DoorwardFlask
    from doorward_starlette import DoorwardMiddleware as Starlettes

    flask, starlette, fastapi = apps.flask_app(), apps.starlette_app(), FastAPI()
    DoorwardFlask(flask, aj=client)
    starlette.add_middleware(Starlettes, aj=client)
    fastapi.add_middleware(FastApis, aj=client)
    return {"Flask": _wsgi(flask.wsgi_app), "Django": _wsgi(apps.django_app(client)), "Starlette": _asgi(starlette),
            "FastAPI": _asgi(fastapi)}  # fmt: skip


def main() -> None:
    """Measure and print."""
    client = Doorward([challenge("wait", paths=[PATH])], secret="s" * 40)
    guarded = DoorwardMiddleware(_bare, client)
    form = urlencode([(f"field{number}", "x" * 100) for number in range(37)]).encode()
    pages = {
        "challenge page": _wsgi(guarded),
        "the same, keeping a form": _wsgi(guarded, method="POST", body=form),
        **{f"in {name}": ask for name, ask in _frameworks(client).items()},
    }
    bare = _microseconds(_wsgi(_bare, "200"))
    print(f"bare handler              {bare:8.1f} us")
    for name, ask in pages.items():
        cost = _microseconds(ask)
        print(f"{name:25} {cost:8.1f} us  {'met' if cost <= BUDGET else f'NOT MET: {BUDGET:.0f}'}")


if __name__ == "__main__":
    main()
