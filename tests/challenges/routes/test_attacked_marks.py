"""Marks that Django's middleware cannot see, on routes that ``include``, ``exclude`` or an exemption leaves alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from tests.adapters.django_setup import MIDDLEWARE, ensure_django, urlconf
from tests.behaviour.challenged import PAGE
from tests.behaviour.clients.drivers import call_asgi, call_wsgi, environ_of, scope_of

from doorward import Doorward

ensure_django()

from django.core.handlers.asgi import ASGIHandler  # noqa: E402
from django.core.handlers.wsgi import WSGIHandler  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.test import override_settings  # noqa: E402
from django.urls import path  # noqa: E402
from django.utils.decorators import method_decorator  # noqa: E402
from django.views import View  # noqa: E402

import doorward_django as guard  # noqa: E402  (Django has to be configured first)

SECRETS: Any = {"challenges": {"kinds": ["wait"]}, "secret": "a secret that nobody knows, of tests"}
LEFT_ALONE: list[dict[str, Any]] = [{"include": ["/api/*"]}, {"exclude": ["/*"]}, {}]
step_up: Any = guard.challenge("wait")


class Inside(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("in")


@method_decorator(step_up, name="get")
class Named(Inside):
    pass


@method_decorator(step_up, name="dispatch")
class Dispatched(Inside):
    pass


class OnMethod(View):
    @method_decorator(guard.require_human)
    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("in")


class Awaiting(View):
    @method_decorator(step_up)
    async def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("in")


@method_decorator(guard.exempt, name="dispatch")
class Exempt(Named):
    pass


class Limited(View):
    @method_decorator(guard.limit("1/hour"))
    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("in")


def hidden(view: Callable[..., Any]) -> Any:
    """A decorator that keeps nothing of what it wraps."""

    def outer(request: HttpRequest) -> Any:
        return view(request)

    return outer


function = hidden(step_up(lambda request: HttpResponse("in")))


@pytest.mark.parametrize("options", LEFT_ALONE, ids=str)
@pytest.mark.parametrize("awaits", [False, True])
def test_what_insists_holds_where_the_middleware_left_the_route_alone(options: dict[str, Any], awaits: bool) -> None:
    """``include=["/api/*"]`` took the challenge from every view whose mark is on a method."""
    views = {"named": Named, "dispatched": Dispatched, "method": OnMethod, "awaiting": Awaiting, "exempt": Exempt}
    routes = [path(name, view.as_view()) for name, view in views.items()]
    routes += [path("function", function), path("health", Named.as_view()), path("limited", Limited.as_view())]
    settings = {"MIDDLEWARE": [MIDDLEWARE], "ROOT_URLCONF": urlconf(*routes)}
    with override_settings(DOORWARD={"client": Doorward([], **SECRETS), **options}, **settings):
        statuses = {route: status_of(f"/{route}", awaits=awaits) for route in [*views, "function", "health"]}
        assert status_of("/named", "OPTIONS", awaits=awaits) == 200
        # What does not insist is left alone.
        assert [status_of("/limited", awaits=awaits) for _ in range(2)] == ([200, 200] if options else [200, 429])
    assert statuses.pop("exempt") == 200
    assert set(statuses.values()) == {403}


def status_of(target: str, method: str = "GET", *, awaits: bool) -> int:
    if awaits:
        handler: Any = ASGIHandler()
        return asyncio.run(call_asgi(handler, scope_of(target, method=method, headers=PAGE), [])).status
    return call_wsgi(WSGIHandler(), environ_of(target, method=method, headers=PAGE)).status
