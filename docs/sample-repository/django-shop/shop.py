"""The shop, in Django, in one file."""

from __future__ import annotations

import secrets
from pathlib import Path

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1", "localhost", "testserver"],
    INSTALLED_APPS=["doorward_django"],
    MIDDLEWARE=["doorward_django.middleware.DoorwardMiddleware"],
    ROOT_URLCONF=__name__,
    SECRET_KEY=secrets.token_hex(),
    DOORWARD={"policy": Path(__file__).parents[1] / "policy.toml"},
)
app = get_wsgi_application()


def home(request: HttpRequest) -> HttpResponse:
    """The first page."""
    return HttpResponse("<h1>The shop</h1>")


def show_item(request: HttpRequest, item: int) -> HttpResponse:
    """One item."""
    return HttpResponse(f"<h1>Item {item}</h1>")


def sign_up(request: HttpRequest) -> HttpResponse:
    """Sign up."""
    return HttpResponse(f"Welcome, {len(request.POST.get('email', ''))} letters", status=201)


urlpatterns = [path("", home), path("items/<int:item>", show_item), path("signup", sign_up)]
