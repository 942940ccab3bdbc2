"""The middleware: that of :mod:`doorward.asgi`, which also reads what decorators said about the route."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from doorward import asgi
from doorward.layer import PREFLIGHT, Layer, LayerOptions
from doorward.runtime import DECISION
from doorward_starlette.policies import policies_of
from doorward_starlette.routing import reached

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

    from doorward import AsyncDoorward, Decision, Doorward
    from doorward.asgi import ASGIApp, Scope
    from doorward.progress import Progress
    from doorward.routes import RoutePolicy
    from doorward_starlette.policies import Policies


class DoorwardMiddleware(asgi.DoorwardMiddleware):
    """Decides about every request and websocket: ``app.add_middleware(DoorwardMiddleware, aj=aj)``.

    The decision is at ``request.scope["doorward.decision"]``, or ask :func:`decision_of`.

    Args:
        app: The application to protect: given by Starlette.
        aj: The client, a Doorward or an AsyncDoorward.
        **options: See :class:`doorward.layer.LayerOptions`; ``on_denied`` may answer with a Starlette response.

    Raises:
        ConfigurationError: An option is wrong.
    """

    def __init__(self, app: ASGIApp, aj: Doorward | AsyncDoorward, **options: Unpack[LayerOptions]) -> None:
        super().__init__(app, aj, policy_for=self._policy_at, **options)
        self._policies = policies_of(self.client.runtime)
        self._policies.installed = True
        self.layer = _RoutedLayer(self.client, options, self._policies)

    def _policy_at(self, scope: Scope) -> RoutePolicy | None:
        if not self._policies.marked:
            return None
        endpoint, runs = reached(scope, self.app)
        method = scope.get("method", "GET")
        # A preflight that the endpoint does not answer is for CORS middleware further in.
        return None if method == PREFLIGHT and not runs else self._policies.of(endpoint, method)


class _RoutedLayer(Layer):
    """Watches responses also for limits that the application itself will ask."""

    def __init__(self, client: AsyncDoorward, options: LayerOptions, policies: Policies) -> None:
        super().__init__(client, options)
        self._policies = policies

    def touches_response(self, progress: Progress) -> bool:
        return self._policies.awaits_response or super().touches_response(progress)


def decision_of(connection: HTTPConnection) -> Decision | None:
    """The decision about a request or a websocket; None where no doorward middleware has seen it."""
    decision: Decision | None = connection.scope.get(DECISION)
    return decision
