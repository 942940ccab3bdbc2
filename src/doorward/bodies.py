"""The bodies of requests that a handler gives to ``protect``, where no middleware has held them.

What the framework keeps is looked at: a body that was read, or the fields of a form that was parsed. A body that nobody
has read is held, and put back so that the handler can read it in whatever way. One that is gone is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doorward.context import NO_BODY, Body
from doorward.holding import HeldBody, hold_body
from doorward.layer import body_limit
from doorward.parsed_forms import body_again

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doorward.context import RequestContext
    from doorward.runtime import Runtime

_UNREAD = Body(b"", False)


class BodyOf:
    """The body of a framework's request.

    Args:
        request: The framework's request, or what else was given to ``protect``.
        context: The same, as rules see it.
        runtime: Of the client.
    """

    def __init__(self, request: object, context: RequestContext, runtime: Runtime) -> None:
        self._given: Any = getattr(request, "_request", request)  # Django REST framework wraps Django's request
        self._request = context
        self._runtime = runtime
        self._configured = runtime.settings.body_limit

    def read(self) -> Body | None:
        """The body, or what is held of it; None where it is out of reach."""
        try:
            if hasattr(self._given, "get_data"):
                return self._of_werkzeug(self._given.__dict__)
            if "_stream" in getattr(self._given, "__dict__", ()):
                return self._of_django(self._given.__dict__)
        except Exception as error:  # the framework's own errors are many: the client has gone, the body is too long
            self._runtime.journal.swallowed("body", error)
        return None

    async def aread(self) -> Body | None:
        """As :meth:`read`, where that may have to wait."""
        if not hasattr(self._given, "_stream_consumed"):
            return self.read()
        try:
            return await self._of_starlette(self._given.__dict__)
        except Exception as error:
            self._runtime.journal.swallowed("body", error)
            return None

    def _of_werkzeug(self, state: Mapping[str, Any]) -> Body | None:
        if "_cached_data" in state:
            return self._kept(state["_cached_data"])
        if "stream" in state or "form" in state:
            return self._kept(body_again(self._request, state.get("form"), state.get("files")))
        return hold_body(self._request, self._given.environ, self._configured)

    def _of_django(self, state: Mapping[str, Any]) -> Body | None:
        if "_body" in state:
            return self._kept(state["_body"])
        if state.get("_read_started"):
            return self._kept(body_again(self._request, state.get("_post"), state.get("_files")))
        limit, stream = body_limit(self._request, self._configured), state["_stream"]
        if limit and hasattr(stream, "seekable") and stream.seekable():  # Django has spooled it
            data = stream.read(limit + 1)
            stream.seek(0)
            return Body(data[:limit], len(data) <= limit)
        length = _announced(self._request)
        if length == 0:
            return NO_BODY
        return Body(self._given.body, True) if length <= limit else _UNREAD

    async def _of_starlette(self, state: dict[str, Any]) -> Body | None:
        if "_body" in state:
            return self._kept(state["_body"])
        if state["_stream_consumed"]:
            return self._kept(body_again(self._request, state.get("_form")))
        held = HeldBody(self._request, self._given.receive, self._configured)
        try:
            return await held.hold()
        finally:
            state["_receive"] = held.receiver()

    def _kept(self, data: bytes | None) -> Body | None:
        limit = body_limit(self._request, self._configured)
        return None if data is None else Body(data[:limit], len(data) <= limit)


def _announced(request: RequestContext) -> int:
    """Bytes that a body is said to have, as Django reads it: 0 where that is no number."""
    try:
        return max(0, int(request.headers.get("content-length")[:30]))
    except ValueError:
        return 0
