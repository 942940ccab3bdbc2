"""Marks on views, and the scopes of their limits."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from doorward import ConfigurationError, sliding_window
from doorward.routes import RouteDecorators
from doorward.rules.limits import Limit


class Other:
    """Something that is no rule."""


def view() -> None:
    """A view."""


def made() -> Callable[[], None]:
    """A view of a factory."""

    def inner() -> None:
        pass

    return inner


def scopes(decorators: RouteDecorators, decorated: Callable[[], None]) -> list[str]:
    """The scopes of the limits on a view."""
    policy = decorators.policy_of(decorated)
    assert policy is not None
    return [rule.scope for rule in policy.rules if isinstance(rule, Limit)]


def test_views_of_one_factory_count_apart() -> None:
    """They have one name, but are not one route."""
    decorators = RouteDecorators()
    first, second = (decorators.limit("1/minute")(made()) for _ in range(2))
    assert scopes(decorators, first) != scopes(decorators, second)


def test_a_guards_limits_count_for_their_route_alone() -> None:
    """The endpoint is the scope, unless the limit names one to share."""
    decorators = RouteDecorators()
    rules = [sliding_window(max=1, interval=1), sliding_window(max=1, interval=1, scope="shared")]
    assert scopes(decorators, decorators.guard(*rules)(made())) == [f"{__name__}.made.<locals>.inner", "shared"]


def test_what_is_said_about_a_wrapper_is_not_said_about_the_view() -> None:
    """functools.wraps hands the view's marks on; they are copied before more is said."""
    decorators = RouteDecorators()
    inner, outer = made(), made()
    decorators.limit("1/minute")(inner)
    outer.__dict__.update(inner.__dict__)
    decorators.exempt(outer)
    said_of_inner, said_of_outer = decorators.policy_of(inner), decorators.policy_of(outer)
    assert said_of_inner is not None
    assert said_of_outer is not None
    assert not said_of_inner.exempt
    assert said_of_outer.exempt
    assert said_of_outer.covers(said_of_inner)


def test_a_guard_takes_rules_only() -> None:
    """Anything else is an error at import."""
    with pytest.raises(ConfigurationError, match="guard"):
        RouteDecorators().guard(Other())  # type: ignore[arg-type]
