"""The way in and out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from doorward.service.server.login import FORM_SECONDS, SESSION_SECONDS, Refused
from doorward.service.server.pages.guard import is_secure, own_path, session_cookie, set_cookie
from doorward.service.server.pages.texts import span

if TYPE_CHECKING:
    from starlette.requests import Request

    from doorward.service.server.login import Login
    from doorward.service.server.pages.guard import Gate, Visit
    from doorward.service.server.pages.render import Renderer


class Door:
    """The views of logging in and out."""

    def __init__(self, gate: Gate, renderer: Renderer) -> None:
        self._gate = gate
        self._login: Login = gate.login
        self._renderer = renderer

    async def show(self, visit: Visit) -> Response:
        """The form; for somebody who is in already, what they wanted."""
        here = own_path(visit.query.get("next", ""))
        if self._gate.session(visit.request) is not None:
            return RedirectResponse(here, 303)
        return self._form(visit.request, here)

    async def enter(self, visit: Visit) -> Response:
        """Look at the password."""
        request, here = visit.request, own_path(visit.form.get("next", ""))
        session = self._login.form_session(request.cookies.get(_form_cookie(request)))
        if session is None or not self._login.is_token(session, visit.form.get("token", "")):
            return self._form(request, here, 403, "The form was too old. Try again.")
        opened = await self._login.open(request.scope, visit.form.get("password", ""))
        if isinstance(opened, Refused):
            return self._refused(request, here, opened)
        response = RedirectResponse(here, 303)
        set_cookie(response, request, session_cookie(request), opened, SESSION_SECONDS)
        set_cookie(response, request, _form_cookie(request), "", 0)
        return response

    def _refused(self, request: Request, here: str, refused: Refused) -> Response:
        wait = f" Try again in {span(refused.retry_seconds)}." if refused.retry_seconds else ""
        response = self._form(request, here, refused.status, refused.why + wait)
        if refused.retry_seconds:
            response.headers["Retry-After"] = str(refused.retry_seconds)
        return response

    def _form(self, request: Request, here: str, status: int = 200, problem: str = "") -> Response:
        cookie = self._login.form_cookie()
        session = self._login.form_session(cookie)
        assert session is not None
        response = self._renderer.response(
            "login.html", status, form_token=self._login.token(session), here=here, problem=problem
        )
        set_cookie(response, request, _form_cookie(request), cookie, FORM_SECONDS)
        return response

    async def leave(self, visit: Visit) -> Response:
        """End the session, here and wherever its cookie is."""
        if visit.session is None:
            raise HTTPException(403)
        self._login.end(visit.session)
        response = RedirectResponse("/login", 303)
        set_cookie(response, visit.request, session_cookie(visit.request), "", 0)
        return response


def _form_cookie(request: Request) -> str:
    return "__Host-doorward-form" if is_secure(request) else "doorward-form"
