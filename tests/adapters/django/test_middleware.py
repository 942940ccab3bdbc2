"""The middleware in both kinds of stack: it decides before all else, and leaves allowed requests alone."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, JsonResponse, StreamingHttpResponse
from django.test import AsyncRequestFactory
from django.urls import path, register_converter
from tests.adapters.django.conftest import FIVE, MakeSite, aok, ok
from tests.adapters.django_setup import MIDDLEWARE

from doorward import AsyncDoorward, Doorward, sliding_window
from doorward.answers import Answer
from doorward_django import client, limit
from doorward_django.middleware import DoorwardMiddleware
from doorward_django.responses import response_of


def test_the_sixth_request_is_refused(make_site: MakeSite) -> None:
    """Five requests pass and the sixth is answered with 429 and when to come back."""
    site = make_site(path("", ok))
    assert site.statuses("/", 5) == [200] * 5
    refused = site.get("/")
    assert (refused.status_code, refused["Retry-After"]) == (429, "60")


def test_refusals_are_negotiated(make_site: MakeSite) -> None:
    """A browser is refused with a page, a program with problem+json."""
    site = make_site(path("", ok), rules=[sliding_window(max=1, interval=60)])
    site.get("/")
    assert site.get("/", headers={"accept": "text/html"})["Content-Type"] == "text/html; charset=utf-8"
    refused = site.get("/", headers={"accept": "application/json"})
    assert refused["Content-Type"] == "application/problem+json"
    assert refused.json()["status"] == 429


def test_a_refused_head_has_no_body(make_site: MakeSite) -> None:
    """HEAD is refused with the headers of the answer alone."""
    site = make_site(path("", ok), rules=[sliding_window(max=1, interval=60)])
    site.get("/")
    refused = site.request("head", "/")
    assert refused.status_code == 429
    assert refused.content == b""
    assert int(refused["Content-Length"]) > 0


def test_not_found_is_limited_too(make_site: MakeSite) -> None:
    """Requests that lead to no view count like others."""
    site = make_site(path("", ok))
    assert site.statuses("/nowhere", 6) == [404] * 5 + [429]


@pytest.mark.parametrize("view", [ok, aok])
def test_the_decision_is_attached(make_site: MakeSite, view: Any) -> None:
    """Views find the decision at the request, in META and in the scope or environ."""
    found: list[Any] = []

    def see(request: Any) -> HttpResponse:
        carrier = getattr(request, "scope", None) or request.environ
        found.append((request.doorward, request.META["doorward.decision"], carrier["doorward.decision"]))
        return HttpResponse()

    make_site(path("", see)).get("/")
    (attached, in_meta, in_carrier) = found[0]
    assert attached is in_meta is in_carrier
    assert attached.is_allowed()


def test_allowed_responses_are_untouched(make_site: MakeSite) -> None:
    """Without rate_limit_headers an allowed response has the view's headers and no other."""
    bare = make_site(path("", ok), middleware=()).get("/")
    with_doorward = make_site(path("", ok)).get("/")
    assert dict(with_doorward.items()) == dict(bare.items())
    assert with_doorward.content == bare.content


def test_rate_limit_headers_are_written_once(make_site: MakeSite) -> None:
    """With rate_limit_headers the headers take the place of the view's own."""

    def view(request: Any) -> HttpResponse:
        return HttpResponse(headers={"RateLimit": "mine", "ratelimit-policy": "mine"})

    response = make_site(path("", view), rate_limit_headers=True).get("/")
    own = [line for line in response.items() if line[0].lower().startswith("ratelimit")]
    assert sorted(own) == [
        ("RateLimit", '"sliding_window";r=4;t=60'),
        ("RateLimit-Policy", '"sliding_window";q=5;w=60'),
    ]


def test_a_streaming_response_is_not_consumed(make_site: MakeSite) -> None:
    """A stream is handed on unread, with headers added."""
    started: list[str] = []

    def stream(request: Any) -> StreamingHttpResponse:
        def parts() -> Any:
            started.append("read")
            yield b"a"

        return StreamingHttpResponse(parts())

    response: Any = make_site(path("", stream), rate_limit_headers=True).get("/")
    assert response["RateLimit"]
    assert started == []


def test_middleware_below_does_not_see_a_refused_request(make_site: MakeSite) -> None:
    """The decision comes before the middleware below and the view."""
    seen.clear()
    site = make_site(
        path("", ok), middleware=(MIDDLEWARE, f"{__name__}.below"), rules=[sliding_window(max=1, interval=60)]
    )
    assert site.statuses("/", 3) == [200, 429, 429]
    assert seen == ["/"]


seen: list[str] = []


def below(get_response: Any) -> Any:
    if asyncio.iscoroutinefunction(get_response):

        async def amiddleware(request: Any) -> Any:
            seen.append(request.path)
            return await get_response(request)

        return amiddleware

    def middleware(request: Any) -> Any:
        seen.append(request.path)
        return get_response(request)

    return middleware


below.async_capable = True  # type: ignore[attr-defined]


def test_the_middleware_twice_counts_once(make_site: MakeSite) -> None:
    """Each rule runs once a request, even where the middleware is listed twice."""
    site = make_site(path("", ok), middleware=(MIDDLEWARE, MIDDLEWARE), rate_limit_headers=True)
    assert site.get("/")["RateLimit"] == '"sliding_window";r=4;t=60'


def raising(error: Exception) -> Any:
    def view(request: Any) -> HttpResponse:
        raise error

    return view


@pytest.mark.parametrize(("error", "status"), [(ValueError(), 500), (PermissionDenied(), 403), (Http404(), 404)])
def test_count_when_is_settled_when_the_view_raises(make_site: MakeSite, error: Exception, status: int) -> None:
    """A limit that counts failures alone counts the response that Django makes of an exception."""
    rules = [sliding_window(max=2, interval=60, count_when=[status])]
    site = make_site(path("", raising(error)), path("ok", ok), rules=rules)
    assert site.statuses("/ok", 5) == [200] * 5
    assert site.statuses("/", 3) == [status, status, 429]


def test_count_when_is_settled_for_streams(make_site: MakeSite) -> None:
    """A stream's status decides as any other's."""

    def stream(request: Any) -> StreamingHttpResponse:
        return StreamingHttpResponse([b"a"])

    site = make_site(path("", stream), rules=[sliding_window(max=1, interval=60, count_when=[401])])
    assert site.statuses("/", 3) == [200] * 3


def test_count_when_is_settled_when_the_exception_passes(make_site: MakeSite, configure: Any) -> None:
    """Under DEBUG_PROPAGATE_EXCEPTIONS an exception is counted as a 500 and goes on."""
    site = make_site(
        path("", raising(ValueError("mine"))), rules=[sliding_window(max=1, interval=60, count_when=[401])]
    )
    configure(DEBUG_PROPAGATE_EXCEPTIONS=True)
    for _ in range(3):
        with pytest.raises(ValueError, match="mine"):
            site.get("/")


@pytest.mark.parametrize("exempt", ["/static/app.js", "/health", "/robots.txt"])
def test_default_exemptions(make_site: MakeSite, exempt: str) -> None:
    """Static files and health checks are not counted, and carry a decision that says so."""
    site = make_site(path("<path:any>", ok), rules=[sliding_window(max=1, interval=60)])
    assert site.statuses(exempt, 3) == [200] * 3


def test_enforce_false_only_looks(make_site: MakeSite) -> None:
    """With enforce=False the view decides what to do with a denial."""

    def view(request: Any) -> JsonResponse:
        return JsonResponse({"denied": request.doorward.is_denied()})

    site = make_site(path("", view), enforce=False, rules=[sliding_window(max=1, interval=60)])
    assert [site.get("/").json()["denied"] for _ in range(2)] == [False, True]


def too_many(request: Any, decision: Any) -> HttpResponse:
    return HttpResponse(f"wait {decision.reason.reset_seconds:.0f} s for {request.get_full_path()}", status=429)


async def atoo_many(request: Any, decision: Any) -> HttpResponse:
    await asyncio.sleep(0)
    return too_many(request, decision)


@pytest.mark.parametrize("on_denied", [too_many, atoo_many, f"{__name__}.too_many"])
def test_on_denied_answers_with_djangos_response(make_site: MakeSite, on_denied: Any) -> None:
    """on_denied, plain or async, is given Django's request, and its response is sent as it is."""
    site = make_site(path("", ok), rules=[sliding_window(max=1, interval=60)], on_denied=on_denied)
    site.get("/")
    assert site.get("/?a=1").content == b"wait 60 s for /?a=1"


def failing(request: Any, decision: Any) -> HttpResponse:
    raise LookupError


@pytest.mark.swallows_errors
def test_a_failing_on_denied_still_refuses(make_site: MakeSite) -> None:
    """When on_denied fails the built-in answer is sent, and the failure counted."""
    site = make_site(path("", ok), rules=[sliding_window(max=1, interval=60)], on_denied=failing)
    assert site.statuses("/", 2) == [200, 429]
    assert client().health()["counts"]["error.on_denied: LookupError"] == 1  # type: ignore[index]


def test_refusals_are_not_logged_by_django_as_well(make_site: MakeSite, caplog: pytest.LogCaptureFixture) -> None:
    """A flood of refusals does not flood the django.request log, nor mail administrators."""
    site = make_site(path("", ok), rules=[sliding_window(max=1, interval=60)])
    site.get("/")
    caplog.clear()
    site.get("/")
    assert [record.name for record in caplog.records if record.name.startswith("django")] == []


def test_an_async_stack_stays_on_its_thread(make_site: MakeSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """In an async stack an allowed and a refused request are handled without a hop to another thread."""
    make_site(path("", limit("1/minute")(aok)), rate_limit_headers=True)

    def hop(*_: Any, **__: Any) -> None:
        raise AssertionError("went to another thread")

    async def main() -> list[int]:
        monkeypatch.setattr(asyncio.get_running_loop(), "run_in_executor", hop)
        middleware: Any = DoorwardMiddleware(aok)
        return [(await middleware(AsyncRequestFactory().get("/"))).status_code for _ in range(2)]

    assert asyncio.run(main()) == [200, 429]


@pytest.mark.parametrize("kind", [Doorward, AsyncDoorward])
def test_either_client_will_do(make_site: MakeSite, kind: Any, clock: Any) -> None:
    """A client of one's own is used as it is, whichever kind the stack is of."""
    aj = kind([sliding_window(**FIVE)], clock=clock)
    assert make_site(path("", ok), client=aj).statuses("/", 6) == [200] * 5 + [429]


class Failing:
    regex = ".+"

    def to_python(self, value: str) -> str:
        raise LookupError(value)

    def to_url(self, value: str) -> str:
        return value


register_converter(Failing, "failing")


@pytest.mark.swallows_errors
def test_a_url_that_fails_to_resolve_is_limited(make_site: MakeSite) -> None:
    """Where a converter fails, as it then does for Django too, the application's rules still hold."""
    marked = path("marked", limit("1/minute")(ok))
    site = make_site(path("<failing:any>", ok), marked, rules=[sliding_window(max=2, interval=60)])
    assert site.statuses("/x", 3) == [500, 500, 429]


def test_a_request_that_is_cancelled_is_settled(make_site: MakeSite) -> None:
    """When the client leaves in the middle, a limit that counts 200s alone gives the charge back."""
    make_site(rules=[sliding_window(max=1, interval=60, count_when=[200])])

    async def cancelled(request: Any) -> Any:
        raise asyncio.CancelledError

    async def main() -> None:
        middleware: Any = DoorwardMiddleware(cancelled)
        for _ in range(3):
            with pytest.raises(asyncio.CancelledError):
                await middleware(AsyncRequestFactory().get("/"))

    asyncio.run(main())


def test_cookies_of_an_answer_are_cookies_of_the_response() -> None:
    """Several Set-Cookie lines stay several."""
    answer = Answer(403, [("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2; HttpOnly"), ("X-A", "b")], b"no")
    response = response_of(answer, head=False)
    assert (response["X-A"], response.content, response["Content-Length"]) == ("b", b"no", "2")
    assert [cookie.OutputString() for cookie in response.cookies.values()] == ["a=1; Path=/", "b=2; HttpOnly"]
