"""Headers, cookies and parameters that were sent several times: nobody hides, or gets in, behind a second value."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.filters.views import compiled, holds, view

from doorward.patterns import MAX_TEXT
from doorward.rules.filters import filter_request


def sent(*values: str):
    return view(headers=[("x", value) for value in values])


@pytest.mark.parametrize(
    ("expression", "values", "may", "must"),
    [
        ('http.request.headers["x"] eq "bad"', ("good", "bad"), True, False),
        ('http.request.headers["x"] eq "bad"', ("bad", "bad"), True, True),
        ('http.request.headers["x"] ne "good"', ("good", "bad"), True, False),
        ('not http.request.headers["x"] eq "good"', ("good", "bad"), True, False),
        ('not http.request.headers["x"] eq "good"', ("good", "good"), False, False),
        ('not (http.request.headers["x"] ne "good")', ("good", "bad"), True, False),
        ('http.request.headers["x"] eq "a" xor http.request.headers["x"] eq "b"', ("a", "b"), True, False),
        ('len(http.request.headers["x"]) gt 3', ("abc", "abcd"), True, False),
        ('lower(http.request.headers["x"]) in {"bad"}', ("good", "BAD"), True, False),
        ('http.request.headers["x"] ~ "^b"', ("good", "bad"), True, False),
        # Each comparison may see another of the values, as each reader of the request may.
        ('http.request.headers["x"] eq "a" and http.request.headers["x"] eq "b"', ("a", "b"), True, False),
        ('http.request.headers["x"] eq "a" or http.request.headers["x"] eq "b"', ("a", "b"), True, False),
        ('http.request.headers["x"] eq "a" and http.request.headers["y"] eq "b"', ("a", "b"), None, None),
    ],
)
def test_what_may_be_and_what_must_be(expression: str, values: tuple[str, ...], may, must) -> None:
    """A refusal needs one choice of values for which the expression is true, a permission all of them."""
    for order in permutations(values):
        request = sent(*order)
        assert holds(expression, request) is may
        assert holds(expression, request, certain=True) is must


@pytest.mark.parametrize(
    ("expression", "parts"),
    [
        ('http.request.cookie["c"] eq "bad"', {"headers": [("cookie", "c=good; c=bad")]}),
        ('http.request.cookie["c"] eq "bad"', {"headers": [("cookie", "c=good"), ("cookie", "c=bad")]}),
        ('http.request.uri.args["q"] eq "bad"', {"query": "q=good&q=bad"}),
        ('http.request.headers["x"] eq "bad"', {"headers": [("x", "good"), ("X", "bad")]}),
        ('http.host eq "bad"', {"host": None, "headers": [("host", "good"), ("host", "bad")]}),
        ('http.host eq "bad"', {"host": "bad", "headers": [("host", "good"), ("host", "fine")]}),
    ],
)
def test_every_value_is_seen(expression: str, parts: dict) -> None:
    """In cookies, parameters, headers and the host."""
    assert holds(expression, view(**parts)) is True
    assert holds(expression, view(**parts), certain=True) is False


def test_a_deny_list_refuses_either_reading_and_an_allow_list_demands_both() -> None:
    """Through the rule."""
    request = view(query="role=user&role=admin")
    for refused in ('http.request.uri.args["role"] eq "admin"', 'not http.request.uri.args["role"] eq "user"'):
        assert filter_request(deny=[refused]).evaluate(request).conclusion == "DENY"
    assert filter_request(allow=['http.request.uri.args["role"] eq "user"']).evaluate(request).conclusion == "DENY"
    assert filter_request(allow=['http.request.uri.args["role"] in {"user" "admin"}']).evaluate(request).conclusion == (
        "ALLOW"
    )


def test_a_text_too_long_for_a_regular_expression_may_match() -> None:
    """Neither does it hide what is refused, nor show what is allowed; a shorter one is searched to its end."""
    long = sent("a" * (MAX_TEXT + 1))
    for expression in ('http.request.headers["x"] ~ "b"', 'not http.request.headers["x"] ~ "a"'):
        assert holds(expression, long) is True
        assert holds(expression, long, certain=True) is False
        assert holds(expression, sent("a" * MAX_TEXT)) is False


EXPRESSIONS = [
    compiled(text)
    for text in (
        'http.request.headers["x"] eq "a"',
        'not http.request.headers["x"] eq "a"',
        'http.request.headers["x"] ne "a" and http.request.headers["y"] in {"a" "b"}',
        'http.request.headers["x"] ~ "a|b" xor http.request.headers["y"] eq "b"',
        'not (http.request.headers["x"] lt "b" or len(http.request.headers["y"]) & 1)',
    )
]
LINES = st.lists(st.tuples(st.sampled_from("xyz"), st.sampled_from(["", "a", "b", "ab"])), max_size=6)


@given(LINES, LINES, st.randoms(use_true_random=False))
def test_more_values_never_help_and_their_order_does_not_matter(lines, more, random) -> None:
    """What is refused stays refused, and what is not allowed stays so, when a header that is there comes again."""
    again = [line for line in more if line[0] == "z" or line[0] in {name for name, _ in lines}]
    longer = lines + again
    random.shuffle(longer)
    for expression in EXPRESSIONS:
        before, after = view(headers=lines), view(headers=longer)
        assert not (expression.holds(before, certain=False) and not expression.holds(after, certain=False))
        assert not (expression.holds(after, certain=True) and not expression.holds(before, certain=True))
