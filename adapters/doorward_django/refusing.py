"""What a request is answered that is not let in."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from asgiref.sync import async_to_sync, iscoroutinefunction, sync_to_async
from django.http.response import HttpResponseBase

from doorward.answers import Answer
from doorward.holding import KEPT_FORM, hold_form_now
from doorward.layer import usable
from doorward_django.bodies import hold
from doorward_django.responses import response_of

if TYPE_CHECKING:
    from django.http import HttpRequest

    from doorward import Decision
    from doorward.context import RequestContext
    from doorward.layer import Layer
    from doorward.runtime import Runtime


class Refusing:
    """The part of :class:`doorward_django.protection.Protection` that answers.

    Attributes:
        layer: Of the middleware's options.
        runtime: Of the client.
    """

    layer: Layer
    runtime: Runtime

    def refusal(self, request: HttpRequest, asked: RequestContext, decision: Decision) -> HttpResponseBase:
        """What a denied request is answered with: what ``on_denied`` makes of it, or the built-in answer."""
        on_denied: Any = self.layer.on_denied
        answer = None
        if on_denied is not None:
            try:
                answer = (async_to_sync(on_denied) if iscoroutinefunction(on_denied) else on_denied)(request, decision)
            except Exception as error:
                self.runtime.journal.swallowed("on_denied", error)
        return self._response(request, asked, decision, answer)

    async def arefusal(self, request: HttpRequest, asked: RequestContext, decision: Decision) -> HttpResponseBase:
        """As :meth:`refusal`; an ``on_denied`` that blocks is given a thread, as Django does with sync views."""
        on_denied: Any = self.layer.on_denied
        answer = None
        if on_denied is not None:
            try:
                call = on_denied if iscoroutinefunction(on_denied) else sync_to_async(on_denied)
                answer = await call(request, decision)
            except Exception as error:
                self.runtime.journal.swallowed("on_denied", error)
        return self._response(request, asked, decision, answer)

    def _response(
        self, request: HttpRequest, asked: RequestContext, decision: Decision, answer: object
    ) -> HttpResponseBase:
        head = request.method == "HEAD"
        try:
            chosen = usable(answer, _is_response)
            if chosen is not None:
                return response_of(chosen, head=head) if isinstance(chosen, Answer) else chosen
        except Exception as error:
            self.runtime.journal.swallowed("on_denied", error)
        hold_form_now(self.layer, asked, decision, functools.partial(hold, request, KEPT_FORM))
        return response_of(self.layer.refusal(asked, decision), head=head)


def _is_response(answer: object) -> bool:
    return isinstance(answer, HttpResponseBase)
