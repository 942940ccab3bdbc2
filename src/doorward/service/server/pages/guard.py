"""What every page has in common: who may see it, what a form must hold, and the headers that it is sent with."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl, quote

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from doorward.errors import DataError, DoorwardError
from doorward.printable import describe, printable
from doorward.service.server.pages.texts import link

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.types import Receive, Scope, Send

    from doorward.service.server.login import Login, Session
    from doorward.service.server.pages.render import Renderer

    View = Callable[["Visit"], Awaitable[Response]]

LARGEST_FORM = 16 * 1024
FORM_SECONDS = 10
_log = logging.getLogger("doorward.service")

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
NO_STORE = "no-store"


class Visit(NamedTuple):
    """A request that may be answered.

    Attributes:
        request: As it came.
        session: Of whom; None where no log-in is needed and there is none.
        form: What was filled in; empty but of a POST.
        token: What each form of the session has to hold; empty without one.
    """

    request: Request
    session: Session | None
    form: Mapping[str, str]
    token: str = ""

    @property
    def query(self) -> Mapping[str, str]:
        """What the URL asks for."""
        return self.request.query_params


class Gate:
    """Makes pages of views.

    Args:
        login: Knows who is logged in.
        renderer: Draws pages about errors.
    """

    def __init__(self, login: Login, renderer: Renderer) -> None:
        self.login = login
        self.renderer = renderer

    def page(self, **views: View) -> Page:
        """A page by the methods that it answers: ``get``, ``post``."""
        return Page(self, {name.upper(): view for name, view in views.items()}, public=False)

    def public(self, **views: View) -> Page:
        """The same, for everybody."""
        return Page(self, {name.upper(): view for name, view in views.items()}, public=True)

    def session(self, request: Request) -> Session | None:
        """Who asks; None for nobody who has logged in."""
        return self.login.session(request.cookies.get(session_cookie(request)))


class Page:
    """An ASGI application that answers one path."""

    def __init__(self, gate: Gate, views: Mapping[str, View], *, public: bool) -> None:
        self._gate = gate
        self._views = views
        self._public = public

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer. Whatever goes wrong is a page too, and tells no secret."""
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except ClientDisconnect:
            return
        except Exception as error:
            response = self._failed(request, error)
        for name, value in HEADERS.items():
            response.headers[name] = value
        response.headers.setdefault("Cache-Control", NO_STORE)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        view = self._views.get(method)
        if view is None:
            raise HTTPException(405, headers={"Allow": ", ".join(sorted({*self._views, "HEAD"}))})
        session = None if self._public else self._gate.session(request)
        if session is None and not self._public:
            return self._to_login(request)
        form = await read_form(request) if method == "POST" else {}
        if session is None:
            return await view(Visit(request, None, form))
        if method == "POST" and not self._gate.login.is_token(session, form.get("token", "")):
            raise HTTPException(403, "This form is of another session. Go back, reload the page, and try again.")
        return await view(Visit(request, session, form, self._gate.login.token(session)))

    def _to_login(self, request: Request) -> Response:
        if request.url.path.endswith("/live"):
            return JSONResponse({"error": "logged out"}, 401)
        here = own_path(quote(request.url.path) + (f"?{request.url.query}" if request.url.query else ""))
        # Browsers leave our cookie out where somebody comes by a link from elsewhere (SameSite=Strict). Asked again
        # by a page of ours, they send it.
        if request.headers.get("sec-fetch-site") in {"cross-site", "same-site"} and request.method == "GET":
            return self._gate.renderer.response("arrive.html", here=here)
        return RedirectResponse(link("/login", next=here if request.method in {"GET", "HEAD"} else ""), 303)

    def _failed(self, request: Request, error: Exception) -> Response:
        status, title, why = _told(error)
        if status >= 500:
            _log.error("pages: %s: %s", printable(request.url.path, 100), describe(error))
        headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
        if request.url.path.endswith("/live"):
            return JSONResponse({"error": why}, status, headers)
        response = self._gate.renderer.response("error.html", status=status, title=title, why=why)
        response.headers.update(headers)
        return response


_TITLES = {400: "Bad request", 403: "Refused", 404: "Not found", 405: "Not allowed", 413: "Too long", 415: "No form"}


def _told(error: Exception) -> tuple[int, str, str]:
    """Status, title, and what may be said about an error."""
    if isinstance(error, HTTPException):
        return error.status_code, _TITLES.get(error.status_code, "Error"), error.detail
    if isinstance(error, TimeoutError):
        return 503, "The log does not answer", "It took too long. A shorter stretch of time may be faster."
    if isinstance(error, DataError):
        return 503, "Cannot be read", printable(error.problem)
    if isinstance(error, DoorwardError):
        return 503, "Cannot be done", printable(str(error))
    return 500, "Something went wrong", "The log of the service says what."


async def read_form(request: Request) -> dict[str, str]:
    """A form of ours that was sent by a page of ours.

    Raises:
        HTTPException: It was not, or it is too large, too slow, or no form.
    """
    from anyio import fail_after

    if not is_from_here(request):
        raise HTTPException(403, "This form was sent by another site.")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise HTTPException(415, "Forms are sent as application/x-www-form-urlencoded.")
    body = bytearray()
    try:
        with fail_after(FORM_SECONDS):
            async for part in request.stream():
                body += part
                if len(body) > LARGEST_FORM:
                    raise HTTPException(413, "This form is too long.")
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=50))
    except TimeoutError:
        raise HTTPException(408, "This form took too long.") from None
    except ValueError:
        raise HTTPException(400, "This form has too many fields.") from None


def is_from_here(request: Request) -> bool:
    """Whether a request was made by a page of this site, as far as the browser tells (Fetch Metadata, Origin).

    Our own forms have the origin ``null``, for their pages send no referrer (Fetch section 3.2). Over plain HTTP some
    browsers say nothing else: then it rests on the token, and on the cookie that is not sent from elsewhere.
    """
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return False
    origin = request.headers.get("origin", "null")
    return origin == "null" or origin.partition("://")[2] == request.headers.get("host")


# --- cookies


def is_secure(request: Request) -> bool:
    """Whether the browser came by HTTPS."""
    return request.url.scheme == "https"


def session_cookie(request: Request) -> str:
    """The name of the cookie. With ``__Host-`` no other host can set it (RFC 6265bis section 4.1.3.2)."""
    return "__Host-doorward" if is_secure(request) else "doorward"


def set_cookie(response: Response, request: Request, name: str, value: str, seconds: int) -> None:
    """Set a cookie that scripts do not see and other sites do not send; 0 seconds delete it."""
    response.set_cookie(
        name, value, max_age=seconds, path="/", secure=is_secure(request), httponly=True, samesite="strict"
    )


def own_path(text: str, fallback: str = "/") -> str:
    """``text`` if it is a path of this site, which no browser reads as another one; else ``fallback``."""
    plain = text.isascii() and text.isprintable() and len(text) <= 4_096
    if not plain or not text.startswith("/") or text.startswith(("//", "/\\")) or "\\" in text:
        return fallback
    return text
