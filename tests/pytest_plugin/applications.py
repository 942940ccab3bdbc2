"""One application in each framework, and each test client that people send it requests with."""

from __future__ import annotations

import asyncio
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import fastapi
import flask
import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.routing import Route
from tests.adapters.django_setup import MIDDLEWARE, ensure_django, urlconf

from doorward import AsyncDoorward, Decision, Doorward
from doorward_fastapi import DoorwardFastAPI
from doorward_flask import DoorwardFlask
from doorward_starlette import DoorwardStarlette

with warnings.catch_warnings():
    # Starlette would rather have another name for httpx, which is not everywhere yet.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

ensure_django()

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect  # noqa: E402
from django.test import AsyncClient, Client, override_settings  # noqa: E402
from django.urls import path  # noqa: E402

import doorward_django  # noqa: E402  (Django has to be configured first)

TEAPOT = 418


def answered(decision: Decision) -> tuple[str, int]:
    """What a handler makes of a decision: a status of its own where it refuses."""
    return decision.reason.type, 200 if decision.is_allowed() else TEAPOT


class Application(ABC):
    """One application.

    ``/``, ``/again`` (leads to ``/``), ``/exempt``, ``/sign-up?…`` (protects itself), ``/careless?…`` (lets all in).
    """

    name: ClassVar[str]

    def __init__(self, aj: Doorward | AsyncDoorward) -> None:
        self.aj: Any = aj
        self.app: Any = self.build()

    @abstractmethod
    def build(self) -> Any:
        """Make the application, with middleware around the client."""

    @abstractmethod
    def get(self, target: str, *, follow: bool = False) -> Any:
        """The response as the framework's test client gives it."""

    def first_of(self, response: Any) -> Any:
        """The first of the responses that led to this one."""
        return response.history[0]

    def at_once(self, *targets: str) -> list[Any]:
        """Several requests, under way together where the client can do that."""
        return [self.get(target) for target in targets]

    def close(self) -> None:  # noqa: B027  (most hold nothing)
        """Give back what it holds."""


class FlaskApplication(Application):
    name = "flask"

    def build(self) -> Any:
        app = flask.Flask(__name__)
        app.testing = True
        guard = DoorwardFlask(app, self.aj)
        app.add_url_rule("/", "home", lambda: "home")
        app.add_url_rule("/again", "again", lambda: flask.redirect("/"))
        app.add_url_rule("/exempt", "exempt", guard.exempt(lambda: "exempt"))
        app.add_url_rule("/sign-up", "sign-up", lambda: answered(guard.protect(**flask.request.args.to_dict())))
        app.add_url_rule("/careless", "careless", lambda: str(guard.protect(**flask.request.args.to_dict())))
        return app

    def get(self, target: str, *, follow: bool = False) -> Any:
        return self.app.test_client().get(target, follow_redirects=follow, environ_base={"REMOTE_ADDR": "203.0.113.9"})


class StarletteApplication(Application):
    name = "starlette-testclient"

    def build(self) -> Any:
        async def home(request: Request) -> Any:
            return PlainTextResponse("home")

        async def sign_up(request: Request) -> Any:
            return PlainTextResponse(*answered(await self.aj.as_async().protect(request, **request.query_params)))

        async def careless(request: Request) -> Any:
            return PlainTextResponse(str(await self.aj.as_async().protect(request, **request.query_params)))

        guard = DoorwardStarlette(aj=self.aj)
        app = Starlette(
            routes=[
                Route("/", home),
                Route("/again", lambda request: RedirectResponse("/")),
                Route("/exempt", guard.exempt(home.__class__(home.__code__, home.__globals__, "exempt"))),
                Route("/sign-up", sign_up),
                Route("/careless", careless),
            ]
        )
        guard.init_app(app)
        return app

    def get(self, target: str, *, follow: bool = False) -> Any:
        return TestClient(self.app, client=("203.0.113.9", 1)).get(target, follow_redirects=follow)


class FastAPIApplication(Application):
    name = "fastapi-testclient"

    def build(self) -> Any:
        app = fastapi.FastAPI()
        guard = DoorwardFastAPI(app, aj=self.aj)

        @app.get("/")
        def home() -> str:
            return "home"

        @app.get("/again")
        def again() -> Any:
            return RedirectResponse("/")

        @app.get("/exempt")
        @guard.exempt
        def exempt() -> str:
            return "exempt"

        @app.get("/sign-up")
        async def sign_up(request: fastapi.Request) -> Any:
            return PlainTextResponse(*answered(await guard.client.protect(request, **request.query_params)))

        @app.get("/careless")
        def careless(request: fastapi.Request) -> str:
            return str(self.aj.protect(request, **request.query_params))

        return app

    def get(self, target: str, *, follow: bool = False) -> Any:
        return TestClient(self.app, client=("203.0.113.9", 1)).get(target, follow_redirects=follow)


class _Awaiting(Application):
    """Through httpx and its ASGITransport, on one event loop."""

    def __init__(self, aj: Doorward | AsyncDoorward) -> None:
        super().__init__(aj)
        self.runner = asyncio.Runner()

    def client(self) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app, client=("203.0.113.9", 1))
        return httpx.AsyncClient(transport=transport, base_url="http://testserver")

    def get(self, target: str, *, follow: bool = False) -> Any:
        async def got() -> httpx.Response:
            async with self.client() as client:
                return await client.get(target, follow_redirects=follow)

        return self.runner.run(got())

    def at_once(self, *targets: str) -> list[Any]:
        async def got() -> list[httpx.Response]:
            async with self.client() as client:
                return await asyncio.gather(*[client.get(target) for target in targets])

        return self.runner.run(got())

    def close(self) -> None:
        self.runner.close()


class StarletteAwaiting(_Awaiting, StarletteApplication):
    name = "starlette-httpx"


class FastAPIAwaiting(_Awaiting, FastAPIApplication):
    name = "fastapi-httpx"


class DjangoApplication(Application):
    name = "django-client"
    awaits = False

    def build(self) -> Any:
        @doorward_django.exempt
        def exempt(request: HttpRequest) -> HttpResponse:
            return HttpResponse("exempt")

        def decided(request: HttpRequest) -> Decision:
            return doorward_django.protect(request, **request.GET.dict())

        def sign_up(request: HttpRequest) -> HttpResponse:
            reason, status = answered(decided(request))
            return HttpResponse(reason, status=status)

        urls = urlconf(
            path("", lambda request: HttpResponse("home")),
            path("again", lambda request: HttpResponseRedirect("/")),
            path("exempt", exempt),
            path("sign-up", sign_up),
            path("careless", lambda request: HttpResponse(str(decided(request)))),
        )
        self._settings = override_settings(MIDDLEWARE=[MIDDLEWARE], ROOT_URLCONF=urls, DOORWARD={"client": self.aj})
        self._settings.enable()
        self._client = Client(REMOTE_ADDR="203.0.113.9")
        return doorward_django

    def get(self, target: str, *, follow: bool = False) -> Any:
        return self._client.get(target, follow=follow)

    def first_of(self, response: Any) -> Any:
        return None  # Django's clients keep no more of it than where it led

    def close(self) -> None:
        self._settings.disable()


class DjangoAwaiting(DjangoApplication):
    name = "django-async-client"

    def __init__(self, aj: Doorward | AsyncDoorward) -> None:
        super().__init__(aj)
        self.runner = asyncio.Runner()

    def get(self, target: str, *, follow: bool = False) -> Any:
        return self.runner.run(AsyncClient().get(target, follow=follow))

    def at_once(self, *targets: str) -> list[Any]:
        async def got() -> list[Any]:
            return await asyncio.gather(*[AsyncClient().get(target) for target in targets])

        return self.runner.run(got())

    def close(self) -> None:
        self.runner.close()
        super().close()


EVERY: list[Callable[[Any], Application]] = [
    FlaskApplication,
    DjangoApplication,
    DjangoAwaiting,
    StarletteApplication,
    StarletteAwaiting,
    FastAPIApplication,
    FastAPIAwaiting,
]
