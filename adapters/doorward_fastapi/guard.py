"""The object that applications hold: that of Starlette, and dependencies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Unpack, overload

from starlette.requests import HTTPConnection

from doorward.levels import DEFAULT_LEVEL, Level
from doorward.progress import NO_INPUTS, NOT_GIVEN, Progress
from doorward.requests import from_scope
from doorward.route_challenges import View, step_up
from doorward.routes import name_of
from doorward.rules.limits import LimitOptions, rate_limit
from doorward.runtime import DECISION
from doorward_fastapi.dependencies import with_dependencies
from doorward_fastapi.refusals import Refused, WebSocketRefused
from doorward_starlette import DoorwardStarlette

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from fastapi import FastAPI

    from doorward import AsyncDoorward, Decision, Doorward
    from doorward.asgi import Scope
    from doorward.bound import Bound
    from doorward.challenges.forms import Form
    from doorward.engine import Engine
    from doorward.fingerprint import Scalar
    from doorward.progress import NotGiven
    from doorward.route_challenges import MaxAge
    from doorward.rules.base import Rule
    from doorward.rules.limits import Limit, LimitFor
    from doorward_fastapi.dependencies import Dependency
    from doorward_starlette.guard import GuardOptions


class DoorwardFastAPI(DoorwardStarlette):
    """Protection of a FastAPI application, with ``limit``, ``guard`` and ``exempt`` for its routes, and dependencies.

    Takes what :class:`doorward_starlette.DoorwardStarlette` takes. Dependencies add nothing to the OpenAPI schema, and
    raise :class:`~doorward_fastapi.Refused`, which is answered as the middleware's refusals are.
    """

    refusals: ClassVar[tuple[Any, Any]] = (Refused, WebSocketRefused)

    def __init__(
        self,
        app: FastAPI | None = None,
        aj: Doorward | AsyncDoorward | None = None,
        rules: Sequence[Rule | Sequence[Rule]] | None = None,
        **options: Unpack[GuardOptions],
    ) -> None:
        self._limits: dict[tuple[object, ...], Bound] = {}
        super().__init__(app, aj, rules, **options)

    @overload
    def protect(self, connection: View, /) -> View: ...
    @overload
    def protect(
        self,
        connection: HTTPConnection,
        *,
        email: str | NotGiven | None = ...,
        requested: int | None = ...,
        characteristics: Mapping[str, Scalar] | None = ...,
        form: Form | NotGiven | None = ...,
    ) -> Awaitable[Decision]: ...
    def protect(self, connection: Any, **inputs: Any) -> Any:
        """Decide within a handler, and refuse for it: see :meth:`doorward.AsyncDoorward.protect`.

        As a decorator of an endpoint, :meth:`doorward.routes.RouteDecorators.protect`: all rules hold on its route.

        Raises:
            Refused: The request is refused (``WebSocketRefused`` for a websocket), unless ``enforce=False``.
        """
        return (
            self._protected(connection, **inputs)
            if isinstance(connection, HTTPConnection)
            else super().protect(connection)
        )

    async def _protected(self, connection: HTTPConnection, **inputs: Any) -> Decision:
        exempted = self._exempted(connection.scope)
        return self._passed(connection.scope, exempted or await self.client.protect(connection, **inputs))

    def required(self, level: Level | str = DEFAULT_LEVEL, *, max_age: MaxAge = None) -> Dependency:
        """:meth:`require` as a dependency: ``dependencies=[Depends(guard.required("human", max_age="5m"))]``."""
        step_up(level, max_age, None, {})  # so that a mistake is found now

        async def required(connection: HTTPConnection) -> Decision:
            return await self.require(connection, level, max_age=max_age)

        return with_dependencies(required, {})

    def protected(
        self,
        *,
        email: str | NotGiven | Callable[..., Any] | None = NOT_GIVEN,
        requested: int | Callable[..., Any] | None = None,
        characteristics: Mapping[str, Scalar] | Callable[..., Any] | None = None,
    ) -> Dependency:
        """A dependency that decides with more inputs: ``Annotated[Decision, Depends(guard.protected())]``.

        Args:
            email: The address for e-mail rules, or a dependency that finds it: ``def address(form: SignUp) -> str``.
            requested: Units that the request takes on its limits, or a dependency that says so.
            characteristics: Values of characteristics of your own, or a dependency that finds them.
        """
        inputs: dict[str, Any] = {"email": email, "requested": requested, "characteristics": characteristics}
        found = {name: value for name, value in inputs.items() if callable(value)}
        fixed = {name: value for name, value in inputs.items() if not callable(value)}

        async def protected(connection: HTTPConnection, **values: Any) -> Decision:
            return await self._protected(connection, **{**fixed, **values})

        return with_dependencies(protected, found)

    def limited(
        self, limit: str | LimitFor, *, algorithm: str = "sliding_window", **options: Unpack[LimitOptions]
    ) -> Dependency:
        """A limit as a dependency: ``dependencies=[Depends(guard.limited("5/minute"))]`` on a route or a router.

        It counts beside the application's limits, which were asked before the route was known, and for each endpoint
        by itself unless ``scope`` is given. Use the decorator ``limit`` to take their place.

        Args:
            limit: ``"5/minute"``, several with ``;`` between them, or a callable: see :func:`doorward.rate_limit`.
            algorithm: ``sliding_window``, ``fixed_window`` or ``token_bucket``.
            **options: As of :func:`doorward.fixed_window`.

        Raises:
            ConfigurationError: An argument is wrong.
        """
        if any(rule.count_when is not None for rule in rate_limit(limit, algorithm=algorithm, **options)):
            self._policies.awaits_response = True
        name: LimitOptions = {"name": limit} if isinstance(limit, str) else {}
        of_scope: dict[str, tuple[Engine, tuple[Bound, ...]]] = {}

        async def limited(connection: HTTPConnection) -> Decision:
            where = options.get("scope") or f"depends:{name_of(connection.scope.get('endpoint') or limited)}"
            base, bounds = of_scope.get(where, (None, ()))
            if base is not self.client.engine:  # which a policy file may replace, with another mode
                base = self.client.engine
                scoped: LimitOptions = {**name, **options, "scope": where}
                bounds = self._bound(base, rate_limit(limit, algorithm=algorithm, **scoped))
                of_scope[where] = base, bounds
            return self._passed(connection.scope, await self._asked(connection.scope, bounds))

        return with_dependencies(limited, {})

    def _bound(self, base: Engine, rules: Sequence[Limit]) -> tuple[Bound, ...]:
        """The rules bound to the client; those of equal limits are the same ones, so that none is charged twice."""
        fresh = self.runtime.extended(base, rules, additive=True).bound[len(base.bound) :]
        keys = [
            (bound.rule_id, rule.scope, bound.on_error, tuple(bound.identity.names))
            for bound, rule in zip(fresh, rules, strict=True)
        ]
        bounds = tuple(self._limits.setdefault(key, bound) for key, bound in zip(keys, fresh, strict=True))
        self.runtime.routed += [bound for bound in bounds if bound in fresh]
        return bounds

    async def _asked(self, scope: Scope, bounds: Sequence[Bound]) -> Decision:
        exempted = self._exempted(scope)
        if exempted is not None:
            return exempted
        progress = self._progress(scope)
        known = progress.engine.bound
        more = [bound for bound in bounds if bound not in known]
        if more:
            progress.engine = progress.engine.with_bound((*known, *more))
        return await self.client.decide(progress, NO_INPUTS, deferring=True)

    def _progress(self, scope: Scope) -> Progress:
        engine = self.client.engine
        if DECISION in scope and not self.decided(scope):
            # Excluded by its path: the route's own limit still holds, the rest is not asked.
            return Progress(from_scope(scope), engine.with_bound(()))
        return self.runtime.resume(scope, engine, self.policy_at(scope))

    def _exempted(self, scope: Scope) -> Decision | None:
        if self.runtime.off:
            return self.runtime.switched_off(self.client.engine)
        policy = self.policy_at(scope)
        exempt = policy is not None and policy.exempt
        return self.runtime.exempted(self.client.engine, "the route is exempt") if exempt else None

    def _passed(self, scope: Scope, decision: Decision) -> Decision:
        scope[DECISION] = decision
        if self.layer.refuses(decision):
            raise self.refusals[scope["type"] == "websocket"](decision, self.layer)
        return decision
