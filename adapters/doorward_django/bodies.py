"""Holds the beginning of a Django request's body for rules, and leaves the request as if nobody had read it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from doorward import Body
from doorward.holding import Broken, Replay

if TYPE_CHECKING:
    from django.http import HttpRequest

_READ_SIZE = 2**16


class Replayed(Replay):
    """What Django reads a body from: it closes the stream once it has all of it."""

    def close(self) -> None:
        """Nothing: the server closes its own stream."""


def hold(request: HttpRequest, limit: int) -> Body:
    """The first ``limit`` bytes of what the view can read; at most one more is held.

    Django's own stream is read, not the server's: it is what the view will see, however the server framed it.
    """
    # Django REST framework wraps Django's request.
    state = vars(getattr(request, "_request", request))
    stream, read = state.get("_stream"), state.get("_body")
    if read is not None:
        return Body(read[:limit], len(read) <= limit)
    if limit == 0 or stream is None or state.get("_read_started"):
        return Body(b"", False)
    data, failure = _beginning(stream, limit + 1)
    complete = len(data) <= limit and failure is None
    seekable = getattr(stream, "seekable", None)
    if seekable is not None and seekable():
        # ASGI: Django has spooled the body already.
        stream.seek(0)
    elif data or failure is not None:
        rest = stream if failure is None else Broken(failure)
        state["_stream"] = io.BytesIO(data) if complete else Replayed(data, rest)
        if "environ" in state:
            # A view that mounts another WSGI application hands it the environ.
            state["environ"]["wsgi.input"] = state["_stream"]
    return Body(data[:limit], complete)


async def ahold(request: HttpRequest, limit: int) -> Body:
    """As :func:`hold`: Django has received the body before it calls middleware, so there is nothing to wait for."""
    return hold(request, limit)


def _beginning(stream: Any, size: int) -> tuple[bytes, Exception | None]:
    """Up to ``size`` bytes, and why there are no more, where the stream fails."""
    held = bytearray()
    try:
        while len(held) < size and (part := stream.read(min(_READ_SIZE, size - len(held)))):
            held += part
    except Exception as error:
        return bytes(held), error
    return bytes(held), None
