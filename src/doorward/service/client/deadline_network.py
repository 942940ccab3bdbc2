"""The network under httpx: every operation ends at the deadline of the call that it is for.

httpcore calls a ``NetworkBackend`` for each connection, and its streams for each read and write. These give all of
them what is left of the call's time, and find the service's addresses without waiting for ``getaddrinfo``.
"""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING, Any

import httpcore
import httpx
from anyio import CancelScope

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator

    from doorward.service.client.endpoint import Endpoint
    from doorward.service.client.names import Names

KEPT_SECONDS = 4.0
"""Less than the five that uvicorn and others keep an idle connection for, so that no request meets its end."""
_PIECE = 65_536
"""Bytes that are written at once: httpcore's time-out is for each of the writes that it takes."""


class Deadlines:
    """The deadline of the call that a thread is making."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._of_thread = threading.local()

    @contextmanager
    def ending(self, seconds: float) -> Iterator[None]:
        """The call within the ``with`` statement ends in ``seconds``."""
        self._of_thread.ends = self._clock() + seconds
        try:
            yield
        finally:
            del self._of_thread.ends

    def left(self) -> float:
        """Seconds.

        Raises:
            TimeoutError: None are.
        """
        ends: float = getattr(self._of_thread, "ends", 0.0)
        left = ends - self._clock()
        if left <= 0:
            raise TimeoutError
        return left


class DeadlineStream(httpcore.NetworkStream):
    """A connection whose operations end at the deadline."""

    def __init__(self, stream: httpcore.NetworkStream, deadlines: Deadlines) -> None:
        self._stream = stream
        self._deadlines = deadlines

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """What has come."""
        return self._stream.read(max_bytes, self._deadlines.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all of it."""
        for start in range(0, len(buffer), _PIECE):
            self._stream.write(buffer[start : start + _PIECE], self._deadlines.left())

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """The same connection with TLS on it."""
        return DeadlineStream(
            self._stream.start_tls(ssl_context, server_hostname, self._deadlines.left()), self._deadlines
        )

    def get_extra_info(self, info: str) -> Any:
        """As of the connection below."""
        return self._stream.get_extra_info(info)

    def close(self) -> None:
        """Close it."""
        self._stream.close()


class DeadlineNetwork(httpcore.NetworkBackend):
    """Connects within the deadline, to the addresses that ``names`` finds."""

    def __init__(self, names: Names, deadlines: Deadlines) -> None:
        self._names = names
        self._deadlines = deadlines
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """The first of the host's addresses that takes a connection."""
        failure: Exception = TimeoutError()
        for address in self._names.best_first(self._names.begin().result(self._deadlines.left())):
            try:
                stream = self._backend.connect_tcp(
                    str(address.where[0]), port, self._deadlines.left(), local_address, socket_options
                )
            except Exception as error:
                failure = error
            else:
                self._names.use(address)
                return DeadlineStream(stream, self._deadlines)
        raise failure


class AsyncNetwork(httpcore.AsyncNetworkBackend):
    """As :class:`DeadlineNetwork`, awaiting: there ``asyncio.timeout`` ends everything."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  (httpcore's)
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """The first of the host's addresses that takes a connection."""
        failure: Exception = TimeoutError()
        found = await asyncio.shield(asyncio.wrap_future(self._names.begin()))
        for address in self._names.best_first(found):
            try:
                stream = await self._backend.connect_tcp(
                    str(address.where[0]), port, None, local_address, socket_options
                )
            except Exception as error:
                failure = error
            else:
                self._names.use(address)
                return AsyncLine(stream)
        raise failure


class AsyncLine(httpcore.AsyncNetworkStream):
    """A connection that is closed also where it is given up in the middle of TLS being agreed upon."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream
        self.read = stream.read  # type: ignore[method-assign]
        self.write = stream.write  # type: ignore[method-assign]
        self.aclose = stream.aclose  # type: ignore[method-assign]
        self.get_extra_info = stream.get_extra_info  # type: ignore[method-assign]

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109  (httpcore's)
    ) -> httpcore.AsyncNetworkStream:
        """The same connection with TLS on it."""
        try:
            return await self._stream.start_tls(ssl_context, server_hostname, timeout)
        except BaseException:
            with CancelScope(shield=True):
                await self._stream.aclose()
            raise


class _Body(httpx.SyncByteStream):
    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        yield from self._response.iter_stream()

    def close(self) -> None:
        self._response.close()


class _AsyncBody(httpx.AsyncByteStream):
    def __init__(self, response: httpcore.Response) -> None:
        self._response = response
        self._stream: Any = response.aiter_stream()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async with aclosing(self._stream) as parts:
            async for part in parts:
                yield part

    async def aclose(self) -> None:
        await self._response.aclose()


class _Blocking(httpx.BaseTransport):
    """What httpx's own transport does, over a pool whose network is ours."""

    def __init__(self, pool: httpcore.ConnectionPool) -> None:
        self._pool = pool

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._pool.handle_request(_request(request))
        return httpx.Response(response.status, headers=response.headers, stream=_Body(response))

    def close(self) -> None:
        self._pool.close()


class _Awaiting(httpx.AsyncBaseTransport):
    def __init__(self, pool: httpcore.AsyncConnectionPool) -> None:
        self._pool = pool

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._pool.handle_async_request(_request(request))
        return httpx.Response(response.status, headers=response.headers, stream=_AsyncBody(response))

    async def aclose(self) -> None:
        await self._pool.aclose()


def _request(request: httpx.Request) -> httpcore.Request:
    url = request.url
    target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
    return httpcore.Request(request.method, target, headers=request.headers.raw, content=request.stream)


def blocking_client(
    endpoint: Endpoint, headers: dict[str, str], names: Names, deadlines: Deadlines, connections: int
) -> httpx.Client:
    """A client for code that blocks; its calls are made within :meth:`Deadlines.ending`."""
    pool = httpcore.ConnectionPool(
        ssl_context=endpoint.tls,
        max_connections=connections,
        max_keepalive_connections=connections,
        keepalive_expiry=KEPT_SECONDS,
        network_backend=DeadlineNetwork(names, deadlines),
    )
    return httpx.Client(
        transport=_Blocking(pool),
        base_url=endpoint.url,
        headers=headers,
        timeout=None,  # noqa: S113  (each call has a deadline)
        trust_env=False,
    )


def async_client(endpoint: Endpoint, headers: dict[str, str], names: Names, connections: int) -> httpx.AsyncClient:
    """A client for one event loop; its calls are made within ``asyncio.timeout``."""
    pool = httpcore.AsyncConnectionPool(
        ssl_context=endpoint.tls,
        max_connections=connections,
        max_keepalive_connections=connections,
        keepalive_expiry=KEPT_SECONDS,
        network_backend=AsyncNetwork(names),
    )
    return httpx.AsyncClient(
        transport=_Awaiting(pool),
        base_url=endpoint.url,
        headers=headers,
        timeout=None,  # noqa: S113  (each call has a deadline)
        trust_env=False,
    )
