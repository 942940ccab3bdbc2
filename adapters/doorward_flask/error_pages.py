"""Error pages of a Flask application."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import current_app, request
from werkzeug.exceptions import HTTPException, default_exceptions

from doorward import error_pages

if TYPE_CHECKING:
    from flask import Flask, Response


class ErrorPages(error_pages.ErrorPages):
    """Answers what ``abort`` and uncaught exceptions come to: ``ErrorPages(app, accent="#0b57d0")``.

    What an application aborts with a response of its own is left alone, and so are its own error handlers for a status.

    Args:
        app: The application; or call :meth:`init_app`.
        **options: See :class:`doorward.error_pages.ErrorPages`.

    Raises:
        ConfigurationError: An option is wrong.
    """

    def __init__(self, app: Flask | None = None, **options: Any) -> None:
        super().__init__(**options)
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Answer the errors of an application."""
        app.register_error_handler(HTTPException, self._handled)

    def _handled(self, error: HTTPException) -> Any:
        status = error.code or 500
        if error.response is not None or not self.covers(status):
            return error
        asked = request.headers
        headers = list(error.get_headers(request.environ))  # not its response, whose text may be none to UTF-8
        answer = self.answer(
            status, asked.getlist("accept"), asked.getlist("accept-language"), headers=headers, message=_message(error)
        )
        response: Response = current_app.response_class(answer.body, answer.status, list(answer.headers))
        return response


def _message(error: HTTPException) -> str:
    """What the application has said, and not Werkzeug."""
    if error.code == 500:
        return ""  # where Flask puts what went wrong is no place for visitors
    usual = getattr(default_exceptions.get(error.code or 0), "description", None)
    said = error.description
    return said if isinstance(said, str) and said not in (usual, type(error).description) else ""
