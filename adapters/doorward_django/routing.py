"""What the view of a request says about itself, found before any middleware below has run.

``process_view`` would be told the view for free, but only after the middleware below, and never for a 404. So the URL
is resolved here, a second time beside Django's own, and only once some view has been decorated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import Resolver404, get_resolver

from doorward_django.decorators import decorators
from doorward_django.marks import only_lists_methods

if TYPE_CHECKING:
    from django.http import HttpRequest

    from doorward.routes import RoutePolicy


def policy_for(request: HttpRequest) -> RoutePolicy | None:
    """What was said about the view that the URL leads to; None for nothing, and for a 404."""
    resolver = get_resolver(getattr(request, "urlconf", None))
    # Reading the patterns imports the URLconf, and with it the decorated views: else the first request finds no marks.
    if not resolver.url_patterns or not decorators.used:
        return None
    try:
        view = resolver.resolve(request.path_info).func
    except Resolver404:
        return None
    return None if request.method == "OPTIONS" and only_lists_methods(view) else decorators.policy_of(view)
