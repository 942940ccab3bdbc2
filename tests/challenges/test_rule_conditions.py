"""Conditions of rules of our own: what they mean, in each place of a request, whatever bytes come."""

from __future__ import annotations

import asyncio
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.challenges.viewing import matches, view, why

from doorward import (
    AsyncDoorward,
    Conclusion,
    Doorward,
    deny,
)
from doorward.asgi import DoorwardMiddleware as AsgiMiddleware
from doorward.rules.access import AccessRule
from doorward.wsgi import DoorwardMiddleware as WsgiMiddleware

# --- headers


@pytest.mark.parametrize("name", ["accept", "Accept", "ACCEPT"])
def test_names_of_headers_have_no_case(name: str) -> None:
    """Two of Vouch's rules misfired by it, and a filter of Humanify's never matched."""
    rule = deny(headers={name: "*json*"})
    for sent in ("accept", "Accept", "aCCEPT"):
        assert matches(rule, headers=[(sent, "application/json")])
        assert matches(rule, headers=[(sent.encode(), b"application/json")])


@pytest.mark.parametrize("pattern", ["re:.*", "re:^", "re:", "re:^$", "regex:.?"])
def test_an_absent_header_matches_no_pattern(pattern: str) -> None:
    """``CF-Worker: .*`` denied everybody (tollbooth 0.3.9.2)."""
    assert not matches(deny(headers={"cf-worker": pattern}))
    assert not matches(deny(user_agent=pattern))
    # Without a value it counts as absent: WSGI servers make no difference.
    assert not matches(deny(headers={"cf-worker": pattern}), headers=[("cf-worker", "")])


def test_a_header_that_is_there_and_one_that_is_not() -> None:
    """``true`` and ``false`` in place of a pattern, ``header`` in a tree."""
    for rule, there in (
        (deny(headers={"x-a": True}), True),
        (deny(headers={"x-a": False}), False),
        (deny(when={"header": "X-A"}), True),
        (deny(when={"not": {"header": ["x-a", "x-b"]}}), False),
    ):
        assert matches(rule, headers=[("X-A", "1")]) is there
        assert matches(rule, headers=[("x-c", "1")]) is not there
        assert matches(rule, headers=[("x-a", "")]) is not there


def test_of_several_values_any_may_match() -> None:
    """Of header lines, parameters and cookies; of header lines also what a WSGI server joins them to."""
    rule = deny(headers={"x-a": "b"})
    assert matches(rule, headers=[("x-a", "a"), ("x-a", "b")])
    assert matches(deny(headers={"x-a": "a,b"}), headers=[("x-a", "a"), ("x-a", "b")])
    assert matches(deny(query={"a": "2"}), query="a=1&a=2")
    assert matches(deny(cookies={"a": "2"}), headers=[("cookie", "a=1; a=2")])


def test_bytes_that_are_no_text() -> None:
    """Raw bytes in headers, in the query, in the path, in the body: no rule fails, in either direction."""
    raw = b"\xff\xfe\x00\xc0\xaf"
    rules = [
        deny(headers={"x-a": "re:."}, name="h"),
        deny(user_agent="*bot*"),
        deny(query={"a": "re:x"}),
        deny(cookies={"a": "x"}),
        deny(form={"a": "x"}),
        deny(json={"a": "x"}),
        deny(when={"path": "/x/*", "ignore_case": True}),
    ]
    for rule in rules:
        for kind in ("application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
            headers = [(b"x-a", raw), (b"user-agent", raw), (b"cookie", raw), (b"content-type", kind.encode())]
            found = matches(rule, path="/\udcff\x00", query="a=%ff\xff&\xfe", headers=headers, body=raw)
            assert found is (rule.name == "h")


# --- user agents, hosts, paths


def test_patterns_are_for_the_whole_text() -> None:
    """A star is anything; nothing else is found anywhere but what says so."""
    assert matches(deny(user_agent="curl/*"), headers=[("user-agent", "Curl/8.5")])
    assert not matches(deny(user_agent="curl/*"), headers=[("user-agent", "x curl/8.5")])
    assert matches(deny(user_agent="*curl*"), headers=[("user-agent", "x curl/8.5")])
    assert matches(deny(headers={"x": "a*b*c"}), headers=[("x", "a-b-b-c")])
    assert not matches(deny(headers={"x": "a*bb*b"}), headers=[("x", "abb")])
    assert not matches(deny(headers={"x": "a?c"}), headers=[("x", "abc")])
    assert not matches(deny(headers={"x": "A"}), headers=[("x", "a")])
    assert matches(deny(headers={"x": "A"}, ignore_case=True), headers=[("x", "a")])
    assert matches(deny(headers={"x": "re:^A"}, ignore_case=True), headers=[("x", "ab")])


@pytest.mark.parametrize("host", ["www.example", "WWW.EXAMPLE", "www.example:8443", "www.example."])
def test_hosts_have_no_case_and_no_port(host: str) -> None:
    """Nor the dot of the root."""
    assert matches(deny(hosts="www.example"), host=host)
    assert matches(deny(hosts="*.Example"), host=host)
    assert not matches(deny(hosts=["example", "xwww.example"]), host=host)
    assert matches(deny(hosts="[2001:db8::1]"), host="[2001:db8::1]:80")


def test_paths_in_any_case_and_as_they_were_sent() -> None:
    """``/WP-ADMIN/`` went past NoBot."""
    rule = deny(when={"path": ["/wp-admin/*", "**/.env"], "ignore_case": True})
    for path in ("/wp-admin/", "/WP-ADMIN/x", "/a/.ENV"):
        assert matches(rule, path=path)
    assert not matches(deny(when={"path": "/wp-admin/*"}), path="/WP-ADMIN/")
    raw = deny(when={"raw_path": "**%2e%2e**", "ignore_case": True})
    assert matches(raw, path="/../x", raw_path="/%2E%2e/x?q")
    assert matches(raw, path="/../x", raw_path="http://a.example/%2E%2e/x")
    assert not matches(raw, path="/x", raw_path="/x?%2e%2e")
    assert not matches(raw, path="/../x")
    assert "could not tell when: nothing is known of raw_path" in why(raw, path="/../x")


# --- bodies


JSON = [("content-type", "application/json")]
_MULTIPART = (
    b'--zz\r\nContent-Disposition: form-data; name="role"\r\n\r\nadmin\r\n--zz\r\n'
    b'Content-Disposition: form-data; name="role"\r\n\r\nx y\r\n--zz\r\n'
    b'Content-Disposition: form-data; name="file"; filename="f"\r\n\r\nadmin\r\n--zz--\r\n'
)


@pytest.mark.parametrize(
    ("path", "value", "found"),
    [
        ("user.role", "admin", True),
        ("user.role", "guest", False),
        ("items.0.id", 5, True),
        ("items.1.id", 5, False),
        ("items.*.id", [7, 5], True),
        ("items.9.id", 5, False),
        ("items.x", True, False),
        ("ok", "true", True),
        ("none", "null", True),
        ("user.name", True, False),
        ("user.name", False, True),
        ("half", "0.5", True),
        ("big", "re:^1000", True),
    ],
)
def test_fields_of_json_by_dotted_path(path: str, value: Any, found: bool) -> None:
    """Numbers, words and text alike."""
    body = {"user": {"role": "admin"}, "items": [{"id": 5}], "ok": True, "none": None, "half": 0.5, "big": 1000}
    assert matches(deny(json={path: value}), headers=JSON, body=json.dumps(body).encode()) is found


def test_json_of_a_request_without_any_does_not_match_and_breaks_nothing() -> None:
    """Humanify answered 415 to every request that was not JSON."""
    rule, absent = deny(json={"a.b": "x"}), deny(json={"a.b": False})
    for body, kind in ((b"", ""), (b"a=b", "application/x-www-form-urlencoded"), (b"text", "text/plain")):
        assert not matches(rule, headers=[("content-type", kind)], body=body)
        assert matches(absent, headers=[("content-type", kind)], body=body)
    for body in (b"5", b"[]", b'"x"', b"null"):
        assert not matches(rule, headers=JSON, body=body)
        assert matches(absent, headers=JSON, body=body)


@pytest.mark.parametrize(
    "body",
    [b'{"a":', b"{'a': 1}", b"[" * 100_000, b'{"a": ' + b"9" * 100_000 + b"}", b'{"a":1}' + b" " * 200_000, b"\xff{}"],
)
def test_a_body_that_is_broken_or_too_large_is_unknown(body: bytes) -> None:
    """Neither a field nor its absence is found in it, and it is said so."""
    for rule in (deny(json={"a": "1"}), deny(json={"a": False}), deny(when={"not": {"json": {"a": "1"}}})):
        assert not matches(rule, headers=JSON, body=body)
        assert "nothing is known of json 'a'" in why(rule, headers=JSON, body=body)


def test_a_name_that_is_there_twice_in_json_may_be_read_either_way() -> None:
    """Parsers take the first or the last."""
    for value in ("user", "admin"):
        assert matches(deny(json={"role": value}), headers=JSON, body=b'{"role": "user", "role": "admin"}')


def test_json_that_is_not_declared_is_read_where_it_looks_like_it() -> None:
    """Applications may read it whatever it is called."""
    assert matches(deny(json={"a": "1"}), headers=[("content-type", "text/plain")], body=b' {"a": 1}')


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/x-www-form-urlencoded", b"user=a&role=adm%69n&role=x+y"),
        (
            "multipart/form-data; boundary=zz",
            _MULTIPART,
        ),
    ],
)
def test_fields_of_forms(kind: str, body: bytes) -> None:
    """Urlencoded and multipart; of files nothing is told."""
    headers = [("content-type", kind)]
    assert matches(deny(form={"role": "admin"}), headers=headers, body=body)
    assert matches(deny(form={"role": "x y"}), headers=headers, body=body)
    assert not matches(deny(form={"role": "adm"}), headers=headers, body=body)
    assert not matches(deny(form={"file": "admin"}), headers=headers, body=body)
    assert matches(deny(form={"nothing": False}), headers=headers, body=body)


def test_a_form_that_is_cut_off_or_too_long_is_unknown_where_nothing_was_found() -> None:
    """What was found is found."""
    headers = [("content-type", "application/x-www-form-urlencoded")]
    body = b"a=1&" * 3000 + b"b=2"
    assert matches(deny(form={"a": "1"}), headers=headers, body=body)
    assert not matches(deny(when={"not": {"form": {"b": "2"}}}), headers=headers, body=body)


def test_a_body_that_nobody_holds_is_unknown() -> None:
    """``not`` of it does not match either, and says so."""
    for rule in (deny(form={"a": "1"}), deny(when={"not": {"form": {"a": "1"}}})):
        assert not matches(rule, method="POST")
        assert "nothing is known of form 'a'" in why(rule, method="POST")


def test_a_body_is_only_read_where_a_rule_comes_down_to_it() -> None:
    """Conditions that need no body are asked first."""
    rule = deny(json={"a": "1"}, headers={"x-api": True})
    assert rule.needs_body
    assert not deny(headers={"x-api": True}).needs_body
    assert not rule.asks_for_body(view(method="POST"))
    assert rule.asks_for_body(view(method="POST", headers=[("x-api", "1")]))
    read: list[str] = []

    class Stream(io.BytesIO):
        def read(self, *size: Any) -> bytes:
            read.append("read")
            return super().read(*size)

    aj = Doorward([rule], secret="s" * 40)
    answered = _wsgi(aj, headers={}, body=Stream(b'{"a": 1}'))
    assert (answered, read) == (200, [])
    assert _wsgi(aj, headers={"x-api": "1"}, body=Stream(b'{"a": 1}')) == 403
    assert read


# --- WSGI and ASGI


def _wsgi(aj: Doorward, headers: dict[str, str], body: Any = None, query: str = "", path: str = "/") -> int:
    answered: list[int] = []
    data = body if body is not None else io.BytesIO()
    environ = {
        "REQUEST_METHOD": "POST", "PATH_INFO": path, "QUERY_STRING": query, "REMOTE_ADDR": "192.0.2.9",
        "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "https", "wsgi.input": data, "CONTENT_LENGTH": "8",
        "CONTENT_TYPE": "application/json",
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()},
    }  # fmt: skip

    def application(_: Any, start: Any) -> list[bytes]:
        start("200 OK", [])
        return []

    def start_response(status: str, *_: Any) -> None:
        answered.append(int(status[:3]))

    answer: Any = WsgiMiddleware(application, aj)(environ, start_response)
    list(answer)
    getattr(answer, "close", lambda: None)()
    return answered[0]


def _asgi(aj: AsyncDoorward, headers: dict[str, str], body: bytes, query: bytes) -> int:
    answered: list[int] = []

    async def application(_: Any, __: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            answered.append(message["status"])

    lines = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    lines += [(b"content-type", b"application/json"), (b"content-length", b"8")]
    scope = {
        "type": "http", "method": "POST", "path": "/", "raw_path": b"/", "query_string": query, "headers": lines,
        "client": ("192.0.2.9", 1), "scheme": "https", "http_version": "1.1",
    }  # fmt: skip
    asyncio.run(AsgiMiddleware(application, aj)(scope, receive, send))
    return answered[0]


@pytest.mark.parametrize(
    "rule",
    [
        deny(headers={"Cf-Worker": "re:.*"}),
        deny(headers={"ACCEPT": False}),
        deny(when={"not": {"header": "Accept-Language"}}),
        deny(user_agent="*cur\xff*"),
        deny(query={"a": "re:x"}),
        deny(query={"a": "\ufffd"}),
        deny(cookies={"a": "1"}),
        deny(json={"a": "1"}),
        deny(when={"not": {"json": {"a": "1"}}}),
    ],
)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"User-Agent": "cur\xff/8"},
        {"Accept": "*/*", "Cookie": "a=1"},
        {"CF-Worker": "x"},
        {"accept-language": "de"},
    ],
)
def test_wsgi_and_asgi_come_to_the_same(rule: AccessRule, headers: dict[str, str]) -> None:
    """Every non-browser was challenged under tollbooth's ASGI, and none under its WSGI."""
    aj = Doorward([rule], secret="s" * 40)
    for query in (b"", b"a=%78", b"a=\xff"):
        for body in (b'{"a": 1}', b'{"a": 2}', b"xxxxxxxx"):
            wsgi = _wsgi(aj, headers, io.BytesIO(body), query.decode("latin-1"))
            assert wsgi == _asgi(aj.as_async(), headers, body, query)


def test_the_reason_names_conditions_and_never_what_the_client_sent() -> None:
    """Reasons are logged."""
    rule = deny(user_agent="*secret*", query={"token": True})
    outcome: Any = rule.evaluate(view(query="token=hunter2", headers=[("user-agent", "secret-agent")]))
    assert outcome.conclusion is Conclusion.DENY
    assert outcome.reason.message == "user_agent matches and query matches"


@given(st.binary(max_size=300), st.sampled_from(["application/json", "application/x-www-form-urlencoded",
                                                 "multipart/form-data; boundary=a", "text/plain", ""]))  # fmt: skip
def test_no_body_makes_a_rule_fail(body: bytes, kind: str) -> None:
    """Whatever bytes come, there is an answer."""
    for rule in (deny(json={"a.*.0": "re:x"}), deny(form={"a": True}), deny(when={"not": {"json": {"a": True}}})):
        matches(rule, headers=[("content-type", kind)], body=body)
