"""Error pages: on every framework, escaped, negotiated, and with the headers of the error itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.core.exceptions import PermissionDenied
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse, HttpResponseNotAllowed
from django.test import override_settings
from django.urls import re_path
from fastapi import FastAPI
from flask import Flask, abort
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from tests.adapters.django_setup import ensure_django, urlconf
from tests.challenges.pages.sites import Awaited, visitor

from doorward import ConfigurationError, Doorward, challenge, filter_request
from doorward.asgi import DoorwardMiddleware as AsgiMiddleware
from doorward.error_pages import ErrorPages
from doorward.wsgi import DoorwardMiddleware as WsgiMiddleware
from doorward_flask.error_pages import ErrorPages as FlaskErrorPages
from doorward_starlette.error_pages import ErrorPages as StarletteErrorPages

ensure_django()

HTML = {"accept": "text/html"}
XSS = "<b>no</b><script>alert(1)</script>"
OPTIONS: dict[str, Any] = {"errors": {418: {"title": "Teapot <i>"}}, "contact": "mailto:help@site.example"}


def _flask() -> Any:
    app = Flask("errors")
    FlaskErrorPages(app, **OPTIONS)
    app.add_url_rule("/get", view_func=lambda: "fine", methods=["GET"])
    app.add_url_rule("/xss", endpoint="xss", view_func=lambda: abort(403, XSS))
    app.add_url_rule("/teapot", endpoint="teapot", view_func=lambda: abort(418))
    app.add_url_rule("/fails", endpoint="fails", view_func=lambda: 1 / 0)
    app.add_url_rule("/own", endpoint="own", view_func=lambda: ({"own": 1}, 404))
    return app


def _routes() -> list[Route]:
    async def get(_: Any) -> PlainTextResponse:
        return PlainTextResponse("fine")

    async def xss(_: Any) -> None:
        raise HTTPException(403, XSS)

    async def teapot(_: Any) -> None:
        raise HTTPException(418)

    async def fails(_: Any) -> None:
        raise ZeroDivisionError

    async def own(_: Any) -> Any:
        from starlette.responses import JSONResponse

        return JSONResponse({"own": 1}, 404)

    views = {"get": get, "xss": xss, "teapot": teapot, "fails": fails, "own": own}
    return [Route(f"/{name}", view, methods=["GET"]) for name, view in views.items()]


def _starlette() -> Any:
    app = Starlette(routes=_routes())
    StarletteErrorPages(app, **OPTIONS)
    return app


def _fastapi() -> Any:
    app = FastAPI(routes=_routes())
    StarletteErrorPages(app, **OPTIONS)
    return app


def _django_urls() -> Any:
    def get(request: Any) -> HttpResponse:
        return HttpResponse("fine") if request.method in ("GET", "HEAD") else HttpResponseNotAllowed(["GET", "HEAD"])

    def xss(_: Any) -> None:
        raise PermissionDenied(XSS)

    def teapot(_: Any) -> HttpResponse:
        return HttpResponse(status=418)

    def fails(_: Any) -> None:
        raise ZeroDivisionError

    def own(_: Any) -> HttpResponse:
        return HttpResponse('{"own": 1}', content_type="application/json", status=404)

    views = {"get": get, "xss": xss, "teapot": teapot, "fails": fails, "own": own}
    return urlconf(*[re_path(f"^{name}$", view) for name, view in views.items()])


def _wsgi() -> Any:
    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        status = {"/get": 200, "/xss": 403, "/teapot": 418, "/fails": 500, "/own": 404}.get(path, 404)
        status = 405 if path == "/get" and method not in ("GET", "HEAD") else status
        kind = "application/json" if path == "/own" else "text/plain"
        allow = [("Allow", "GET, HEAD")] if status == 405 else []
        start_response(f"{status} Whatever", [("Content-Type", kind), *allow])
        yield b'{"own": 1}' if path == "/own" else b"fine"

    return ErrorPages(**OPTIONS).wsgi(app)


def _asgi() -> Any:
    inner = Starlette(routes=_routes())
    return ErrorPages(**OPTIONS).asgi(inner)


MAKERS = {"flask": _flask, "starlette": _starlette, "fastapi": _fastapi, "wsgi": _wsgi, "asgi": _asgi}


@pytest.fixture(params=[*MAKERS, "django", "django-async"])
def client(request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    """A client of an application with error pages, on each framework."""
    kind = request.param
    middleware = ["doorward_django.error_pages.ErrorPagesMiddleware"]
    with override_settings(MIDDLEWARE=middleware, ROOT_URLCONF=_django_urls(), DOORWARD_ERROR_PAGES=OPTIONS):
        app = {"django": WSGIHandler, "django-async": ASGIHandler}.get(kind, MAKERS.get(kind))()
        blocking = kind in ("flask", "wsgi", "django")
        transport: Any = httpx.WSGITransport(app, raise_app_exceptions=False) if blocking else Awaited(app)
        with httpx.Client(transport=transport, base_url="http://site.example") as found:
            found.kind = kind  # type: ignore[attr-defined]
            yield found


def test_an_error_is_a_page_in_the_readers_language(client: httpx.Client) -> None:
    answer = client.get("/nothing", headers={**HTML, "accept-language": "de"})
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert '<html lang="de"' in answer.text
    assert "<h1>Seite nicht gefunden</h1>" in answer.text
    assert "help@site.example" in answer.text
    assert "'sha256-" in answer.headers["content-security-policy"]
    assert int(answer.headers["content-length"]) == len(answer.content)


def test_a_program_is_told_a_problem(client: httpx.Client) -> None:
    answer = client.get("/nothing", headers={"accept": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.json() == {
        "type": "about:blank", "title": "Page Not Found", "status": 404,
        "detail": "There is nothing at this address.",
    }  # fmt: skip


def test_text_is_text(client: httpx.Client) -> None:
    answer = client.get("/nothing", headers={"accept": "text/plain"})
    assert answer.text == "404 Page Not Found\nThere is nothing at this address.\n"


def test_a_head_is_answered_without_content(client: httpx.Client) -> None:
    assert (client.head("/nothing", headers=HTML).status_code, client.head("/nothing").content) == (404, b"")


def test_headers_of_the_error_are_kept(client: httpx.Client) -> None:
    """Humanify dropped Allow, Retry-After and WWW-Authenticate."""
    answer = client.post("/get", headers=HTML)
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]
    assert "<h1>Method Not Allowed</h1>" in answer.text
    assert "Accept" in answer.headers["vary"]


def test_weakness_29_a_message_is_text(client: httpx.Client) -> None:
    """Humanify's ErrorHandler put descriptions into its pages as HTML."""
    answer = client.get("/xss", headers=HTML)
    assert answer.status_code == 403
    assert "<b>" not in answer.text
    assert "<script" not in answer.text
    if client.kind in ("flask", "starlette", "fastapi"):  # type: ignore[attr-defined]
        assert "&lt;b&gt;no&lt;/b&gt;" in answer.text
    teapot = client.get("/teapot", headers=HTML)
    assert (teapot.status_code, "<h1>Teapot &lt;i&gt;</h1>" in teapot.text) == (418, True)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_failure_is_a_page_that_tells_nothing(client: httpx.Client) -> None:
    answer = client.get("/fails", headers=HTML)
    assert answer.status_code == 500
    assert "Something went wrong on our side" in answer.text
    assert "Zero" not in answer.text


def test_what_flask_says_of_a_failure_is_no_news_for_visitors() -> None:
    """Though a view says it: descriptions of a 500 are written for who looks into it."""
    app = Flask(__name__)
    FlaskErrorPages(app)
    app.add_url_rule("/", view_func=lambda: abort(500, "the password of the database is wrong"))
    answer = app.test_client().get("/", headers={"Accept": "text/plain"})
    assert answer.status_code == 500
    assert b"password" not in answer.data


def test_answers_of_the_application_are_left_alone(client: httpx.Client) -> None:
    own = client.get("/own", headers=HTML)
    assert (own.status_code, own.json()) == (404, {"own": 1})
    assert client.get("/get", headers=HTML).text == "fine"


def test_headers_that_tell_of_the_old_body_go_and_others_stay() -> None:
    lines = [
        ("WWW-Authenticate", "Basic"), ("Retry-After", "9"), ("Content-Length", "3"), ("ETag", "x"), ("Vary", "Origin"),
        ("Content-Encoding", "gzip"), ("Content-Security-Policy", "default-src *"), ("Set-Cookie", "a=1"),
        ("Set-Cookie", "b=2"), ("Cache-Control", "private"),
    ]  # fmt: skip
    answer = ErrorPages().answer(401, ["text/html"], headers=lines)
    names = [name for name, _ in answer.headers]
    assert [name for name in names if name in ("Content-Length", "ETag", "Content-Encoding")] == []
    assert names.count("Set-Cookie") == 2
    assert names.count("Content-Security-Policy") == 1
    found = dict(answer.headers)
    assert (found["WWW-Authenticate"], found["Retry-After"], found["Cache-Control"]) == ("Basic", "9", "private")
    assert found["Vary"] == "Origin, Accept, Accept-Language"
    assert "default-src 'none'" in found["Content-Security-Policy"]


@pytest.mark.parametrize("status", range(400, 600))
def test_every_status_has_a_page(status: int) -> None:
    answer = ErrorPages().answer(status, ["text/html"], ["ja"])
    assert answer.status == status
    assert answer.body.count(b"<h1>") == 1
    assert json.loads(ErrorPages().answer(status).body)["status"] == status


def test_templates_by_status_are_merged_over_the_others(tmp_path: Path) -> None:
    (tmp_path / "404.html").write_text("<title>${title}</title>${head}<h2>${code}: ${message}</h2>${content}")
    (tmp_path / "5xx.html").write_text("five ${head} ${content}")
    pages = ErrorPages(template_dir=tmp_path, errors={404: {"message": "Gone & lost"}})
    assert b"<h2>404: Gone &amp; lost</h2>" in pages.answer(404, ["text/html"]).body
    assert pages.answer(503, ["text/html"]).body.startswith(b"five")
    assert pages.answer(410, ["text/html"]).body.startswith(b"<!doctype html>")


def test_only_some_statuses() -> None:
    pages = ErrorPages(codes=[404])
    assert (pages.covers(404), pages.covers(500)) == (True, False)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"themes": "x"}, "theme"),
        ({"errors": {200: {}}}, "200"),
        ({"errors": {404: {"titel": "x"}}}, "title"),
        ({"errors": {404: {"title": 1}}}, "must be text"),
        ({"errors": {404: "x"}}, "must be a dict"),
        ({"codes": [True]}, "True"),
        ({"accent": "red"}, "error_pages.accent"),
        ({"template_dir": "/nowhere"}, "error_pages.template_dir"),
        ({"logo": Path(__file__)}, "error_pages.logo"),
    ],
    ids=str,
)
def test_mistakes_are_named_at_once(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        ErrorPages(**options)


@pytest.mark.parametrize("awaits", [True, False], ids=["asgi", "wsgi"])
def test_answers_of_a_client_inside_are_left_alone(awaits: bool) -> None:
    """Regression: error pages around a protected application took the place of challenges, which nobody could pass."""
    rules = [challenge("wait", paths=["/x"]), filter_request(deny=['http.request.uri.path == "/no"'])]
    client = Doorward(rules, secret="s" * 40, challenges={"kinds": ["wait"]})

    async def asgi(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 404, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def wsgi(environ: Any, start_response: Any) -> list[bytes]:
        start_response("404 Not Found", [])
        return [b""]

    pages = ErrorPages()
    if awaits:
        site = visitor("asgi", pages.asgi(AsgiMiddleware(asgi, client)))
    else:
        site = visitor("wsgi", pages.wsgi(WsgiMiddleware(wsgi, client)))
    assert 'id="answer"' in site.get("/x").text
    assert "This request was refused." in site.get("/no").text
    assert "checks that its visitors" in site.post("/.doorward/verify", data={"token": "x"}).text
    assert "There is nothing at this address." in site.get("/missing").text
