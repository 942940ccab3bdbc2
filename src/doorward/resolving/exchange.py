"""Exchanges with name servers that block; the twin that awaits is :mod:`doorward.resolving.async_exchange`."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

from doorward.resolving.messages import Unusable

if TYPE_CHECKING:
    from doorward.resolving.lookup import Ask, Steps
    from doorward.resolving.messages import Found, Reply

MOST_STRAYS = 64
"""Datagrams that are no response to the question before a server counts as unusable: each costs time to read."""

LARGEST_DATAGRAM = 65_535


def drive(steps: Steps) -> Found:
    """Drive a lookup to its end, blocking."""
    try:
        ask = next(steps)
        while True:
            try:
                reply = _by_tcp(ask) if ask.tcp else _by_udp(ask)
            except Exception as error:
                ask = steps.throw(error)
            else:
                ask = steps.send(reply)
    except StopIteration as stop:
        found: Found = stop.value
        return found


def _by_udp(ask: Ask) -> Reply:
    with _connected(ask, socket.SOCK_DGRAM) as own:
        own.send(ask.wire)
        for _ in range(MOST_STRAYS):
            _allow_what_is_left(own, ask)
            reply = ask.read(own.recv(LARGEST_DATAGRAM))
            if reply is not None:
                return reply
    raise Unusable("answers nonsense")


def _by_tcp(ask: Ask) -> Reply:
    with _connected(ask, socket.SOCK_STREAM) as own:
        own.sendall(len(ask.wire).to_bytes(2, "big") + ask.wire)
        length = int.from_bytes(_exactly(own, 2, ask), "big")
        reply = ask.read(_exactly(own, length, ask))
    if reply is None:
        raise Unusable("answers nonsense")
    return reply


def _connected(ask: Ask, kind: socket.SocketKind) -> socket.socket:
    """A socket that hears nobody but the server: the kernel drops datagrams from elsewhere."""
    own = socket.socket(socket.AF_INET6 if ":" in ask.server.host else socket.AF_INET, kind)
    try:
        _allow_what_is_left(own, ask)
        own.connect((ask.server.host, ask.server.port))
        _allow_what_is_left(own, ask)
    except BaseException:
        own.close()
        raise
    return own


def _allow_what_is_left(own: socket.socket, ask: Ask) -> None:
    left = ask.until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    own.settimeout(left)


def _exactly(own: socket.socket, size: int, ask: Ask) -> bytes:
    held = bytearray()
    while len(held) < size:
        _allow_what_is_left(own, ask)
        part = own.recv(size - len(held))
        if not part:
            raise Unusable("hangs up")
        held += part
    return bytes(held)
