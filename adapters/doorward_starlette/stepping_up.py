"""What handlers ask the guard for: more clearance, the answer to who lacks it, the fields of a form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from anyio import from_thread

from doorward.levels import DEFAULT_LEVEL, Level
from doorward.runtime import DECISION
from doorward_starlette.refusals import Refused, WebSocketRefused
from doorward_starlette.responses import refusal_response

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

    from doorward import AsyncDoorward, Decision
    from doorward.layer import Layer
    from doorward.route_challenges import MaxAge


class SteppingUp:
    """The part of a guard that handlers use.

    Attributes:
        client: The client.
        layer: What it is enforced with.
        refusals: The exceptions that refuse a request, and a websocket.
    """

    client: AsyncDoorward
    layer: Layer
    refusals: ClassVar[tuple[Any, Any]] = (Refused, WebSocketRefused)

    async def require(
        self, connection: HTTPConnection, level: Level | str = DEFAULT_LEVEL, *, max_age: MaxAge = None
    ) -> Decision:
        """:meth:`doorward.AsyncDoorward.require` for a request, which is answered here if it is not let in.

        Raises:
            Refused: The request is challenged or refused, unless ``enforce=False``; ``init_app`` has added what
                answers it. ``WebSocketRefused`` for a websocket.
            ConfigurationError: An argument is wrong.
        """
        decision = await self.client.require(connection, level, max_age=max_age)
        scope = connection.scope
        scope[DECISION] = decision
        if self.layer.refuses(decision):
            raise self.refusals[scope["type"] == "websocket"](decision, self.layer)
        return decision

    def require_in_thread(
        self, connection: HTTPConnection, level: Level | str = DEFAULT_LEVEL, *, max_age: MaxAge = None
    ) -> Decision:
        """As :meth:`require`, for handlers that are plain functions, which run in threads."""

        async def asked() -> Decision:
            return await self.require(connection, level, max_age=max_age)

        return from_thread.run(asked)

    async def answer(self, connection: HTTPConnection, decision: Decision | None = None) -> Any:
        """The response to a request that is not let in: a challenge, or a refusal; else None.

        Args:
            connection: The request.
            decision: About it; its current one when it is not given.
        """
        found: Decision | None = decision or connection.scope.get(DECISION)
        if found is None or not self.layer.refuses(found):
            return None
        return await refusal_response(self.layer, connection.scope, found, connection)

    def form_fields(self, connection: HTTPConnection, name: str = "") -> str:
        """:meth:`doorward.Doorward.form_fields`; for templates, ``env.globals["doorward_form"] = guard.form_fields``.

        There it is called with the request: ``{{ doorward_form(request, "sign-up") }}``.
        """
        return self.client.form_fields(connection, name)
