"""The body of a request: read, and inflated, up to a limit of bytes and of time."""

from __future__ import annotations

import asyncio
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect

from doorward.service.server.connect import ConnectError, Head, retry_after

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

READING_SECONDS = 10.0
"""For the body to arrive, whatever the client says that it waits."""
MOST_HELD = 16
"""Bodies of the largest size that one worker holds at once; many more of the usual size."""
INLINE = 16 * 1024
"""Bytes that are inflated, or parsed, on the event loop: two milliseconds, whatever they are. More goes to a thread."""


class Bodies:
    """Reads bodies.

    Args:
        limit: Bytes of one, as sent and inflated.
        seconds: For one to arrive.

    Attributes:
        held: Bytes of bodies that are held right now.
    """

    def __init__(self, limit: int, seconds: float = READING_SECONDS) -> None:
        self._limit = limit
        self._most_held = MOST_HELD * limit
        self._seconds = seconds
        self.held = 0

    @contextmanager
    def holding(self) -> Iterator[Held]:
        """For one request: what it holds counts until the end of the block."""
        held = Held(self)
        try:
            yield held
        finally:
            self.held -= held.size

    async def read(self, request: Request, head: Head, held: Held) -> bytes:
        """The body.

        Raises:
            ConnectError: It is too large, comes too slowly, ends too soon, or is no gzip.
        """
        self._check_length(request)
        wait = self._seconds if head.seconds is None else min(self._seconds, head.seconds)
        try:
            async with asyncio.timeout(wait):
                body = await self._collected(request, held)
        except TimeoutError:
            raise ConnectError("deadline_exceeded", "the body did not arrive in time") from None
        except ClientDisconnect:
            raise ConnectError("canceled", "the client has gone") from None
        return await self._inflated(body, held) if head.gzip else body

    def _check_length(self, request: Request) -> None:
        length = request.headers.get("content-length", "")
        if length.isascii() and length.isdigit() and (len(length) > 18 or int(length) > self._limit):
            raise self._too_large()

    async def _collected(self, request: Request, held: Held) -> bytes:
        body = bytearray()
        async for chunk in request.stream():
            if len(body) + len(chunk) > self._limit:
                raise self._too_large()
            held.add(len(chunk))
            body += chunk
        return bytes(body)

    async def _inflated(self, body: bytes, held: Held) -> bytes:
        inflater = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        try:
            start = inflater.decompress(body, INLINE)
            if inflater.unconsumed_tail:
                rest = self._limit + 1 - len(start)
                held.add(rest)  # as much as it can be
                start += await asyncio.to_thread(inflater.decompress, inflater.unconsumed_tail, rest)
        except zlib.error:
            raise ConnectError("invalid_argument", "the body is no gzip") from None
        if len(start) > self._limit:
            raise self._too_large()
        if not inflater.eof or inflater.unused_data:
            raise ConnectError("invalid_argument", "the body must be one whole gzip member")
        return start

    def _too_large(self) -> ConnectError:
        return ConnectError("resource_exhausted", f"the message is larger than {self._limit:,} bytes")

    def admit(self, size: int) -> None:
        """Count bytes that are about to be held.

        Raises:
            ConnectError: There is no room for them.
        """
        if self.held + size > self._most_held:
            raise ConnectError("unavailable", "too many large messages at once", headers=retry_after(1))
        self.held += size


class Held:
    """What one request holds of its body.

    Attributes:
        size: Bytes.
    """

    __slots__ = ("_bodies", "size")

    def __init__(self, bodies: Bodies) -> None:
        self._bodies = bodies
        self.size = 0

    def add(self, size: int) -> None:
        """Count bytes, or refuse them."""
        self._bodies.admit(size)
        self.size += size


__all__ = ["INLINE", "Bodies", "Held"]
