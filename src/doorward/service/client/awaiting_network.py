"""Connections of an event loop. The deadline is the caller's ``asyncio.timeout``; to close one never waits."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, cast

import httpcore

from doorward.service.client.exchange import READ_SIZE, Conversation, Exchange

if TYPE_CHECKING:
    from concurrent.futures import Future

    from doorward.service.client.endpoint import Endpoint
    from doorward.service.client.names import Address, Names
    from doorward.service.client.transport import Reply

MOST_UNREAD = 2 * READ_SIZE
"""Bytes that are taken from the network before somebody reads them, but for the last piece."""


class AsyncStream(asyncio.BufferedProtocol, httpcore.AsyncNetworkStream):
    """What httpcore reads from and writes to.

    Buffered: an event loop would hand a plain protocol 256 KiB at once.

    Args:
        connection: The socket.

    Attributes:
        exchange: What it is about now.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray(READ_SIZE)
        self._unread = bytearray()
        self._ended = False
        self._error: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self.exchange = Exchange(0)

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

    # What httpcore calls

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109  (httpcore's)
        """Have ``buffer`` sent, before something is read."""
        self.exchange.unsent += buffer

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109  (httpcore's)
        """What comes next; empty at the end of the connection."""
        if self.exchange.unsent and self._transport is not None:
            self._transport.write(bytes(self.exchange.unsent))
            self.exchange.unsent.clear()
        if not self._unread and not self._ended:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return self.exchange.came(self._taken(max_bytes))

    async def aclose(self) -> None:
        """Close at once."""
        self.close()

    # Both

    def _taken(self, most: int) -> bytes:
        if self._unread:
            data = bytes(self._unread[:most])
            del self._unread[:most]
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


class AsyncLine(Conversation):
    """One connection, the twin of ``deadline_network.Line``.

    Args:
        stream: Connected.
        origin: Of the service.
        largest: Bytes of a reply.
    """

    def __init__(self, stream: AsyncStream, origin: httpcore.Origin, largest: int) -> None:
        super().__init__(largest)
        self._stream = stream
        self._http = httpcore.AsyncHTTP11Connection(origin, stream)

    async def ask(self, request: httpcore.Request) -> Reply:
        """As ``deadline_network.Line.ask``, awaiting."""
        exchange = self._stream.exchange = Exchange(self._largest)
        parts: list[bytes] = []  # not one that grows: it would be copied again and again
        try:
            response = await self._http.handle_async_request(request)
            exchange.accept(response)
            # Nothing may fail in here but what httpcore awaits: see ``Exchange``.
            async for part in response.aiter_stream():
                parts.append(part)
                exchange.pieces += 1
        except httpcore.RemoteProtocolError as error:
            raise exchange.what_is_wrong(error) from None
        await response.aclose()
        return self._ended(exchange, response, parts, idle=self._http.is_idle())

    def is_quiet(self) -> bool:
        """Whether it is open and silent, as far as the event loop knows."""
        return self._stream.is_quiet()

    def close(self) -> None:
        """Close at once."""
        self._stream.close()

    def close_without_loop(self) -> None:
        """Close a connection whose loop has ended."""
        self._stream.close_without_loop()


async def aconnect(endpoint: Endpoint, names: Names, seconds: float) -> AsyncStream:
    """A connection to the service.

    Args:
        endpoint: The service.
        names: Its addresses.
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
        return await _stream(endpoint, plain)
    raise failure


async def _stream(endpoint: Endpoint, plain: socket.socket) -> AsyncStream:
    stream = AsyncStream(plain)
    name = endpoint.host if endpoint.tls is not None else None
    loop = asyncio.get_running_loop()
    await loop.create_connection(lambda: stream, sock=plain, ssl=endpoint.tls, server_hostname=name)
    return stream


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


__all__ = ["AsyncLine", "aconnect"]
