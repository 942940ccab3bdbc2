"""Which decisions belong to which response: seen where test clients send a request.

While somebody watches, the sending method of each test client that has been imported notes what is decided until it
returns. The note travels in a ContextVar, which tasks and the threads of anyio and asgiref take along, so that it
holds for requests that are under way at the same time.
"""

from __future__ import annotations

import inspect
import sys
from contextlib import suppress
from contextvars import ContextVar
from functools import wraps
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Callable

    from doorward.testing.recorder import Recorded

SENDERS = (
    ("httpx", "Client", "send"),
    ("httpx", "AsyncClient", "send"),
    ("httpx2", "Client", "send"),
    ("httpx2", "AsyncClient", "send"),
    ("werkzeug.test", "Client", "open"),
    ("django.test.client", "Client", "request"),
    ("django.test.client", "AsyncClient", "request"),
)
"""Module, class and method. Starlette's and FastAPI's TestClient is a client of httpx, and Flask's one of werkzeug."""

_MARK = "_doorward_exchange"


class Sent(NamedTuple):
    """What can be told of a request from its response: empty where it cannot."""

    method: str = ""
    path: str = ""
    query: str = ""

    def __str__(self) -> str:
        return f"{self.method} {self.path}{'?' if self.query else ''}{self.query}"


class Exchange:
    """One call of a test client: a request and its response, or several where it followed redirects.

    Attributes:
        records: What was decided meanwhile.
        hops: The responses in order.
    """

    def __init__(self) -> None:
        self.records: list[Recorded] = []
        self.hops: list[Any] = []

    def finished(self, response: Any) -> None:
        """Note on every response which exchange it comes from; inner exchanges have been before."""
        self.hops = [hop for hop in (*(getattr(response, "history", None) or ()), response) if exchange_of(hop) is None]
        for hop in self.hops:
            with suppress(AttributeError):  # a response of somebody's own, with __slots__
                setattr(hop, _MARK, self)


current: ContextVar[Exchange | None] = ContextVar("doorward_exchange", default=None)


def exchange_of(response: Any) -> Exchange | None:
    """The exchange that a response comes from, if a client that is watched has received it."""
    exchange = getattr(response, _MARK, None)
    return exchange if isinstance(exchange, Exchange) else None


class Watch:
    """Has test clients note their exchanges; :meth:`look` takes those that were imported since."""

    def __init__(self) -> None:
        self._originals: dict[tuple[Any, str], Any] = {}

    def look(self) -> None:
        """Watch every test client that has been imported by now."""
        for module, name, method in SENDERS:
            owner = getattr(sys.modules.get(module), name, None)
            if owner is not None and (owner, method) not in self._originals:
                original = self._originals[owner, method] = vars(owner)[method]
                setattr(owner, method, _noting(original))

    def end(self) -> None:
        """Leave them as they were."""
        for (owner, method), original in self._originals.items():
            setattr(owner, method, original)
        self._originals.clear()


def _noting(send: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(send)
    def noted(*arguments: Any, **named: Any) -> Any:
        exchange = Exchange()
        token = current.set(exchange)
        try:
            response = send(*arguments, **named)
        finally:
            current.reset(token)
        exchange.finished(response)
        return response

    @wraps(send)
    async def noted_async(*arguments: Any, **named: Any) -> Any:
        exchange = Exchange()
        token = current.set(exchange)
        try:
            response = await send(*arguments, **named)
        finally:
            current.reset(token)
        exchange.finished(response)
        return response

    return noted_async if inspect.iscoroutinefunction(send) else noted


def sent_of(response: Any) -> Sent:
    """What a response says of its request: of httpx, requests, werkzeug and Django."""
    request: Any = getattr(response, "request", None)
    if isinstance(request, dict) and "method" in request:  # that of Django's AsyncClient
        query = request.get("query_string", "")
        return Sent(request["method"], request["path"], query if isinstance(query, str) else query.decode("latin-1"))
    if isinstance(request, dict):  # Django's
        return Sent(request.get("REQUEST_METHOD", "GET"), request.get("PATH_INFO", ""), request.get("QUERY_STRING", ""))
    url: Any = getattr(request, "url", None)
    if hasattr(url, "raw_path"):  # httpx's
        return Sent(request.method, url.path, url.query.decode("latin-1"))
    if hasattr(request, "query_string"):  # werkzeug's
        return Sent(request.method, request.path, request.query_string.decode("latin-1"))
    if isinstance(getattr(request, "path_url", None), str):  # that of requests
        path, _, query = request.path_url.partition("?")
        return Sent(str(request.method), unquote(path), query)
    return Sent()
