"""Holds the beginning of a body for rules, and puts it back: the application reads the same bytes."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import TYPE_CHECKING, Any

from doorward.context import Body
from doorward.layer import body_limit

if TYPE_CHECKING:
    from doorward.context import RequestContext
    from doorward.decision import Decision
    from doorward.layer import Layer

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

_LONGEST_LENGTH = 30
KEPT_FORM = 2**16
"""Bytes of a challenged form, which its page keeps."""
KEPT_FORM_SECONDS = 10.0
"""How long an event loop waits for one: it was announced, and is on its way."""


async def hold_form(layer: Layer, request: RequestContext, decision: Decision, receive: Receive) -> None:
    """Read the form of a challenged request, if it is one that its page keeps. Never raises."""
    if not layer.keeps_form(request, decision):
        return
    try:
        async with asyncio.timeout(KEPT_FORM_SECONDS):
            request.hold(await HeldBody(request, receive, KEPT_FORM).hold())
    except Exception:
        # The client has gone, or is slow: the page says that what was sent could not be kept.
        layer.runtime.journal.count("challenge.form_lost")


def hold_form_now(layer: Layer, request: RequestContext, decision: Decision, read: Callable[[], Body | None]) -> None:
    """As :func:`hold_form`, blocking, with ``read`` to read at most :data:`KEPT_FORM` bytes."""
    if not layer.keeps_form(request, decision):
        return
    try:
        held = read()
    except Exception as error:
        layer.runtime.journal.swallowed("challenge", error)
    else:
        if held is not None:
            request.hold(held)


class HeldBody:
    """Holds the beginning of a body for rules, and hands it on to the application.

    The application receives the same bytes: what was held as one piece, the rest as it comes. Pieces are put together
    because a body in pieces of one byte would otherwise take hundreds of times its size to hold.

    Args:
        request: The request.
        receive: Of the server.
        configured: The client's ``body_limit``.
    """

    __slots__ = ("_configured", "_messages", "_receive", "_request")

    def __init__(self, request: RequestContext, receive: Receive, configured: int | None) -> None:
        self._request = request
        self._receive = receive
        self._configured = configured
        self._messages: list[Message] | None = None

    async def hold(self) -> Body:
        """Read up to the limit."""
        limit = body_limit(self._request, self._configured)
        if limit == 0:
            return Body(b"", False)
        held, more = bytearray(), True
        other: Message | None = None
        try:
            # One byte over the limit tells a body that just fits from one that does not.
            while more and other is None and len(held) <= limit:
                message = await self._receive()
                if message["type"] == "http.request":
                    held += message.get("body", b"")
                    more = message.get("more_body", False)
                else:
                    other = message  # http.disconnect
        finally:
            # Also where receiving fails or is given up: what has come by then is the application's all the same.
            data = bytes(held)
            del held
            self._messages = [other] if other is not None else []
            if data or not more:
                self._messages.insert(0, {"type": "http.request", "body": data, "more_body": more})
        return Body(data[:limit], not more and len(data) <= limit)

    def receiver(self) -> Receive:
        """What the application is to receive from: the server itself when nothing was held."""
        return self._receive if self._messages is None else self._replay

    async def _replay(self) -> Message:
        return self._messages.pop(0) if self._messages else await self._receive()


def hold_body(request: RequestContext, environ: MutableMapping[str, Any], configured: int | None) -> Body:
    """Read the body of an environ up to the limit, and put it back for the application.

    Args:
        request: The request.
        environ: Its environ (PEP 3333); ``wsgi.input`` is replaced.
        configured: The client's ``body_limit``.
    """
    limit = body_limit(request, configured)
    stream, length = environ.get("wsgi.input"), _content_length(environ)
    if limit == 0 or stream is None:
        return Body(b"", False)
    if length == 0:
        return Body(b"", True)
    held, failure = _read(stream, min(limit + 1, length) if length is not None else limit + 1)
    complete = failure is None and len(held) <= limit and (length is None or len(held) == length)
    rest = stream if failure is None else Broken(failure)
    environ["wsgi.input"] = io.BytesIO(held) if complete else Replay(held, rest)
    return Body(held[:limit], complete)


def _content_length(environ: MutableMapping[str, Any]) -> int | None:
    """Bytes of the body; None when it ends where the stream ends, 0 when there is none that could be read."""
    try:
        # As frameworks read it: "+9" and " 9 " must not hide nine bytes from the rules.
        return max(0, int((environ.get("CONTENT_LENGTH") or "")[:_LONGEST_LENGTH]))
    except ValueError:
        return None if environ.get("wsgi.input_terminated") else 0


def _read(stream: Any, size: int) -> tuple[bytes, Exception | None]:
    """What could be read, and what went wrong then: the client has gone, or its chunks make no sense."""
    parts: list[bytes] = []
    left = size
    try:
        while left > 0 and (part := stream.read(left)):
            parts.append(part)
            left -= len(part)
    except Exception as error:
        return b"".join(parts), error
    return b"".join(parts), None


class Broken:
    """The rest of a body that cannot be read: says so to the application, as the server would have said it.

    A server may not say it twice, and the application would take what was held for the whole.
    """

    def __init__(self, failure: Exception) -> None:
        self._failure = failure

    def read(self, size: int = -1) -> bytes:
        """Raise what the server raised."""
        raise self._failure

    readline = read


class Replay(Iterator[bytes]):
    """A ``wsgi.input`` that begins with what was held already; asks the rest for no more than it is asked for."""

    def __init__(self, held: bytes, rest: Any) -> None:
        self._held = io.BytesIO(held)
        self._rest = rest

    def read(self, size: int | None = -1) -> bytes:
        """As of a file."""
        if size is None or size < 0:
            return self._held.read() + bytes(self._rest.read())
        held = self._held.read(size)
        return held if len(held) == size else held + bytes(self._rest.read(size - len(held)))

    def readline(self, size: int | None = -1) -> bytes:
        """As of a file."""
        size = -1 if size is None else size
        held = self._held.readline(size)
        if held.endswith(b"\n") or len(held) == size:
            return held
        return held + bytes(self._rest.readline(size - len(held) if size >= 0 else -1))

    def readlines(self, hint: int | None = -1) -> list[bytes]:
        """As of a file."""
        lines: list[bytes] = []
        total = 0
        for line in self:
            lines.append(line)
            total += len(line)
            if 0 < (hint or 0) <= total:
                break
        return lines

    def __next__(self) -> bytes:
        line = self.readline()
        if not line:
            raise StopIteration
        return line
