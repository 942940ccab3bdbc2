"""The endpoints of challenges, which no view sees."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from doorward.challenges.serving import aserve, serve
from doorward.layer import body_limit
from doorward.requests import carrier_of
from doorward_django.bodies import ahold, hold
from doorward_django.reading import reading
from doorward_django.responses import response_of

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from doorward.runtime import Runtime


def answer(runtime: Runtime, request: HttpRequest) -> HttpResponse:
    """The answer to a request for an endpoint."""
    asked = reading()(carrier_of(request), request.path_info)
    given = serve(runtime, asked, functools.partial(hold, request, body_limit(asked, None)))
    return response_of(given, head=request.method == "HEAD")


async def aanswer(runtime: Runtime, request: HttpRequest) -> HttpResponse:
    """As :func:`answer`, awaiting."""
    asked = reading()(carrier_of(request), request.path_info)
    given = await aserve(runtime, asked, functools.partial(ahold, request, body_limit(asked, None)))
    return response_of(given, head=request.method == "HEAD")
