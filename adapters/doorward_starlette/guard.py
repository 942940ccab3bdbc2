"""The object that applications hold: decorators, and ``init_app``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from doorward import AsyncDoorward, Doorward
from doorward.errors import ConfigurationError
from doorward.layer import Layer, LayerOptions
from doorward.progress import NO_INPUTS
from doorward.requests import from_scope, route_path
from doorward.routes import RouteDecorators, View
from doorward.runtime import DECISION, STATE
from doorward.settings import Options
from doorward_starlette.enforcement import enforcing
from doorward_starlette.middleware import DoorwardMiddleware
from doorward_starlette.policies import policies_of
from doorward_starlette.refusals import add_handlers
from doorward_starlette.responses import refusal_response
from doorward_starlette.stepping_up import SteppingUp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.applications import Starlette
    from starlette.requests import HTTPConnection

    from doorward.asgi import Scope
    from doorward.routes import RoutePolicy
    from doorward.rules.base import Rule


class GuardOptions(LayerOptions, Options, total=False):
    """Options of the middleware, and of the client where none is given."""


class DoorwardStarlette(SteppingUp, RouteDecorators):
    """Protection of a Starlette application, with ``limit``, ``guard`` and ``exempt`` for its routes.

    Args:
        app: The application; or leave it out, and call :meth:`init_app` later.
        aj: The client, a Doorward or an AsyncDoorward; one is made of ``rules`` when it is left out.
        rules: The rules of a client made here.
        **options: Of the middleware (:class:`doorward.layer.LayerOptions`) and, without ``aj``, of the client
            (:class:`doorward.settings.Options`).

    Attributes:
        client: The client, for code that awaits.
        runtime: What it shares with all its facades.

    Raises:
        ConfigurationError: An argument is wrong.
    """

    def __init__(
        self,
        app: Starlette | None = None,
        aj: Doorward | AsyncDoorward | None = None,
        rules: Sequence[Rule | Sequence[Rule]] | None = None,
        **options: Unpack[GuardOptions],
    ) -> None:
        own: dict[str, Any] = dict(options)
        if aj is None:
            settings = {name: own.pop(name) for name in list(own) if name not in LayerOptions.__annotations__}
            aj = AsyncDoorward(rules or (), **settings)
        elif rules is not None:
            raise ConfigurationError("rules", "belong to the client: give either aj or rules")
        elif not isinstance(aj, Doorward | AsyncDoorward):
            raise ConfigurationError("aj", f"must be a Doorward or an AsyncDoorward, not {aj!r}")
        self.client = aj.as_async() if isinstance(aj, Doorward) else aj
        self.runtime = self.client.runtime
        self.layer = Layer(self.client, own)  # type: ignore[arg-type]  # Layer names the unknown ones itself
        self._options = own
        self._policies = policies_of(self.runtime)
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Starlette) -> None:
        """Add the middleware to an application; once, however often it is called.

        Raises:
            RuntimeError: The application has started (Starlette).
        """
        if not any(self._is_own(middleware) for middleware in app.user_middleware):
            app.add_middleware(DoorwardMiddleware, aj=self.client, **self._options)
        self._policies.installed = True
        add_handlers(app, *self.refusals)

    def enforced(self, view: View) -> View:
        """Marked endpoints see to it themselves, where middleware is missing or does not see the mark."""
        self._policies.marked = True
        return enforcing(self, view)

    def decided(self, scope: Scope) -> bool:
        """Whether the client was asked about this request."""
        return id(self.runtime) in scope.get(STATE, ())

    def saw(self, scope: Scope) -> bool:
        """Whether middleware has decided about this request, or has left it alone on purpose."""
        return DECISION in scope or self.decided(scope)

    def overlooked(self, scope: Scope, view: object) -> bool:
        """Whether the endpoint that Starlette calls does not show the mark of ``view``, nor does any other route's."""
        mark = self.policy_of(view)  # type: ignore[arg-type]  # an endpoint
        return mark is not None and not self._policies.shows(scope, mark)

    def policy_at(self, scope: Scope) -> RoutePolicy | None:
        """What was said about the endpoint that Starlette has found for this request."""
        return self._policies.of(scope.get("endpoint"), scope.get("method", "GET"))

    async def decide_unseen(self, connection: HTTPConnection, view: object) -> Any:
        """Decide in place of middleware that is missing; the response that refuses, or None."""
        scope = connection.scope
        self.warn_missing(view)
        method = scope.get("method", "GET")
        policy = self.policy_at(scope) or self._policies.of(view, method)
        progress = self.layer.admit(scope, method, route_path(scope), policy, from_scope)
        if progress is None:
            return None
        decision = scope[DECISION] = await self.client.decide(progress, NO_INPUTS, deferring=True)
        refuses = self.layer.refuses(decision)
        return await refusal_response(self.layer, scope, decision, connection) if refuses else None

    def without_request(self, view: object) -> None:
        """A marked endpoint was called, and whether middleware has seen the request cannot be told."""
        if not self._policies.installed:
            self.warn_missing(view)

    def warn_missing(self, view: object) -> None:
        """Say that a marked endpoint was reached without the middleware, or without its mark."""
        why = "its application has no DoorwardMiddleware: call init_app(app)"
        if self._policies.installed:
            why = "middleware does not see it: another decorator hides the mark, and functools.wraps would keep it"
        name = getattr(view, "__qualname__", repr(view))
        self.runtime.journal.warn("no middleware", f"{name} is decorated, but {why}")

    def _is_own(self, middleware: Any) -> bool:
        client = middleware.kwargs.get("aj")
        return middleware.cls is DoorwardMiddleware and getattr(client, "runtime", None) is self.runtime
