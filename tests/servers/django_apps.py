"""The application of ``apps.py`` as a Django site, behind WSGI and behind ASGI."""

from __future__ import annotations

import hashlib
from typing import Any

from tests.adapters.django_setup import ensure_django, urlconf

ensure_django()

from django.conf import settings  # noqa: E402  (Django has to be configured first)
from django.core.handlers.asgi import ASGIHandler  # noqa: E402
from django.core.handlers.wsgi import WSGIHandler  # noqa: E402
from django.http import HttpRequest, HttpResponse, JsonResponse  # noqa: E402
from django.urls import re_path  # noqa: E402
from tests.servers.apps import aj, state, told  # noqa: E402


def answer(request: HttpRequest) -> HttpResponse:
    """Any route but /slow, which is not served here."""
    if request.path_info == "/state":
        return JsonResponse(state())
    if request.path_info.startswith("/hash"):
        return JsonResponse(_hashed(request))
    carrier = getattr(request, "scope", request.META)
    return JsonResponse(told(request.path_info, carrier.get("doorward.decision")))


def _hashed(request: HttpRequest) -> dict[str, Any]:
    digest, length = hashlib.sha256(), 0
    while piece := request.read(65536):
        digest.update(piece)
        length += len(piece)
    return {"sha256": digest.hexdigest(), "length": length, "rss": state()["rss"]}


settings.DOORWARD = {"client": aj}
settings.ROOT_URLCONF = urlconf(re_path(r"^(?s:.*)$", answer))
wsgi = WSGIHandler()
asgi = ASGIHandler()
