"""Sites that challenge their visitors, behind real servers, for a real browser."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Browser
from tests.chromium import launched
from tests.loopback import served_by_asgi, served_by_wsgi

from doorward import AsyncDoorward, Doorward, challenge
from doorward.asgi import DoorwardMiddleware as AsgiMiddleware
from doorward.wsgi import DoorwardMiddleware as WsgiMiddleware

WIDGET = Path(__file__).parent / "node_modules" / "altcha" / "dist" / "external"
FORM = b"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sign up</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="/widget/altcha.css">
<script type="module" src="/widget/setup.js"></script></head>
<body><form method="post" action="/form"><altcha-widget challenge="/.doorward/altcha"></altcha-widget>
<button id="send">Send</button></form></body></html>"""
TYPES = {"js": "text/javascript", "css": "text/css"}


def widget_file(name: str) -> bytes:
    """One of the widget's own; how they are put together is said by one of ours."""
    if name == "setup.js":
        return b"""import "/widget/altcha.min.js";
const made = (name) => () => new Worker(`/widget/workers/${name}.js`);
for (const bits of [256, 384, 512]) {
  $altcha.algorithms.set(`PBKDF2/SHA-${bits}`, made("pbkdf2"));
  $altcha.algorithms.set(`SHA-${bits}`, made("sha"));
}
$altcha.algorithms.set("SCRYPT", made("scrypt"));
$altcha.algorithms.set("ARGON2ID", made("argon2id"));"""
    return (WIDGET.parent / name if name.startswith("workers/") else WIDGET / name).read_bytes()


class Shop:
    """The application, as WSGI has it: a page behind a challenge, and a form with ALTCHA's widget."""

    def __init__(self, aj: Doorward) -> None:
        self.aj = aj

    def __call__(self, environ: Any, start_response: Any) -> list[bytes]:
        kind, content = self.answer(environ)
        start_response("200 OK", [("Content-Type", kind), ("Content-Length", str(len(content)))])
        return [content]

    def answer(self, environ: Any) -> tuple[str, bytes]:
        path = environ["PATH_INFO"]
        if path.startswith("/widget/"):
            name = path.removeprefix("/widget/")
            return TYPES[name.rpartition(".")[2]], widget_file(name)
        if path != "/form":
            return (
                "text/html",
                b"<title>Shop</title><link rel=icon href=data:,><h1>The application</h1>" + path.encode(),
            )
        if environ["REQUEST_METHOD"] == "GET":
            return "text/html", FORM
        sent = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])).decode()
        found = self.aj.check_altcha(parse_qs(sent).get("altcha", [None])[0], environ)
        return "text/html", b"<title>Sent</title><h1>%s</h1>" % str(tuple(found)).encode()


@contextmanager
def wsgi(**challenges: Any) -> Iterator[str]:
    """The address of the site behind a WSGI server."""
    aj = Doorward([challenge("work", paths=["/x", "/x/**"])], secret="s" * 40, challenges=challenges)
    with served_by_wsgi(WsgiMiddleware(Shop(aj), aj)) as url:
        yield url


async def shop(scope: Any, receive: Any, send: Any) -> None:
    """The application as ASGI has it."""
    content = b"<title>Shop</title><link rel=icon href=data:,><h1>The application</h1>"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
    await send({"type": "http.response.body", "body": content})


@contextmanager
def asgi(**challenges: Any) -> Iterator[str]:
    """The address of the site behind uvicorn."""
    aj = AsyncDoorward([challenge("work", paths=["/x", "/x/**"])], secret="s" * 40, challenges=challenges)
    with served_by_asgi(AsgiMiddleware(shop, aj)) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    with launched() as running:
        yield running


@pytest.fixture
def widget() -> None:
    """The widget's files, which `make test` installs."""
    if not WIDGET.exists():
        why = "ALTCHA's widget is not there: run tools/setup_npm.sh .venv tests/challenges/work"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(why)
