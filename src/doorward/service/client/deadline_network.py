"""Connections that block until a deadline, and not a moment longer: resolving, connecting, TLS, writing and reading.

The time-out of a socket is for each operation, so that a service that sends a byte now and then is never too slow for
it: each operation here is given what is left of the whole.
"""

from __future__ import annotations

import socket
import ssl
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import httpcore

from doorward.service.client.exchange import READ_SIZE, Conversation, Exchange

if TYPE_CHECKING:
    from collections.abc import Callable

    from doorward.service.client.endpoint import Endpoint
    from doorward.service.client.names import Address, Names
    from doorward.service.client.transport import Reply


class Deadline:
    """The end of a call.

    Args:
        seconds: From now.
        clock: Monotonic seconds.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ends = clock() + seconds

    def left(self) -> float:
        """Seconds.

        Raises:
            TimeoutError: None are.
        """
        left = self._ends - self._clock()
        if left <= 0:
            raise TimeoutError
        return left


class DeadlineStream(httpcore.NetworkStream):
    """What httpcore reads from and writes to.

    Args:
        connection: A socket that is connected, with TLS where wanted.

    Attributes:
        exchange: What it is about now.
        deadline: Of that.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self.exchange = Exchange(0)
        self.deadline = Deadline(0)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Have ``buffer`` sent, before something is read."""
        self.exchange.unsent += buffer

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """What comes next; empty at the end of the connection."""
        if self.exchange.unsent:
            self._send(memoryview(bytes(self.exchange.unsent)))
            self.exchange.unsent.clear()
        self._socket.settimeout(self.deadline.left())
        return self.exchange.came(self._socket.recv(min(max_bytes, READ_SIZE)))

    def _send(self, rest: memoryview) -> None:
        with suppress(ConnectionError):  # a server may refuse a request before it has read it: see what it says
            while rest:
                self._socket.settimeout(self.deadline.left())
                rest = rest[self._socket.send(rest) :]

    def is_quiet(self) -> bool:
        """Whether it is open and silent, as an idle connection should be: the service has not closed it."""
        try:
            self._socket.settimeout(0)
            # Reads what belongs to TLS itself; whatever else there is, nobody has asked for.
            self._socket.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        except OSError:
            return False
        return False

    def close(self) -> None:
        """Close at once: whatever still comes is nobody's answer."""
        self._socket.close()


class Line(Conversation):
    """One connection.

    Args:
        connection: A socket that is connected, with TLS where wanted.
        origin: Of the service.
        largest: Bytes of a reply.
    """

    def __init__(self, connection: socket.socket, origin: httpcore.Origin, largest: int) -> None:
        super().__init__(largest)
        self._stream = DeadlineStream(connection)
        self._http = httpcore.HTTP11Connection(origin, self._stream)

    def ask(self, request: httpcore.Request, deadline: Deadline) -> Reply:
        """Send a request and read its reply; if that fails, the connection is of no use any more.

        Raises:
            ServiceError: The reply is one that nobody wants.
            httpcore.RemoteProtocolError: It is none.
            OSError: None came, or none in time.
        """
        exchange = self._stream.exchange = Exchange(self._largest)
        self._stream.deadline = deadline
        parts: list[bytes] = []  # not one that grows: it would be copied again and again
        try:
            response = self._http.handle_request(request)
            exchange.accept(response)
            for part in response.iter_stream():
                parts.append(part)
                exchange.pieces += 1
        except httpcore.RemoteProtocolError as error:
            raise exchange.what_is_wrong(error) from None
        response.close()
        return self._ended(exchange, response, parts, idle=self._http.is_idle())

    def is_quiet(self) -> bool:
        """Whether it is open and silent."""
        return self._stream.is_quiet()

    def close(self) -> None:
        """Close at once."""
        self._stream.close()

    def __del__(self) -> None:
        # Applications need not close what protects them: without, Python warns of a socket that nobody has closed.
        self._stream.close()


def connect(endpoint: Endpoint, names: Names, deadline: Deadline) -> socket.socket:
    """A connection to the service.

    Raises:
        OSError: There is none, or none in time.
        ServiceError: The same.
    """
    found = names.best_first(names.begin().result(deadline.left()))
    failure: OSError = OSError("no addresses")
    for place, address in enumerate(found):
        # One that leads nowhere leaves the others their share.
        share = deadline.left() / (len(found) - place)
        try:
            plain = _connected(address, share)
        except OSError as error:
            failure = error
            continue
        names.use(address)
        return _secured(plain, endpoint, deadline)
    raise failure


def _connected(address: Address, seconds: float) -> socket.socket:
    connection = socket.socket(address.family, socket.SOCK_STREAM)
    try:
        connection.settimeout(seconds)
        connection.connect(address.where)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        connection.close()
        raise
    return connection


def _secured(plain: socket.socket, endpoint: Endpoint, deadline: Deadline) -> socket.socket:
    if endpoint.tls is None:
        return plain
    try:
        plain.settimeout(deadline.left())  # for all of the handshake: ssl counts down over its reads and writes
        return endpoint.tls.wrap_socket(plain, server_hostname=endpoint.host, suppress_ragged_eofs=False)
    except BaseException:
        plain.close()
        raise


__all__ = ["Deadline", "DeadlineStream", "Line", "connect"]
