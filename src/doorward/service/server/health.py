"""Whether the service lives, whether it can be sent requests, and its figures.

``GET /health/live``: 200 while the process answers. ``GET /health/ready``: 200 when requests should come here; 503 with
a reason while the store does not answer, or when the service is about to stop. What only makes it less than whole, such
as a full disk under the decision log, is said as ``degraded`` with 200. Both are open to everybody, and say nothing
about applications or their visitors.

``GET /metrics``: for Prometheus. With ``metrics_token`` whoever bears it may read; without, loopback and private
addresses (:attr:`ipaddress.IPv4Address.is_private`), of the connection itself and of the client that trusted proxies
name. A reverse proxy that names nobody makes everybody private: give a token there.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from ipaddress import ip_address
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from doorward.async_driver import AsyncPorts
from doorward.effects import AskStore
from doorward.errors import DataError
from doorward.service.server.callers import no_limiter
from doorward.service.server.connect import ConnectError
from doorward.service.server.metrics import exposition

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from doorward.service.server.service import Service

TEXT = "text/plain; version=0.0.4; charset=utf-8"
ASKING_SECONDS = 1.0
"""For the store to answer."""
BELIEVED_SECONDS = 1.0
"""How long its answer holds: whoever asks often does not make the store work."""


class Readiness:
    """Knows whether the service can be sent requests.

    Args:
        service: The service.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._until = 0.0
        self._answers = False
        self._lock = asyncio.Lock()

    async def problem(self) -> str:
        """Why not; empty where it can."""
        if self._service.draining:
            return "the service is about to stop"
        async with self._lock:
            if time.monotonic() >= self._until:
                self._answers = await self._store_answers()
                self._until = time.monotonic() + BELIEVED_SECONDS
        return "" if self._answers else "the store does not answer"

    async def _store_answers(self) -> bool:
        service = self._service
        ports = AsyncPorts(service.store, no_limiter, service.offload, ASKING_SECONDS)
        try:
            await ports.perform(AskStore("get", ("doorward.ready",)))
        except Exception:
            service.metrics.add("store_failures")
            return False
        return True


def routes(service: Service) -> list[BaseRoute]:
    """The paths of this module."""
    readiness = Readiness(service)

    async def live(_request: Request) -> Response:
        return JSONResponse({"status": "live"}, headers={"cache-control": "no-store"})

    async def ready(_request: Request) -> Response:
        problem, degraded = await readiness.problem(), service.parts.degraded()
        state = {"status": "not ready", "reason": problem} if problem else {"status": "ready"}
        if degraded:
            state["degraded"] = degraded
        return JSONResponse(state, 503 if problem else 200, headers={"cache-control": "no-store"})

    async def metrics(request: Request) -> Response:
        _check_reader(request, service.settings.metrics_token, service.peer)
        try:
            figures = await asyncio.to_thread(service.figures)
        except DataError:
            raise ConnectError("unavailable", "the figures cannot be read now") from None
        return Response(exposition(figures), headers={"cache-control": "no-store"}, media_type=TEXT)

    return [Route("/health/live", live), Route("/health/ready", ready), Route("/metrics", metrics)]


def _check_reader(request: Request, token: str, peer: Callable[[Request], str]) -> None:
    if token:
        given = request.headers.get("authorization", "").encode("latin-1", "replace")
        if not hmac.compare_digest(given, b"Bearer " + token.encode()):
            raise ConnectError(
                "unauthenticated", "the token of metrics is needed", headers={"www-authenticate": "Bearer"}
            )
        return
    ends = (request.client.host if request.client else "", peer(request))
    if not all([_is_near(end) for end in ends]):
        raise ConnectError("permission_denied", "metrics are for private addresses, or for whoever has their token")


def _is_near(address: str) -> bool:
    if not address:
        return True  # a unix socket
    try:
        return ip_address(address.partition("%")[0]).is_private
    except ValueError:
        return False


__all__ = ["Readiness", "routes"]
