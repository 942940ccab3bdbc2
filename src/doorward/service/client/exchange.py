"""One request and its reply over one connection, with neither sockets nor clocks: what blocks and what awaits share it.

HTTP/1.1 is httpcore's, which is what httpx runs on. Its connections are driven here without the two layers above them:

- ``httpx.Client`` logs a record at INFO for each request, and has a time-out for each read and none for all of them;
- httpcore's pool (1.0.9) loses a connection for ever when a call is cancelled in the moment after it has connected:
  with visitors who leave, one after the other, until it has none to give.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import httpcore

from doorward.errors import ServiceError
from doorward.service.client.transport import Reply

if TYPE_CHECKING:
    from doorward.service.client.endpoint import Endpoint
    from doorward.service.client.transport import Call

READ_SIZE = 8_192
"""Bytes for each read: what they can be made to cost in one go is some 20 ms, in chunks of one byte each."""
MOST_PIECES = 500
"""Pieces that a reply may be chopped into: one of 100 kB in chunks of 400 bytes has half as many."""
LARGEST_HEAD = 32_768
"""Bytes of status line and headers, and of what is said before them ("100 Continue"), as nearly as READ_SIZE."""
SERVICE_SHARE = 0.9
"""Of what is left of the deadline: what the service has found out by then still gets here in time."""
_BROKEN_OFF = "the decision service broke off in the middle of its answer"
_LARGER = "the answer of the decision service, or its head, is larger than {} bytes"


class Requests(Protocol):
    """Makes the requests of one transport.

    Attributes:
        origin: Of all connections. TLS is the network's, so that httpcore has to do with plain HTTP only.
    """

    origin: httpcore.Origin

    def request(self, call: Any, seconds: float) -> httpcore.Request:
        """A request for ``call``, with so many seconds left for the answer."""
        ...


class Head:
    """What all requests to a decision service begin with.

    Args:
        endpoint: The service.
        key: Its key of ours.
        agent: What we call ourselves.

    Attributes:
        origin: Of all connections. TLS is the network's, so that httpcore has to do with plain HTTP only.
    """

    def __init__(self, endpoint: Endpoint, key: str, agent: str) -> None:
        self._prefix = endpoint.prefix
        self.origin = httpcore.Origin(b"http", endpoint.host.encode(), endpoint.port)
        self._headers = [
            (b"Host", endpoint.authority.encode()),
            (b"User-Agent", agent.encode()),
            (b"Authorization", b"Bearer " + key.encode()),
            (b"Content-Type", b"application/json"),
            (b"Accept", b"application/json"),
            # A few kilobytes that inflate to gigabytes are no reply to anybody.
            (b"Accept-Encoding", b"identity"),
            (b"Connect-Protocol-Version", b"1"),
        ]

    def request(self, call: Call, seconds: float) -> httpcore.Request:
        """A request.

        Args:
            call: What to send.
            seconds: That are left for the answer.
        """
        milliseconds = max(1, int(1000 * SERVICE_SHARE * seconds))
        own = [(b"Connect-Timeout-Ms", b"%d" % milliseconds), (b"Content-Length", b"%d" % len(call.body))]
        target = (self._prefix + call.path).encode()
        url = httpcore.URL(scheme=b"http", host=self.origin.host, port=self.origin.port, target=target)
        return httpcore.Request(b"POST", url, headers=self._headers + own, content=call.body)


class Exchange:
    """The bytes of one request and its reply: both networks' connections keep one, and begin another with each call.

    What is too much ends the read that brings it: raised anywhere else, it would leave httpcore's asynchronous
    generators open in the middle, for the event loop to close when it comes to it.

    Args:
        largest: Bytes of a reply, its head included.

    Attributes:
        unsent: What httpcore has written and the network has not: all of a request goes out at once.
        pieces: That the body has come in.
    """

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._came = self._head_size = 0
        self._start = b""
        self._accepted = self._ended = False
        self.unsent = bytearray()
        self.pieces = 0

    def came(self, data: bytes) -> bytes:
        """What was read; empty at the end of the connection.

        Raises:
            ServiceError: Nobody wants what comes, or no answer does.
        """
        if not data:
            self._ended = True
            if not self._came:
                raise ServiceError("the decision service closed the connection without an answer")
        self._came += len(data)
        most = self._largest if self._accepted else min(self._largest, LARGEST_HEAD)
        if self._came > most:
            raise ServiceError(_LARGER.format(most))
        if self.pieces > MOST_PIECES:
            raise ServiceError("the answer of the decision service is in too many pieces")
        if not self._head_size:
            self._look_for_body(data)
        return data

    def _look_for_body(self, data: bytes) -> None:
        self._start += data
        self._head_size = self._start.find(b"\r\n\r\n") + 4
        if self._head_size == 3:
            self._head_size = 0
        else:
            self._start = b""

    def accept(self, response: httpcore.Response) -> None:
        """Look at the head of a reply.

        Raises:
            ServiceError: Nobody wants the rest.
        """
        if _header(response, b"content-encoding").lower() not in ("", "identity"):
            raise ServiceError("the answer of the decision service is compressed, which was not asked for")
        length = _header(response, b"content-length")
        if length.isdigit() and int(length) > self._largest:
            raise ServiceError(_LARGER.format(self._largest))
        self._accepted = True

    def is_one_reply(self, size: int) -> bool:
        """Whether all that came is a head and the ``size`` bytes of its body: no call is given what another left over.

        The service says how long its replies are. After one that comes in chunks, the connection is not used again.
        """
        return self._came == self._head_size + size

    def what_is_wrong(self, error: httpcore.RemoteProtocolError) -> Exception:
        """``error``, or what it means at the end of a connection."""
        return ServiceError(_BROKEN_OFF) if self._ended else error


class Conversation:
    """What connections that block and such that await share.

    Args:
        largest: Bytes of a reply.

    Attributes:
        idle_since: When it was last given back, in monotonic seconds.
        reusable: Whether it can take another call.
    """

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self.idle_since = 0.0
        self.reusable = True

    def _ended(self, exchange: Exchange, response: httpcore.Response, parts: list[bytes], *, idle: bool) -> Reply:
        """The reply, now that all of it is there; ``idle`` where httpcore would begin another."""
        body = b"".join(parts)
        self.reusable = idle and exchange.is_one_reply(len(body))
        return _reply_of(response, body)


def _reply_of(response: httpcore.Response, body: bytes) -> Reply:
    """What is of interest of a response."""
    content_type, retry_after = _header(response, b"content-type"), _header(response, b"retry-after")
    return Reply(response.status, content_type, body, retry_after)


def _header(response: httpcore.Response, name: bytes) -> str:
    found = [value for other, value in response.headers if other.lower() == name]
    return b", ".join(found).decode("latin-1")


__all__ = ["READ_SIZE", "Conversation", "Exchange", "Head", "Requests"]
