"""What a refused client is sent."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.walking import Says, Walking, challenges, denies, raises, request

from doorward import ConfigurationError, fixed_window
from doorward.answers import HTML, PROBLEM, TEXT, negotiated, refusal
from doorward.limit_headers import parse_style

NEGOTIATIONS = [
    ("", PROBLEM),
    ("*/*", PROBLEM),
    ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", HTML),
    ("text/html", HTML),
    ("TEXT/HTML; charset=utf-8", HTML),
    ("text/*", HTML),
    ("text/plain", TEXT),
    ("text/plain, text/html;q=0.5", TEXT),
    ("text/html;q=0.2, application/json;q=0.3", PROBLEM),
    ("text/html;q=0.3, application/*;q=0.2", HTML),
    ("application/json", PROBLEM),
    ("application/problem+json", PROBLEM),
    ("image/png", PROBLEM),
    ("text/html;q=0", PROBLEM),
    ("text/html;q=0, text/plain;q=0.001", TEXT),
    ("*/*;q=0.5, text/html;q=0.4, text/plain;q=0.6", TEXT),
    ("text/html;q=nan, text/plain;q=0.1", TEXT),
    ("text/html;q=1e9, text/plain;q=0.1", TEXT),
    ("text/html;q=9, text/plain", HTML),
    ("text/html;q=-1, text/plain;q=0.1", TEXT),
    ("text/html;q=0.5000000000, text/plain;q=0.1", TEXT),
    ("text/html;level=1;q=0.9,text/plain;q=0.8", HTML),
    ("," * 2000 + "text/html", PROBLEM),
]


def refused(accept: str = "", rule=None):
    walking = Walking(rule or fixed_window(max=1, window="1m"))
    walking.walk()
    return refusal(request(headers=[("Accept", accept)]), walking.walk())


@pytest.mark.parametrize(("accept", "kind"), NEGOTIATIONS, ids=lambda value: value[:40])
def test_the_type_is_what_the_client_wants_most(accept: str, kind: str) -> None:
    """RFC 9110 section 12.5.1; problem+json where nothing is wanted more."""
    assert negotiated([accept]) == kind


def test_several_accept_lines_are_one_list() -> None:
    """As HTTP says of every list header."""
    assert negotiated(["text/html;q=0.1", "text/plain"]) == TEXT
    assert negotiated([]) == PROBLEM


@given(st.lists(st.text(max_size=200), max_size=3))
def test_any_accept_header_is_answered(accept: list[str]) -> None:
    """Bad bytes never raise."""
    assert negotiated(accept) in (PROBLEM, HTML, TEXT)


def test_a_refused_limit_is_a_problem_with_its_wait() -> None:
    """RFC 9457, with the seconds to wait and an id to ask about."""
    answer = refused()
    problem = json.loads(answer.body)
    assert problem.pop("id").startswith("lreq_")
    assert problem == {
        "type": "about:blank", "title": "Too Many Requests", "status": 429,
        "detail": "Too many requests. Try again in 60 seconds.", "retry_after": 60,
    }  # fmt: skip
    headers = dict(answer.headers)
    assert (answer.status, headers["Retry-After"], headers["Content-Type"]) == (429, "60", PROBLEM)
    assert (headers["Cache-Control"], headers["Vary"], headers["X-Content-Type-Options"]) == (
        "no-store",
        "Accept",
        "nosniff",
    )
    assert "Content-Security-Policy" not in headers


def test_one_second_is_not_seconds() -> None:
    """A sentence that people read."""
    assert b"Try again in 1 second." in refused("text/plain", fixed_window(max=1, window="1s")).body


@pytest.mark.parametrize(
    ("does", "status", "title", "detail"),
    [
        (denies, 403, "Forbidden", "This request was refused."),
        (challenges, 403, "Forbidden", "This request was refused."),
        (raises, 503, "Service Unavailable", "This request could not be checked. Try again later."),
    ],
)
def test_a_refusal_never_says_what_it_tripped_over(does, status: int, title: str, detail: str) -> None:
    """Only what the client may do about it, as text."""
    answer = refused("text/plain", Says(does=does, on_error="deny"))
    first, second, reference, _ = answer.body.decode().split("\n")
    assert (answer.status, first, second) == (status, title, detail)
    assert reference.startswith("Reference: lreq_")


def test_a_page_is_html_that_runs_and_loads_nothing() -> None:
    """A strict policy, and no bytes of the client in it."""
    answer = refused("text/html")
    assert answer.body.startswith(b"<!doctype html>")
    assert b"<h1>Too Many Requests</h1>" in answer.body
    assert dict(answer.headers)["Content-Security-Policy"].startswith("default-src 'none'")


def test_limit_headers_come_in_three_styles() -> None:
    """The style that an application's clients understand; the tightest limit where there is room for one."""
    walking = Walking(fixed_window(max=5, window="10m", name="roomy"), fixed_window(max=3, window="1m", name="tight"))
    found = walking.walk()
    assert dict(parse_style("draft-10")(found)) == dict(parse_style(True)(found)) == dict(found.headers)
    assert parse_style("draft-6")(found) == [
        ("RateLimit-Limit", "3"),
        ("RateLimit-Remaining", "2"),
        ("RateLimit-Reset", "60"),
    ]
    assert parse_style("x")(found) == [
        ("X-RateLimit-Limit", "3"), ("X-RateLimit-Remaining", "2"), ("X-RateLimit-Reset", "60"),
    ]  # fmt: skip


def test_a_decision_without_limits_has_no_limit_headers() -> None:
    """In any style."""
    found = Walking(Says()).walk()
    assert [parse_style(style)(found) for style in ("draft-10", "draft-6", "x")] == [[], [], []]


def test_limit_headers_may_be_off_and_must_be_known() -> None:
    """False and None switch them off; another name is an error."""
    assert parse_style(False) is parse_style(None) is None
    with pytest.raises(ConfigurationError, match="draft-10, draft-6, x"):
        parse_style("draft-7")
