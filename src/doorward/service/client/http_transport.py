"""Sends calls over HTTP/1.1: one deadline for all of a call, one request, and a reply of bounded size.

What is open belongs to a process, and what awaits to an event loop as well. A child of a fork opens its own, so that
two processes never read each other's answers.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from doorward.errors import ServiceError
from doorward.locks import lock_over_forks
from doorward.service.client.awaiting_network import AsyncLine, aconnect
from doorward.service.client.deadline_network import Deadline, Line, connect
from doorward.service.client.endpoint import check_key, read_endpoint
from doorward.service.client.exchange import Head
from doorward.service.client.lines import Lines, LoopLines
from doorward.service.client.names import Names
from doorward.service.client.trouble import explained

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from doorward.service.client.endpoint import Endpoint
    from doorward.service.client.exchange import Requests
    from doorward.service.client.transport import Reply, Timed

LARGEST = 131_072
"""Bytes of a reply: of 32 in flight that all are without an end, the process does not grow by more than 10 MiB."""
CONNECTIONS = 32
WARM_SECONDS = 5.0
_ROUNDS = 3
"""Of an event loop, until what was asked of it is done: to close, to be told of it, and to have it told."""


class _Process:
    """What one process has open."""

    def __init__(self, host: str, port: int, most: int) -> None:
        self.pid = os.getpid()
        self.names = Names(host, port)
        self.lines: Lines[Line] = Lines(most)
        # Connections refer to their loop, so that weak keys would be of no use.
        self.loops: dict[asyncio.AbstractEventLoop, LoopLines] = {}


class HttpTransport:
    """The service at one URL. Thread safe, for any event loops, and safe over forks.

    Proxies that the environment names are not used: a decision's deadline is no time for a proxy, and a variable that
    was set for something else would hand it the key. Make a :class:`~doorward.service.client.transport.Transport` of
    your own where there is no other way.

    Args:
        url: http or https.
        key: The site key.
        largest: Bytes of a reply, its head included; larger ones are errors, and not read.
        connections: Kept open for later calls, by a process and by each event loop.
        verify: Whose certificates to believe: those that this host believes (True), any (False), those of a file or
            folder of authorities, or what an ``ssl.SSLContext`` says.
        requests: Makes the requests, in the place of those that a decision service takes; ``key`` is theirs then.

    Raises:
        ConfigurationError: One of them is wrong.
    """

    def __init__(
        self,
        url: str,
        key: str = "",
        *,
        largest: int = LARGEST,
        connections: int = CONNECTIONS,
        verify: bool | str | ssl.SSLContext = True,
        requests: Callable[[Endpoint], Requests] | None = None,
    ) -> None:
        self._endpoint = read_endpoint(url, verify)
        self._head = _asking_service(self._endpoint, key) if requests is None else requests(self._endpoint)
        self._largest = largest
        self._connections = connections
        self._lock = lock_over_forks()
        self._process = self._made()
        self._closed = False

    # --- blocking

    def send(self, call: Timed) -> Reply:
        """Send it, blocking, for ``call.seconds`` at most.

        Raises:
            ServiceError: No reply came in time, or none that anybody wants.
        """
        try:
            return self._send(call, Deadline(call.seconds))
        except Exception as error:
            failure = explained(error)
        raise failure

    def warm(self) -> None:
        """Connect, so that the first call need not.

        Raises:
            ServiceError: That failed.
        """
        try:
            process = self._current()
            process.lines.give(self._open(process, Deadline(WARM_SECONDS)))
        except Exception as error:
            failure = explained(error)
        else:
            return
        raise failure

    def _send(self, call: Timed, deadline: Deadline) -> Reply:
        process = self._current()
        line = process.lines.take() or self._open(process, deadline)
        try:
            reply = line.ask(self._head.request(call, deadline.left()), deadline)
        except BaseException:
            process.lines.drop(line)
            raise
        self._keep(process.lines, line)
        return reply

    def _open(self, process: _Process, deadline: Deadline) -> Line:
        connection = connect(self._endpoint, process.names, deadline)
        return process.lines.add(Line(connection, self._head.origin, self._largest))

    # --- awaiting

    async def asend(self, call: Timed) -> Reply:
        """Send it, awaiting, for ``call.seconds`` at most. From any event loop of asyncio.

        Raises:
            ServiceError: No reply came in time, or none that anybody wants.
        """
        try:
            async with asyncio.timeout(call.seconds):
                return await self._asend(call, Deadline(call.seconds))
        except Exception as error:
            failure = explained(error)
        raise failure

    async def _asend(self, call: Timed, deadline: Deadline) -> Reply:
        process = self._current()
        lines = (process.loops.get(asyncio.get_running_loop()) or await self._join(process)).lines
        line = lines.take() or await self._aopen(process, lines, deadline)
        try:
            reply = await line.ask(self._head.request(call, deadline.left()))
        except BaseException:
            lines.drop(line)
            raise
        self._keep(lines, line)
        return reply

    async def _join(self, process: _Process) -> LoopLines:
        for ended in [other for other in list(process.loops) if other.is_closed()]:
            if (left := process.loops.pop(ended, None)) is not None:
                left.close_without_loop()
        loop = process.loops[asyncio.get_running_loop()] = LoopLines(self._connections)
        await loop.watch()
        return loop

    async def _aopen(self, process: _Process, lines: Lines[AsyncLine], deadline: Deadline) -> AsyncLine:
        stream = await aconnect(self._endpoint, process.names, deadline.left())
        return lines.add(AsyncLine(stream, self._head.origin, self._largest))

    # --- what they share

    def _made(self) -> _Process:
        return _Process(self._endpoint.host, self._endpoint.port, self._connections)

    def _current(self) -> _Process:
        if self._closed:
            raise ServiceError("the decision service is not asked any more: its client is closed")
        process = self._process
        return process if process.pid == os.getpid() else self._start_anew()

    def _start_anew(self) -> _Process:
        with self._lock:
            if self._process.pid != os.getpid():
                before, self._process = self._process, self._made()
                # Only the descriptors, which the fork has copied. Event loops are left to whoever made them.
                before.lines.drop_all()
            return self._process

    def _keep(self, lines: Lines[Any], line: Line | AsyncLine) -> None:
        if line.reusable and not self._closed:
            lines.give(line)
        else:
            lines.drop(line)

    def close(self) -> None:
        """Close what is idle, in all event loops; what is in use closes when its call has ended."""
        self._closed = True
        process = self._process
        if process.pid != os.getpid():
            return
        process.lines.drop_idle()
        for loop, held in list(process.loops.items()):
            try:
                loop.call_soon_threadsafe(held.lines.drop_idle)
            except RuntimeError:  # it has ended
                held.close_without_loop()

    def __del__(self) -> None:
        # Applications need not close what protects them. May run in any thread, of an object that was never finished.
        with suppress(Exception):
            self.close()

    async def aclose(self) -> None:
        """As :meth:`close`; what is idle in this event loop is closed when it returns."""
        self.close()
        for _ in range(_ROUNDS):
            await asyncio.sleep(0)


def _asking_service(endpoint: Endpoint, key: str) -> Requests:
    from doorward import __version__

    return Head(endpoint, check_key(key), f"doorward/{__version__}")


__all__ = ["HttpTransport"]
