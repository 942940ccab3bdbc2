"""How a dependency refuses: exceptions that the application's handlers answer as the middleware would."""

from __future__ import annotations

from fastapi import HTTPException, WebSocketException

from doorward_starlette import refusals


class Refused(refusals.Refused, HTTPException):
    """A request was refused by a dependency, or by ``guard.protect`` and ``guard.require``.

    An application that has no handler for it, such as one that is mounted, answers it as any HTTPException: with the
    right status and headers.

    Attributes:
        decision: The decision that refuses.
    """


class WebSocketRefused(refusals.WebSocketRefused, WebSocketException):
    """As :class:`Refused`, for a websocket."""
