"""Makes sure that what decorators say is obeyed where the middleware could not read it."""

from __future__ import annotations

import inspect
import logging
from typing import TYPE_CHECKING, Any

from asgiref.sync import async_to_sync

from doorward import ConfigurationError, UnsupportedRequest
from doorward.bound import ROUTE
from doorward.decision import NOTHING
from doorward.requests import carrier_of
from doorward_django.current import protection
from doorward_django.marks import is_preflight
from doorward_django.protection import HANDLED, LEFT_ALONE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from doorward.bound import Bound
    from doorward.progress import Progress
    from doorward.routes import RoutePolicy
    from doorward.rules.base import Rule
    from doorward_django.protection import Protection

_NO_MIDDLEWARE = "DoorwardMiddleware is not in MIDDLEWARE: only views that are decorated are protected"
_MOST_BOUND = 1024
_complaints: set[str] = set()


def obeyed(request: HttpRequest, rules: tuple[Rule, ...], *, exempting: bool, insists: bool = False) -> bool:
    """Whether there is nothing left to do: the rules are in force for the request, or it is exempt.

    Where the middleware left the request alone without having seen the mark, rules that insist are still to be asked.
    """
    handled = request.META.get(HANDLED)
    if handled is None:
        return not _is_real(request)
    progress: Progress | None = handled[1]
    if progress is None:
        return not (insists and request.META.get(LEFT_ALONE)) or is_preflight(request)
    return not exempting and not _missing(progress, rules)


def enforced(
    request: HttpRequest,
    policy: RoutePolicy,
    rules: tuple[Rule, ...],
    respond: Callable[[HttpRequest], HttpResponseBase],
) -> HttpResponseBase:
    """Do now what the middleware has not done, and go on to the view if the request may."""
    current, progress = _state(request)
    if current is None:
        return respond(request)
    if progress is None:
        return current.handle(request, lambda _: policy, respond)
    if policy.exempt:
        owed = _released(request, current, progress)
        if inspect.iscoroutine(owed):
            async_to_sync(_awaited)(owed)
        return respond(request)
    _extend(current, progress, rules, policy)
    decision = current.decide(request, progress)
    return current.refusal(request, progress.request, decision) if current.layer.refuses(decision) else respond(request)


async def aenforced(
    request: HttpRequest, policy: RoutePolicy, rules: tuple[Rule, ...], respond: Callable[[HttpRequest], Any]
) -> HttpResponseBase:
    """As :func:`enforced`, awaiting."""
    current, progress = _state(request)
    response: HttpResponseBase
    if current is None:
        response = await respond(request)
    elif progress is None:
        response = await current.ahandle(request, lambda _: policy, respond)
    elif policy.exempt:
        await _released(request, current, progress)
        response = await respond(request)
    else:
        _extend(current, progress, rules, policy)
        decision = await current.adecide(request, progress)
        refused = current.layer.refuses(decision)
        response = await (current.arefusal(request, progress.request, decision) if refused else respond(request))
    return response


def _state(request: HttpRequest) -> tuple[Protection | None, Progress | None]:
    handled: tuple[Protection, Progress | None] | None = request.META.get(HANDLED)
    if handled is not None:
        return handled
    try:
        current = protection()
    except ConfigurationError as error:
        # `manage.py check` refuses to start with this; the view must run all the same.
        _complain(f"no decorator is obeyed: {error}")
        return None, None
    _complain(_NO_MIDDLEWARE)
    return current, None


def _is_real(request: HttpRequest) -> bool:
    """Whether it came from a server or a factory: a bare HttpRequest of somebody's unit test did not."""
    try:
        carrier_of(request)
    except UnsupportedRequest:
        return False
    return True


def _complain(message: str) -> None:
    if message not in _complaints:
        _complaints.add(message)
        logging.getLogger("doorward").warning("doorward_django: %s", message)


def _released(request: HttpRequest, current: Protection, progress: Progress) -> Awaitable[None]:
    """Take a request out of the rules; its charges are to be given back."""
    request.META[HANDLED] = (current, None)
    decision = progress.decision
    owed: Awaitable[None] = decision.refund() if decision is not None else NOTHING
    return owed


async def _awaited(owed: Awaitable[None]) -> None:
    await owed


def _missing(progress: Progress, rules: tuple[Rule, ...]) -> list[Rule]:
    present = {id(bound.rule) for bound in progress.engine.bound}
    return [rule for rule in rules if id(rule) not in present]


def _extend(current: Protection, progress: Progress, rules: tuple[Rule, ...], policy: RoutePolicy) -> None:
    missing = {id(rule) for rule in _missing(progress, rules)}
    additive = any(rule is rules[0] for rule in policy.additive)
    more = [bound for bound in _bound(current, rules, additive=additive) if id(bound.rule) in missing]
    progress.engine = progress.engine.with_bound((*progress.engine.bound, *more))


def _bound(current: Protection, rules: tuple[Rule, ...], *, additive: bool) -> tuple[Bound, ...]:
    """The rules of one decorator, bound once: results and counters are kept by these."""
    found = current.late.get(id(rules))
    own = current.awaiting.engine
    if found is not None and found[2] is own:  # which a policy file may replace, with another mode
        return found[1]
    bound = current.runtime.extended(own, rules, tier=ROUTE, additive=additive).bound[len(own.bound) :]
    if len(current.late) >= _MOST_BOUND:
        # Only decorators that are applied anew for each request get here.
        current.late.clear()
    current.late[id(rules)] = (rules, bound, own)
    known = [(each.rule, each.prefix) for each in current.runtime.routed]
    current.runtime.routed += [each for each in bound if (each.rule, each.prefix) not in known]
    return bound
