"""One worker of the service: its parts, what it counts, and its two methods."""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import secrets
import time
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response

from doorward.client_ip import ClientIPPolicy
from doorward.errors import DataError
from doorward.offload import Offload
from doorward.printable import describe
from doorward.service.messages import DecideRequest, ReportRequest
from doorward.service.server import json_codec
from doorward.service.server.bodies import INLINE, Bodies
from doorward.service.server.callers import Callers, Quotas
from doorward.service.server.connect import (
    JSON,
    LONGEST_TIMEOUT,
    PROTO,
    ConnectError,
    Head,
    evaluation_seconds,
    read_head,
)
from doorward.service.server.metrics import Metrics, Totals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Receive, Scope, Send

    from doorward.service.server.metrics import Key
    from doorward.service.server.parts import Parts
    from doorward.service.server.ports import Site
    from doorward.service.server.settings import ServiceSettings

logger = logging.getLogger("doorward.service")

WRITING_SECONDS = 2.0
"""How often a worker writes what it has counted."""
MOST_IN_WORK = 512
"""Calls that one worker has in work; one more is told to come back, so that those in work are done in time."""


class Service:
    """What the application shares.

    Args:
        settings: The settings.
        parts: What it is made of.

    Attributes:
        draining: Whether the worker is about to stop.
        in_work: Calls that are being answered.
    """

    def __init__(self, settings: ServiceSettings, parts: Parts) -> None:
        self.settings = settings
        self.parts = parts
        self.store = getattr(parts.store, "aio", None) or parts.store
        self.metrics = Metrics()
        self.draining = False
        self.in_work = 0
        self._totals = Totals(settings.metrics_path)
        self._offload: Offload | None = None
        self._ips = ClientIPPolicy(settings.proxies, environ=os.environ)
        self.bodies = Bodies(settings.body_limit)
        self.callers = Callers(parts.keys, self.peer, self.metrics)
        self.quotas = Quotas(parts.store, self.offload, self.metrics)

    def offload(self) -> Offload:
        """Threads for a store that blocks."""
        self._offload = self._offload or Offload()
        return self._offload

    def peer(self, request: Request) -> str:
        """The other end of a request, as far as trusted hops name it."""
        peer = request.client.host if request.client else ""
        return self._ips.resolve(peer, request.headers.getlist).address or peer

    def figures(self) -> Mapping[Key, float]:
        """The figures of all workers. Blocks.

        Raises:
            DataError: They cannot be read.
        """
        with suppress(DataError):  # then they stand still
            self.write_figures()
        return self._totals.read()

    def write_figures(self) -> None:
        """Write what was counted here. Blocks.

        Raises:
            DataError: It cannot be written.
        """
        self.metrics.take(self.parts.figures())
        self._totals.add(self.metrics)

    async def keep_figures(self) -> None:
        """Write what was counted, now and then, for ever."""
        working = True
        while True:
            await asyncio.sleep(WRITING_SECONDS)
            try:
                await asyncio.to_thread(self.write_figures)
            except Exception as error:
                if working:
                    logger.warning("doorward figures cannot be written: %s", describe(error))
                working = False
            else:
                working = True

    async def close(self) -> None:
        """Let everything write what it holds, and let go of it."""
        for close in (*self.parts.close, self.write_figures):
            try:
                closing: Any = await asyncio.to_thread(close)
                if inspect.isawaitable(closing):
                    await closing
            except Exception as error:
                logger.warning("doorward stops, and something was not written: %s", describe(error))
        if self._offload is not None:
            self._offload.close()


class Method:
    """One method of the service, as an ASGI application. Answers every request, and never raises.

    Args:
        name: ``Decide`` or ``Report``.
        service: What it belongs to.
    """

    def __init__(self, name: str, service: Service) -> None:
        self._name = name
        self._service = service
        self._kind = DecideRequest if name == "Decide" else ReportRequest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        began = time.monotonic()
        service, code = self._service, "ok"
        try:
            response = await self._admitted(Request(scope, receive), began)
        except ConnectError as error:
            response, code = error.response(), error.code
        except Exception as error:
            response, code = internal(error, f"{self._name} failed"), "internal"
            service.metrics.add("errors")
        service.metrics.request(self._name, code, time.monotonic() - began)
        await response(scope, receive, send)

    async def _admitted(self, request: Request, began: float) -> Response:
        service = self._service
        if service.in_work >= MOST_IN_WORK:
            raise ConnectError("unavailable", "too many calls at once", headers={"retry-after": "1"})
        service.in_work += 1
        try:
            return await self._answered(request, began)
        finally:
            service.in_work -= 1

    async def _answered(self, request: Request, began: float) -> Response:
        service = self._service
        head = read_head(request)
        # Whose it is comes before everything that costs: nobody else's body is read.
        site = await service.callers.site(request)
        if head.binary:
            _proto_codec()
        with service.bodies.holding() as held:
            body = await service.bodies.read(request, head, held)
            message: Any = await self._decoded(head, body)
        try:
            async with asyncio.timeout(LONGEST_TIMEOUT if head.seconds is None else head.seconds):
                answer = await self._asked(site, message, head, began)
        except TimeoutError:
            raise ConnectError("deadline_exceeded", "the decision took longer than the client gives") from None
        if head.binary:
            return Response(_proto_codec().encode(self._name + "Response", answer), media_type=PROTO)
        return Response(json_codec.encode(answer), media_type=JSON)

    async def _decoded(self, head: Head, body: bytes) -> Any:
        if len(body) > INLINE:
            return await asyncio.to_thread(self._decode, head, body)
        return self._decode(head, body)

    def _decode(self, head: Head, body: bytes) -> Any:
        if head.binary:
            try:
                body = _proto_codec().decode(self._name + "Request", body)
            except ValueError:
                raise ConnectError("invalid_argument", "the message is no protobuf") from None
        return json_codec.decode(self._kind, body)

    async def _asked(self, site: Site, message: Any, head: Head, began: float) -> dict[str, Any]:
        service = self._service
        default = service.settings.timeout
        if self._name == "Report":
            if not await service.quotas.has_room(site, 1 + len(message.more), default):
                return {}
            return await service.parts.evaluator.report(site, message)
        await service.quotas.charge(site, evaluation_seconds(head.seconds, time.monotonic() - began, default))
        left = evaluation_seconds(head.seconds, time.monotonic() - began, default)
        answer = await service.parts.evaluator.decide(site, message, left)
        service.metrics.decision(_conclusion(answer), site.name)
        return answer


def _conclusion(answer: Mapping[str, Any]) -> str:
    conclusion = str(answer.get("decision", {}).get("conclusion", "")).removeprefix("CONCLUSION_")
    return conclusion if conclusion in ("ALLOW", "DENY", "CHALLENGE", "ERROR") else "UNSPECIFIED"


def _proto_codec() -> Any:
    try:
        return import_module("doorward.service.server.proto_codec")
    except ImportError:
        raise ConnectError(
            "unimplemented",
            f"{PROTO} needs an extra on the service: pip install 'doorward[arcjet]'; {JSON} is taken without",
            status=415,
            headers={"accept-post": JSON},
        ) from None


def internal(error: Exception, what: str) -> Response:
    """The answer when something failed that must not: a reference, by which the log has the error.

    Only the kind of the error and where it was raised are logged: what it says may hold what a visitor sent.
    """
    reference = secrets.token_hex(6)
    logger.error("doorward %s, reference %s: %s", what, reference, _located(error))
    return ConnectError("internal", f"something failed here; the service's log has it as {reference}").response()


__all__ = ["Method", "Service", "internal"]


def _located(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f" in {trace.tb_frame.f_code.co_qualname}, line {trace.tb_lineno}" if trace is not None else ""
    return f"{type(error).__name__}{where}"


__all__ = ["Method", "Service", "internal"]
