"""``limit``, ``guard`` and ``exempt`` for views: functions, coroutine functions, classes and their methods.

A decorated view is a wrapper that carries its marks. ``functools.wraps`` and ``as_view`` copy them outward, so that the
middleware finds them on what the URL leads to. The wrapper itself looks whether its marks were obeyed, and sees to it
where they were out of sight: no middleware, a decorated method, another middleware that changed the URLconf.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeVar, Unpack, cast

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest

from doorward import ConfigurationError
from doorward.routes import Insists, RouteDecorators, RoutePolicy, scoped
from doorward.rules.limits import rate_limit
from doorward_django import enforcing
from doorward_django.marks import EXEMPT, LAYERS, Layer, Mark, bound_method, route_name, route_of, scope_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from doorward.rules.base import Rule
    from doorward.rules.limits import LimitFor, LimitOptions

View = TypeVar("View", bound="Callable[..., Any]")


class DjangoDecorators(RouteDecorators):
    """The decorators; the module has one object of it, as Django has one configuration.

    Attributes:
        used: Whether any view was decorated.
    """

    def __init__(self) -> None:
        self.used = False
        self._layers: dict[tuple[tuple[int, ...], bool], Layer] = {}
        self._policies: dict[tuple[tuple[Mark, ...], str], RoutePolicy] = {}

    def limit(
        self,
        limit: str | LimitFor,
        *,
        algorithm: str = "sliding_window",
        replace: bool = True,
        **options: Unpack[LimitOptions],
    ) -> Callable[[View], View]:
        """As :meth:`doorward.routes.RouteDecorators.limit`; for ``method_decorator`` too."""
        rate_limit(limit, algorithm=algorithm, **options)

        def make(scope: str) -> Iterable[Rule]:
            scoped: LimitOptions = {"scope": scope, **options}
            return rate_limit(limit, algorithm=algorithm, **scoped)

        layer = Layer(make, replace=replace)
        return lambda view: self._decorated(view, layer)

    def guard(self, *rules: Rule, replace: bool = True) -> Callable[[View], View]:
        """As :meth:`doorward.routes.RouteDecorators.guard`; for ``method_decorator`` too."""
        super().guard(*rules, replace=replace)
        layer = Layer(lambda scope: scoped(rules, scope), replace=replace)
        return lambda view: self._decorated(view, layer)

    def exempt(self, view: View) -> View:
        """Ask no rule on this route, whatever else was said about it."""
        return self._decorated(view, EXEMPT)

    def insisting(self, view: Any, rules: Sequence[Rule], *, on_all: bool = False) -> Any:
        """As of :meth:`doorward.routes.RouteDecorators.insisting`; for ``method_decorator`` too."""
        # One layer for each decorator that was made, so that equal views have equal rules.
        return self._decorated(view, self._insistent(tuple(rules), on_all=on_all))

    def _insistent(self, rules: tuple[Rule, ...], *, on_all: bool) -> Layer:
        key = (tuple(map(id, rules)), on_all)
        found = self._layers.get(key)
        if found is None:
            insists = Insists.ALL if on_all else Insists.OWN
            found = self._layers[key] = Layer(lambda scope: scoped(rules, scope), replace=True, insists=insists)
        return found

    def policy_of(self, view: Callable[..., Any] | None) -> RoutePolicy | None:
        """What was said about ``view``, or None."""
        marks: tuple[Mark, ...] = getattr(view, LAYERS, ())
        return self.policy(marks, route_name(view)) if view is not None and marks else None

    def policy(self, marks: tuple[Mark, ...], route: str) -> RoutePolicy:
        """What these marks come to on a route; the same object each time, so that its rules are bound once."""
        found = self._policies.get((marks, route))
        return found if found is not None else self._policies.setdefault((marks, route), self._merged(marks, route))

    def _merged(self, marks: tuple[Mark, ...], route: str) -> RoutePolicy:
        policy = RoutePolicy(self)
        for mark in marks:
            policy.exempt |= mark.layer.exempt
            policy.insists = max(policy.insists, mark.layer.insists)
            (policy.rules if mark.layer.replace else policy.additive).extend(mark.rules(route))
        return policy

    def _decorated(self, view: View, layer: Layer) -> View:
        self.used = True
        if isinstance(view, type):
            _decorate_class(view, layer)
            return cast(View, view)
        return cast(View, wrapped(view, Mark(layer, scope_of(view))))


def _decorate_class(view: Any, layer: Layer) -> None:
    dispatch = getattr(view, "dispatch", None)
    if dispatch is None:
        raise ConfigurationError("view", f"must be a view function or a class with dispatch, not {view!r}")
    view.dispatch = wrapped(dispatch, Mark(layer, scope_of(view)))


def wrapped(view: Callable[..., Any], mark: Mark) -> Callable[..., Any]:
    """``view`` behind a check that ``mark`` was obeyed."""
    method = bound_method(view)
    awaits = iscoroutinefunction(view) or getattr(getattr(method, "__self__", None), "view_is_async", False)

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        request = _request(args, kwargs)
        if request is None:
            return view(*args, **kwargs)
        route = route_of(request, view)
        rules = mark.rules(route)
        if enforcing.obeyed(request, rules, exempting=mark.layer.exempt, insists=bool(mark.layer.insists)):
            return view(*args, **kwargs)
        # An async class's dispatch is a plain function that returns a coroutine.
        is_async = awaits or (bool(args) and getattr(args[0], "view_is_async", False))
        enforce = enforcing.aenforced if is_async else enforcing.enforced
        return enforce(request, decorators.policy(marks, route), rules, lambda _: view(*args, **kwargs))

    async def awaiting(*args: Any, **kwargs: Any) -> Any:
        return await wrapper(*args, **kwargs)

    outer = functools.update_wrapper(awaiting if iscoroutinefunction(view) else wrapper, view)
    # A new tuple, not an extended list: the view inside may be routed too, and it keeps its own marks.
    marks = (*getattr(view, LAYERS, ()), mark)
    setattr(outer, LAYERS, marks)
    return outer


def _request(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The request among a view's or a method's arguments."""
    for candidate in (*args[:2], kwargs.get("request")):
        # Django REST framework wraps Django's request.
        if isinstance(candidate, HttpRequest) or isinstance(getattr(candidate, "_request", None), HttpRequest):
            return candidate
    return None


decorators = DjangoDecorators()
limit = decorators.limit
guard = decorators.guard
exempt = decorators.exempt
skip = decorators.skip
challenge = decorators.challenge
always_challenge = decorators.always_challenge
require_human = decorators.require_human
block = decorators.block
block_bots = decorators.block_bots
