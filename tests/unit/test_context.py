"""The normalized request: headers, cookies, query."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward import Body, Headers, RequestContext

LINES = [("Accept", "a"), ("X-Tag", "1"), ("accept", "b")]


@pytest.mark.parametrize(
    "kind", [list, tuple, iter, lambda lines: (line for line in lines)], ids=["list", "tuple", "iterator", "generator"]
)
def test_headers_are_read_from_any_iterable_as_often_as_wanted(kind) -> None:
    """An iterator is not used up by the first look."""
    headers = Headers(kind(LINES))
    for _ in range(2):
        assert headers.values("ACCEPT") == ["a", "b"]
        assert list(headers) == [("accept", "a"), ("x-tag", "1"), ("accept", "b")]
        assert len(headers) == 3


def test_headers_are_read_from_a_mapping() -> None:
    """Which is what many have at hand."""
    assert list(RequestContext(headers={"User-Agent": "curl"}).headers) == [("user-agent", "curl")]


def test_header_names_have_no_case() -> None:
    """Neither when they come nor when they are asked for."""
    headers = Headers(LINES)
    assert headers.get("x-TAG") == "1"
    assert "X-tag" in headers
    assert "x-other" not in headers
    assert 5 not in headers


def test_an_absent_header_is_empty() -> None:
    """No None to trip over; a default where one is wanted."""
    headers = Headers()
    assert (headers.values("a"), headers.get("a"), headers.get("a", "x"), len(headers)) == ((), "", "x", 0)


@given(st.binary(), st.binary())
def test_header_bytes_are_latin_1_whatever_they_are(name: bytes, value: bytes) -> None:
    """Every byte decodes, so that bad bytes are data and not an error; only ASCII has two cases."""
    headers = Headers([(b"X" + name, value)])
    assert list(headers) == [((b"x" + name.lower()).decode("latin-1"), value.decode("latin-1"))]


@given(st.lists(st.tuples(st.sampled_from([b"A", b"a", b"b", b"\xc0", "A", "b"]), st.binary()), max_size=5))
def test_the_hundredth_look_finds_what_the_first_one_found(lines: list) -> None:
    """However headers are looked up, once or often."""
    headers = Headers(lines)
    for name in ("a", "B", "\xc0", "\xe0"):
        first = list(headers.values(name))
        assert all(list(headers.values(name)) == first for _ in range(20))
        assert first == list(Headers(lines).values(name))


def test_text_and_bytes_may_be_mixed() -> None:
    """Frameworks do."""
    assert Headers([("A", b"\xe9"), (b"a", "x")]).values("a") == ["\xe9", "x"]


def test_the_host_is_the_header_unless_it_was_given() -> None:
    """HTTP/2 servers give the authority apart."""
    headers = [("Host", "a.example:8080")]
    assert RequestContext(headers=headers).host == "a.example:8080"
    assert RequestContext(headers=headers, host="").host == ""
    assert RequestContext(host="b.example").host == "b.example"
    assert RequestContext().host == ""


def test_a_body_given_is_complete_and_none_is_not_at_hand() -> None:
    """An empty body is not an unknown one."""
    assert (RequestContext().body, RequestContext().body_complete) == (None, False)
    assert (RequestContext(body=b"").body, RequestContext(body=b"").body_complete) == (b"", True)
    request = RequestContext()
    request.hold(Body(b"part", False))
    assert (request.body, request.body_complete) == (b"part", False)


def test_cookies_of_all_lines_and_names_count() -> None:
    """Repeated names, spaces, quotes and items that are none."""
    request = RequestContext(headers=[("Cookie", 'a=1; b = "x=y" ;a=2;;novalue'), ("cookie", "a=3")])
    assert request.cookies("a") == ["1", "2", "3"]
    assert request.cookies("b") == ["x=y"]
    assert request.cookies("novalue") == ()


def test_query_values_are_decoded_and_in_order() -> None:
    """Plus, percent, repeated and empty parameters."""
    request = RequestContext(query="a=1&b=%C3%A9+x&a=%zz&c&&=e")
    assert request.query_values("a") == ["1", "%zz"]
    assert request.query_values("b") == ["é x"]
    assert request.query_values("c") == [""]
    assert request.query_values("") == ["e"]
    assert request.query_values("d") == ()


@given(st.text(), st.text())
def test_any_query_and_cookie_can_be_read(query: str, cookie: str) -> None:
    """Bad bytes never raise."""
    request = RequestContext(query=query, headers=[("cookie", cookie)])
    assert request.query_values("a") is not None
    assert request.cookies("a") is not None


def test_repr_holds_no_secrets() -> None:
    """Neither query nor headers nor body: those end up in logs."""
    request = RequestContext(path="/a", query="token=1", headers=[("Cookie", "s=1")], peer="8.8.8.8", raw_path="/%61")
    assert repr(request) == "RequestContext(method='GET', path='/a', peer='8.8.8.8')"
    assert request.raw_path == "/%61"
