"""Which endpoint a request will reach, found before the application runs, without touching its scope.

The walk is that of ``starlette.routing.Router.app``: the first route that matches wholly, else the first that matches
but for the method. Nothing is cached: routes may be added at any time.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from starlette.endpoints import HTTPEndpoint
from starlette.routing import Host, Match, Mount

if TYPE_CHECKING:
    from collections.abc import Iterable

    from doorward.asgi import Scope

Found = tuple[Match, Any, bool]

_DEEPEST = 64
_NONE, _FULL = Match.NONE, Match.FULL
_NOTHING: Found = (_NONE, None, False)
_NESTING = (Mount, Host)


def endpoint_of(scope: Scope, app: object) -> Any:
    """The endpoint that ``app`` will call for ``scope``; None when it has none.

    Args:
        scope: Of a request or a websocket.
        app: A router, an application, or middleware around one.
    """
    return reached(scope, app)[0]


def reached(scope: Scope, app: object) -> tuple[Any, bool]:
    """As :func:`endpoint_of`, and whether the endpoint will run: not where Starlette answers 405 by itself."""
    router = router_of(app)
    if router is None:
        return scope.get("endpoint"), True
    return _match(router.routes, _entering(router, scope))[1:]


def router_of(app: object) -> Any:
    """The nearest router within ``app``; None when there is none to be seen.

    Middleware has what it wraps at ``app`` by convention; ``Router(middleware=…)`` hands out a bound method.
    """
    for _ in range(_DEEPEST):
        if app is None or hasattr(app, "routes"):
            return app
        app = getattr(app, "__self__", None) or getattr(app, "app", None)
    return None


def _entering(router: object, scope: Scope) -> Scope:
    root = getattr(router, "root_path", "")  # FastAPI(root_path=…) puts its own in place of the server's
    return {**scope, "root_path": root} if root else dict(scope)


def _match(routes: Iterable[Any], scope: Scope) -> Found:
    partial = _NOTHING
    for route in routes:
        # Newer FastAPI includes routers lazily: their routes are made when they are asked for.
        candidates = getattr(route, "effective_candidates", None)
        found = _matched(route, scope) if candidates is None else _match(candidates(), scope)
        if found is _NOTHING:
            continue
        if found[0] is _FULL:
            return found
        if partial is _NOTHING:
            partial = found
    return partial


def _matched(route: Any, scope: Scope) -> Found:
    match, child = route.matches(scope)
    if match is _NONE:
        return _NOTHING
    route = getattr(route, "starlette_route", None) or route
    if isinstance(route, _NESTING):
        return match, *reached({**scope, **child, "endpoint": None}, route.app)
    endpoint = child.get("endpoint")
    return match, endpoint, match is _FULL and _has_method(endpoint, scope.get("method", ""))


def _has_method(endpoint: Any, method: str) -> bool:
    is_class = inspect.isclass(endpoint) and issubclass(endpoint, HTTPEndpoint)
    return not is_class or hasattr(endpoint, method.lower())
