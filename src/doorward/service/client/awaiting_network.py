"""Connections of an event loop. The deadline is the caller's ``asyncio.timeout``; to close one never waits."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, cast

from doorward.service.client.exchange import READ_SIZE

if TYPE_CHECKING:
    from concurrent.futures import Future

    from doorward.service.client.endpoint import Endpoint
    from doorward.service.client.exchange import Exchanges
    from doorward.service.client.names import Address, Names

MOST_UNREAD = 2 * READ_SIZE
"""Bytes that are taken from the network before somebody reads them, but for the last piece."""


class AsyncLine(asyncio.BufferedProtocol):
    """One connection, the twin of ``deadline_network.Line``.

    Buffered: an event loop would hand a plain protocol 256 KiB at once.

    Args:
        connection: The socket.
        exchanges: What is said over it.

    Attributes:
        exchanges: The same.
        idle_since: When it was last given back, in monotonic seconds.
    """

    def __init__(self, connection: socket.socket, exchanges: Exchanges) -> None:
        self._socket = connection
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray(READ_SIZE)
        self._unread = bytearray()
        self._ended = False
        self._error: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self.exchanges = exchanges
        self.idle_since = 0.0

    # What the event loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """TCP, and TLS where wanted, is there."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by its class

    def get_buffer(self, sizehint: int) -> bytearray:
        """Where to put what comes next."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Something came."""
        self._unread += memoryview(self._buffer)[:nbytes]
        if len(self._unread) > MOST_UNREAD and self._transport is not None:
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        """Nothing more will."""
        self._ended = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is closed."""
        self._ended, self._error = True, exc
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # What the transport calls

    def write(self, data: bytes) -> None:
        """Have all of ``data`` written."""
        assert self._transport is not None
        self._transport.write(data)

    async def read(self) -> bytes:
        """What comes next; empty at the end of the connection."""
        if not self._unread and not self._ended:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return self._taken()

    def _taken(self) -> bytes:
        if self._unread:
            data = bytes(self._unread)
            self._unread.clear()
            if self._transport is not None and not self._ended:
                self._transport.resume_reading()
            return data
        if self._error is not None:
            raise self._error
        return b""

    def is_quiet(self) -> bool:
        """Whether it is open and silent, as far as the event loop knows."""
        closing = self._transport is None or self._transport.is_closing()
        return not (closing or self._ended or self._unread)

    def close(self) -> None:
        """Close at once: whatever still comes is nobody's answer."""
        if self._transport is not None:
            self._transport.abort()

    def close_without_loop(self) -> None:
        """Close a connection whose loop has ended."""
        with contextlib.suppress(OSError):
            self._socket.close()


async def open_line(endpoint: Endpoint, names: Names, exchanges: Exchanges, seconds: float) -> AsyncLine:
    """A connection to the service.

    Args:
        endpoint: The service.
        names: Its addresses.
        exchanges: What is to be said over the connection.
        seconds: That are left. The caller watches them; here they are shared among the addresses.

    Raises:
        OSError: There is none.
        ServiceError: The same.
    """
    loop = asyncio.get_running_loop()
    ends = loop.time() + seconds
    found = names.best_first(await _result(names.begin()))
    failure: OSError = OSError("no addresses")
    for place, address in enumerate(found):
        # One that leads nowhere leaves the others their share.
        share = (ends - loop.time()) / (len(found) - place)
        try:
            plain = await _connected(address, share if place < len(found) - 1 else None)
        except OSError as error:
            failure = error
            continue
        names.use(address)
        return await _line(endpoint, plain, exchanges)
    raise failure


async def _line(endpoint: Endpoint, plain: socket.socket, exchanges: Exchanges) -> AsyncLine:
    line = AsyncLine(plain, exchanges)
    name = endpoint.host if endpoint.tls is not None else None
    loop = asyncio.get_running_loop()
    await loop.create_connection(lambda: line, sock=plain, ssl=endpoint.tls, server_hostname=name)
    return line


async def _result(found: Future[list[Address]]) -> list[Address]:
    """What others may wait for too, on other loops and threads; whoever is cancelled leaves it to them."""
    if not found.done():
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()

        def wake() -> None:
            if not waiter.done():
                waiter.set_result(None)

        def tell(_: object) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(wake)

        found.add_done_callback(tell)
        await waiter
    return found.result()


async def _connected(address: Address, seconds: float | None) -> socket.socket:
    connection = socket.socket(address.family, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        async with asyncio.timeout(seconds):
            await asyncio.get_running_loop().sock_connect(connection, address.where)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        connection.close()
        raise
    return connection


__all__ = ["AsyncLine", "open_line"]
