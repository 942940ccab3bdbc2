"""What a challenge page costs, beside a bare handler in the same run: ``python -m benchmarks.challenge_page``.

The issue's budget: a page in 1 ms. Each is the median of many rounds; what is posed is a wait, in German, and the same
with a form of 4 kB that the page keeps.
"""

from __future__ import annotations

import io
import statistics
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from doorward import Doorward, challenge
from doorward.wsgi import DoorwardMiddleware

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS, TIMES = 30, 40
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
        "PATH_INFO": "/x",
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


def _microseconds(app: Callable[..., Any], method: str = "GET", body: bytes = b"") -> float:
    found = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(TIMES):
            app(_environ(method, body), lambda *_: None)
        found.append((time.perf_counter() - began) / TIMES * 1e6)
    return statistics.median(found)


def main() -> None:
    """Measure and print."""
    client = Doorward([challenge("wait", paths=["/x"])], secret="s" * 40)
    guarded = DoorwardMiddleware(_bare, client)
    form = urlencode([(f"field{number}", "x" * 100) for number in range(37)]).encode()
    bare = _microseconds(_bare)
    print(f"bare handler              {bare:8.1f} us")
    for name, cost in (
        ("challenge page", _microseconds(guarded)),
        ("the same, keeping a form", _microseconds(guarded, "POST", form)),
    ):
        print(f"{name:25} {cost:8.1f} us  x {cost / bare:.0f}")


if __name__ == "__main__":
    main()
