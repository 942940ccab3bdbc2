"""How a request is taken through the rules: what the middleware, the decorators and ``protect`` share."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from asgiref.sync import async_to_sync

from doorward import Doorward, Response
from doorward.layer import Layer, body_limit
from doorward.progress import NO_INPUTS
from doorward.requests import carrier_of
from doorward.runtime import DECISION
from doorward_django.bodies import ahold, hold
from doorward_django.reading import reading
from doorward_django.refusing import Refusing
from doorward_django.responses import add_headers, seen

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from doorward import AsyncDoorward, Decision
    from doorward.bound import Bound
    from doorward.engine import Engine
    from doorward.layer import LayerOptions
    from doorward.progress import Inputs, Progress
    from doorward.routes import RoutePolicy
    from doorward.rules.base import Rule

    FindPolicy = Callable[[HttpRequest], RoutePolicy | None]

HANDLED = "doorward.django"
"""Key in META of a request that a :class:`Protection` has taken charge of: itself, and the Progress or None."""
LEFT_ALONE = "doorward.django.left_alone"
"""Key in META: whether it has no Progress because of its path or method, and not because the route is exempt."""


class Protection(Refusing):
    """One client and one set of middleware options.

    Args:
        client: The client.
        options: See :class:`doorward.layer.LayerOptions`; ``on_denied`` is called with Django's request.

    Raises:
        ConfigurationError: An option is wrong.
    """

    def __init__(self, client: Doorward | AsyncDoorward, options: LayerOptions) -> None:
        self.awaiting = client.as_async() if isinstance(client, Doorward) else client
        self.blocking = None if client.runtime.awaits_only else self.awaiting.as_sync()
        self.layer = Layer(client, options)
        self.runtime = client.runtime
        self.late: dict[int, tuple[tuple[Rule, ...], tuple[Bound, ...], Engine]] = {}

    def handle(
        self, request: HttpRequest, find_policy: FindPolicy, respond: Callable[[HttpRequest], HttpResponseBase]
    ) -> HttpResponseBase:
        """Take a request through the rules, and on to ``respond`` if it may go on."""
        progress = self.admit(request, find_policy)
        if progress is None:
            return respond(request)
        decision = self.decide(request, progress)
        if self.layer.refuses(decision):
            return self.refusal(request, progress.request, decision)
        self._look_back_after(progress, request)
        try:
            response = respond(request)
        except BaseException:
            self._settle(progress, Response(500, ()))
            self._look_back(progress)
            raise
        if self.layer.touches_response(progress):
            self._settle(progress, seen(response))
            add_headers(self.layer, progress, response)
        return response

    async def ahandle(
        self,
        request: HttpRequest,
        find_policy: FindPolicy,
        respond: Callable[[HttpRequest], Awaitable[HttpResponseBase]],
    ) -> HttpResponseBase:
        """As :meth:`handle`, awaiting."""
        progress = self.admit(request, find_policy)
        if progress is None:
            return await respond(request)
        decision = await self.adecide(request, progress)
        if self.layer.refuses(decision):
            return await self.arefusal(request, progress.request, decision)
        self._look_back_after(progress, request)
        try:
            response = await respond(request)
        except BaseException:
            await self.awaiting.settle(progress, Response(500, ()))
            await self.awaiting.look_back(progress)
            raise
        if self.layer.touches_response(progress):
            await self.awaiting.settle(progress, seen(response))
            add_headers(self.layer, progress, response)
        return response

    def admit(self, request: HttpRequest, find_policy: FindPolicy) -> Progress | None:
        """Begin with a request; None when no rule is to look at it. Never raises."""
        try:
            carrier, policy = carrier_of(request), self._policy(request, find_policy)
            progress = self.layer.admit(carrier, request.method or "GET", request.path_info, policy, reading())
            request.META[HANDLED] = (self, progress)
            request.META[LEFT_ALONE] = not (self.runtime.off or (policy is not None and policy.exempt))
            if progress is None:
                attach(request, carrier[DECISION])
        except Exception as error:
            self.runtime.journal.swallowed("middleware", error)
            return None
        return progress

    def decide(
        self, request: HttpRequest, progress: Progress, inputs: Inputs = NO_INPUTS, *, deferring: bool = True
    ) -> Decision:
        """Decide, and attach the decision to the request."""
        if self.blocking is None:
            return async_to_sync(self.adecide)(request, progress, inputs, deferring=deferring)
        read_body = self._reader(hold, request, progress)
        decision = self.blocking.decide(progress, inputs, deferring=deferring, read_body=read_body)
        attach(request, decision)
        return decision

    async def adecide(
        self, request: HttpRequest, progress: Progress, inputs: Inputs = NO_INPUTS, *, deferring: bool = True
    ) -> Decision:
        """As :meth:`decide`, awaiting."""
        read_body = self._reader(ahold, request, progress)
        decision = await self.awaiting.decide(progress, inputs, deferring=deferring, read_body=read_body)
        attach(request, decision)
        return decision

    def _policy(self, request: HttpRequest, find_policy: FindPolicy) -> RoutePolicy | None:
        try:
            return find_policy(request)
        except Exception as error:
            # A converter of the application's has failed: no reason to leave its own rules out as well.
            self.runtime.journal.swallowed("route", error)
            return None

    def _settle(self, progress: Progress, response: Response) -> None:
        if self.blocking is not None:
            self.blocking.settle(progress, response)
        elif progress.engine.conditional:
            async_to_sync(self.awaiting.settle)(progress, response)

    def _look_back_after(self, progress: Progress, request: HttpRequest) -> None:
        """Ask the rules that look after the response once Django closes the request: when all has been sent.

        Not once it closes the response, in whose place middleware may put another.
        """
        if progress.engine.late:
            own: Any = getattr(request, "_request", request)  # Django REST framework wraps Django's request
            own.close = functools.partial(self._close, own, own.close, progress)

    def _close(self, request: HttpRequest, close: Callable[[], None], progress: Progress) -> None:
        vars(request).pop("close", None)  # by which the request refers to itself
        try:
            close()
        finally:
            self._look_back(progress)

    def _look_back(self, progress: Progress) -> None:
        if self.blocking is not None:
            self.blocking.look_back(progress)
        else:
            async_to_sync(self.awaiting.look_back)(progress)

    def _reader(self, read: Callable[..., Any], request: HttpRequest, progress: Progress) -> Any:
        if not progress.engine.reads_body:
            return None
        return functools.partial(read, request, body_limit(progress.request, self.runtime.settings.body_limit))


def attach(request: HttpRequest, decision: Decision) -> None:
    """Put a decision where views and other middleware find it."""
    request.doorward = decision  # type: ignore[attr-defined]
    # Of a WSGI request, META is the environ.
    request.META[DECISION] = decision
    scope = getattr(request, "scope", None)
    if scope is not None:
        scope[DECISION] = decision
