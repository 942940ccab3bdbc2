"""Our answers as Flask's responses, and what is written into those of the application."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Response, current_app
from werkzeug.exceptions import HTTPException

from doorward.answers import Answer

if TYPE_CHECKING:
    from werkzeug.datastructures import Headers

    from doorward.decision import Decision
    from doorward.layer import Layer
    from doorward.progress import Progress


def response_of(answer: Answer) -> Response:
    """An answer of ours."""
    return Response(answer.body, answer.status, list(answer.headers))


def flask_style(on_denied: Any) -> Any:
    """``on_denied`` as Flask runs views: it may be async, and it may ``abort``."""

    def answer(*arguments: Any) -> Any:
        try:
            given = current_app.ensure_sync(on_denied)(*arguments)
        except HTTPException as error:
            given = current_app.handle_user_exception(error)
        return given if given is None or isinstance(given, Answer) else current_app.make_response(given)

    return answer


def write_limits(layer: Layer, headers: Headers, decision: Decision | None) -> None:
    """Say how limits stand, in the style that the application has chosen."""
    if layer.style is None or decision is None:
        return
    try:
        lines = layer.style(decision)
    except Exception as error:
        layer.runtime.journal.swallowed("rate_limit_headers", error)
        return
    for name, value in lines:
        headers.set(name, value)


def write_cookies(layer: Layer, headers: Headers, progress: Progress) -> None:
    """Give the client the cookies that it is to have."""
    lines = [(name.lower(), value) for name, value in headers]
    for cookie in layer.fitting_cookies(progress, lines):
        headers.add("Set-Cookie", cookie)
