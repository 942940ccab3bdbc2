"""The application in Django, once with blocking views behind WSGI, once with awaiting ones behind ASGI."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.adapters.django_setup import MIDDLEWARE, ensure_django, urlconf

ensure_django()

from django.core.handlers.asgi import ASGIHandler  # noqa: E402
from django.core.handlers.wsgi import WSGIHandler  # noqa: E402
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse  # noqa: E402
from django.test import override_settings  # noqa: E402
from django.urls import path, re_path  # noqa: E402
from tests.behaviour.clients import views  # noqa: E402
from tests.behaviour.clients.base import AppUnderTest  # noqa: E402
from tests.behaviour.clients.drivers import AsgiDriver, WsgiDriver  # noqa: E402

import doorward_django  # noqa: E402  (Django has to be configured first)

Views = dict[str, Callable[..., Any]]


class _Django(AppUnderTest):
    """``settings.DOORWARD``, the middleware and the decorators."""

    override: Any = None

    def build(self) -> Any:
        setting = {"client": self.aj, **self.layer_options()}
        own = {"DOORWARD": setting if self.setup.protected else None}
        middleware = [MIDDLEWARE] if self.setup.protected else []
        urls = urlconf(*self._routes())
        self.override = override_settings(
            MIDDLEWARE=middleware, ROOT_URLCONF=urls, DATA_UPLOAD_MAX_MEMORY_SIZE=None, **own
        )
        self.override.enable()
        return ASGIHandler() if self.awaits else WSGIHandler()

    def _routes(self) -> list[Any]:
        mark = self.marks(doorward_django)
        plain = self.plain_views()
        marked = [path(p[1:], mark.get(p, lambda view: view)(self.echoing(p))) for p in views.ECHOING]
        more = [path(p[1:], view) for p, view in plain.items()]
        return [*marked, *more, re_path(r"^anything/.*$", self.echoing("anything"))]

    def plain_views(self) -> Views:
        raise NotImplementedError

    def echoing(self, name: str) -> Any:
        raise NotImplementedError

    def own_answer(self, status: int, text: str) -> Any:
        return HttpResponse(text, status=status)

    def close(self) -> None:
        if self.override is not None:
            self.override.disable()
        super().close()


def echo(request: HttpRequest) -> HttpResponse:
    return JsonResponse(views.echo(request.method or "", request.path_info, request.body))


def own_headers() -> HttpResponse:
    response = HttpResponse("own", headers={"RateLimit": "the app's own", "X-App": "yes"})
    response.set_cookie("a", "1", path=None)
    response.set_cookie("b", "2", path=None)
    return response


class DjangoSync(_Django, WsgiDriver):
    name = "django"
    chunked = False

    def plain_views(self) -> Views:
        return {
            "/stream": lambda request: StreamingHttpResponse(iter(views.CHUNKS)),
            "/boom": lambda request: views.boom(),
            "/login": lambda request: HttpResponse("login", status=views.status_of(request.META["QUERY_STRING"])),
            "/own-headers": lambda request: own_headers(),
            "/handler": self._handler,
            "/refund": _refund,
            "/step-up": _step_up,
        }

    def echoing(self, name: str) -> Any:
        def view(request: HttpRequest) -> HttpResponse:
            return echo(request)

        view.__qualname__ = name
        return view

    def _handler(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(
            views.told(self.aj.protect(request, **views.protect_arguments(request.META["QUERY_STRING"])))
        )


def _refund(request: HttpRequest) -> HttpResponse:
    request.META["doorward.decision"].refund()
    return HttpResponse("refunded")


def _step_up(request: HttpRequest) -> HttpResponse:
    doorward_django.require(request, **views.step_up_arguments(request.META["QUERY_STRING"]))
    return HttpResponse("stepped up")


async def _step_up_async(request: HttpRequest) -> HttpResponse:
    await doorward_django.arequire(request, **views.step_up_arguments(request.META["QUERY_STRING"]))
    return HttpResponse("stepped up")


class DjangoAsync(_Django, AsgiDriver):
    name = "django-async"

    def plain_views(self) -> Views:
        async def stream(request: HttpRequest) -> StreamingHttpResponse:
            return StreamingHttpResponse(_chunks())

        async def boom(request: HttpRequest) -> None:
            views.boom()

        async def login(request: HttpRequest) -> HttpResponse:
            return HttpResponse("login", status=views.status_of(request.META["QUERY_STRING"]))

        async def own(request: HttpRequest) -> HttpResponse:
            return own_headers()

        async def refund(request: Any) -> HttpResponse:
            await request.scope["doorward.decision"].refund()
            return HttpResponse("refunded")

        more = {"/stream": stream, "/boom": boom, "/login": login, "/own-headers": own, "/refund": refund}
        return {**more, "/handler": self._handler, "/step-up": _step_up_async}

    def echoing(self, name: str) -> Any:
        async def view(request: HttpRequest) -> HttpResponse:
            return echo(request)

        view.__qualname__ = name
        return view

    async def _handler(self, request: HttpRequest) -> HttpResponse:
        given = views.protect_arguments(request.META["QUERY_STRING"])
        return HttpResponse(views.told(await self.aj.protect(request, **given)))


async def _chunks() -> Any:
    for chunk in views.CHUNKS:
        yield chunk
