"""Connections that block until a deadline, and not a moment longer: resolving, connecting, TLS, writing and reading.

The time-out of a socket is for each operation, so that a service that sends a byte now and then is never too slow for
it: each operation here is given what is left of the whole.
"""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

from doorward.service.client.exchange import READ_SIZE, Exchanges

if TYPE_CHECKING:
    from collections.abc import Callable

    from doorward.service.client.endpoint import Endpoint
    from doorward.service.client.names import Address, Names


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


class Line:
    """One connection.

    Args:
        connection: A socket that is connected, with TLS where wanted.
        exchanges: What is said over it.

    Attributes:
        exchanges: The same.
        idle_since: When it was last given back, in monotonic seconds.
    """

    def __init__(self, connection: socket.socket, exchanges: Exchanges) -> None:
        self._socket = connection
        self.exchanges = exchanges
        self.idle_since = 0.0

    def write(self, data: bytes, deadline: Deadline) -> None:
        """Write all of ``data``."""
        rest = memoryview(data)
        while rest:
            self._socket.settimeout(deadline.left())
            rest = rest[self._socket.send(rest) :]

    def read(self, deadline: Deadline) -> bytes:
        """What comes next; empty at the end of the connection."""
        self._socket.settimeout(deadline.left())
        return self._socket.recv(READ_SIZE)

    def is_quiet(self) -> bool:
        """Whether it is open and silent, as an idle connection should be: the service has not closed it."""
        try:
            self._socket.settimeout(0)
            # Reads what belongs to TLS itself; whatever else there is, nobody has asked for.
            self._socket.recv(1)
        except BlockingIOError:
            return True
        except OSError as error:
            return _wants_more(error)
        return False

    def close(self) -> None:
        """Close at once: whatever still comes is nobody's answer."""
        self._socket.close()

    def __del__(self) -> None:
        # Applications need not close what protects them: without, Python warns of a socket that nobody has closed.
        self._socket.close()


def _wants_more(error: OSError) -> bool:
    import ssl

    return isinstance(error, ssl.SSLWantReadError)


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


__all__ = ["Deadline", "Line", "connect"]
