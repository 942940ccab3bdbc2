"""Pure ASGI middleware: any ASGI application, no framework.

Allowed requests pass byte for byte: ``send`` and ``receive`` are handed through untouched unless a header was asked
for, a limit waits for the response, or a rule has read the body.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any, Unpack, cast

from doorward.answers import NOT_FOUND
from doorward.client import AsyncDoorward, Doorward
from doorward.context import text
from doorward.errors import ConfigurationError
from doorward.holding import HeldBody, hold_form
from doorward.layer import Layer, LayerOptions
from doorward.limit_headers import names_of
from doorward.progress import NO_INPUTS
from doorward.requests import ROUTED_PATH, at_prefix, from_scope, route_path
from doorward.rules.limits import Response
from doorward.runtime import ANSWERED, DECISION

if TYPE_CHECKING:
    from doorward.answers import Answer
    from doorward.decision import Decision
    from doorward.progress import Progress
    from doorward.routes import RoutePolicy
    from doorward.runtime import Runtime

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]
PolicyFor = Callable[[Scope], "RoutePolicy | None"]

_REJECTION = "websocket.http.response"


class DoorwardMiddleware:
    """Decides about every HTTP request and websocket before the application sees it.

    The decision is at ``scope["doorward.decision"]``. Other scopes pass untouched.

    Args:
        app: The application to protect.
        aj: The client.
        policy_for: What the route of a scope says about itself; for adapters.
        **options: See :class:`doorward.layer.LayerOptions`.

    Raises:
        ConfigurationError: An option is wrong.
    """

    def __init__(
        self,
        app: ASGIApp,
        aj: Doorward | AsyncDoorward,
        *,
        policy_for: PolicyFor | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        if not isinstance(aj, Doorward | AsyncDoorward):
            raise ConfigurationError("aj", f"must be a Doorward or an AsyncDoorward, not {aj!r}")
        self.app = app
        self.client = aj.as_async() if isinstance(aj, Doorward) else aj
        self.layer = Layer(self.client, options)
        self._policy_for = policy_for

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        kind = scope["type"]
        if kind not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        path = route_path(scope)
        if kind == "http" and self.layer.serves(path):
            await serve_endpoint(self.layer.runtime, scope, receive, send)
            return
        progress = self._admitted(scope, path)
        if progress is None:
            await self.app(scope, receive, send)
            return
        if self.layer.runtime.inline and not progress.engine.waits:
            decision = self.client.decide_now(progress, NO_INPUTS, deferring=True)
        elif kind == "http":
            body = HeldBody(progress.request, receive, self.layer.runtime.settings.body_limit)
            decision = await self.client.decide(progress, NO_INPUTS, deferring=True, read_body=body.hold)
            receive = body.receiver()
        else:
            decision = await self.client.decide(progress, NO_INPUTS, deferring=True)
        scope[DECISION] = decision
        if not progress.engine.late:
            await self._answer(progress, decision, scope, receive, send)
            return
        try:
            await self._answer(progress, decision, scope, receive, send)
        finally:
            await self.client.look_back(progress)

    async def _answer(self, progress: Progress, decision: Decision, scope: Scope, receive: Receive, send: Send) -> None:
        if self.layer.refuses(decision):
            await self._refuse(progress, decision, scope, receive, send)
        elif scope["type"] == "http" and self.layer.touches_response(progress):
            await self._watched(progress, decision, scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _admitted(self, scope: Scope, path: str) -> Progress | None:
        try:
            policy = self._policy(scope) if self._policy_for is not None else None
            return self.layer.admit(scope, scope.get("method", "GET"), path, policy, from_scope)
        except Exception as error:
            self.layer.runtime.journal.swallowed("middleware", error)
            return None

    def _policy(self, scope: Scope) -> RoutePolicy | None:
        try:
            return self._policy_for(scope) if self._policy_for is not None else None
        except Exception as error:
            # A route that cannot be found out about is no reason to leave the other rules out.
            self.layer.runtime.journal.swallowed("route", error)
            return None

    async def _watched(
        self, progress: Progress, decision: Decision, scope: Scope, receive: Receive, send: Send
    ) -> None:
        watch = ResponseWatch(self.client, self.layer, progress, decision, send)
        try:
            await self.app(scope, receive, watch.send)
        finally:
            await watch.settle()

    async def _refuse(self, progress: Progress, decision: Decision, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await self.layer.areplaced(progress.request, decision)
        if scope["type"] == "websocket":
            await self._reject(answer, progress, decision, scope, receive, send)
        elif callable(answer):
            await cast("ASGIApp", answer)(scope, receive, send)
        else:
            if answer is None:
                await hold_form(self.layer, progress.request, decision, receive)
                answer = self.layer.refusal(progress.request, decision)
            scope[ANSWERED] = True
            await send_answer(send, answer, head=scope.get("method") == "HEAD")

    async def _reject(
        self, answer: Any, progress: Progress, decision: Decision, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Refuse a websocket before it is accepted (ASGI websocket denial response extension)."""
        await receive()  # websocket.connect
        if _REJECTION not in (scope.get("extensions") or {}):
            await send({"type": "websocket.close", "code": 1008, "reason": ""})
            return
        if callable(answer):
            await cast("ASGIApp", answer)(scope, receive, send)
            return
        answer = self.layer.refusal(progress.request, decision) if answer is None else answer
        await send_answer(send, answer, prefix=_REJECTION)


async def serve_endpoint(runtime: Runtime, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request for one of the endpoints of challenges."""
    from doorward.challenges.serving import aserve  # few requests are for them

    request = from_scope(scope, None)
    answer = await aserve(runtime, request, HeldBody(request, receive, None).hold)
    scope[ANSWERED] = True
    await send_answer(send, answer, head=scope.get("method") == "HEAD")


class ChallengeEndpoints:
    """The endpoints of challenges as an ASGI application, for who decides without middleware.

    ``app.mount("/.doorward", ChallengeEndpoints(aj))``: at the ``prefix`` of the option ``challenges``, or around it.

    Args:
        aj: The client.

    Raises:
        ConfigurationError: ``aj`` is no client.
    """

    def __init__(self, aj: Doorward | AsyncDoorward) -> None:
        if not isinstance(aj, Doorward | AsyncDoorward):
            raise ConfigurationError("aj", f"must be a Doorward or an AsyncDoorward, not {aj!r}")
        self._runtime = aj.runtime
        self._prefix = aj.runtime.settings.challenges.prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; 404 to what is none of the endpoints, and for as long as ``DOORWARD_MODE`` is OFF."""
        if scope["type"] != "http":
            raise TypeError(f"the endpoints of challenges speak http, not {scope['type']}")
        root, path = at_prefix(self._prefix, scope.get("root_path", ""), route_path(scope))
        if self._runtime.off or not path.startswith(f"{self._prefix}/"):
            await send_answer(send, NOT_FOUND, head=scope.get("method") == "HEAD")
            return
        # One path for both, so that whatever the mount has made of them is left behind.
        moved = {**scope, "root_path": root, "path": root + path}
        moved.pop(ROUTED_PATH, None)
        scope[ANSWERED] = True
        await serve_endpoint(self._runtime, moved, receive, send)


class ResponseWatch:
    """Looks at one response on its way out: adds headers, and tells limits what it was."""

    __slots__ = ("_client", "_decision", "_layer", "_progress", "_seen", "_send")

    def __init__(self, client: AsyncDoorward, layer: Layer, progress: Progress, decision: Decision, send: Send) -> None:
        self._client = client
        self._layer = layer
        self._progress = progress
        self._decision = decision
        self._send = send
        self._seen: Response | None = None

    async def send(self, message: Message) -> None:
        """In place of the server's ``send``."""
        kind = message["type"]
        if kind == "http.response.start":
            message = self._started(message)
        await self._send(message)
        if kind == "http.response.body" and not message.get("more_body", False):
            await self.settle()

    def _started(self, message: Message) -> Message:
        try:
            sent = message.get("headers", ())
            if not isinstance(sent, list | tuple):  # an iterator, which would be gone after one reading
                sent = message["headers"] = list(sent)
            lines = [(text(name).lower(), text(value)) for name, value in sent]
            self._seen = Response(message["status"], lines)
            own = self._layer.style(self._progress.decision or self._decision) if self._layer.style is not None else []
            cookies = self._layer.fitting_cookies(self._progress, lines)
            if not own and not cookies:
                return message
            taken = names_of(own)
            kept = [line for line in sent if text(line[0]).lower() not in taken]
            added = [*own, *[("set-cookie", cookie) for cookie in cookies]]
            return {**message, "headers": [*kept, *[(n.lower().encode(), v.encode()) for n, v in added]]}
        except Exception as error:
            self._layer.runtime.journal.swallowed("rate_limit_headers", error)
            return message

    async def settle(self) -> None:
        """Tell the limits that wait for the response; once."""
        if self._progress.engine.conditional:
            await self._client.settle(self._progress, self._seen or Response(500, ()))


async def send_answer(send: Send, answer: Answer, *, head: bool = False, prefix: str = "http.response") -> None:
    """Send a complete answer; the headers alone to a HEAD request."""
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": f"{prefix}.start", "status": answer.status, "headers": headers})
    await send({"type": f"{prefix}.body", "body": b"" if head else answer.body})
