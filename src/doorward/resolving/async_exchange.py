"""Exchanges with name servers that await; the twin that blocks is :mod:`doorward.resolving.exchange`."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from doorward.resolving.exchange import MOST_STRAYS
from doorward.resolving.messages import Unusable

if TYPE_CHECKING:
    from doorward.resolving.lookup import Ask, Steps
    from doorward.resolving.messages import Found, Reply


async def drive_async(steps: Steps) -> Found:
    """Drive a lookup to its end, awaiting."""
    try:
        ask = next(steps)
        while True:
            try:
                async with asyncio.timeout(max(0.0, ask.until - time.monotonic())):
                    reply = await (_by_tcp(ask) if ask.tcp else _by_udp(ask))
            except Exception as error:
                ask = steps.throw(error)
            else:
                ask = steps.send(reply)
    except StopIteration as stop:
        found: Found = stop.value
        return found


class _Listener(asyncio.DatagramProtocol):
    """Waits for the one datagram that is the response; others are as if they had never come."""

    def __init__(self, ask: Ask, heard: asyncio.Future[Reply]) -> None:
        self._ask = ask
        self._heard = heard
        self._strays = 0

    def datagram_received(self, data: bytes, addr: object) -> None:
        if self._heard.done():
            return
        reply = self._ask.read(data)
        if reply is not None:
            self._heard.set_result(reply)
            return
        self._strays += 1
        if self._strays >= MOST_STRAYS:
            self._heard.set_exception(Unusable("answers nonsense"))

    def error_received(self, exc: Exception) -> None:
        if not self._heard.done():
            self._heard.set_exception(exc)


async def _by_udp(ask: Ask) -> Reply:
    loop = asyncio.get_running_loop()
    heard: asyncio.Future[Reply] = loop.create_future()
    server = (ask.server.host, ask.server.port)
    # Connected: the kernel drops datagrams from elsewhere.
    transport, _ = await loop.create_datagram_endpoint(lambda: _Listener(ask, heard), remote_addr=server)
    try:
        transport.sendto(ask.wire)
        return await heard
    finally:
        transport.close()


async def _by_tcp(ask: Ask) -> Reply:
    reader, writer = await asyncio.open_connection(ask.server.host, ask.server.port)
    try:
        writer.write(len(ask.wire).to_bytes(2, "big") + ask.wire)
        length = int.from_bytes(await reader.readexactly(2), "big")
        reply = ask.read(await reader.readexactly(length))
    except asyncio.IncompleteReadError:
        raise Unusable("hangs up") from None
    finally:
        # Nothing is left to be said, and a server that reads slowly must not be waited for.
        writer.transport.abort()
    if reply is None:
        raise Unusable("answers nonsense")
    return reply
