"""The endpoints of challenges, driven by blocking and by awaiting: what every middleware calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doorward.challenges.replies import plain
from doorward.drivers import run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator

    from doorward.answers import Answer
    from doorward.context import Body, RequestContext
    from doorward.effects import Effect
    from doorward.runtime import Runtime


def serve(runtime: Runtime, request: RequestContext, read_body: Callable[[], Body | None]) -> Answer:
    """Answer a request for an endpoint. Never raises."""
    try:
        return run(_flow(runtime, request), runtime.sync_ports(read_body, waits=True))
    except Exception as error:
        return _failed(runtime, error)


async def aserve(runtime: Runtime, request: RequestContext, read_body: Callable[[], Awaitable[Body | None]]) -> Answer:
    """As :func:`serve`, awaiting."""
    try:
        return await runtime.drive(_flow(runtime, request), read_body)
    except Exception as error:
        return _failed(runtime, error)


def _flow(runtime: Runtime, request: RequestContext) -> Generator[Effect, Any, Answer]:
    ip = runtime.settings.ips.resolve(request.peer, request.header_values).address
    return runtime.gatekeeper.gate.serve(request, ip)


def _failed(runtime: Runtime, error: Exception) -> Answer:
    runtime.journal.swallowed("challenge", error)
    return plain(403, "unavailable")
