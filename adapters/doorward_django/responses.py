"""Between doorward's answers and Django's responses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpResponse

from doorward import Response

if TYPE_CHECKING:
    from django.http.response import HttpResponseBase

    from doorward.answers import Answer
    from doorward.layer import Layer
    from doorward.progress import Progress


def response_of(answer: Answer, *, head: bool) -> HttpResponse:
    """A complete answer as a response; the headers alone to a HEAD request."""
    response = HttpResponse(b"" if head else answer.body, status=answer.status)
    for name, value in answer.headers:
        if name.lower() == "set-cookie":
            response.cookies.load(value)
        else:
            response[name] = value
    response["Content-Length"] = str(len(answer.body))
    # Django would log every refusal again, and mail the administrators about each 503.
    vars(response)["_has_been_logged"] = True
    return response


def seen(response: HttpResponseBase) -> Response:
    """A response as ``count_when`` sees it."""
    return Response(response.status_code, [(name.lower(), value) for name, value in response.items()])


def add_headers(layer: Layer, progress: Progress, response: HttpResponseBase) -> None:
    """Say how limits stand, in the place of what the application says, and give the client the cookies it is to have.

    Never raises.
    """
    # The newest decision: the view may have charged more.
    if layer.style is not None and progress.decision is not None:
        try:
            for name, value in layer.style(progress.decision):
                response[name] = value
        except Exception as error:
            layer.runtime.journal.swallowed("rate_limit_headers", error)
    for cookie in layer.fitting_cookies(progress, [(name.lower(), value) for name, value in response.items()]):
        response.cookies.load(cookie)
