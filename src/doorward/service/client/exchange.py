"""One request and its reply as bytes, with neither sockets nor clocks: what blocks and what awaits share it.

h11 is the parser that httpx uses. httpx itself is left out of the way of a decision: its time-outs are for each read
and not for all of them, it logs a line at INFO for each request, and it takes three times as long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import h11

from doorward.errors import ServiceError
from doorward.service.client.transport import Reply

if TYPE_CHECKING:
    from doorward.service.client.endpoint import Endpoint
    from doorward.service.client.transport import Call

READ_SIZE = 16_384
"""Bytes for each read: what they can be made to cost in one go stays in the single milliseconds as a rule."""
MOST_PIECES = 500
"""Pieces that a reply may be chopped into, each of which takes 8 us; one of 100 kB in chunks of 400 bytes has half as
many."""
LARGEST_HEAD = 65_536
"""Bytes of status line and headers."""
SERVICE_SHARE = 0.9
"""Of what is left of the deadline: what the service has found out by then still gets here in time."""
_BROKEN_OFF = "the decision service broke off in the middle of its answer"


class Head:
    """What all requests begin with.

    Args:
        endpoint: The service.
        key: Its key of ours.
        agent: What we call ourselves.
    """

    def __init__(self, endpoint: Endpoint, key: str, agent: str) -> None:
        self._prefix = endpoint.prefix
        self._headers = [
            ("Host", endpoint.authority),
            ("User-Agent", agent),
            ("Authorization", f"Bearer {key}"),
            ("Content-Type", "application/json"),
            ("Accept", "application/json"),
            # A few kilobytes that inflate to gigabytes are no reply to anybody.
            ("Accept-Encoding", "identity"),
            ("Connect-Protocol-Version", "1"),
        ]

    def of(self, call: Call, milliseconds: int) -> h11.Request:
        """The head of one request.

        Args:
            call: What to send.
            milliseconds: That the service may take.
        """
        own = [("Connect-Timeout-Ms", str(milliseconds)), ("Content-Length", str(len(call.body)))]
        return h11.Request(method="POST", target=self._prefix + call.path, headers=self._headers + own)


class Exchanges:
    """The requests and replies of one connection, one after the other.

    Args:
        head: Makes the heads of requests.
        largest: Bytes of a reply's body.
    """

    def __init__(self, head: Head, largest: int) -> None:
        self._head = head
        self._largest = largest
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=LARGEST_HEAD)

    def request(self, call: Call, seconds: float) -> bytes:
        """All of a request, to be written at once.

        Args:
            call: What to send.
            seconds: That are left for the answer.
        """
        if self._http.our_state is h11.DONE:
            self._http.start_next_cycle()
        self._reply: h11.Response | None = None
        self._body = bytearray()
        self._pieces = 0
        events = [
            self._head.of(call, max(1, int(1000 * SERVICE_SHARE * seconds))),
            h11.Data(data=call.body),
            h11.EndOfMessage(),
        ]
        return b"".join([self._http.send(event) or b"" for event in events])

    def take(self, data: bytes) -> Reply | None:
        """The reply, once ``data`` completes it; empty data is the end of the connection.

        Raises:
            ServiceError: It is one that nobody wants.
            h11.RemoteProtocolError: It is none.
        """
        if not data and self._reply is None:
            raise ServiceError("the decision service closed the connection without an answer")
        try:
            return self._taken(data)
        except h11.RemoteProtocolError:
            if data:
                raise
            raise ServiceError(_BROKEN_OFF) from None

    def _taken(self, data: bytes) -> Reply | None:
        self._http.receive_data(data)
        while (event := self._http.next_event()) is not h11.NEED_DATA:
            self._pieces += 1
            if self._pieces > MOST_PIECES:
                raise ServiceError("the answer of the decision service is in too many pieces")
            if isinstance(event, h11.EndOfMessage):
                return self._whole()
            self._look_at(event)
        return None

    @property
    def reusable(self) -> bool:
        """Whether the connection can take another request: the reply was read to its end, and nothing follows it."""
        done = self._http.our_state is h11.DONE and self._http.their_state is h11.DONE
        return done and not self._http.trailing_data[0]

    def _look_at(self, event: Any) -> None:
        if isinstance(event, h11.Response):
            self._reply = event
            if self._header(b"content-encoding").lower() not in ("", "identity"):
                raise ServiceError("the answer of the decision service is compressed, which was not asked for")
            length = self._header(b"content-length")
            self._bound(int(length) if length.isdigit() else 0)
        elif isinstance(event, h11.Data):
            self._bound(len(self._body) + len(event.data))
            self._body += event.data
        elif not isinstance(event, h11.InformationalResponse):
            raise ServiceError(_BROKEN_OFF)

    def _bound(self, size: int) -> None:
        if size > self._largest:
            raise ServiceError(f"the answer of the decision service is larger than {self._largest} bytes")

    def _whole(self) -> Reply:
        assert self._reply is not None
        content_type, retry_after = self._header(b"content-type"), self._header(b"retry-after")
        return Reply(self._reply.status_code, content_type, bytes(self._body), retry_after)

    def _header(self, name: bytes) -> str:
        assert self._reply is not None
        found = [value for other, value in self._reply.headers if other == name]
        return b", ".join(found).decode("latin-1")


__all__ = ["READ_SIZE", "Exchanges", "Head"]
