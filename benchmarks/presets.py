"""What the default preset costs over the bare application, in one run. ``python -m benchmarks.presets``.

Direct calls of applications with a browser's GET; rounds of each variant alternate, and the median of the rounds'
means is compared, so that a slow minute hits all alike. Counted is the time of this process on a processor, the garbage
collector's included: what else runs on the machine does not count, but for what it takes of the caches.
"""

from __future__ import annotations

import asyncio
import io
import time
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks import apps
from doorward import Doorward
from doorward.asgi import DoorwardMiddleware as AsgiMiddleware
from doorward.wsgi import DoorwardMiddleware

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Variant = Callable[[], float]
    """Microseconds of one request."""

ROUNDS = 40
CALLS = 150
BUDGET = 50.0
AGENT = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
)
HEADERS = {
    "Host": "www.example",
    "Connection": "keep-alive",
    "Sec-CH-UA": '"Google Chrome";v="131", "Chromium";v="131", "Not_A Brand";v="24"',
    "Sec-CH-UA-Mobile": "?0",
    "Upgrade-Insecure-Requests": "1",
    "User-Agent": AGENT,
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "Sec-Fetch-Site": "none",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Dest": "document",
    "Accept-Encoding": "gzip, deflate, br, zstd",
    "Accept-Language": "en-US,en;q=0.9",
}
PATH, QUERY, CLIENT = "/articles/42", "page=2", "203.0.114.7"


def environ() -> dict[str, Any]:
    """A new environ, as a server makes one for each request."""
    return {
        "REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": PATH, "QUERY_STRING": QUERY,
        "RAW_URI": f"{PATH}?{QUERY}", "SERVER_NAME": "www.example", "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": CLIENT, "wsgi.version": (1, 0), "wsgi.url_scheme": "https",
        "wsgi.input": io.BytesIO(), "wsgi.errors": None, "wsgi.multithread": True, "wsgi.multiprocess": True,
        "wsgi.run_once": False, **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in HEADERS.items()},
    }  # fmt: skip


def scope() -> dict[str, Any]:
    """The same as an ASGI scope."""
    return {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": "GET",
        "scheme": "https", "path": PATH, "raw_path": PATH.encode(), "query_string": QUERY.encode(), "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()],
        "client": (CLIENT, 40000), "server": ("www.example", 443), "state": {},
    }  # fmt: skip


def bare(_: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """An application that does nothing."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"ok"]


def flask_application(aj: Doorward | None = None) -> Any:
    """A Flask application with one route; behind ``aj``, where it is given."""
    from flask import Flask

    from doorward_flask import DoorwardFlask

    application = Flask("bench")
    application.add_url_rule("/articles/<int:number>", "article", lambda number: f"{number}")
    if aj is not None:
        DoorwardFlask(application, aj=aj)
    return application


def starlette_application(aj: Doorward | None = None) -> Any:
    """The same in Starlette."""
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    from doorward_starlette import DoorwardMiddleware as Middleware

    async def article(request: Any) -> PlainTextResponse:
        return PlainTextResponse(str(request.path_params["number"]))

    application = Starlette(routes=[Route("/articles/{number:int}", article)])
    if aj is not None:
        application.add_middleware(Middleware, aj=aj)
    return application


def wsgi(application: Callable[..., Iterable[bytes]]) -> Variant:
    """What a WSGI application takes for a request."""

    def once() -> float:
        statuses: list[str] = []

        def start_response(status: str, *_: Any) -> None:
            statuses.append(status)

        environs = [environ() for _ in range(CALLS)]
        begun = time.process_time()
        for each in environs:
            answer: Any = application(each, start_response)
            list(answer)
            if hasattr(answer, "close"):
                answer.close()
        taken = time.process_time() - begun
        assert {status[:3] for status in statuses} == {"200"}, set(statuses)
        return taken / CALLS * 1e6

    return once


def asgi(application: Any) -> Variant:
    """What an ASGI application takes for a request."""

    async def all_of_them() -> float:
        statuses: list[int] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            if "status" in message:
                statuses.append(message["status"])

        scopes = [scope() for _ in range(CALLS)]
        begun = time.process_time()
        for each in scopes:
            await application(each, receive, send)
        taken = time.process_time() - begun
        assert set(statuses) == {200}, set(statuses)
        return taken / CALLS * 1e6

    return lambda: asyncio.run(all_of_them())


def variants(preset: Doorward, none: Doorward) -> dict[str, dict[str, Variant]]:
    """By what they are built on: the bare application, and the same behind no rules and behind the preset.

    Django is not measured without rules: a process has one client of it.
    """
    return {
        "WSGI": {
            "bare": wsgi(bare),
            "no rules": wsgi(DoorwardMiddleware(bare, none)),
            "default preset": wsgi(DoorwardMiddleware(bare, preset)),
        },
        "ASGI": {
            "bare": asgi(apps.raw_asgi),
            "no rules": asgi(AsgiMiddleware(apps.raw_asgi, none)),
            "default preset": asgi(AsgiMiddleware(apps.raw_asgi, preset)),
        },
        "Flask": {
            "bare": wsgi(flask_application()),
            "no rules": wsgi(flask_application(none)),
            "default preset": wsgi(flask_application(preset)),
        },
        "Django": {"bare": wsgi(apps.django_app()), "default preset": wsgi(apps.django_app(preset))},
        "Starlette": {
            "bare": asgi(starlette_application()),
            "no rules": asgi(starlette_application(none)),
            "default preset": asgi(starlette_application(preset)),
        },
    }


def main() -> None:
    """Print what each costs."""
    every = variants(Doorward(policy="preset:default", secret="s" * 40), Doorward([]))
    found: dict[tuple[str, str], list[float]] = {(base, name): [] for base, each in every.items() for name in each}
    for _ in range(ROUNDS):
        for (base, name), times in found.items():
            times.append(every[base][name]())
    medians = {which: median(values) for which, values in found.items()}
    for (base, name), value in medians.items():
        added = value - medians[base, "bare"]
        verdict = "" if name != "default preset" else "  met" if added <= BUDGET else f"  NOT MET: +{BUDGET:.0f}"
        print(f"{name + ' over ' + base:28} {value:7.1f} us  (+{added:.1f}){verdict}")


if __name__ == "__main__":
    main()
