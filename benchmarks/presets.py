"""What the default preset costs over the bare application, in one run. ``python -m benchmarks.presets``.

Direct calls of WSGI applications with a browser's GET; rounds of each variant alternate, and the median of the rounds'
means is compared, so that a slow minute hits all alike.
"""

from __future__ import annotations

import time
from statistics import median
from typing import TYPE_CHECKING, Any

from doorward import Doorward
from doorward.wsgi import DoorwardMiddleware
from doorward_flask import DoorwardFlask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ROUNDS = 15
CALLS = 400
AGENT = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
)
HEADERS = {
    "HTTP_HOST": "www.example",
    "HTTP_CONNECTION": "keep-alive",
    "HTTP_SEC_CH_UA": '"Google Chrome";v="131", "Chromium";v="131", "Not_A Brand";v="24"',
    "HTTP_SEC_CH_UA_MOBILE": "?0",
    "HTTP_UPGRADE_INSECURE_REQUESTS": "1",
    "HTTP_USER_AGENT": AGENT,
    "HTTP_ACCEPT": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "HTTP_SEC_FETCH_SITE": "none",
    "HTTP_SEC_FETCH_MODE": "navigate",
    "HTTP_SEC_FETCH_DEST": "document",
    "HTTP_ACCEPT_ENCODING": "gzip, deflate, br, zstd",
    "HTTP_ACCEPT_LANGUAGE": "en-US,en;q=0.9",
}


def environ() -> dict[str, Any]:
    """A new environ, as a server makes one for each request."""
    from io import BytesIO

    return {
        "REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": "/articles/42", "QUERY_STRING": "page=2",
        "RAW_URI": "/articles/42?page=2",
        "SERVER_NAME": "www.example", "SERVER_PORT": "443", "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "203.0.114.7",
        "wsgi.version": (1, 0), "wsgi.url_scheme": "https", "wsgi.input": BytesIO(), "wsgi.errors": None,
        "wsgi.multithread": True, "wsgi.multiprocess": True, "wsgi.run_once": False, **HEADERS,
    }  # fmt: skip


def bare(_: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """An application that does nothing."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"ok"]


def flask_application() -> Any:
    """A Flask application with one route."""
    from flask import Flask

    application = Flask("bench")
    application.add_url_rule("/articles/<int:number>", "article", lambda number: f"{number}")
    return application


def mean_us(application: Callable[..., Iterable[bytes]]) -> float:
    """Microseconds of one request."""
    statuses: list[str] = []

    def start_response(status: str, *_: Any) -> None:
        statuses.append(status)

    environs = [environ() for _ in range(CALLS)]
    begun = time.perf_counter()
    for each in environs:
        answer: Any = application(each, start_response)
        list(answer)
        if hasattr(answer, "close"):
            answer.close()
    taken = time.perf_counter() - begun
    assert set(statuses) == {"200 OK"}, set(statuses)
    return taken / CALLS * 1e6


def main() -> None:
    """Print what each costs."""
    flask = flask_application()
    protected_flask = flask_application()
    aj = Doorward(policy="preset:default", secret="s" * 40)

    DoorwardFlask(protected_flask, aj=aj)
    open_flask = flask_application()
    DoorwardFlask(open_flask, aj=Doorward([]))
    variants: dict[str, Any] = {
        "bare WSGI": bare,
        "default preset over WSGI": DoorwardMiddleware(bare, aj),
        "no rules over WSGI": DoorwardMiddleware(bare, Doorward([])),
        "bare Flask": flask,
        "no rules over Flask": open_flask,
        "default preset over Flask": protected_flask,
    }
    found: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(ROUNDS):
        for name, application in variants.items():
            found[name].append(mean_us(application))
    medians = {name: median(values) for name, values in found.items()}
    for name, value in medians.items():
        over = medians["bare Flask" if "Flask" in name else "bare WSGI"]
        print(f"{name:28} {value:7.1f} us  (+{value - over:.1f})")


if __name__ == "__main__":
    main()
