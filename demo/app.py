"""The application: pages, a JSON API, and the rules that protect them."""

from __future__ import annotations

import json
import secrets
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from demo import challenges, names, signup
from demo.accounts import Accounts
from demo.feed import Feed
from doorward import AsyncDoorward, rate_limit, sliding_window, token_bucket
from doorward.asgi import DoorwardMiddleware

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping

    from starlette.requests import Request

HERE = Path(__file__).parent
LARGEST_BODY = 16_384
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def protection(feed: Feed, service: str | None = None, key: str | None = None) -> AsyncDoorward:
    """Every kind of limit once, and the sign-up.

    Args:
        feed: Shows the decisions.
        service: URL of a decision service that makes them; this process does without.
        key: What the service knows this application by.
    """
    return AsyncDoorward(
        [
            *signup.rules(),
            *challenges.rules(),
            # Everything, by address: 60 requests at once, then one a second.
            token_bucket(capacity=60, refill_rate=1, interval="1s", name="everything"),
            # Guessing passwords: only attempts that failed count.
            rate_limit("3/minute", name="failed-logins", paths=["/login"], methods=["POST"], count_when=401),
            # Tried out before it is switched on: it refuses nothing, and the page shows what it would have done.
            sliding_window(max=3, interval="1m", name="tryout", paths=["/products"], mode="DRY_RUN"),
        ],
        # Limits by path take the place of the ones above.
        limits={
            "POST /api/signup": "5 per 10 minutes",
            "GET /search": "10/minute",
        },
        on_decision=feed.publish,
        name="demo",
        resolver=names.resolver(),
        challenges=challenges.OPTIONS,
        secret=secrets.token_urlsafe(32),  # what was shown counts until the demonstration ends
        service=service,
        key=key,
    )


def build(feed: Feed | None = None, aj: AsyncDoorward | None = None) -> Starlette:
    """The application. ``app.state.feed`` is its feed."""
    feed = feed or Feed()
    aj = aj or protection(feed)
    guard = Middleware(
        DoorwardMiddleware,
        aj=aj,
        exclude=["/", "/feed"],  # watching must not use up what is watched
        rate_limit_headers=True,
    )

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with aj:
            yield

    app = Starlette(routes=_routes(Site(feed, Accounts(), aj)), middleware=[guard], lifespan=lifespan)
    app.state.feed = feed
    return app


def _routes(site: Site) -> list[Route | Mount]:
    return [
        Route("/", page("decisions.html")),
        Route("/feed", site.watch),
        Route("/signup", signup_page),
        Route("/articles", articles),
        Route("/signup", site.signup_form, methods=["POST"]),
        Route("/api/signup", site.signup_api, methods=["POST"]),
        Route("/login", site.login, methods=["POST"]),
        Route("/search", search),
        Route("/products", products),
        Route("/health", health),
        *challenges.routes(SECURITY_HEADERS),
        Mount("/static", StaticFiles(directory=HERE / "static")),
    ]


class Site:
    """The routes that share something: the accounts, the feed, the client."""

    def __init__(self, feed: Feed, accounts: Accounts, aj: AsyncDoorward) -> None:
        self._feed = feed
        self._accounts = accounts
        self._aj = aj

    async def watch(self, request: Request) -> Response:
        """Decisions as Server-Sent Events."""
        if self._feed.is_full:
            return PlainTextResponse("Too many pages are open.", 503, {"Retry-After": "10"})
        last = request.headers.get("last-event-id", "")
        after = int(last) if last.isascii() and last.isdigit() and len(last) < 20 else 0
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(self._feed.watch(after), media_type="text/event-stream", headers=headers)

    async def signup_api(self, request: Request) -> Response:
        """Sign up with JSON. Without a body, somebody is made up, so that a bare ``curl -X POST`` does."""
        email, password = _credentials(await _body(request) or b'{"email": "ada@example.com"}')
        if "@" not in email:
            return JSONResponse({"error": 'send {"email": "you@example.com", "password": "…"}'}, 400)
        self._accounts.add(email, password)
        return JSONResponse({"message": "Signed up.", "email": email}, 201)

    async def signup_form(self, request: Request) -> Response:
        """Sign up with the form. The middleware has decided about address and agent; the e-mail address is left."""
        fields = dict(parse_qsl((await _body(request)).decode("utf-8", "replace"), max_num_fields=10))
        email = fields.get("email", "")
        decision = await self._aj.protect(request, email=email)
        if decision.is_denied():
            return HTMLResponse(signup.form(decision, email), decision.status, SECURITY_HEADERS)
        if signup.needs_review(decision):
            return FileResponse(HERE / "pages/review.html", 202, SECURITY_HEADERS)
        self._accounts.add(email, fields.get("password", ""))
        return FileResponse(HERE / "pages/welcome.html", 200, SECURITY_HEADERS)

    async def login(self, request: Request) -> Response:
        """Log in with JSON; 401 when the password is wrong."""
        if self._accounts.knows(*_credentials(await _body(request))):
            return JSONResponse({"message": "Welcome back."})
        return JSONResponse({"error": "Wrong e-mail address or password."}, 401)


def page(name: str) -> Callable[[Request], Awaitable[Response]]:
    """A route that answers with a file."""

    async def show(request: Request) -> Response:
        del request
        return FileResponse(HERE / "pages" / name, headers=SECURITY_HEADERS)

    return show


async def signup_page(request: Request) -> Response:
    """The form."""
    del request
    return HTMLResponse(signup.form(), headers=SECURITY_HEADERS)


async def articles(request: Request) -> Response:
    """Something for readers and search engines."""
    del request
    return PlainTextResponse("Plums are in season.\n")


async def search(request: Request) -> Response:
    """Something costly."""
    return JSONResponse({"found": [], "query": request.query_params.get("q", "")[:100]})


async def products(request: Request) -> Response:
    """Something public."""
    del request
    return JSONResponse({"products": ["apple", "pear", "plum"]})


async def health(request: Request) -> Response:
    """What an orchestrator asks for. Exempt without being told."""
    del request
    return PlainTextResponse("ok\n")


async def _body(request: Request) -> bytes:
    """The body, or nothing where it is larger than any that the application expects."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            return b""
    return bytes(body)


def _credentials(body: bytes) -> tuple[str, str]:
    """E-mail address and password from JSON; empty where there are none."""
    try:
        data: Any = json.loads(body)
    except (ValueError, RecursionError):
        return "", ""
    fields: MutableMapping[str, Any] = data if isinstance(data, dict) else {}
    email, password = fields.get("email", ""), fields.get("password", "")
    return (email, password) if isinstance(email, str) and isinstance(password, str) else ("", "")
