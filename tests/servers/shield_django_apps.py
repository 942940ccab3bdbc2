"""The application of ``shield_apps.py`` as a Django site, behind WSGI and behind ASGI."""

from __future__ import annotations

from tests.adapters.django_setup import ensure_django, urlconf

ensure_django()

from django.conf import settings  # noqa: E402  (Django has to be configured first)
from django.core.handlers.asgi import ASGIHandler  # noqa: E402
from django.core.handlers.wsgi import WSGIHandler  # noqa: E402
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse  # noqa: E402
from django.http.response import HttpResponseBase  # noqa: E402
from django.urls import re_path  # noqa: E402
from tests.servers.shield_apps import aj, told  # noqa: E402


def answer(request: HttpRequest) -> HttpResponseBase:
    """Any route."""
    data = told(request.path_info, request.body)
    if request.path_info == "/after-stream":
        return StreamingHttpResponse(iter([data[:10], data[10:]]), content_type="application/json")
    return HttpResponse(data, content_type="application/json")


settings.DOORWARD = {"client": aj}
settings.ROOT_URLCONF = urlconf(re_path(r"^(?s:.*)$", answer))
wsgi = WSGIHandler()
asgi = ASGIHandler()
