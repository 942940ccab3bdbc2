"""A rule about a cookie, or a parameter, sees every value that a framework's own parser hands to the application."""

from __future__ import annotations

import io

from hypothesis import example, given
from hypothesis import strategies as st
from starlette.requests import Request as StarletteRequest
from tests.adapters.django_setup import ensure_django
from tests.behaviour.clients.drivers import environ_of, scope_of
from werkzeug.wrappers import Request as FlaskRequest

from doorward.requests import from_environ, from_scope

ensure_django()

from django.core.handlers.asgi import ASGIRequest  # noqa: E402  (Django has to be configured first)
from django.core.handlers.wsgi import WSGIRequest  # noqa: E402

COOKIES = [
    "c",
    "c=",
    "=",
    "1",
    '"',
    "\\",
    "\\141",
    "\\",
    ";",
    "; ",
    ",",
    " ",
    "%31",
    "x",
    "a=2",
    "{",
    'c="1"',
    'c="\\141"',
]
QUERIES = [
    "role",
    "r%6fle",
    "=",
    "admin",
    "%61",
    "&",
    ";",
    "+",
    "%20",
    "%",
    "%zz",
    "%ff",
    "%C3%A9",
    "[]",
    "%00",
    "?",
    "/",
]


def _texts(atoms: list[str]) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(atoms), max_size=8).map("".join)


@given(_texts(COOKIES))
@example('c="\\141dmin"')  # "admin", and a way around a rule about it
@example('c="a\\"b"')
@example('c=1"')
def test_a_cookie_is_read_as_it_is_by_frameworks(line: str) -> None:
    """Quotes and octal escapes as in Python's http.cookies."""
    sent = [("Cookie", line)]
    environ, scope = environ_of("/", headers=sent), scope_of("/", headers=sent)
    ours, awaited = from_environ(environ).cookies("c"), from_scope(scope).cookies("c")
    read = {*FlaskRequest(environ).cookies.getlist("c")} - {""}
    for cookies in (
        WSGIRequest(environ).COOKIES, ASGIRequest(scope, io.BytesIO()).COOKIES, StarletteRequest(scope).cookies
    ):  # fmt: skip
        read |= {cookies["c"]} if "c" in cookies else set()
    assert list(ours) == list(awaited)
    assert read <= {*ours}


@given(_texts(QUERIES))
@example("r%6fle=%61dmin&role")
def test_a_parameter_is_read_as_it_is_by_frameworks(query: str) -> None:
    """No more, and no less."""
    environ, scope = environ_of(f"/?{query}"), scope_of(f"/?{query}")
    ours, awaited = from_environ(environ).query_values("role"), from_scope(scope).query_values("role")
    assert list(ours) == list(awaited) == FlaskRequest(environ).args.getlist("role")
    for read in (WSGIRequest(environ).GET, ASGIRequest(scope, io.BytesIO()).GET, StarletteRequest(scope).query_params):
        assert read.getlist("role") == list(ours)
