"""A request from what somebody typed: as a server would hand it on, or a sentence about what is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.errors import ConfigurationError
from doorward.explaining.request import LONGEST_BODY, MOST_HEADERS, asked_request
from doorward.requests import from_scope


def test_it_is_what_a_server_hands_on() -> None:
    """The same as of the ASGI scope that a server makes of these bytes."""
    request = asked_request(
        "https://shop.example:8443/caf%C3%A9/a b".replace(" ", "%20") + "?q=%27&r=1#part",
        headers=["X-Name: caf\u00e9", "Accept: a, b"],
        peer="203.0.113.7",
    )
    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "scheme": "https",
        "path": "/caf\u00e9/a b",
        "query_string": b"q=%27&r=1",
        "headers": [(b"host", b"shop.example:8443"), (b"x-name", "caf\u00e9".encode()), (b"accept", b"a, b")],
        "client": ("203.0.113.7", 1234),
    }
    sent = from_scope(scope)
    for name in ("method", "scheme", "path", "query", "peer", "host"):
        assert getattr(request, name) == getattr(sent, name), name
    assert list(request.headers) == list(sent.headers)


def test_what_was_not_typed_is_added() -> None:
    request = asked_request("/signup?x=1", body=b"a=1")
    assert (request.method, request.host, request.path, request.query) == ("POST", "localhost", "/signup", "x=1")
    assert request.headers.get("content-length") == "3"
    assert (request.body, request.body_complete) == (b"a=1", True)
    own = asked_request("https://a.example/", headers=["Host: b.example"], method="put")
    assert (own.method, list(own.headers)) == ("PUT", [("host", "b.example")])


def test_of_a_long_body_as_much_is_held_as_middleware_holds() -> None:
    request = asked_request("/", body=b"x" * 100_000)
    assert (len(request.body or b""), request.body_complete) == (65_536, False)
    form = asked_request("/", body=b"x" * 100_000, headers=["Content-Type: text/plain"])
    assert (len(form.body or b""), form.body_complete) == (100_000, True)
    small = asked_request("/", body=b"x" * 100, configured_limit=10)
    assert (small.body, small.body_complete) == (b"x" * 10, False)
    packed = asked_request("/", body=b"x", headers=["Content-Encoding: gzip"])
    assert (packed.body, packed.body_complete) == (b"", False)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"url": "https://a.example/\r\nX: 1"}, "--url"),
        ({"url": "https://a.example/\x1b[2J"}, "--url"),
        ({"url": "javascript:alert(1)"}, "--url"),
        ({"url": "file:///etc/passwd"}, "--url"),
        ({"url": "https://"}, "--url"),
        ({"url": "https://user:pw@a.example/"}, "--url"),
        ({"url": "https://[::1/"}, "--url"),
        ({"url": "https://a.example:99999999/"}, "--url"),
        ({"url": ""}, "--url"),
        ({"url": "/" + "a" * 70_000}, "--url"),
        ({"url": "/", "headers": ["X: 1\r\nY: 2"]}, "--header"),
        ({"url": "/", "headers": ["X\x00: 1"]}, "--header"),
        ({"url": "/", "headers": ["no colon"]}, "--header"),
        ({"url": "/", "headers": [": 1"]}, "--header"),
        ({"url": "/", "headers": ["X: 1"] * (MOST_HEADERS + 1)}, "--header"),
        ({"url": "/", "headers": ["X: " + "a" * 2_000_000]}, "--header"),
        ({"url": "/", "method": "GET /x HTTP/1.1"}, "--method"),
        ({"url": "/", "method": "A" * 30}, "--method"),
        ({"url": "/", "peer": "nobody"}, "--ip"),
        ({"url": "/", "body": bytes(LONGEST_BODY + 1)}, "--body"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_http_cannot_carry_is_said_in_a_sentence(arguments: dict[str, Any], field: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        asked_request(**arguments)
    assert caught.value.field == field
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


@given(st.text(max_size=40), st.lists(st.text(max_size=20), max_size=3))
def test_no_text_breaks_it(url: str, headers: list[str]) -> None:
    for asked in (url, f"https://a.example/{url}"):
        said = ""
        try:
            request = asked_request(asked, headers=headers)
        except ConfigurationError as error:
            said = str(error)
        else:
            assert request.path.startswith("/")
            assert request.query.isascii()
        assert said.isprintable()
