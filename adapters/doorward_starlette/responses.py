"""A refusal as a Starlette response: the same bytes that the middleware sends."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from doorward.answers import Answer
from doorward.requests import from_scope

if TYPE_CHECKING:
    from doorward import Decision
    from doorward.asgi import Scope
    from doorward.layer import Layer


async def refusal_response(layer: Layer, scope: Scope, decision: Decision) -> Any:
    """What answers a refused request: the answer of ``on_denied``, or the built-in one."""
    request = from_scope(scope)
    answer = layer.replaced(request, decision)
    if inspect.isawaitable(answer):
        try:
            answer = await answer
        except Exception as error:
            layer.runtime.journal.swallowed("on_denied", error)
            answer = None
    if callable(answer):
        return answer
    answer = answer if isinstance(answer, Answer) else layer.refusal(request, decision)
    return as_response(answer, head=scope.get("method") == "HEAD")


def as_response(answer: Answer, *, head: bool = False) -> Response:
    """An answer as a response; its headers alone to a HEAD request."""
    response = Response(b"" if head else answer.body, status_code=answer.status)
    lines = [*answer.headers, ("Content-Length", str(len(answer.body)))]
    response.raw_headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in lines]
    return response
