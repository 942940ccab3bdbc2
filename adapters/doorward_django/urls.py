"""The endpoints of challenges as URLs, for who decides in views without the middleware.

::

    urlpatterns = [path("", include("doorward_django.urls")), …]

They are at the ``prefix`` of the option ``challenges``, which is read when the URLs are: at the root, not below a path.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from asgiref.sync import async_to_sync
from django.http import Http404
from django.urls import re_path
from django.views.decorators.csrf import csrf_exempt

from doorward_django.current import protection
from doorward_django.endpoints import aanswer, answer

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@csrf_exempt
def endpoint(request: HttpRequest) -> HttpResponse:
    """Answer a request for an endpoint; it has a check of its own in the place of Django's against forged requests.

    Raises:
        Http404: Everything is switched off.
    """
    current = protection()
    if current.runtime.off:
        raise Http404
    if current.blocking is None:  # the store has to be awaited
        return async_to_sync(aanswer)(current.runtime, request)
    return answer(current.runtime, request)


def __getattr__(name: str) -> Any:
    # Not at import: Django asks for it when its settings are there.
    if name != "urlpatterns":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return [re_path(f"^{re.escape(protection().runtime.settings.challenges.prefix[1:])}/", endpoint)]
