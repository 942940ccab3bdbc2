"""What was said about a route: by marks on its view, its view class, and the blueprints that it is in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from flask import current_app

from doorward.compat import ENDPOINT
from doorward.patterns import METHODS
from doorward.progress import NO_INPUTS, Inputs
from doorward.routes import RoutePolicy, merged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Request
    from werkzeug.routing import Rule

    from doorward.engine import Engine
    from doorward.routes import RouteDecorators


def endpoint_of(asked: Request, engine: Engine) -> Inputs:
    """What middleware tells rules beside the request: its endpoint, empty for none, where one asks for it."""
    return Inputs({}, {ENDPOINT: asked.endpoint or ""}) if ENDPOINT in engine.wants else NO_INPUTS


class Route(NamedTuple):
    """What was said about a route: by which marks, and what they come to together."""

    marks: tuple[RoutePolicy, ...] = ()
    policy: RoutePolicy | None = None


class Routes:
    """The routes of one application, each read when it is first asked for.

    Args:
        guard: Whose marks count.
        exempts_static: Leave Flask's own views of static files alone, whatever their path.
    """

    def __init__(self, guard: RouteDecorators, *, exempts_static: bool) -> None:
        self._guard = guard
        self._exempts_static = exempts_static
        self._read: dict[tuple[str, str], Route] = {}
        self._has: dict[RoutePolicy, bool] = {}

    def of(self, request: Request) -> Route:
        """A request's route; an empty one where no route is for it (404, 405), or Flask answers without the view."""
        rule = request.url_rule
        if rule is None or _is_preflight(rule, request.method):
            return Route()
        # A route of Werkzeug's own may take any method: of those that nobody has heard of there is no end.
        key = (rule.endpoint, request.method if rule.methods or request.method in METHODS else "")
        # setdefault, because clients keep the rules of a policy by its identity: there must be one policy a route.
        return self._read.get(key) or self._read.setdefault(key, self._route(rule, key[1]))

    def has(self, mark: RoutePolicy) -> bool:
        """Whether it is a route's mark: then its view runs because another view has called it."""
        if mark not in self._has:
            views = current_app.view_functions.items()
            keys = ((name, method) for name, view in views for method in getattr(view, "methods", None) or ("GET",))
            self._has[mark] = any(found.covers(mark) for key in keys for found in self._marks(*key))
        return self._has[mark]

    def _route(self, rule: Rule, method: str) -> Route:
        if self._exempts_static and _serves_static_files(rule):
            return Route((), RoutePolicy(self._guard, exempt=True))
        marks = tuple(self._marks(rule.endpoint, method))
        return Route(marks, merged(marks))

    def _marks(self, endpoint: str, method: str) -> Iterator[RoutePolicy]:
        """Marks from the inside out: the method of a view class, the view, its class, its blueprints."""
        view: Any = current_app.view_functions.get(endpoint)
        kind = getattr(view, "view_class", None)
        handler = getattr(kind, method.lower(), None) or (getattr(kind, "get", None) if method == "HEAD" else None)
        for place in (handler, getattr(kind, "dispatch_request", None), view, kind, *_blueprints(endpoint)):
            mark = self._guard.policy_of(place)
            if mark is not None:
                yield mark


def _blueprints(endpoint: str) -> Iterator[Any]:
    """The blueprints that an endpoint is in, the innermost first."""
    while "." in endpoint:
        endpoint = endpoint.rpartition(".")[0]
        yield current_app.blueprints.get(endpoint)


def _is_preflight(rule: Rule, method: str) -> bool:
    """Whether it is an OPTIONS that Flask answers itself: no view runs."""
    return method == "OPTIONS" and bool(getattr(rule, "provide_automatic_options", False))


def _serves_static_files(rule: Rule) -> bool:
    """Whether it is Flask's own view of static files, under a prefix: without one it answers every unknown path."""
    blueprint, _, name = rule.endpoint.rpartition(".")
    owner = current_app.blueprints.get(blueprint) if blueprint else current_app
    return name == "static" and owner is not None and owner.has_static_folder and rule.rule != "/<path:filename>"
