"""How a dependency refuses: exceptions that the application's handlers answer as the middleware would."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import HTTPException, WebSocketException

from doorward.answers import detail_of
from doorward_starlette.refusals import POLICY_VIOLATION

if TYPE_CHECKING:
    from doorward import Decision
    from doorward.layer import Layer


class Refused(HTTPException):
    """A request was refused by a dependency or by ``guard.protect``.

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
