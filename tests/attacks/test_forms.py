"""Queries and forms: names and values as servers read them."""

from __future__ import annotations

from urllib.parse import parse_qsl, quote_plus, unquote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.attacks.taken_apart import longest_stretch, names, parts_of_body, rules, seen, size, texts

from doorward.attacks.evidence import Place
from doorward.attacks.forms import MOST_WATCHED, pairs, unquoted, unquoted_chunks
from doorward.attacks.parts import CHUNK, OVERLAP

FORM = "application/x-www-form-urlencoded"
TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
PAIRS = st.lists(st.tuples(TEXTS.filter(bool), TEXTS.filter(bool)), max_size=6, unique_by=lambda pair: pair[0])


@given(given_pairs=PAIRS)
def test_values_are_those_of_the_standard_library(given_pairs: list[tuple[str, str]]) -> None:
    """Any pairs, encoded as a browser does it, come out as they went in."""
    raw = urlencode(given_pairs)
    assert seen(pairs(raw, Place.QUERY)) == parse_qsl(raw) == given_pairs


@given(text=st.text("%0123456789abcdefABCDEFzé+&= ", max_size=40))
def test_percent_decoding_forgives_like_others_do(text: str) -> None:
    """What is no escape stays as it is."""
    decoded = unquoted(text)
    if "\ufffd" not in unquote(text):
        assert decoded == unquote(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("%zz%4", "%zz%4"),
        ("%2527", "%27"),
        ("%C0%BCscript", "\xc0\xbcscript"),
        ("%ff%c3%a9", "\xffé"),
        ("%EF%BC%9C", "\uff1c"),
        ("caf\xc3%A9", "café"),
        ("%00", "\0"),
        ("%u0027", "%u0027"),
    ],
    ids=["no-escape", "once", "overlong", "mixed", "wide", "half-raw", "zero", "u"],
)
def test_no_byte_is_lost(text: str, expected: str) -> None:
    """Bytes that are no UTF-8 can still be seen."""
    assert unquoted(text) == expected


@pytest.mark.parametrize("shift", range(10))
@pytest.mark.parametrize("unit", ["\uff1c", "é", "a%", "\U0001f600'"], ids=["three", "two", "literal", "four"])
def test_long_values_are_not_torn_apart(unit: str, shift: int) -> None:
    """However the pieces fall, each character is decoded whole."""
    text = "a" * shift + unit * CHUNK
    raw = quote_plus(text)
    assert "".join(unquoted_chunks(raw)) == text
    parts = list(pairs(f"q={raw}&b=x", Place.QUERY))
    assert seen(parts) == [("q", text), ("b", "x")]
    assert longest_stretch(parts) <= CHUNK + OVERLAP


def test_repeated_names_are_looked_at_together() -> None:
    """An attack that is spread over the values of one name is one text, too."""
    found = seen(pairs("q=1/*&x=2&q=*/union&q=%27", Place.QUERY))
    assert found == [("q", "1/*"), ("x", "2"), ("q", "*/union"), ("q", "'"), ("q", "1/*,*/union,'")]


@pytest.mark.parametrize(
    "name", ["a[$ne]", "a%5B%24ne%5D", "<x>", "a b", "a+b", "__proto__[x]", "phpsessid", "a\xc3\xa9"]
)
def test_names_that_are_more_than_identifiers_are_looked_at(name: str) -> None:
    """A client chooses names, too."""
    assert names(pairs(f"plain=1&{name}=2&other-name_2=3", Place.FORM)) == [unquoted(name.replace("+", " "))]


def test_what_has_no_equals_sign_is_a_value() -> None:
    """``?<script>`` has no name."""
    assert seen(pairs("<script>", Place.QUERY)) == [("", "<script>")]
    assert ("", "a=1&&cat /etc/passwd") in seen(pairs("a=1&&cat+/etc/passwd", Place.QUERY))


def test_only_ampersands_separate() -> None:
    """As in today's servers; what follows a semicolon is looked at with what is before it."""
    assert seen(pairs("a=1;b=2", Place.QUERY)) == [("a", "1;b=2")]


def test_names_past_those_that_are_watched_are_looked_at() -> None:
    """Padding with fields hides neither values nor names."""
    raw = "&".join(f"k{n}=1" for n in range(2 * MOST_WATCHED)) + "&<b>=last"
    parts = list(pairs(raw, Place.FORM))
    assert names(parts) == ["<b>"]
    assert texts(parts)[-1] == "last"


def test_json_in_a_form_type_is_looked_at_both_ways() -> None:
    """Servers that do not ask for the type read JSON; others a name."""
    parts = parts_of_body(b'{"a": "x=1"}', FORM)
    assert ("a", "x=1") in seen(parts, Place.JSON)
    assert seen(parts, Place.FORM) == [('{"a": "x', '1"}')]


HOSTILE = ("&", "=", "a=b&", "a&", "%25", "a%25", "%", "+", "%f0", "%c3%", "a=%2", "&=", "a[", ";", "\xc3", "\xff%c3")


@pytest.mark.parametrize("unit", HOSTILE, ids=[f"unit-{n}" for n in range(len(HOSTILE))])
@pytest.mark.parametrize("prefix", ["", "a=", "a=1&a="], ids=["bare", "value", "repeated"])
def test_work_doubles_with_the_length(unit: str, prefix: str) -> None:
    """Twice the length gives at most twice as much to look at."""
    count = 4 * CHUNK // len(unit)
    once, twice = (size(pairs(prefix + unit * n, Place.FORM)) for n in (count, 2 * count))
    assert twice <= 2.2 * once + 100
    assert once <= 6 * count * len(unit) + 10_000


@given(raw=st.text(st.characters(max_codepoint=255), max_size=200))
def test_no_text_is_too_odd(raw: str) -> None:
    """Whatever stands in a query or a form is taken apart without an error."""
    list(pairs(raw, Place.QUERY))
    assert not rules(parts_of_body(raw.encode("latin-1"), FORM))
