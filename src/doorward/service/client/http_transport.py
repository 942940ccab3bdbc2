"""Sends calls with httpx: one deadline for all of a call, one request, and a reply of bounded size.

httpx's own timeouts are for each read, so that a service that drips holds a call for as long as it likes; it has no
bound on a reply's size; and ``getaddrinfo`` waits for as long as the name servers let it. So the network is ours
(:mod:`doorward.service.client.deadline_network`), and everything above it httpx's.

What is open belongs to a process, and what awaits to an event loop as well. A child of a fork opens its own, so that
two processes never read each other's answers.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from doorward.errors import ServiceError
from doorward.locks import lock_over_forks
from doorward.service.client.deadline_network import Deadlines, async_client, blocking_client
from doorward.service.client.endpoint import check_key, read_endpoint
from doorward.service.client.names import Names
from doorward.service.client.transport import Reply
from doorward.service.client.trouble import explained

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator

    import httpx

    from doorward.service.client.endpoint import Endpoint
    from doorward.service.client.transport import Call

LARGEST = 262_144
"""Bytes of a reply: of 32 in flight that all are without an end, the process does not grow by more than 10 MiB."""
CONNECTIONS = 32
WARM_SECONDS = 5.0


class LoopClient:
    """A client of one event loop, which is closed when that ends."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self._end = self._until_end()

    async def watch(self) -> None:
        """Close it with the loop: whoever ends one closes the asynchronous generators that were begun on it."""
        await anext(self._end)

    async def aclose(self) -> None:
        """Close it now."""
        await self._end.aclose()

    async def _until_end(self) -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            await self.client.aclose()


class _Process:
    """What one process has open."""

    def __init__(self, endpoint: Endpoint, headers: dict[str, str], connections: int) -> None:
        self.pid = os.getpid()
        self.names = Names(endpoint.host, endpoint.port)
        self.deadlines = Deadlines()
        self.client = blocking_client(endpoint, headers, self.names, self.deadlines, connections)
        self.loops: WeakKeyDictionary[asyncio.AbstractEventLoop, LoopClient] = WeakKeyDictionary()


class HttpxTransport:
    """The service at one URL. Thread safe, for any event loops, and safe over forks.

    Proxies that the environment names are not used: a decision's deadline is no time for a proxy, and a variable that
    was set for something else would hand it the key. Make a :class:`~doorward.service.client.transport.Transport` of
    your own where there is no other way.

    Args:
        url: http or https.
        key: The site key.
        largest: Bytes of a reply; larger ones are errors, and not read.
        connections: Open at once, by a process and by each event loop.
        verify: Whose certificates to believe: those that this host believes (True), any (False), those of a file or
            folder of authorities, or what an ``ssl.SSLContext`` says.

    Raises:
        ConfigurationError: One of them is wrong.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        largest: int = LARGEST,
        connections: int = CONNECTIONS,
        verify: bool | str | ssl.SSLContext = True,
    ) -> None:
        from doorward import __version__

        self._endpoint = read_endpoint(url, verify)
        self._headers = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "Authorization": f"Bearer {check_key(key)}",
            "Connect-Protocol-Version": "1",
            "Content-Type": "application/json",
            "User-Agent": f"doorward/{__version__}",
        }
        self._largest = largest
        self._connections = connections
        self._lock = lock_over_forks()
        self._process = self._made()
        self._closed = False

    # --- blocking

    def send(self, call: Call) -> Reply:
        """Send it, blocking, for ``call.seconds`` at most.

        Raises:
            ServiceError: No reply came in time, or none that anybody wants.
        """
        try:
            process = self._current()
            with process.deadlines.ending(call.seconds):
                return self._send(process.client, call)
        except Exception as error:
            raise explained(error) from None

    def warm(self) -> None:
        """Connect, so that the first call need not.

        Raises:
            ServiceError: That failed.
        """
        try:
            process = self._current()
            with process.deadlines.ending(WARM_SECONDS):
                process.client.get("/health/live")
        except Exception as error:
            raise explained(error) from None

    def _send(self, client: httpx.Client, call: Call) -> Reply:
        with client.stream("POST", call.path, content=call.body, headers=_timeout(call)) as response:
            body = bytearray()
            for chunk in response.iter_raw():
                self._take(body, chunk)
            return _reply(response, bytes(body))

    # --- awaiting

    async def asend(self, call: Call) -> Reply:
        """Send it, awaiting, for ``call.seconds`` at most. From any event loop of asyncio.

        Raises:
            ServiceError: No reply came in time, or none that anybody wants.
        """
        try:
            async with asyncio.timeout(call.seconds):
                return await self._asend(await self._client(), call)
        except Exception as error:
            raise explained(error) from None

    async def _asend(self, client: httpx.AsyncClient, call: Call) -> Reply:
        async with client.stream("POST", call.path, content=call.body, headers=_timeout(call)) as response:
            body = bytearray()
            chunks: Any = response.aiter_raw()
            async with aclosing(chunks):
                async for chunk in chunks:
                    self._take(body, chunk)
            return _reply(response, bytes(body))

    async def _client(self) -> httpx.AsyncClient:
        """The client of this event loop."""
        process, loop = self._current(), asyncio.get_running_loop()
        held = process.loops.get(loop)
        if held is None:
            _forget_closed(process.loops)
            client = async_client(self._endpoint, self._headers, process.names, self._connections)
            held = process.loops[loop] = LoopClient(client)
            await held.watch()
        return held.client

    # --- what they share

    def _take(self, body: bytearray, chunk: bytes) -> None:
        if len(body) + len(chunk) > self._largest:
            raise ServiceError(f"the decision service's answer is larger than {self._largest} bytes")
        body += chunk

    def _made(self) -> _Process:
        return _Process(self._endpoint, self._headers, self._connections)

    def _current(self) -> _Process:
        if self._closed:
            raise ServiceError("the decision service is not asked any more: its client is closed")
        process = self._process
        return process if process.pid == os.getpid() else self._start_anew()

    def _start_anew(self) -> _Process:
        with self._lock:
            if self._process.pid != os.getpid():
                self._process = self._made()
            return self._process

    def close(self) -> None:
        """Close what is open for code that blocks; event loops close what is theirs (:meth:`aclose`)."""
        self._closed = True
        if self._process.pid == os.getpid():
            self._process.client.close()

    def __del__(self) -> None:
        # Applications need not close what protects them. May run in any thread, of an object that was never finished.
        with suppress(Exception):
            self.close()

    async def aclose(self) -> None:
        """As :meth:`close`, and what is open in this event loop."""
        held = self._process.loops.pop(asyncio.get_running_loop(), None)
        self.close()
        if held is not None:
            await held.aclose()


def _forget_closed(loops: WeakKeyDictionary[asyncio.AbstractEventLoop, LoopClient]) -> None:
    """Let go of loops that are over: their clients refer to them, so that none would go by itself."""
    for reference in loops.keyrefs():  # a copy: other threads may begin with loops of theirs
        loop = reference()
        if loop is not None and loop.is_closed():
            loops.pop(loop, None)


def _timeout(call: Call) -> dict[str, str]:
    return {"Connect-Timeout-Ms": str(max(1, int(call.seconds * 1000)))}


def _reply(response: httpx.Response, body: bytes) -> Reply:
    headers = response.headers
    if headers.get("content-encoding", "identity") != "identity":
        raise ServiceError("the decision service's answer is compressed, which was not asked for")
    return Reply(response.status_code, headers.get("content-type", ""), body, headers.get("retry-after", ""))


__all__ = ["HttpxTransport"]
