"""The addresses of the service, found without waiting longer than anybody wants to.

``getaddrinfo`` has no time-out, and a name server that is silent holds it up for half a minute. So it has a thread of
its own, which all who wait share, and which is left behind. It is not one of the event loop's threads: a few of those
that hang would hold up whatever else the application runs there, and the end of the loop.
"""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import Future
from typing import NamedTuple

from doorward.errors import ServiceError
from doorward.service.client.endpoint import is_address

MOST_LOOKUPS = 4
PATIENCE = 10.0
"""Seconds after which a look-up that hangs is given up, and another is begun beside it."""


class Address(NamedTuple):
    """Where to connect to.

    Attributes:
        family: Of the socket.
        where: As ``socket.connect`` takes it.
    """

    family: int
    where: tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]


class Names:
    """Looks one host up. Thread safe, for one process.

    Args:
        host: A name or an address.
        port: TCP.
    """

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._lock = threading.Lock()
        self._running: dict[Future[list[Address]], float] = {}
        self._fixed = _found(host, port) if is_address(host) else None
        self._last: Address | None = None

    def begin(self) -> Future[list[Address]]:
        """The look-up that runs, or another one.

        Raises:
            ServiceError: Too many hang.
        """
        if self._fixed is not None:
            done: Future[list[Address]] = Future()
            done.set_result(self._fixed)
            return done
        with self._lock:
            newest = max(self._running, key=self._running.__getitem__, default=None)
            if newest is not None and time.monotonic() - self._running[newest] < PATIENCE:
                return newest
            if len(self._running) >= MOST_LOOKUPS:
                raise ServiceError("the decision service cannot be reached: its name is not resolved")
            return self._start()

    def best_first(self, found: list[Address]) -> list[Address]:
        """Beginning with the one that was last of use: another may be of a protocol that leads nowhere."""
        return sorted(found, key=lambda address: address != self._last)

    def use(self, address: Address) -> None:
        """A connection to it was made."""
        self._last = address

    def _start(self) -> Future[list[Address]]:
        future: Future[list[Address]] = Future()
        self._running[future] = time.monotonic()
        thread = threading.Thread(target=self._look_up, args=(future,), name="doorward-names", daemon=True)
        try:
            thread.start()
        except BaseException:
            del self._running[future]
            raise
        return future

    def _look_up(self, future: Future[list[Address]]) -> None:
        try:
            found = _found(self._host, self._port)
        except BaseException as error:
            self._finished(future)
            future.set_exception(error)
        else:
            self._finished(future)
            future.set_result(found)

    def _finished(self, future: Future[list[Address]]) -> None:
        with self._lock:
            del self._running[future]


def _found(host: str, port: int) -> list[Address]:
    answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [Address(family, where) for family, _, _, _, where in answers]


__all__ = ["Address", "Names"]
