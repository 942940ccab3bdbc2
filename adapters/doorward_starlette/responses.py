"""A refusal as a Starlette response: the same bytes that the middleware sends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from doorward.bodies import BodyOf
from doorward.requests import from_scope

if TYPE_CHECKING:
    from doorward import Decision
    from doorward.answers import Answer
    from doorward.asgi import Scope
    from doorward.layer import Layer


async def refusal_response(layer: Layer, scope: Scope, decision: Decision, connection: Any = None) -> Any:
    """What answers a refused request: the answer of ``on_denied``, or the built-in one.

    Args:
        layer: Of the application.
        scope: Of the request.
        decision: About it.
        connection: The request of Starlette's, whose form a challenge keeps.
    """
    request = from_scope(scope)
    answer = await layer.areplaced(request, decision)
    if callable(answer):
        return answer
    if answer is None:
        if connection is not None and layer.keeps_form(request, decision):
            held = await BodyOf(connection, request, layer.runtime).aread()
            if held is not None:
                request.hold(held)
        answer = layer.refusal(request, decision)
    return as_response(answer, head=scope.get("method") == "HEAD")


def as_response(answer: Answer, *, head: bool = False) -> Response:
    """An answer as a response; its headers alone to a HEAD request."""
    response = Response(b"" if head else answer.body, status_code=answer.status)
    lines = [*answer.headers, ("Content-Length", str(len(answer.body)))]
    response.raw_headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in lines]
    return response
