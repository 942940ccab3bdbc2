"""The path that rules see is the path that Django routes: anything else would be a way past a rule."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse
from django.test import AsyncRequestFactory, Client, RequestFactory
from django.urls import path, re_path
from hypothesis import given
from hypothesis import strategies as st
from tests.adapters.django.conftest import MakeSite, ok
from tests.adapters.django_setup import urlconf

from doorward import Doorward, sliding_window
from doorward.requests import carrier_of, from_carrier
from doorward_django import client, protect

RAW = [b"/", b"//", b"///a", b"/a//b", b"/a/../b", b"/./a", b"/%2e%2e/a", b"/a%2fb", b"/%", b"/\xc3\xa4", b"/\xe4",
       b"/\xff\xfe", b"/\xc3", b"/\xed\xa0\x80", b"/a;b=c", b"/a?b", b"/\x00", b"/a b",
       b"/\xf0\x9f\x9a\xaa", b"/a\\b"]  # fmt: skip
PREFIXES = ["", "/app", "/äpp", "/"]


def routed_by_wsgi(raw: bytes, prefix: str) -> tuple[str, str]:
    """The path as Django routes it and as rules see it, through a WSGI handler."""
    environ = RequestFactory()._base_environ(
        PATH_INFO=raw.decode("latin-1"), SCRIPT_NAME=prefix.encode().decode("latin-1"), RAW_URI="/"
    )
    WSGIHandler()(environ, lambda *_: None)
    return seen.pop()


def routed_by_asgi(raw: bytes, prefix: str) -> tuple[str, str]:
    """The same through an ASGI handler; servers decode the path before."""
    whole = prefix + raw.decode("utf-8", "replace")
    scope: Any = {
        "type": "http",
        "method": "GET",
        "path": whole,
        "root_path": prefix,
        "query_string": b"",
        "headers": [],
    }

    async def receive() -> Any:
        return received.pop() if received else await asyncio.Event().wait()

    async def send(message: Any) -> None:
        del message

    received = [{"type": "http.request", "body": b""}]
    asyncio.run(ASGIHandler()(scope, receive, send))
    return seen.pop()


seen: list[tuple[str, str]] = []


def record(request: Any, rest: str = "") -> HttpResponse:
    seen.append((request.path_info, from_carrier(carrier_of(request)).path))
    return HttpResponse()


contexts: list[str] = []


@pytest.fixture
def recording(configure: Any) -> None:
    contexts.clear()
    seen.clear()
    configure(
        ROOT_URLCONF=urlconf(re_path(r"(?s)^(.*)$", record)),
        DOORWARD={"default_exemptions": False, "on_decision": lambda decision, context: contexts.append(context.path)},
    )


@pytest.mark.parametrize("route", [routed_by_wsgi, routed_by_asgi])
@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("raw", RAW)
def test_rules_see_what_django_routes(recording: None, route: Any, prefix: str, raw: bytes) -> None:
    """Middleware and protect() give rules Django's path_info, whatever bytes were sent and wherever it is mounted."""
    path_info, in_view = route(raw, prefix)
    assert contexts == [path_info]
    assert in_view == path_info


@given(raw=st.binary(max_size=20))
def test_any_bytes_are_routed_alike(raw: bytes) -> None:
    """For any bytes, a request without middleware is read with Django's path."""
    environ = RequestFactory()._base_environ(PATH_INFO="/" + raw.decode("latin-1"))
    request = RequestFactory().request(**environ)
    # But for one line break at the end, which Django's own expressions look past.
    assert from_carrier(carrier_of(request)).path == request.path_info.removesuffix("\n")


def test_a_limit_on_a_path_with_umlauts(configure: Any, clock: Any) -> None:
    """Regression: Django rewrites PATH_INFO as text, and rules must not decode it again."""
    rules = [sliding_window(max=1, interval=60, paths=["/größe/*"])]
    configure(DOORWARD={"rules": rules, "clock": clock}, ROOT_URLCONF=urlconf(path("<path:any>", ok)))
    assert [Client().get("/gr%C3%B6%C3%9Fe/1").status_code for _ in range(2)] == [200, 429]


@pytest.mark.parametrize("factory", [RequestFactory, AsyncRequestFactory])
def test_protect_takes_requests_of_the_factories(make_site: MakeSite, factory: Any) -> None:
    """A request that a test has made is as good as a real one."""
    make_site(rules=[sliding_window(max=1, interval=60)])
    decisions = [protect(factory().get("/ä?a=1")) for _ in range(2)]
    assert [decision.is_denied() for decision in decisions] == [False, True]
    assert decisions[0].ip.address == "127.0.0.1"


class Wrapper:
    """As Django REST framework wraps a request."""

    def __init__(self, request: Any) -> None:
        self._request = request

    def __getattr__(self, name: str) -> Any:
        return getattr(self._request, name)


@pytest.mark.parametrize("factory", [RequestFactory, AsyncRequestFactory])
def test_protect_takes_wrapped_requests(make_site: MakeSite, factory: Any) -> None:
    """protect() of the adapter and of a client take what Django REST framework makes of a request."""
    make_site()
    request = Wrapper(factory().get("/"))
    assert protect(request).is_allowed()  # type: ignore[arg-type]
    aj: Any = client()
    assert isinstance(aj, Doorward)
    assert aj.protect(request).is_allowed()
    assert client().health()["counts"] == {"decision.ALLOW": 1}
