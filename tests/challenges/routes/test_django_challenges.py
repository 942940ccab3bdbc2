"""What is Django's own about challenges: script names, CSRF, slashes, class-based views, tags."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.adapters.django_setup import MIDDLEWARE, ensure_django, urlconf
from tests.behaviour.challenged import PAGE, Visitor, onward_from
from tests.behaviour.clients.base import Reply
from tests.behaviour.clients.drivers import call_asgi, call_wsgi, environ_of, scope_of

from doorward import Doorward, challenge, form_trap
from doorward.testing import FakeClock

ensure_django()

from django.core.handlers.asgi import ASGIHandler  # noqa: E402
from django.core.handlers.wsgi import WSGIHandler  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.template import Context, Engine  # noqa: E402
from django.test import RequestFactory, override_settings  # noqa: E402
from django.urls import path, re_path  # noqa: E402
from django.utils.decorators import method_decorator  # noqa: E402
from django.views import View  # noqa: E402

import doorward_django  # noqa: E402  (Django has to be configured first)

OPTIONS: Any = {"challenges": {"kinds": ["wait"]}, "secret": "a secret that nobody knows, of tests"}


class Site:
    """A Django project as :class:`Visitor` wants it."""

    def __init__(
        self, *patterns: Any, rules: Any = (), awaits: bool = False, middleware: Any = (), **settings: Any
    ) -> None:
        self.clock = FakeClock()
        self.awaits = awaits
        self.client = Doorward(list(rules), clock=self.clock, **OPTIONS)
        self.override = override_settings(
            DOORWARD={"client": self.client},
            MIDDLEWARE=[*middleware, MIDDLEWARE],
            ROOT_URLCONF=urlconf(*patterns),
            **settings,
        )
        self.override.enable()
        self.app: Any = ASGIHandler() if awaits else WSGIHandler()

    def request(self, target: str, *, method: str = "GET", headers: Any = (), body: bytes = b"") -> Reply:
        if self.awaits:
            lines = [*headers, ("Content-Length", str(len(body)))]
            return asyncio.run(call_asgi(self.app, scope_of(target, method=method, headers=lines), [body]))
        return call_wsgi(self.app, environ_of(target, method=method, headers=headers, body=body))


@pytest.fixture
def site() -> Any:
    made: list[Site] = []

    def make(*patterns: Any, **more: Any) -> Any:
        made.append(Site(*patterns, **more))
        return made[-1]

    yield make
    for each in reversed(made):
        each.override.disable()


def index(request: HttpRequest) -> HttpResponse:
    return HttpResponse("in")


@pytest.mark.parametrize("awaits", [False, True])
def test_a_forced_script_name_is_in_front_of_the_endpoints(site: Any, awaits: bool) -> None:
    """FORCE_SCRIPT_NAME: a proxy takes "/shop" off, so what the page posts to has to have it."""
    app = site(path("", index), rules=[challenge("wait")], awaits=awaits, FORCE_SCRIPT_NAME="/shop")
    visitor = Visitor(app)
    page = visitor.go("/")
    assert b'action="/shop/.doorward/verify"' in page.body
    visitor.wait()
    verified = visitor.answer(page)
    assert str(verified.header("location")).startswith("/shop/.doorward/landed")
    landed = visitor.go(str(verified.header("location")).removeprefix("/shop"))
    assert onward_from(landed) == "/shop/"
    assert visitor.go("/").body == b"in"


@pytest.mark.parametrize("awaits", [False, True])
def test_below_the_csrf_and_common_middleware(site: Any, awaits: bool) -> None:
    """The endpoints have a check of their own: no token of Django's is asked for, and no slash is appended."""
    above = ["django.middleware.common.CommonMiddleware", "django.middleware.csrf.CsrfViewMiddleware"]
    app = site(path("", index), path("x/", index), rules=[challenge("wait")], awaits=awaits, middleware=above)
    assert Visitor(app).pass_challenge("/").body == b"in"


def test_debug_and_the_test_client_change_nothing(site: Any) -> None:
    """DEBUG=True, and a catch-all URL: challenged and let in as ever."""
    app = site(re_path(".*", index), rules=[challenge("wait")], DEBUG=True)
    assert Visitor(app).pass_challenge("/any/path?a=1").body == b"in"


def test_class_based_views(site: Any) -> None:
    """On classes, on methods, by method_decorator: the rules of one decorator are made once."""

    @doorward_django.challenge("wait")
    class Whole(View):
        def get(self, request: HttpRequest) -> HttpResponse:
            return HttpResponse("whole")

    class Part(View):
        @method_decorator(doorward_django.challenge)
        def get(self, request: HttpRequest) -> HttpResponse:
            return HttpResponse("part")

        def post(self, request: HttpRequest) -> HttpResponse:
            return HttpResponse("posted")

    @method_decorator(doorward_django.block, name="dispatch")
    class Blocked(View):
        def get(self, request: HttpRequest) -> HttpResponse:
            return HttpResponse("blocked")

    app = site(path("whole", Whole.as_view()), path("part", Part.as_view()), path("blocked", Blocked.as_view()))
    before = len(doorward_django.decorators.decorators._layers)
    for _ in range(5):
        assert app.request("/part", headers=PAGE).status == 403
    assert len(doorward_django.decorators.decorators._layers) <= before + 1
    assert app.request("/part", method="POST", headers=PAGE).body == b"posted"
    assert app.request("/blocked", headers=PAGE).body == b"blocked"
    assert Visitor(app).pass_challenge("/whole").body == b"whole"
    assert Visitor(app).pass_challenge("/part").body == b"part"


def test_protect_is_a_decorator_and_a_function(site: Any) -> None:
    """``@protect`` on a view, ``protect(request)`` within one."""

    @doorward_django.protect
    def health(request: HttpRequest) -> HttpResponse:
        return HttpResponse(str(doorward_django.protect(request).conclusion))

    app = site(path("health", health), path("healthz", index), rules=[challenge("wait")])
    assert app.request("/healthz", headers=PAGE).status == 200
    assert Visitor(app).pass_challenge("/health").body == b"ALLOW"


def test_forms_in_templates_and_views(site: Any) -> None:
    """``{% doorward_form %}`` renders what ``protect(request, form=request.POST)`` checks."""

    def sign_up(request: HttpRequest) -> HttpResponse:
        if request.method == "POST":
            return HttpResponse(str(doorward_django.protect(request, form=request.POST).conclusion))
        engine = Engine(libraries={"doorward": "doorward_django.templatetags.doorward"})
        template = engine.from_string("{% load doorward %}<form>{% doorward_form 'sign-up' %}</form>")
        return HttpResponse(template.render(Context({"request": request})))

    app = site(path("", sign_up), rules=[form_trap()])
    import re
    from urllib.parse import urlencode

    html = app.request("/", headers=PAGE).body.decode()
    fields = dict(re.findall('name="([^"]+)" value="([^"]*)"', html))
    assert len(fields) == 2
    headers = [*PAGE, ("Content-Type", "application/x-www-form-urlencoded")]

    def sent(form: dict[str, str]) -> bytes:
        reply: Reply = app.request("/", method="POST", headers=headers, body=urlencode(form).encode())
        return reply.body

    assert sent(fields) == b"DENY"
    app.clock.advance(5.0)
    assert sent(fields) == b"ALLOW"
    assert sent({name: value or "spam" for name, value in fields.items()}) == b"DENY"


def test_a_bare_request_of_a_unit_test_is_let_in_to_a_decorated_view() -> None:
    """A view that is called with RequestFactory and no setting: it runs."""
    view = doorward_django.skip(index)
    assert view(RequestFactory().get("/")).content == b"in"
