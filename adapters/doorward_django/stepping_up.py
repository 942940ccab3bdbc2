"""What views ask for beyond the decision: more clearance, the answer to who lacks it, the fields of a form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import BadRequest, PermissionDenied

from doorward.levels import DEFAULT_LEVEL, Level
from doorward.progress import NO_INPUTS
from doorward.requests import carrier_of
from doorward.runtime import DECISION
from doorward_django.current import protection
from doorward_django.protection import HANDLED, attach
from doorward_django.reading import reading

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from doorward import Decision, RequestContext
    from doorward.progress import Progress
    from doorward.route_challenges import MaxAge
    from doorward_django.protection import Protection


class Refused(BadRequest):
    """A request was challenged or refused by :func:`require`; the middleware answers it.

    A BadRequest and no PermissionDenied, which Django REST framework answers itself, without a challenge.

    Attributes:
        decision: The decision that refuses.
    """

    def __init__(self, decision: Decision) -> None:
        super().__init__(decision.reason.explain())
        self.decision = decision


class RefusedWithoutMiddleware(PermissionDenied, Refused):
    """The same where no middleware is there to answer it: Django's own page for status 403."""


def require(request: HttpRequest, level: Level | str = DEFAULT_LEVEL, *, max_age: MaxAge = None) -> Decision:
    """:meth:`doorward.Doorward.require` for a request, which the middleware answers if it is not let in.

    Raises:
        Refused: The request is challenged or refused, unless ``enforce=False``.
        ConfigurationError: An argument is wrong.
    """
    current = _of(request)
    if current.runtime.off:
        return current.runtime.switched_off(current.awaiting.engine)
    progress = current.awaiting.stepping_up(request, level, max_age)
    return _passed(request, current, current.decide(request, progress, NO_INPUTS))


async def arequire(request: HttpRequest, level: Level | str = DEFAULT_LEVEL, *, max_age: MaxAge = None) -> Decision:
    """As :func:`require`, in an async view."""
    current = _of(request)
    if current.runtime.off:
        return current.runtime.switched_off(current.awaiting.engine)
    progress = current.awaiting.stepping_up(request, level, max_age)
    return _passed(request, current, await current.adecide(request, progress, NO_INPUTS))


def answer(request: HttpRequest, decision: Decision | None = None) -> HttpResponseBase | None:
    """The response to a request that is not let in: a challenge, or a refusal; else None.

    Args:
        request: The request.
        decision: About it; its current one when it is not given.
    """
    current, found = _of(request), decision or request.META.get(DECISION)
    if found is None or not current.layer.refuses(found):
        return None
    return current.refusal(request, context_of(request), found)


async def aanswer(request: HttpRequest, decision: Decision | None = None) -> HttpResponseBase | None:
    """As :func:`answer`, in an async view."""
    current, found = _of(request), decision or request.META.get(DECISION)
    if found is None or not current.layer.refuses(found):
        return None
    return await current.arefusal(request, context_of(request), found)


def form_fields(request: HttpRequest, name: str = "") -> str:
    """:meth:`doorward.Doorward.form_fields`; in templates ``{% load doorward %}{% doorward_form "sign-up" %}``."""
    return _of(request).awaiting.form_fields(request, name)


def context_of(request: HttpRequest) -> RequestContext:
    """The request as rules saw it, where they did."""
    handled = request.META.get(HANDLED)
    known: Progress | None = handled[1] if handled is not None else None
    return known.request if known is not None else reading()(carrier_of(request), request.path_info)


def _of(request: HttpRequest) -> Protection:
    carrier_of(request)  # which says what is accepted
    handled = request.META.get(HANDLED)
    current: Protection = handled[0] if handled is not None else protection()
    return current


def _passed(request: HttpRequest, current: Protection, decision: Decision) -> Decision:
    attach(request, decision)
    if current.layer.refuses(decision):
        raise Refused(decision) if HANDLED in request.META else RefusedWithoutMiddleware(decision)
    return decision
