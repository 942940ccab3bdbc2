"""What each rule of a decision costs, for whoever looks the decision up."""

from __future__ import annotations

from functools import partial
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any, TypeVar

from doorward.effects import CountHits
from doorward.service.server.asked import Asked

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from doorward.effects import Effect
    from doorward.rules.base import Outcome, Rule, Steps, View

R = TypeVar("R", bound="Rule")
T = TypeVar("T")

_NANOSECONDS_IN_MICROSECOND = 1_000


def timed(rule: R) -> R:
    """The rule, which from now on leaves with each request how long it took, waiting included."""
    object.__setattr__(rule, "evaluate", partial(_evaluate, rule.evaluate, id(rule)))
    return rule


def _evaluate(evaluate: Callable[[View], Outcome | Steps], rule: int, view: View) -> Outcome | Steps:
    began = perf_counter_ns()
    outcome = evaluate(view)
    if hasattr(outcome, "send"):
        return _finished(outcome, rule, view, began)
    _note(view, rule, began)
    return outcome


def _finished(steps: Any, rule: int, view: View, began: int) -> Generator[Effect, Any, Outcome]:
    try:
        outcome: Outcome = yield from steps
    finally:
        _note(view, rule, began)
    return outcome


def _note(view: View, rule: int, began: int) -> None:
    if isinstance(view.request, Asked):
        view.request.took_us[rule] = (perf_counter_ns() - began) // _NANOSECONDS_IN_MICROSECOND


def counting(flow: Generator[Effect, Any, T], request: Asked) -> Generator[Effect, Any, T]:
    """``flow``, which leaves with the request how long the store took to count."""
    try:
        effect = next(flow)
        while True:
            began = perf_counter_ns()
            try:
                answer = yield effect
            except Exception as error:
                effect = flow.throw(error)
            else:
                if type(effect) is CountHits:
                    request.counting_us += (perf_counter_ns() - began) // _NANOSECONDS_IN_MICROSECOND
                effect = flow.send(answer)
    except StopIteration as stop:
        result: T = stop.value
        return result


__all__ = ["counting", "timed"]
