"""What the decorators said about endpoints, by client, and whether any middleware is there to obey it."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from doorward.routes import RoutePolicy, marks_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorward.asgi import Scope
    from doorward.runtime import Runtime

_known: WeakKeyDictionary[Runtime, Policies] = WeakKeyDictionary()
# By client and not in the middleware: decorators of a DoorwardStarlette have to reach the middleware of
# Middleware(DoorwardMiddleware, aj=aj), which is given the client alone.


class Policies:
    """The marks of one client.

    Attributes:
        marked: Whether any endpoint was marked, so that routes have to be looked up.
        installed: Whether middleware of this client exists.
        awaits_response: Whether a limit that is charged within the application waits for the response.
    """

    def __init__(self, runtime: Runtime) -> None:
        self.marked = False
        self.installed = False
        self.awaits_response = False
        self._runtime_id = id(runtime)
        self._routed: dict[RoutePolicy, bool] = {}
        self._merged: dict[tuple[int, ...], tuple[list[RoutePolicy], RoutePolicy]] = {}

    def of(self, endpoint: Any, method: str) -> RoutePolicy | None:
        """What was said about an endpoint, and about its method where it is a class."""
        found = [
            policy
            for view in _views(endpoint, method)
            for policy in marks_of(view)
            if id(getattr(policy.owner, "runtime", None)) == self._runtime_id
        ]
        return self._together(found) if len(found) > 1 else found[0] if found else None

    def shows(self, scope: Scope, mark: RoutePolicy) -> bool:
        """Whether middleware could read a mark: it is on the endpoint that is called, or on another route's.

        In the latter case the view runs because another one has called it, whose marks hold.
        """
        if _on(scope.get("endpoint"), scope.get("method", "GET"), mark):
            return True
        if mark not in self._routed:
            self._routed[mark] = any(_on(endpoint, "GET", mark) for endpoint in _endpoints(scope.get("app")))
        return self._routed[mark]

    def _together(self, policies: list[RoutePolicy]) -> RoutePolicy:
        """One policy object for good, since the client keeps its rules by policy."""
        key = tuple(map(id, policies))
        known = self._merged.get(key)
        if known is None:
            merged = RoutePolicy(
                self,
                exempt=any(policy.exempt for policy in policies),
                rules=[rule for policy in policies for rule in policy.rules],
                additive=[rule for policy in policies for rule in policy.additive],
                insists=max(policy.insists for policy in policies),
            )
            known = self._merged.setdefault(key, (policies, merged))
        return known[1]


def policies_of(runtime: Runtime) -> Policies:
    """The marks of a client."""
    found = _known.get(runtime)
    return found if found is not None else _known.setdefault(runtime, Policies(runtime))


def _views(endpoint: Any, method: str) -> Iterator[Any]:
    """The endpoint, what a ``functools.partial`` holds, and the method of a class that answers ``method``."""
    while isinstance(endpoint, functools.partial):
        yield endpoint
        endpoint = endpoint.func
    if endpoint is None:
        return
    yield endpoint
    if inspect.isclass(endpoint):
        name = "get" if method == "HEAD" and not hasattr(endpoint, "head") else method.lower()
        handler = getattr(endpoint, name, None)
        if handler is not None:
            yield handler


def _on(endpoint: Any, method: str, mark: RoutePolicy) -> bool:
    return any([policy.covers(mark) for view in _views(endpoint, method) for policy in marks_of(view)])


def _endpoints(place: Any) -> Iterator[Any]:
    """The endpoints of an application's routes, and of what is mounted there."""
    for route in getattr(place, "routes", None) or ():
        yield getattr(route, "endpoint", None)
        yield from _endpoints(route)
