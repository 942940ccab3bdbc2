"""What decorators leave on views, and under which name a view's counters are kept."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, NamedTuple

from django.views import View

from doorward.routes import Insists, name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from django.http import HttpRequest

    from doorward.rules.base import Rule

LAYERS = "__doorward_layers__"


class Layer:
    """What one decorator asks for.

    Args:
        make: The rules, given the view's name for the scope of its counters.
        replace: Whether limits among them take the place of the application's.
        exempt: Ask no rule.
        insists: What is in force although the application leaves the route alone.
    """

    __slots__ = ("_made", "_make", "exempt", "insists", "replace")

    def __init__(
        self,
        make: Callable[[str], Iterable[Rule]],
        *,
        replace: bool,
        exempt: bool = False,
        insists: Insists = Insists.NOTHING,
    ) -> None:
        self._make = make
        self._made: dict[str, tuple[Rule, ...]] = {}
        self.replace = replace
        self.exempt = exempt
        self.insists = insists

    def rules(self, scope: str) -> tuple[Rule, ...]:
        """The rules of one view; the same objects each time, by which they are known to have run."""
        made = self._made.get(scope)
        return made if made is not None else self._made.setdefault(scope, tuple(self._make(scope)))


class Mark(NamedTuple):
    """A layer on one view.

    Attributes:
        layer: What was asked for.
        scope: The view's name; where only the route will tell, what to add to the route's: "", or ".post".
    """

    layer: Layer
    scope: str

    def rules(self, route: str) -> tuple[Rule, ...]:
        """The rules for requests that came by this route."""
        return self.layer.rules(self.scope if self.scope[:1] not in ("", ".") else route + self.scope)


EXEMPT = Layer(lambda _: (), replace=True, exempt=True)


def scope_of(view: Any) -> str:
    """As :class:`Mark` has it.

    ``method_decorator`` decorates a dummy, whose marks go to the class, and for each request a bound method. Neither
    knows the class that is routed, and all dummies have the same name.
    """
    if getattr(view, "__qualname__", "") == "_update_method_wrapper.<locals>.dummy":
        return ""
    if bound_method(view) is None:
        return route_name(view)
    name = getattr(view, "__name__", "dispatch")
    return "" if name == "dispatch" else f".{name}"


def bound_method(view: Any) -> Any:
    """The method that ``method_decorator`` has bound for this request, below other decorators; None as a rule."""
    while view is not None:
        if isinstance(view, functools.partial):
            return view.func
        view = getattr(view, "__wrapped__", None)
    return None


def route_of(request: HttpRequest, view: Callable[..., Any]) -> str:
    """The name of the view that the URL led to."""
    match = request.resolver_match
    return route_name(match.func if match is not None else view)


def route_name(view: Callable[..., Any]) -> str:
    """The name of a view; the class's, where it is one's ``as_view()``."""
    return name_of(getattr(view, "view_class", None) or getattr(view, "cls", None) or view)


def only_lists_methods(view: Any) -> bool:
    """Whether OPTIONS is answered by Django's own method of view classes, for which nothing of the view's runs."""
    return getattr(getattr(view, "view_class", None), "options", None) is View.options


def is_preflight(request: HttpRequest) -> bool:
    """Whether that is what will answer a request."""
    match = request.resolver_match
    return request.method == "OPTIONS" and match is not None and only_lists_methods(match.func)
