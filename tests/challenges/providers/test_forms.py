"""Captchas in forms of applications' own, in each framework: the field in the template, the check in the handler."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from fastapi import FastAPI
from flask import Flask, render_template_string
from flask import request as flask_request
from jinja2 import DictLoader, Environment, select_autoescape
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route
from starlette.templating import Jinja2Templates
from tests.adapters.django_setup import MIDDLEWARE, ensure_django, urlconf
from tests.challenges.providers.speaking import PROTOCOLS, SECRET, SITE_KEY, Speaking, Told

from doorward import AsyncDoorward, Doorward
from doorward.challenges.assets import assets
from doorward.challenges.providers import captcha_field, recaptcha_v3
from doorward.testing import FakeClock
from doorward_fastapi import DoorwardFastAPI
from doorward_flask import DoorwardFlask
from doorward_starlette import DoorwardStarlette

ensure_django()

PAGE = '<form method="post">{{ captcha_field(action="signup", nonce="n0nce") }}<button>Sign up</button></form>'
FORM = {"cf-turnstile-response": "response.1"}

Call = Callable[..., tuple[int, str]]


@pytest.fixture
def server(clock: FakeClock) -> Iterator[Speaking]:
    told = Told(clock.now_ns() // 10**9, action="signup")
    with Speaking("turnstile", told) as running:
        yield running


@pytest.fixture
def options(server: Speaking, clock: FakeClock) -> dict[str, Any]:
    return {
        "secret": "s" * 40,
        "clock": clock,
        "challenges": {"kinds": ["wait", server.protocol.build(server.url)]},
    }


def held(page: str) -> None:
    """The widget as it should be: not escaped, with the nonce, without a script of its own."""
    assert f'<div class="cf-turnstile" data-sitekey="{SITE_KEY}" data-action="signup"></div>' in page
    assert re.findall("<script[^>]*>", page) == [
        '<script src="https://challenges.cloudflare.com/turnstile/v0/api.js" defer nonce="n0nce">'
    ]
    assert SECRET not in page


def flask_app(options: dict[str, Any]) -> Call:
    app = Flask(__name__)
    guard = DoorwardFlask(app, rules=[], **options)

    @app.route("/form", methods=["GET", "POST"])
    def form() -> Any:
        if flask_request.method == "GET":
            return render_template_string(PAGE)
        found = guard.client.verify_captcha(flask_request, flask_request.form, action="signup")
        return ("passed", 200) if found else (found.why, 400)

    def call(method: str, data: Any = None) -> tuple[int, str]:
        answer = app.test_client().open("/form", method=method, data=data, base_url="http://app.example")
        return answer.status_code, answer.text

    return call


def starlette_app(options: dict[str, Any]) -> Call:
    aj = AsyncDoorward([], **options)
    templates = Jinja2Templates(env=Environment(loader=DictLoader({"form.html": PAGE}), autoescape=select_autoescape()))
    templates.env.globals["captcha_field"] = captcha_field(aj)

    async def form(request: Request) -> Any:
        if request.method == "GET":
            return templates.TemplateResponse(request, "form.html")
        found = await aj.verify_captcha(request, dict(parse_qsl((await request.body()).decode())), action="signup")
        return PlainTextResponse("passed" if found else found.why, 200 if found else 400)

    app = Starlette(routes=[Route("/form", form, methods=["GET", "POST"])])
    DoorwardStarlette(aj=aj).init_app(app)
    return called(app)


def fastapi_app(options: dict[str, Any]) -> Call:
    aj = AsyncDoorward([], **options)
    app = FastAPI()
    DoorwardFastAPI(app, aj=aj)

    async def show() -> HTMLResponse:
        return HTMLResponse(captcha_field(aj)(action="signup", nonce="n0nce"))

    async def form(request: Request) -> PlainTextResponse:
        found = await aj.verify_captcha(request, await request.json(), action="signup")
        return PlainTextResponse("passed" if found else found.why, 200 if found else 400)

    app.add_api_route("/form", show, methods=["GET"], response_model=None)
    app.add_api_route("/form", form, methods=["POST"], response_model=None)
    return called(app, json=True)


def called(app: Any, *, json: bool = False) -> Call:
    async def acall(method: str, data: Any) -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://app.example") as client:
            sent = {"json": data or {}} if json and method == "POST" else {"data": data}
            return await client.request(method, "/form", **sent)

    def call(method: str, data: Any = None) -> tuple[int, str]:
        answer = asyncio.run(acall(method, data))
        return answer.status_code, answer.text

    return call


@pytest.mark.parametrize("make", [flask_app, starlette_app, fastapi_app])
def test_a_form_of_their_own(make: Callable[[dict[str, Any]], Call], options: dict[str, Any]) -> None:
    """Shown, sent, verified, and refused the second time, or without a response."""
    call = make(options)
    status, page = call("GET")
    assert status == 200
    held(page)
    assert call("POST", FORM) == (200, "passed")
    assert call("POST", FORM) == (400, "expired")
    assert call("POST", {}) == (400, "missing")


@pytest.mark.parametrize("awaiting", [False, True])
def test_a_form_in_django(server: Speaking, options: dict[str, Any], awaiting: bool) -> None:
    """The tag, and the check in a view that blocks or awaits."""
    server.told.host = "testserver"
    options["challenges"]["kinds"][1] = server.protocol.build(server.url, hostnames=["testserver"])
    from django.http import HttpRequest, HttpResponse
    from django.template import Context, Engine
    from django.test import AsyncClient, Client, override_settings
    from django.urls import path

    from doorward_django import averify_captcha, verify_captcha

    engine = Engine(libraries={"doorward": "doorward_django.templatetags.doorward"})
    template = engine.from_string('{% load doorward %}<form>{% doorward_captcha action="signup" %}</form>')

    def form(request: HttpRequest) -> HttpResponse:
        if request.method == "GET":
            return HttpResponse(template.render(Context({"request": request, "csp_nonce": "n0nce"})))
        found = verify_captcha(request, request.POST, action="signup")
        return HttpResponse("passed" if found else found.why, status=200 if found else 400)

    async def aform(request: HttpRequest) -> HttpResponse:
        if request.method == "GET":
            return form(request)
        found = await averify_captcha(request, request.POST, action="signup")
        return HttpResponse("passed" if found else found.why, status=200 if found else 400)

    urls = urlconf(path("form", aform if awaiting else form))
    with override_settings(ROOT_URLCONF=urls, MIDDLEWARE=[MIDDLEWARE], DOORWARD={"rules": [], **options}):

        def call(method: str, data: Any = None) -> tuple[int, str]:
            client: Any = AsyncClient() if awaiting else Client()
            answer = client.get("/form") if method == "GET" else client.post("/form", data)
            if awaiting:
                answer = asyncio.run(answer)
            return answer.status_code, answer.content.decode()

        held(call("GET")[1])
        assert call("POST", FORM) == (200, "passed")
        assert call("POST", FORM) == (400, "expired")
        assert call("POST", {}) == (400, "missing")


def test_our_script_comes_along_where_a_widget_needs_it() -> None:
    """reCAPTCHA with a score shows nothing: it has to be asked when the form is sent; below the mount, too."""
    aj = Doorward([], challenges={"kinds": ["wait", recaptcha_v3(site_key="k", secret="s")]})
    page = captcha_field(aj)(nonce="n", root_path="/shop")
    first, second = re.findall('src="([^"]+)"', page)
    assert first == f"/shop/.doorward/static/{assets()['captcha.js'].name}"
    assert second == "https://www.google.com/recaptcha/api.js?render=k"
    assert page.count('nonce="n"') == 2


def test_flask_fills_templates_only_where_there_is_a_captcha(clock: FakeClock) -> None:
    """Other applications' templates are left alone."""
    app = Flask(__name__)
    DoorwardFlask(app, rules=[], clock=clock)
    with app.test_request_context():
        assert render_template_string("{{ captcha_field is defined }}") == "False"


def test_captchas_may_stand_beside_the_kinds(server: Speaking, options: dict[str, Any]) -> None:
    """One that is given itself need not be a kind of challenge."""
    from doorward import RequestContext

    aj = Doorward([], secret="s" * 40, clock=options["clock"])
    captcha = PROTOCOLS["turnstile"].build(server.url, action="signup")
    request = RequestContext(host="app.example", peer="203.0.113.9")
    assert aj.verify_captcha(request, "response.1", captcha=captcha)
    assert "cf-turnstile" in captcha_field(aj)(captcha)
