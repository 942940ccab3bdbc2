"""Requests that no client in common use sends, and those that clients do send."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.attacks.asking import of_request, request_detectors, request_of, weight

from doorward import RequestContext
from doorward.attacks.detectors import OF_REQUESTS
from doorward.attacks.evidence import Place
from doorward.builders.rule_files import contents

BROWSER = [
    (b"host", b"www.example.com"),
    (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
    (b"accept", b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    (b"accept-language", b"en-US,en;q=0.5"),
    (b"accept-encoding", b"gzip, deflate, br, zstd"),
    (b"connection", b"keep-alive"),
    (b"cookie", b"sid=abc; _ga=GA1.2.3.4"),
]


def examples(key: str) -> list[Any]:
    return [
        pytest.param(book, entry["id"], head, id=f"{book}.{entry['id']}-{number}")
        for book in OF_REQUESTS
        for entry in contents()[book]["rule"]
        for number, head in enumerate(entry[key])
    ]


@pytest.mark.parametrize(("book", "rule", "head"), examples("match"))
def test_what_a_rule_says_it_finds_it_finds(book: str, rule: str, head: str) -> None:
    """Each ``match`` example of the rules about requests."""
    assert f"{book}.{rule}" in of_request(book, request_of(head))


@pytest.mark.parametrize(("book", "rule", "head"), examples("pass"))
def test_what_a_rule_says_it_lets_pass_passes(book: str, rule: str, head: str) -> None:
    """Each ``pass`` example of the rules about requests."""
    assert f"{book}.{rule}" not in of_request(book, request_of(head))


@pytest.mark.parametrize("book", sorted(OF_REQUESTS))
def test_rules_about_requests_are_complete(book: str) -> None:
    """Each has a weight that counts, a reason, and examples of both kinds."""
    for entry in contents()[book]["rule"]:
        assert 0.2 <= entry["weight"] <= 1
        assert entry["reason"]
        assert len(entry["match"]) >= 3
        assert len(entry["pass"]) >= 3


def test_nothing_is_wrong_with_a_request_without_headers() -> None:
    """Contexts made by hand, as in tests, have none."""
    assert of_request("protocol", RequestContext()) == {}
    assert of_request("session", RequestContext()) == {}


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [(b"content-type", b"application/json; charset=utf8"), (b"content-length", b"12")],
        [
            (b"content-type", b"multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW"),
            (b"content-length", b"9"),
        ],
        [(b"content-type", b"application/grpc-web+proto"), (b"te", b"trailers")],
        [(b"content-type", b"application/json;odata.metadata=minimal;IEEE754Compatible=true")],
        [(b"expect", b"100-continue"), (b"content-length", b"100")],
        [(b"content-encoding", b"gzip"), (b"content-type", b"application/x-protobuf")],
        [(b"range", b"bytes=0-0")],
        [(b"range", b"bytes=0-99,100-199,300-399,500-599,700-799,900-999")],
        [(b"x-http-method-override", b"PATCH")],
        [(b"accept-charset", b"ISO-8859-1,utf-8;q=0.7,*;q=0.7")],
        [(b"proxy-connection", b"keep-alive"), (b"keep-alive", b"300")],
        [(b"content-type", b"")],
        [(b"content-type", b"text/plain;charset=UTF-8")],
        [(b"if-match", b"*"), (b"if-none-match", b'W/"abc"')],
    ],
    ids=range(15),
)
def test_what_clients_send_is_nothing(lines: list[tuple[bytes, bytes]]) -> None:
    """Browsers, libraries, upload clients, players and API clients."""
    request = RequestContext(method="POST", path="/a", query="b=c", headers=[*BROWSER, *lines])
    assert of_request("protocol", request) == {}
    assert of_request("protocol", request) == {}, "and the second time too, when the lines are known"


def test_a_websocket_s_handshake_is_nothing() -> None:
    """The upgrade of RFC 6455, also beside HTTP/2's."""
    for connection in (b"Upgrade", b"keep-alive, Upgrade", b"Upgrade, HTTP2-Settings"):
        lines = [(b"connection", connection), (b"upgrade", b"websocket"), (b"sec-websocket-version", b"13")]
        assert of_request("protocol", RequestContext(headers=[*BROWSER[:5], *lines])) == {}


def test_a_get_with_a_json_body_is_nothing() -> None:
    """Clients of search engines send one with every request."""
    lines = [(b"content-type", b"application/json"), (b"content-length", b"20")]
    assert of_request("protocol", RequestContext(headers=[*BROWSER, *lines], body=b'{"query": {"a": "b"}}')) == {}


def test_names_are_known_in_any_case_and_type() -> None:
    """As servers give them: bytes, upper case of a WSGI environ, or as somebody wrote them."""
    for name in ("proxy", "PROXY", "Proxy", "pRoXy", b"proxy", b"Proxy"):
        value = "x" if isinstance(name, str) else b"x"
        assert "protocol.forbidden" in of_request("protocol", RequestContext(headers=[(name, value)]))


def test_a_bad_line_is_found_again() -> None:
    """Only lines that are fine are remembered."""
    request = RequestContext(headers=[("Content-Type", "text/plain; charset=utf-7")])
    for _ in range(3):
        assert "protocol.charset" in of_request("protocol", request)


def test_what_depends_on_the_request_is_not_remembered() -> None:
    """A header that is fine with one method is not with another."""
    lines = [("Content-Range", "bytes 0-1/2")]
    assert of_request("protocol", RequestContext(method="PUT", headers=lines)) == {}
    assert "protocol.content_range" in of_request("protocol", RequestContext(method="GET", headers=lines))


def test_field_names_that_end_early_are_found_only_as_such() -> None:
    """In a name of a part, not in a value, and not where a browser wrote a reference."""
    assert weight("parts", "a;b", Place.MULTIPART, is_name=True) == 1
    assert weight("parts", "a;b", Place.MULTIPART) == 0
    assert weight("parts", "a;b", Place.QUERY, is_name=True) == 0
    assert weight("parts", "gr&#252;n", Place.MULTIPART, is_name=True) == 0


TEXT = st.text(max_size=60)
HEADER = st.tuples(
    st.sampled_from(["host", "range", "content-type", "connection", "accept", "content-length", "cookie", "if", "x"]),
    st.one_of(TEXT, st.text("bytes=0123456789-,; \"'/charset=boundary", max_size=60)),
)


@given(st.text(max_size=8), TEXT, TEXT, st.lists(HEADER, max_size=6))
def test_no_request_makes_it_raise(method: str, path: str, query: str, headers: list[tuple[str, str]]) -> None:
    """Whatever servers let through."""
    for book in OF_REQUESTS:
        for detector in request_detectors(book):
            for finding in detector.examine(RequestContext(method=method, path=path, query=query, headers=headers)):
                assert 0 < finding.weight <= 1
                assert finding.excerpt.isprintable()
