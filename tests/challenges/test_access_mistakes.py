"""Mistakes in rules of one's own are errors that name the field, whatever is given; sums of weights stay finite."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from doorward import (
    Conclusion,
    ConfigurationError,
    Doorward,
    RequestContext,
    challenge,
    deny,
    form_trap,
    honeypot,
    weigh,
)
from doorward.compat.humanify import humanify_filter

HUGE = 10**400
"""An integer that is larger than any float."""


def _nested(depth: int) -> dict[str, Any]:
    tree: dict[str, Any] = {"path": "/x"}
    for number in range(depth):
        tree = {"not": tree} if number % 2 else {"any": [tree]}
    return tree


def _circle() -> dict[str, Any]:
    tree: dict[str, Any] = {}
    tree["all"] = [tree]
    return tree


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: weigh(HUGE, paths=["/"]), "weight"),
        (lambda: weigh(-HUGE, paths=["/"]), "weight"),
        (lambda: weigh(1e308, paths=["/"]), "weight"),
        (lambda: form_trap(min_seconds=HUGE), "min_seconds"),
        (lambda: form_trap(action="weigh", weight=HUGE), "weight"),
        (lambda: honeypot("/x", weight=HUGE), "weight"),
        (lambda: honeypot("/x", weight=1, network_weight=HUGE), "network_weight"),
        (lambda: Doorward([deny(paths=["/x"])], thresholds={"DENY": HUGE}), "thresholds"),
        (lambda: challenge(max_age=0), "max_age"),
        (lambda: challenge(max_age="0s"), "max_age"),
        (lambda: humanify_filter(url_patterns="/x", action=["deny"]), "action"),  # type: ignore[arg-type]
        (lambda: deny(when=_nested(10_000)), "nested deeper"),
        (lambda: deny(when=_circle()), "nested deeper"),
    ],
)
def test_a_mistake_is_an_error_with_its_field(make: Callable[[], object], field: str) -> None:
    """An OverflowError or a TypeError named none; ``max_age=0`` was taken for "any age"."""
    with pytest.raises(ConfigurationError, match=field):
        make()


def test_weights_that_add_up_never_come_to_nothing() -> None:
    """Infinity less infinity is no number, and reaches no threshold."""
    rules = [weigh(sign * 1e9, paths=["/*"], name=f"{sign}{n}") for sign in (1, -1) for n in range(50)]
    aj = Doorward([*rules, weigh(6, paths=["/*"], name="one")], thresholds={"DENY": 5})
    assert aj.protect(RequestContext(path="/x", peer="192.0.2.9")).conclusion is Conclusion.DENY
