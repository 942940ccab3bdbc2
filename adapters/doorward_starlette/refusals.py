"""How a handler refuses: exceptions that the application's handlers answer as the middleware would."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException, WebSocketException

from doorward.answers import detail_of
from doorward_starlette.enforcement import reject
from doorward_starlette.responses import refusal_response

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.websockets import WebSocket

    from doorward import Decision
    from doorward.layer import Layer

POLICY_VIOLATION = 1008
"""Close code of RFC 6455 section 7.4.1."""


class Refused(HTTPException):
    """A request was refused, or challenged, by ``guard.require``.

    An application that has no handler for it, such as one that is mounted, answers it as any HTTPException: with the
    right status and headers.

    Attributes:
        decision: The decision that refuses.
    """

    def __init__(self, decision: Decision, layer: Layer) -> None:
        super().__init__(decision.status, detail_of(decision), decision.headers)
        self.decision = decision
        self.layer = layer


class WebSocketRefused(WebSocketException):
    """As :class:`Refused`, for a websocket."""

    def __init__(self, decision: Decision, layer: Layer) -> None:
        super().__init__(POLICY_VIOLATION)
        self.decision = decision
        self.layer = layer


def add_handlers(app: Starlette, *kinds: type[Exception]) -> None:
    """Have an application answer refusals as the middleware does.

    Args:
        app: The application.
        *kinds: Of a request and of a websocket.
    """
    request, websocket = kinds or (Refused, WebSocketRefused)
    app.add_exception_handler(request, answer_request)
    app.add_exception_handler(websocket, answer_websocket)


async def answer_request(request: Request, refused: Any) -> Any:
    """The response to a refused request: by Accept, or by ``on_denied``."""
    return await refusal_response(refused.layer, request.scope, refused.decision, request)


async def answer_websocket(websocket: WebSocket, refused: Any) -> None:
    """Refuse or close a websocket."""
    await reject(websocket, await refusal_response(refused.layer, websocket.scope, refused.decision))
