"""Expressions that are none: where, and what was expected."""

from __future__ import annotations

import re
import sys
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.filters.views import compiled

from doorward import ConfigurationError
from doorward.filters import LONGEST, MOST, compile_filter, compile_filters
from doorward.filters.parser import MOST_NESTED

WRONG = [
    ("http.request.blob == 1", "1:1", "http.request.blob is unknown"),
    ("blob(http.request) == 1", "1:1", "blob is no function; there are len, lower, upper"),
    ("http.host == 1", "1:14", 'expected text in double quotes, found "1"'),
    ("\U0001f44d", "1:1", "expected a field or a function"),
    ('http.blob ~ "Chrome"', "1:1", "http.blob is unknown"),
    ("ip.src.lat > 1", "1:14", "expected text in double quotes"),
    ('ip.src.cuontry eq "DE"', "1:1", "did you mean ip.src.country?"),
    ('http.request.header["a"] eq "b"', "1:1", 'did you mean http.request.headers["name"]?'),
    ('http.user_agent eq "b"', "1:1", 'did you mean http.request.headers["user-agent"]?'),
    ('http.request.uri.query eq "b"', "1:1", 'did you mean http.request.uri.args["name"]?'),
    ("zzz", "1:1", "zzz is unknown; there are ip.src, http.host"),
    ('http.request.headers eq "a"', "1:1", 'is read by a key: http.request.headers["name"]'),
    ("len(http.request.headers) eq 1", "1:5", "is read by a key"),
    ('http.host["a"] eq "a"', "1:10", "http.host has no keys"),
    ('http.request.headers[a] eq "a"', "1:22", 'expected text in double quotes, found "a"'),
    ('http.request.headers["a" eq "a"', "1:26", 'expected "]" behind the key, found "eq"'),
    ('http.host = "a"', "1:11", 'equality is "=="'),
    ("http.host", "1:10", "found the end"),
    ('http.host "a"', "1:11", "found text"),
    ("http.host & 1", "1:11", "expected one of =="),
    ('http.host strict "a"', "1:11", "expected one of =="),
    ('len(http.host) contains "a"', "1:16", "expected one of =="),
    ('ip.src ~ "10"', "1:8", "expected one of =="),
    ("ip.src.vpn == true", "1:12", "ip.src.vpn is true or false: it stands alone"),
    ("ip.src == 10.0.0.0/8", "1:11", "expected a single address; for several: in {10.0.0.0/8}"),
    ("ip.src == localhost", "1:11", "expected an address such as 192.0.2.1"),
    ('ip.src == "10.0.0.1:80"', "1:11", "expected an address such as 192.0.2.1"),
    ("ip.src == fe80::1%eth0", "1:11", "has a zone"),
    ("ip.src in {10.0.0.1/8}", "1:12", "has host bits set"),
    ("ip.src in {10.0.0.9..10.0.0.1}", "1:12", "ends before it begins"),
    ("ip.src in {10.0.0.9..::1}", "1:12", "different families"),
    ("ip.src in {10.0.0.1, 10.0.0.2}", "1:20", "spaces between them, not commas"),
    ("ip.src in {}", "1:12", 'expected an address, found "}"'),
    ("ip.src in {10.0.0.1", "1:20", 'expected "}" behind the values, found the end'),
    ("ip.src in $office", "1:11", "named lists ($…) do not exist here"),
    ("ip.src in 10.0.0.0/8", "1:11", 'expected "{"'),
    ("len(http.host) eq 1..2", "1:19", "a range stands in a set"),
    ("len(http.host) in {2..1}", "1:20", "the range ends before it begins"),
    ("len(http.host) eq 12x", "1:19", "expected a whole number such as 42 or 0x2A, found '12x'"),
    ("len(http.host) eq 9223372036854775808", "1:19", "a number is at most 9223372036854775807"),
    ("len(http.host) eq .", "1:19", 'expected a whole number, found "."'),
    ("len(ip.src) eq 1", "1:5", "len takes text, and ip.src is an address"),
    ("lower(len(http.host)) eq 1", "1:7", "lower takes text, and len(http.host) is a number"),
    ("len(http.host eq 1", "1:15", 'expected ")"'),
    ("(ip.src.vpn", "1:12", 'expected ")" to close the "(" before it, found the end'),
    ("ip.src.vpn)", "1:11", "expected and, or, xor or the end of the expression"),
    ("ip.src.vpn and", "1:15", "expected a field or a function, found the end"),
    ("ip.src eq 1.1.1.1 # office", "1:19", 'found "#"'),
    ('http.host eq "abc', "1:14", 'the text has no closing "'),
    ('http.host eq r#"abc"', "1:14", 'the text has no closing "#'),
    (r'http.host eq "a\n"', "1:16", r"expected \", \\, \xHH or \OOO after a backslash"),
    ('http.host ~ "abc', "1:13", 'the text has no closing "'),
    ('http.host ~ "["', "1:13", 'the text has no closing "'),
    ('http.host ~ "("', "1:13", "is not a regular expression"),
    (r'http.host ~ "(a|b\1)+c"', "1:13", "regular expression"),
    ('http.host wildcard "a**b"', "1:20", "two stars in a row"),
    (r'http.host wildcard r"a\b"', "1:20", "a backslash is for"),
    ("ip.src.vpn and\n  http.host eq 1", "2:16", "expected text in double quotes"),
]


@pytest.mark.parametrize(("expression", "place", "problem"), WRONG)
def test_an_error_says_where_and_what_was_expected(expression: str, place: str, problem: str) -> None:
    """By line and column, with the field that it stands in."""
    with pytest.raises(ConfigurationError) as caught:
        compiled(expression)
    assert caught.value.field == "deny[0]"
    assert caught.value.problem.startswith(f"{place}: ")
    assert problem in caught.value.problem


def test_an_error_shows_the_line_and_points_at_it() -> None:
    """The carets are as long as what is wrong."""
    with pytest.raises(ConfigurationError) as caught:
        compiled('ip.src.vpn and\n  http.hots eq "a" or\nip.src.tor')
    assert str(caught.value) == (
        'deny[0]: 2:3: http.hots is unknown; did you mean http.host?\n    http.hots eq "a" or\n    ^^^^^^^^^'
    )


def test_of_a_long_line_the_neighbourhood_is_shown() -> None:
    """The carets still stand below what is wrong, and control characters cannot move them."""
    with pytest.raises(ConfigurationError) as caught:
        compiled("ip.src.vpn or\t" * 60 + "ip.scr.vpn" + " or ip.src.vpn" * 3)
    _, line, carets = str(caught.value).split("\n")
    assert line[carets.index("^") :].startswith("ip.scr.vpn")
    assert len(line) < 110
    assert "\t" not in line


@pytest.mark.parametrize("nothing", ["", "  \n", None, 1, b"ip.src.vpn"])
def test_an_expression_is_text(nothing: object) -> None:
    """And not empty."""
    with pytest.raises(ConfigurationError, match=r"allow\[3\]: must be a filter expression, not "):
        compile_filter(nothing, "allow[3]")


def test_an_expression_has_at_most_so_many_bytes() -> None:
    """Bytes of UTF-8, as Arcjet counts them."""
    fits = 'http.host eq "' + "\u00e9" * 504 + 'a"'
    assert len(fits.encode()) == LONGEST == 1_024
    assert compiled(fits).source == fits
    with pytest.raises(ConfigurationError, match="at most 1024 bytes, not 1025"):
        compiled(fits + " ")


def test_a_rule_has_at_most_so_many_expressions() -> None:
    """One text stands for a list of it alone."""
    assert len(compile_filters(["ip.src.vpn"] * MOST, "deny")) == 10
    assert [found.source for found in compile_filters("ip.src.vpn", "deny")] == ["ip.src.vpn"]
    with pytest.raises(ConfigurationError, match="deny: takes at most 10 expressions, not 11"):
        compile_filters(["ip.src.vpn"] * 11, "deny")


@pytest.mark.parametrize("wrong", [1, None, {"ip.src.vpn"}, b"ip.src.vpn"])
def test_expressions_are_a_list(wrong: object) -> None:
    """Ordered, so that an error can say which one."""
    with pytest.raises(ConfigurationError, match="deny: must be a filter expression or a list of them"):
        compile_filters(wrong, "deny")


def test_an_error_names_the_expression_by_its_place() -> None:
    """Of several, the one that is wrong."""
    with pytest.raises(ConfigurationError, match=r"deny\[1\]: 1:1: "):
        compile_filters(["ip.src.vpn", "oops"], "deny")


@pytest.mark.parametrize(
    ("opening", "closing"), [("(", ")"), ("not(", ")"), ("lower(", ")"), ("!(", ") and ip.src.vpn")]
)
def test_nesting_is_bounded(opening: str, closing: str) -> None:
    """So deep that nobody writes it, and no stack is exhausted, neither here nor in the request."""
    inner, behind = ("http.host", ' eq "a"') if opening == "lower(" else ("ip.src.vpn", "")
    compiled(opening * MOST_NESTED + inner + closing * MOST_NESTED + behind)
    with pytest.raises(ConfigurationError, match="at most 32 parentheses"):
        compiled(opening * (MOST_NESTED + 1) + inner + closing * (MOST_NESTED + 1) + behind)


LONG = [
    "(" * LONGEST,
    "!" * LONGEST,
    "not " * 256,
    "!" * 1_000 + "ip.src.vpn",
    "ip.src.vpn||" * 85 + "x",
    "ip.src in {" + "1.1.1.1 " * 126,
    'http.host in {"' + '" "' * 330,
    'http.host eq "' + "\\x41" * 252,
    'http.host ~ "' + "[a]" * 330,
    'http.host ~ "' + "[" * 1_000,
    'http.host wildcard "' + "*a" * 500 + '"',
    "r" + "#" * 1_000 + '"',
    "http.host eq r" + '#"' * 500,
    "a." * 500,
    " " * 1_000 + "x",
    "len(http.host) eq " + "9" * 1_000,
]


@pytest.mark.parametrize("source", LONG, ids=[text[:16] for text in LONG])
def test_the_work_of_compiling_is_bounded_by_the_length(source: str) -> None:
    """Counted in calls, Python's and C's: at most some for each character."""
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1

    sys.setprofile(count)
    try:
        compiled(source)
    except ConfigurationError:
        calls += 1
    finally:
        sys.setprofile(None)
    assert calls < 200 * LONGEST


WORDS = [
    *("ip.src", "http.host", "local.plan", 'http.request.headers["x"]', "ip.src.vpn", "len(", "lower(", "(", ")"),
    *("==", "ne", "<", "contains", "matches", "~", "wildcard", "strict wildcard", "in", "{", "}", "&", "and", "||"),
    *("xor", "not", "!", '"a"', 'r"a"', 'r#"', '"', "\\", "10.0.0.1", "10.0.0.0/8", "::1", "1..2", "0x1f", "..", "\n"),
]


@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join)))
def test_any_text_is_compiled_or_refused_with_its_place(source: str) -> None:
    """Whatever is written, nothing but a ConfigurationError is raised, and it points into the text."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # re's, of sets such as "[[a]"
            compile_filter(source, "deny[0]")
    except ConfigurationError as error:
        if source.strip():
            place = re.match(r"(\d+):(\d+): ", error.problem)
            assert place is not None
            line = source.split("\n")[int(place[1]) - 1]
            assert 1 <= int(place[2]) <= len(line) + 1
