"""Rules that read the body: they see what the view will see, and the view sees it as if nobody had looked."""

from __future__ import annotations

import asyncio
import hashlib
import io
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.test import RequestFactory
from django.urls import path
from tests.adapters.django.conftest import MakeSite
from tests.adapters.django_setup import MIDDLEWARE, urlconf

from doorward import Conclusion, Doorward, RuleReason
from doorward.rules.base import Outcome, Phase, Rule
from doorward_django import protect
from doorward_django.bodies import hold

LIMIT = 1000


@dataclass(frozen=True, kw_only=True)
class Scan(Rule):
    """Denies bodies that hold an attack; remembers what it was shown."""

    kind: ClassVar[str] = "RULE"
    phase: ClassVar[Phase] = Phase.LOCAL
    needs_body: ClassVar[bool] = True
    shown: ClassVar[list[tuple[bytes | None, bool]]] = []

    def evaluate(self, view: Any) -> Outcome:
        self.shown.append((view.request.body, view.request.body_complete))
        found = b"attack" in (view.request.body or b"")
        return Outcome(Conclusion.DENY if found else Conclusion.ALLOW, RuleReason("scan", "looked"))


@pytest.fixture(autouse=True)
def _nothing_shown() -> None:
    Scan.shown.clear()


def read_body(request: Any) -> bytes:
    return request.body


def read_in_pieces(request: Any) -> bytes:
    return b"".join(iter(lambda: request.read(7), b""))


def read_at_once(request: Any) -> bytes:
    return request.read()


def read_lines(request: Any) -> bytes:
    return b"".join(request)


READERS = [read_body, read_in_pieces, read_at_once, read_lines]
SIZES = [0, 1, LIMIT - 1, LIMIT, LIMIT + 1, 200_000]


def content(size: int) -> bytes:
    return (b"line of text %\xff\n" * (size // 15 + 1))[:size]


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("size", SIZES)
def test_the_view_reads_identical_bytes(make_site: MakeSite, reader: Any, size: int) -> None:
    """However a view reads, it gets the bytes that were sent, over and under the limit."""

    def view(request: Any) -> HttpResponse:
        return HttpResponse(hashlib.sha256(reader(request)).hexdigest())

    body = content(size)
    response = make_site(path("", view), rules=[Scan()], body_limit=LIMIT).post("/", body, content_type="text/plain")
    assert response.content.decode() == hashlib.sha256(body).hexdigest()
    assert Scan.shown == [(body[:LIMIT], size <= LIMIT)]


def test_an_attack_is_refused_before_the_view(make_site: MakeSite) -> None:
    """A rule that finds something in the body refuses the request."""

    def view(request: Any) -> HttpResponse:
        raise AssertionError

    site = make_site(path("", view), rules=[Scan()])
    assert site.post("/", b"an attack", content_type="text/plain").status_code == 403


def test_forms_and_uploads_are_parsed_as_ever(make_site: MakeSite) -> None:
    """POST and FILES of a form larger than the limit are complete."""

    def view(request: Any) -> JsonResponse:
        upload = request.FILES["file"]
        return JsonResponse({"field": request.POST["field"], "size": upload.size, "end": upload.read()[-3:].decode()})

    site = make_site(path("", view), rules=[Scan()], body_limit=LIMIT)
    file = SimpleUploadedFile("a.bin", content(300_000) + b"end")
    assert site.post("/", {"field": "väl", "file": file}).json() == {"field": "väl", "size": 300_003, "end": "end"}
    assert Scan.shown[0][1] is False


def test_an_upload_handler_can_still_be_chosen(make_site: MakeSite) -> None:
    """The view may set upload handlers: nothing has been parsed."""

    def view(request: Any) -> HttpResponse:
        request.upload_handlers = list(request.upload_handlers)
        return HttpResponse(request.POST["a"])

    assert make_site(path("", view), rules=[Scan()]).post("/", {"a": "1"}).content == b"1"


def test_compressed_bodies_are_not_read(make_site: MakeSite) -> None:
    """What cannot be understood is not held; the rule is told that it has not seen it all."""
    site = make_site(path("", lambda request: HttpResponse(request.body)), rules=[Scan()])
    response = site.post("/", b"zzz", content_type="text/plain", headers={"content-encoding": "gzip"})
    assert response.content == b"zzz"
    assert Scan.shown == [(b"", False)]


def reads_first(get_response: Any) -> Any:
    def middleware(request: Any) -> Any:
        assert request.body
        return get_response(request)

    return middleware


def test_a_body_that_middleware_above_has_read(make_site: MakeSite) -> None:
    """What Django has in memory already is looked at there."""
    site = make_site(
        path("", lambda request: HttpResponse(request.body)),
        middleware=(f"{__name__}.reads_first", MIDDLEWARE),
        rules=[Scan()],
    )
    assert site.post("/", b"abc", content_type="text/plain").content == b"abc"
    assert Scan.shown == [(b"abc", True)]


def test_a_body_that_was_streamed_away_is_incomplete() -> None:
    """What somebody above has read from the stream is gone, and the rule is told so."""
    request = RequestFactory().post("/", b"abc", content_type="text/plain")
    request.read(1)
    assert hold(request, LIMIT) == (b"", False)
    assert request.read() == b"bc"


def test_protect_reads_the_body_without_middleware(make_site: MakeSite) -> None:
    """In a view, protect() holds the body as the middleware would."""

    def view(request: Any) -> HttpResponse:
        denied = protect(request).is_denied()
        return HttpResponse(request.body, status=403 if denied else 200)

    response = make_site(path("", view), middleware=(), rules=[Scan()]).post(
        "/", b"an attack", content_type="text/plain"
    )
    assert (response.status_code, response.content) == (403, b"an attack")


def environ(stream: Any, length: str, **more: Any) -> dict[str, Any]:
    base = RequestFactory()._base_environ(REQUEST_METHOD="POST", CONTENT_TYPE="text/plain", CONTENT_LENGTH=length)
    return {**base, "wsgi.input": stream, **more}


def wsgi(carrier: dict[str, Any]) -> bytes:
    return b"".join(WSGIHandler()(carrier, lambda *_: None))


class Counting(io.BytesIO):
    asked: int = 0

    def read(self, size: int | None = -1, /) -> bytes:
        assert size is not None
        assert size >= 0
        self.asked += size
        return super().read(size)


def test_the_servers_stream_is_read_no_further_than_the_limit(configure: Any) -> None:
    """From a WSGI server no more is read than the limit and one byte, and nothing after Content-Length."""
    configure(
        DOORWARD={"rules": [Scan()], "body_limit": LIMIT}, ROOT_URLCONF=urlconf(path("", lambda _: HttpResponse()))
    )
    stream = Counting(content(50_000))
    wsgi(environ(stream, "50000"))
    assert stream.asked == LIMIT + 1
    wsgi(environ(stream := Counting(b"abc and the next request"), "3"))
    assert stream.asked == 3
    assert Scan.shown[-1] == (b"abc", True)


@pytest.mark.parametrize("length", ["+9", " 9 ", "0_9"])
def test_an_odd_content_length_hides_nothing(configure: Any, length: str) -> None:
    """Regression: lengths that Django's int() takes are read for rules as well."""
    urls = urlconf(path("", lambda request: HttpResponse(request.body)))
    configure(DOORWARD={"rules": [Scan()]}, ROOT_URLCONF=urls)
    assert b"attack" not in wsgi(environ(io.BytesIO(b"an attack"), length))
    assert Scan.shown == [(b"an attack", True)]


class Failing(io.BytesIO):
    def read(self, size: int | None = -1, /) -> bytes:
        part = super().read(size)
        if not part:
            raise OSError("the client has gone")
        return part


def test_a_stream_that_fails_fails_for_the_view_alone(configure: Any) -> None:
    """When the client goes away in the middle, rules see what came, and the view gets Django's own error."""
    seen: list[Any] = []

    def view(request: HttpRequest) -> HttpResponse:
        with pytest.raises(UnreadablePostError, match="has gone"):
            seen.append(request.body)
        return HttpResponse("handled")

    configure(DOORWARD={"rules": [Scan()]}, ROOT_URLCONF=urlconf(path("", view)))
    assert wsgi(environ(Failing(b"half"), "100")) == b"handled"
    assert Scan.shown == [(b"half", False)]


def test_an_asgi_body_in_many_pieces(configure: Any) -> None:
    """Through ASGI a body in many messages is seen whole by the rule and by the view."""
    configure(DOORWARD={"rules": [Scan()]}, ROOT_URLCONF=urlconf(path("", lambda request: HttpResponse(request.body))))
    parts = [b"a" * 10, b"b" * 10, b""]
    messages: Any = [{"type": "http.request", "body": part, "more_body": bool(part)} for part in parts]
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0) if messages else await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": [(b"host", b"x")]}
    asyncio.run(ASGIHandler()(scope, receive, send))
    assert b"".join(message.get("body", b"") for message in sent) == b"a" * 10 + b"b" * 10
    assert Scan.shown == [(b"a" * 10 + b"b" * 10, True)]


def test_without_rules_that_need_it_no_body_is_touched(make_site: MakeSite, clock: Any) -> None:
    """Limits alone leave the stream as Django made it."""
    streams: list[Any] = []

    def view(request: Any) -> HttpResponse:
        streams.append(type(request._stream).__name__)
        return HttpResponse()

    make_site(path("", view), client=Doorward(clock=clock)).post("/", b"abc", content_type="text/plain")
    assert streams == ["LimitedStream"]
