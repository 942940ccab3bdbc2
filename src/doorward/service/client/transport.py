"""How bytes get to the service and back: what :class:`Transport` says, for whoever has one of their own."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Call(NamedTuple):
    """One HTTP POST to the service.

    Attributes:
        path: Below the service's URL, with a leading slash.
        body: JSON.
        seconds: For all of it: connecting, writing and reading.
    """

    path: str
    body: bytes
    seconds: float


class Reply(NamedTuple):
    """What came back.

    Attributes:
        status: The HTTP status.
        content_type: As sent; empty when there was none.
        body: At most as much as the transport lets in.
        retry_after: The header of that name, as sent; empty when there was none.
    """

    status: int
    content_type: str
    body: bytes
    retry_after: str = ""


class Timed(Protocol):
    """Whatever a :class:`~doorward.service.client.http_transport.HttpTransport` sends."""

    @property
    def seconds(self) -> float:
        """For all of it: connecting, writing and reading."""
        ...


class Transport(Protocol):
    """Sends calls. Both methods raise :class:`~doorward.errors.ServiceError` where no reply came in time.

    One attempt each, no redirect followed, no content coding accepted. ``close`` and ``aclose`` are called where they
    exist.
    """

    def send(self, call: Call) -> Reply:
        """Send it, blocking, for ``call.seconds`` at most."""
        ...

    async def asend(self, call: Call) -> Reply:
        """Send it, awaiting, for ``call.seconds`` at most. Called from any event loop."""
        ...


__all__ = ["Call", "Reply", "Timed", "Transport"]
