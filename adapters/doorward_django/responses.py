"""Between doorward's answers and Django's responses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpResponse

from doorward import Response

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.http.response import HttpResponseBase

    from doorward.answers import Answer


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


def replace_limits(response: HttpResponseBase, lines: Iterable[tuple[str, str]]) -> None:
    """Write RateLimit headers in the place of those that the application wrote."""
    for name, value in lines:
        response[name] = value
