"""A request's cookies: one looked for by itself, and all of them by name, come to the same."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from doorward import RequestContext
from doorward.context import _LOOKS_BEFORE_INDEX, _cookies, _values_of_cookie
from doorward.requests import from_environ

NAMES = ("doorward", "__Host-doorward", "a", "")
pieces = st.sampled_from(["doorward", "__Host-doorward", "a", "=", ";", " ", '"', "\t", "1", "\x1f", "\xa0", ","])
lines = st.lists(st.lists(pieces, max_size=12).map("".join), max_size=3)


@given(lines)
def test_looking_for_one_is_looking_it_up(given_lines: list[str]) -> None:
    """Whatever is in the header lines."""
    for name in NAMES:
        assert list(_values_of_cookie(given_lines, name)) == _cookies(given_lines).get(name, [])


@given(lines)
def test_a_request_says_the_same_each_time(given_lines: list[str]) -> None:
    """Of the first names that it is asked for, and of those that come after."""
    request = RequestContext(headers=[("cookie", line) for line in given_lines])
    for _ in range(_LOOKS_BEFORE_INDEX):
        assert [list(request.cookies(name)) for name in NAMES] == [
            _cookies(given_lines).get(name, []) for name in NAMES
        ]


def test_the_first_of_a_name_comes_first() -> None:
    """And quotes are not part of a value."""
    request = RequestContext(headers=[("cookie", 'a=1; b="2"; a=3'), ("cookie", "a = 4 ;c")])
    assert list(request.cookies("a")) == ["1", "3", "4"]
    assert list(request.cookies("b")) == ["2"]
    assert list(request.cookies("c")) == []


def test_of_an_environ() -> None:
    """A header that was sent with underscores is none there, whatever it is called."""
    request = from_environ({"REQUEST_METHOD": "GET", "HTTP_COOKIE": "a=1", "HTTP_X_A": "1"})
    assert list(request.cookies("a")) == ["1"]
    assert list(request.headers.values("x-a")) == ["1"]
    assert list(request.headers.values("x_a")) == []
