"""``protect(request)`` in a handler, without middleware: the shield sees head and body, and the handler keeps both."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import flask
import pytest
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, JsonResponse
from django.test import override_settings
from django.urls import path
from fastapi import FastAPI
from fastapi import Request as FastRequest
from starlette.applications import Starlette
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from tests.adapters.django_setup import urlconf
from tests.behaviour.clients.base import Reply
from tests.behaviour.clients.drivers import call_asgi, call_wsgi, environ_of, scope_of
from tests.unit.shield.marking import Marking, marked
from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_options_header

from doorward import AsyncDoorward, Doorward
from doorward.reason import ShieldReason

FORM = ("Content-Type", "application/x-www-form-urlencoded")
JSON = ("Content-Type", "application/json")
MULTIPART = ("Content-Type", "multipart/form-data; boundary=xyzzy")
TEXT = "weigh(0.4)"
FORM_BODY = urlencode({"name": "Ada", "text": TEXT}).encode()
JSON_BODY = json.dumps({"name": "Ada", "text": TEXT}).encode()
MULTIPART_BODY = (
    b'--xyzzy\r\nContent-Disposition: form-data; name="name"\r\n\r\nAda\r\n'
    b'--xyzzy\r\nContent-Disposition: form-data; name="text"\r\n\r\n' + TEXT.encode() + b"\r\n--xyzzy--\r\n"
)
METHODS = ["GET", "POST"]
Handle = Callable[..., Any]


@dataclass
class Handler:
    """One framework's handler at /: ``before`` is read, ``protect`` called, ``after`` read, and all of it told.

    ``before`` and ``after`` are ways to read a body: ``raw``, ``json``, ``form``, ``stream``; empty for none.
    """

    app: Any
    call: Callable[[Any, Handler, str, tuple[Any, ...], Any, str], Reply]

    def send(self, body: bytes | list[bytes], *lines: tuple[str, str], query: str = "", method: str = "POST") -> Any:
        reply = self.call(self.app, self, f"/?{query}", lines, body, method)
        assert reply.status == 200, reply
        return reply.json()


def told(decision: Any, before: Any, after: Any) -> dict[str, Any]:
    reason = decision.results[0].reason
    assert isinstance(reason, ShieldReason), decision
    found = sorted([f"{finding.place}:{finding.name}" for finding in reason.findings])
    return {"found": found, "weight": reason.weight, "before": shown(before), "after": shown(after)}


def shown(read: Any) -> Any:
    return hashlib.sha256(read).hexdigest() if isinstance(read, bytes) else read


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def asgi(app: Any, handler: Handler, target: str, lines: Any, body: Any, method: str) -> Reply:
    length = [("Content-Length", str(len(body)))] if isinstance(body, bytes) and body else []
    chunked = [] if isinstance(body, bytes) else [("Transfer-Encoding", "chunked")]
    scope = scope_of(target, method=method, headers=[*lines, *length, *chunked])
    return asyncio.run(call_asgi(app, scope, [body] if isinstance(body, bytes) else body))


def wsgi(app: Any, handler: Handler, target: str, lines: Any, body: Any, method: str) -> Reply:
    return call_wsgi(app, environ_of(target, method=method, headers=lines, body=body))


# --- the handlers


def of_flask(rule: Any, before: str, after: str) -> Handler:
    aj = Doorward([rule])

    def read(how: str) -> Any:
        request = flask.request
        if how == "json":
            return request.get_json()
        if how == "form":
            return request.form.to_dict()
        return request.stream.read() if how == "stream" else request.get_data() if how else None

    def view() -> Any:
        first = read(before)
        return told(aj.protect(flask.request), first, read(after))

    app = flask.Flask(__name__, static_folder=None)
    app.add_url_rule("/", view_func=view, methods=METHODS)
    return Handler(app, wsgi)


def django_read(request: HttpRequest, how: str) -> Any:
    if how == "json":
        return json.loads(request.body)
    if how == "form":
        return request.POST.dict()
    return request.read() if how == "stream" else request.body if how else None


def of_django(rule: Any, before: str, after: str) -> Handler:
    aj = Doorward([rule])

    def view(request: HttpRequest) -> JsonResponse:
        first = django_read(request, before)
        return JsonResponse(told(aj.protect(request), first, django_read(request, after)))

    return Handler((WSGIHandler, view), _django(wsgi))


def of_django_async(rule: Any, before: str, after: str) -> Handler:
    aj = AsyncDoorward([rule])

    async def view(request: HttpRequest) -> JsonResponse:
        first = django_read(request, before)
        return JsonResponse(told(await aj.protect(request), first, django_read(request, after)))

    return Handler((ASGIHandler, view), _django(asgi))


def _django(call: Any) -> Any:
    def served(made: Any, *arguments: Any) -> Reply:
        kind, view = made
        with override_settings(MIDDLEWARE=[], ROOT_URLCONF=urlconf(path("", view)), DOORWARD=None):
            reply: Reply = call(kind(), *arguments)
            return reply

    return served


async def starlette_read(request: Request, how: str) -> Any:
    if how == "json":
        return await request.json()
    if how == "form":
        return dict(await parsed(request))
    if how == "stream":
        return b"".join([piece async for piece in request.stream()])
    return await request.body() if how else None


async def parsed(request: Any) -> FormData:
    """What ``request.form()`` does, which takes python-multipart."""
    if request._form is None:
        body = b"".join([piece async for piece in request.stream()])
        kind, options = parse_options_header(request.headers["content-type"])
        _, fields, _ = FormDataParser().parse(io.BytesIO(body), kind, len(body), options)
        request._form = FormData(list(fields.items(multi=True)))
    form: FormData = request._form
    return form


def of_starlette(rule: Any, before: str, after: str) -> Handler:
    aj = AsyncDoorward([rule])

    async def view(request: Request) -> JSONResponse:
        first = await starlette_read(request, before)
        return JSONResponse(told(await aj.protect(request), first, await starlette_read(request, after)))

    return Handler(Starlette(routes=[Route("/", view, methods=METHODS)]), asgi)


def of_fastapi(rule: Any, before: str, after: str) -> Handler:
    aj = AsyncDoorward([rule])
    app = FastAPI(openapi_url=None)

    @app.api_route("/", methods=METHODS)
    async def view(request: FastRequest) -> Any:
        first = await starlette_read(request, before)
        return told(await aj.protect(request), first, await starlette_read(request, after))

    return Handler(app, asgi)


FRAMEWORKS: dict[str, Any] = {
    "flask": of_flask,
    "django": of_django,
    "django-async": of_django_async,
    "starlette": of_starlette,
    "fastapi": of_fastapi,
}


@pytest.fixture(params=FRAMEWORKS)
def handler(request: pytest.FixtureRequest) -> Any:
    """``handler(before="", after="", rule=…)``, in every framework."""

    def make(before: str = "", after: str = "", rule: Any = None) -> Handler:
        made: Handler = FRAMEWORKS[request.param](rule or marked(), before, after)
        return made

    return make


# --- what is seen


def test_the_head_is_seen(handler: Handle) -> None:
    """Query, header and cookie."""
    told = handler().send(b"", ("X-Tenant", TEXT), ("Cookie", f"a=b; last={TEXT}"), query=f"q={TEXT}", method="GET")
    assert told["found"] == ["cookie:last", "header:x-tenant", "query:q"]


@pytest.mark.parametrize(
    ("kind", "body", "place", "after"),
    [
        (FORM, FORM_BODY, "form:text", "form"),
        (JSON, JSON_BODY, "json:text", "json"),
        (MULTIPART, MULTIPART_BODY, "multipart:text", "form"),
    ],
    ids=["form", "json", "multipart"],
)
@pytest.mark.parametrize("how", ["parsed", "raw"])
def test_the_body_is_seen_and_can_be_read_afterwards(
    handler: Handle, kind: tuple[str, str], body: bytes, place: str, after: str, how: str
) -> None:
    """In the framework's usual way, or as bytes."""
    told = handler(after=after if how == "parsed" else "raw").send(body, kind)
    assert told["found"] == [place]
    assert told["after"] == ({"name": "Ada", "text": TEXT} if how == "parsed" else sha256(body))


@pytest.mark.parametrize("before", ["raw", "json"])
def test_a_body_that_was_read_before_is_seen(handler: Handle, before: str) -> None:
    """As bytes or JSON, which frameworks keep."""
    told = handler(before=before, after="raw").send(JSON_BODY, JSON)
    assert (told["found"], told["after"]) == (["json:text"], sha256(JSON_BODY))


@pytest.mark.parametrize(("kind", "body"), [(FORM, FORM_BODY), (MULTIPART, MULTIPART_BODY)], ids=["form", "multipart"])
def test_a_form_that_was_read_before_is_seen(handler: Handle, kind: tuple[str, str], body: bytes) -> None:
    """``protect(request, email=form["email"])``: the fields are looked at, whatever has become of the bytes."""
    told = handler(before="form", after="form").send(body, kind)
    assert [name.partition(":")[2] for name in told["found"]] == ["text"]
    assert told["before"] == told["after"] == {"name": "Ada", "text": TEXT}


def test_a_body_that_is_gone_is_no_error(handler: Handle) -> None:
    """Read as a stream, it is left out; nothing is suspicious about that."""
    told = handler(before="stream").send(JSON_BODY, JSON, query=f"q={TEXT}")
    assert told["found"] in (["query:q"], ["json:text", "query:q"])
    assert told["before"] == sha256(JSON_BODY)


@pytest.mark.parametrize("method", METHODS)
def test_no_body_is_nothing_suspicious(handler: Handle, method: str) -> None:
    """Neither of a GET nor of a POST without a length, as curl and others send it."""
    assert handler(after="raw").send(b"", method=method)["found"] == []


def test_a_chunked_body_is_seen_or_left_alone(handler: Handle) -> None:
    """Many programs send JSON without a length: nothing is suspicious about that, and it can be read as ever."""
    pieces = [JSON_BODY[:20], JSON_BODY[20:]]
    told = handler(after="raw").send(pieces, JSON)
    assert told["found"] in ([], ["json:text"])
    if told["found"]:
        assert told["after"] == sha256(JSON_BODY)


def test_a_compressed_body_can_be_read(handler: Handle) -> None:
    """It is not held."""
    told = handler(after="raw").send(JSON_BODY, JSON, ("Content-Encoding", "gzip"))
    assert told["after"] == sha256(JSON_BODY)
    assert "json:text" not in told["found"]


@pytest.mark.parametrize("after", ["raw", "stream"])
def test_a_body_over_the_limit_can_be_read(handler: Handle, after: str) -> None:
    """A megabyte and a half: the application gets all of it."""
    body = b'{"a": "' + b"x" * 1_500_000 + b'"}'
    told = handler(after=after).send(body, JSON)
    assert told["after"] == sha256(body)


def test_body_false_does_not_touch_it(handler: Handle) -> None:
    """The handler is the first to read."""
    told = handler(after="stream", rule=marked(body=False)).send(JSON_BODY, JSON)
    assert (told["found"], told["after"]) == ([], sha256(JSON_BODY))


def test_a_scope_or_an_environ_alone_has_no_body() -> None:
    """What is given to ``protect`` is all there is: the head is looked at."""
    marking = Marking()
    environ = environ_of(f"/?q={TEXT}", method="POST", headers=[JSON], body=JSON_BODY)
    decision = Doorward([marked(marking)]).protect(environ)
    assert decision.results[0].reason.weight == 0.4  # type: ignore[attr-defined]
    assert environ["wsgi.input"].read() == JSON_BODY
    scope = scope_of(f"/?q={TEXT}", method="POST", headers=[JSON, ("Content-Length", "9")])
    assert asyncio.run(AsyncDoorward([marked(marking)]).protect(scope)).is_allowed()
    assert marking.seen == [TEXT, TEXT]


def test_an_attack_is_refused_in_every_framework(handler: Handle) -> None:
    """The default shield, in a handler."""
    from doorward import shield

    body = json.dumps({"comment": "<script>alert(1)</script>"}).encode()
    told = handler(rule=shield()).send(body, JSON)
    assert (told["weight"], told["found"]) == (1.0, ["json:comment"])
    assert handler(rule=shield()).send(b"", query=f"q={quote('tea & milk')}", method="GET")["weight"] == 0.0
