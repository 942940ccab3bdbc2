"""Sends bytes and reads replies over one connection, blocking or awaiting, until a deadline and not a moment longer.

A wire is what a library takes for its parser: it is handed the connection, reads the answers to the login, and then
belongs to the store. After any failure, or a call that was cancelled, the connection has to be dropped: an answer that
comes later would be taken for that of the next call.
"""

from __future__ import annotations

import select
import time
from typing import TYPE_CHECKING, Any

from doorward.errors import DeadlineExceeded, StoreError
from doorward.stores.redis.resp import ErrorReply, Garbage, Reader

if TYPE_CHECKING:
    import asyncio
    import socket

    from doorward.stores.redis.library import Library

READ_SIZE = 65_536


def left_until(ends: float) -> float:
    """Seconds left.

    Raises:
        DeadlineExceeded: None are.
    """
    left = ends - time.monotonic()
    if left <= 0:
        raise DeadlineExceeded("the server did not answer within the deadline")
    return left


class Wire:
    """Over a socket that blocks.

    Args:
        library: Makes the exceptions that its own code understands.
        ends: The deadline, by ``time.monotonic``.
    """

    def __init__(self, library: Library, ends: float) -> None:
        self._library = library
        self._ends = ends
        self._reader = Reader()
        self._socket: socket.socket | None = None
        self._poll: Any = None

    # What the library calls

    def on_connect(self, connection: Any) -> None:
        """The library has connected."""
        self._socket = connection._sock  # noqa: SLF001  (what the libraries' own parsers read)
        self._reader.start()
        if hasattr(select, "poll"):
            self._poll = select.poll()
            self._poll.register(self._socket, select.POLLIN)

    def on_disconnect(self) -> None:
        """The library has disconnected, or is about to."""
        self._socket = None

    def can_read(self, timeout: float) -> bool:
        """Never: the store reads exactly what it has asked for."""
        return False

    def read_response(self, **_: object) -> Any:
        """The answer to a command of the login."""
        reply = self._read(self._ends)
        if isinstance(reply, ErrorReply):
            raise self._library.refused(*reply)
        return reply

    # What the store calls

    def is_quiet(self) -> bool:
        """Whether nothing waits to be read: an idle connection that has something to say was closed, or is lying."""
        if self._socket is None:
            return False
        if self._poll is not None:
            return not self._poll.poll(0)
        return not select.select([self._socket], [], [], 0)[0]

    def send(self, data: bytes, ends: float) -> None:
        """Send, and expect answers from now on.

        Raises:
            StoreError: That failed.
        """
        self._reader.start()
        connection = self._connected()
        try:
            connection.settimeout(left_until(ends))
            connection.sendall(data)  # the timeout is for all of it
        except OSError as error:
            raise broken(error) from None

    def receive(self, count: int, ends: float) -> list[Any]:
        """``count`` replies.

        Raises:
            StoreError: They did not come.
        """
        replies = [self._read(ends) for _ in range(count)]
        if not self._reader.spent:
            raise Garbage("the server answered more than it was asked")
        return replies

    def _connected(self) -> socket.socket:
        if self._socket is None:
            raise StoreError("the connection is closed")
        return self._socket

    def _read(self, ends: float) -> Any:
        while (taken := self._reader.take()) is None:
            connection = self._connected()
            try:
                connection.settimeout(left_until(ends))
                data = connection.recv(READ_SIZE)
            except OSError as error:
                raise broken(error) from None
            if not data:
                raise StoreError("the server closed the connection")
            self._reader.feed(data)
        return taken[0]


class AsyncWire:
    """Over the streams of asyncio; the deadline is the caller's ``asyncio.timeout``."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._reader = Reader()
        self._stream: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    # What the library calls

    def on_connect(self, connection: Any) -> None:
        """The library has connected."""
        self._stream, self._writer = connection._reader, connection._writer  # noqa: SLF001  (as above)
        self._reader.start()

    def on_disconnect(self) -> None:
        """The library has disconnected, or is about to."""
        self._stream = None

    async def can_read(self) -> bool:
        """Never: the store reads exactly what it has asked for."""
        return False

    async def read_response(self, **_: object) -> Any:
        """The answer to a command of the login."""
        reply = await self._read()
        if isinstance(reply, ErrorReply):
            raise self._library.refused(*reply)
        return reply

    # What the store calls

    def is_quiet(self) -> bool:
        """Whether nothing waits to be read, as far as the event loop knows."""
        stream, writer = self._stream, self._writer
        if stream is None or writer is None or writer.transport.is_closing() or stream.at_eof():
            return False
        return stream.exception() is None and not getattr(stream, "_buffer", b"") and not getattr(stream, "_eof", False)

    def send(self, data: bytes) -> None:
        """Send, and expect answers from now on.

        Raises:
            StoreError: The connection is closed.
        """
        if self._writer is None:
            raise StoreError("the connection is closed")
        self._reader.start()
        self._writer.write(data)

    async def receive(self, count: int) -> list[Any]:
        """``count`` replies.

        Raises:
            StoreError: They did not come.
        """
        replies = [await self._read() for _ in range(count)]
        if not self._reader.spent:
            raise Garbage("the server answered more than it was asked")
        return replies

    def abort(self) -> None:
        """Close at once, without a word."""
        if self._writer is not None:
            self._writer.transport.abort()
            self._writer = self._stream = None

    async def _read(self) -> Any:
        while (taken := self._reader.take()) is None:
            if self._stream is None:
                raise StoreError("the connection is closed")
            try:
                data = await self._stream.read(READ_SIZE)
            except OSError as error:
                raise broken(error) from None
            if not data:
                raise StoreError("the server closed the connection")
            self._reader.feed(data)
        return taken[0]


def broken(error: OSError) -> StoreError:
    """The exception for a connection that failed."""
    if isinstance(error, TimeoutError):
        return DeadlineExceeded("the server did not answer within the deadline")
    return StoreError(f"the connection to the server broke: {error.strerror or type(error).__name__}")
