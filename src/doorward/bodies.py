"""The bodies of requests that a handler gives to ``protect``, where no middleware has held them.

Only what the framework keeps for the application is read: Werkzeug's and Django's requests remember their body, and so
does Starlette's. A body that announces no length, or more than the limit, is left to the application.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doorward.context import Body

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from doorward.context import RequestContext
    from doorward.progress import Progress
    from doorward.runtime import Runtime

_UNREAD = Body(b"", False)


def blocking_reader(request: object, progress: Progress, runtime: Runtime) -> Callable[[], Body | None]:
    """What reads the body of ``request`` for code that blocks; comes to None where it is out of reach."""

    def read() -> Body | None:
        get_data: Any = getattr(request, "get_data", None)
        try:
            if callable(get_data):
                return _held(progress.request, runtime, get_data)
            if not callable(getattr(type(request), "body", len)):  # a property, as of Django's
                return _held(progress.request, runtime, lambda: getattr(request, "body", None))
        except Exception as error:  # it was read before, or cannot be: the framework's own errors are many
            runtime.journal.swallowed("body", error)
        return None

    return read


def awaiting_reader(request: object, progress: Progress, runtime: Runtime) -> Callable[[], Awaitable[Body | None]]:
    """As :func:`blocking_reader`, for code that awaits."""
    blocking = blocking_reader(request, progress, runtime)

    async def read() -> Body | None:
        body: Any = getattr(request, "body", None)
        if not callable(body):
            return blocking()
        limit = _limit(progress.request, runtime)
        if limit is None:
            return _UNREAD
        try:
            return Body(bytes(await body()), True)
        except Exception as error:
            runtime.journal.swallowed("body", error)
            return None

    return read


def _held(request: RequestContext, runtime: Runtime, data: Callable[[], object]) -> Body | None:
    if _limit(request, runtime) is None:
        return _UNREAD
    held = data()
    return Body(held, True) if isinstance(held, bytes) else None


def _limit(request: RequestContext, runtime: Runtime) -> int | None:
    """Bytes that the body announces, where it does and they are not too many."""
    from doorward.layer import body_limit  # the layer stands above the client

    announced = request.headers.get("content-length").strip()
    if not announced.isascii() or not announced.isdigit() or len(announced) > 12:
        return None
    length = int(announced)
    return length if length <= body_limit(request, runtime.settings.body_limit) else None
