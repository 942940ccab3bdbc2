"""Asks an ASGI application, without a server."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any, Self

import httpx


class Client:
    """Synchronous, on an event loop of its own. An error of the application is the test's."""

    def __init__(self, app: Any, token: str) -> None:
        self._runner = asyncio.Runner()
        transport = httpx.ASGITransport(app)
        headers = {"authorization": f"Bearer {token}"}
        self._client = httpx.AsyncClient(transport=transport, base_url="http://service.example", headers=headers)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._runner.run(self._client.aclose())
        self._runner.close()

    def request(self, method: str, url: str, **options: Any) -> httpx.Response:
        """One request."""
        return self._runner.run(self._client.request(method, url, **options))

    def get(self, url: str, **options: Any) -> httpx.Response:
        """One GET."""
        return self.request("GET", url, **options)
