"""A refusal as a Starlette response: the same bytes that the middleware sends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from doorward.requests import from_scope

if TYPE_CHECKING:
    from doorward import Decision
    from doorward.answers import Answer
    from doorward.asgi import Scope
    from doorward.layer import Layer


async def refusal_response(layer: Layer, scope: Scope, decision: Decision) -> Any:
    """What answers a refused request: the answer of ``on_denied``, or the built-in one."""
    request = from_scope(scope)
    answer = await layer.areplaced(request, decision)
    if callable(answer):
        return answer
    return as_response(
        layer.refusal(request, decision) if answer is None else answer, head=scope.get("method") == "HEAD"
    )


def as_response(answer: Answer, *, head: bool = False) -> Response:
    """An answer as a response; its headers alone to a HEAD request."""
    response = Response(b"" if head else answer.body, status_code=answer.status)
    lines = [*answer.headers, ("Content-Length", str(len(answer.body)))]
    response.raw_headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in lines]
    return response
