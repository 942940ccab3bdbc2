"""The routes of the application in Django."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpResponse
from django.urls import path

if TYPE_CHECKING:
    from django.http import HttpRequest


def items(request: HttpRequest) -> HttpResponse:
    """As in the other frameworks."""
    return HttpResponse("ok " + request.GET.get("q", ""), content_type="text/plain")


def article(_: HttpRequest, number: int) -> HttpResponse:
    """A page with a number in its path."""
    return HttpResponse(str(number), content_type="text/plain")


urlpatterns = [path("items", items), path("articles/<int:number>", article)]
