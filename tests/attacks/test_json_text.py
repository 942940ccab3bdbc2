"""JSON bodies: every string is looked at, whatever is around it."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.attacks.taken_apart import longest_stretch, names, parts_of_body, seen, size, texts

from doorward.attacks.evidence import Place
from doorward.attacks.json_text import JsonText
from doorward.attacks.parts import CHUNK, LONGEST_NAME, OVERLAP

JSON = "application/json"
ATTACK = "' or 1=1--"

PLAIN_KEYS = st.text("abcxyz", min_size=1, max_size=5)
TEXTS = st.one_of(st.text(st.characters(codec="utf-8"), max_size=20), st.text('"\\/abc\n<é', max_size=12))
LEAVES = st.one_of(TEXTS, st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False))
DOCUMENTS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.one_of(PLAIN_KEYS, TEXTS), inner, max_size=4)
    ),
    max_leaves=20,
)


def strings(document: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """The strings of a document, with their paths, in order."""
    match document:
        case str():
            yield path, document
        case list():
            for element in document:
                yield from strings(element, path + "[]")
        case dict():
            for key, value in document.items():
                yield from strings(value, f"{path}.{key}" if path else key)


def keys(document: Any) -> Iterator[str]:
    match document:
        case list():
            for element in document:
                yield from keys(element)
        case dict():
            for key, value in document.items():
                yield key
                yield from keys(value)


@given(document=DOCUMENTS, ascii_only=st.booleans(), indent=st.sampled_from([None, 0, 2]), tight=st.booleans())
def test_strings_are_those_that_json_has(document: Any, ascii_only: bool, indent: int | None, tight: bool) -> None:
    """For any document the values are its strings at their paths, however it is written."""
    separators = (",", ":") if tight else None
    text = json.dumps(document, ensure_ascii=ascii_only, indent=indent, separators=separators)
    walk = JsonText(text)
    parts = list(walk.parts())
    assert walk.broken_at is None
    assert seen(parts) == [(path, value) for path, value in strings(document)]


@given(document=DOCUMENTS)
def test_keys_are_names_if_they_are_more_than_identifiers(document: Any) -> None:
    """What a client may choose of a key is looked at; plain identifiers hold nothing."""
    looked_at = set(names(JsonText(json.dumps(document)).parts()))
    for key in keys(document):
        assert key in looked_at or key == "" or (key.isascii() and key.replace("_", "a").replace("-", "a").isalnum())
    assert looked_at <= set(keys(document))


@pytest.mark.parametrize(
    "key", ["__proto__", "constructor", "$where", "a.b", "a b", "é", "<x>", "_method", "PHPSESSID"]
)
def test_keys_that_tell_something_are_looked_at(key: str) -> None:
    """Names that are themselves an attack's tools are values."""
    assert names(parts_of_body(json.dumps({"user": {key: 1}}).encode(), JSON)) == [key]


def test_small_windows_see_the_same_as_large_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever a long body is cut into windows, the same strings come out."""
    source = random.Random(5)
    alphabet = ['"', "\\", "\n", "é", "a", "b", "😀", "<"]
    document = [
        {
            f"k{n}": "".join(source.choices(alphabet, k=source.choice((0, 1, 9, 80)))),
            "n": [n, None, True, {"x": "y" * n}],
        }
        for n in range(40)
    ]
    for indent, ascii_only in ((None, True), (7, False)):
        text = json.dumps(document, indent=indent, ensure_ascii=ascii_only)
        for width in range(100, 130):
            monkeypatch.setattr("doorward.attacks.json_text.CHUNK", width)
            monkeypatch.setattr("doorward.attacks.json_text.OVERLAP", 3)
            assert seen(JsonText(text).parts()) == list(strings(document)), (indent, width)


@pytest.mark.parametrize("width", [1, CHUNK - 30, CHUNK, CHUNK + 1, 5 * CHUNK])
def test_strings_longer_than_a_window_come_in_pieces_that_overlap(width: int) -> None:
    """A long string is looked at to its end, escapes that are torn by a window included."""
    value = "a" * width + '\\"\u20ac\n' * 9 + ATTACK
    body = json.dumps({"before": "x", "long": value, "after": ["y"]}).encode()
    parts = parts_of_body(body, JSON)
    assert seen(parts) == [("before", "x"), ("long", value), ("after[]", "y")]
    assert longest_stretch(parts) <= CHUNK + OVERLAP


@pytest.mark.parametrize("shift", range(12))
def test_escapes_at_the_edge_of_a_piece_are_undone(shift: int) -> None:
    """No escape, and no pair of surrogates, is torn apart where a long string is cut."""
    value = "a" * shift + "\U0001d4b6<\\" * CHUNK
    assert seen(parts_of_body(json.dumps([value]).encode(), JSON)) == [("[]", value)]


def test_duplicate_keys_are_all_looked_at() -> None:
    """Parsers differ in which of them they take."""
    assert seen(parts_of_body(b'{"a": "x", "a": "y", "a": ["z"]}', JSON)) == [("a", "x"), ("a", "y"), ("a[]", "z")]


def test_lone_surrogates_and_odd_escapes_are_undone_as_far_as_they_go() -> None:
    """Nothing that Python could refuse stops the walk."""
    body = rb'["\ud800", "\udc00\ud800", "\ud83d\ude00", "\x41", "\u00zz<", "\u003cscript", "\/"]'
    expected = ["\ud800", "\udc00\ud800", "\U0001f600", "x41", "u00zz<", "<script", "/"]
    assert texts(parts_of_body(body, JSON)) == expected


def test_deep_nesting_is_walked_to_its_end() -> None:
    """Depth 100,000: the innermost string is looked at, and paths do not grow."""
    depth = 100_000
    body = b'{"a":[' * depth + json.dumps(ATTACK).encode() + b"]}" * depth + json.dumps(ATTACK).encode()
    found = seen(parts_of_body(body, JSON))
    assert [text for _, text in found] == [ATTACK, ATTACK]
    assert found[0][0].startswith("a[].a[].a[]")
    assert len(found[0][0]) < LONGEST_NAME + 80
    assert found[1][0] == ""


def test_a_hundred_thousand_keys_are_looked_at() -> None:
    """An attack after any number of values is a value like others."""
    document = {f"key{n}": n for n in range(100_000)} | {"last": ATTACK, "$ne": 1}
    parts = parts_of_body(json.dumps(document).encode(), JSON)
    assert seen(parts) == [("last", ATTACK)]
    assert names(parts) == ["$ne"]


def test_lines_of_json_are_walked_like_one_document() -> None:
    """NDJSON: each line is looked at, and paths begin anew."""
    body = b'{"a": "x"}\n{"a": "y"}\n"z"\n'
    assert seen(parts_of_body(body, "application/x-ndjson")) == [("a", "x"), ("a", "y"), ("", "z")]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"a": "x", "b": alert(1)}', [("a", "x"), ("a", "b"), ("", ": alert(1)}")]),
        (b'{"a": "x"} trailing "text"', [("a", "x"), ("", '} trailing "text"')]),
        (b'{"a": "x", /* comment */ "b": "y"}', [("a", "x"), ("", ', /* comment */ "b": "y"}')]),
        (b"{'a': '<x>'}", [("", "{'a': '<x>'}")]),
        (b'["a", truex]', [("[]", "a"), ("", ", truex]")]),
    ],
    ids=["call", "trailing", "comment", "single-quotes", "word"],
)
def test_where_json_ends_the_rest_is_raw_text(body: bytes, expected: list[tuple[str, str]]) -> None:
    """What no strict parser would take may be taken by one that is not."""
    assert seen(parts_of_body(body, JSON)) == expected


def test_bodies_cut_off_within_a_string_are_looked_at_to_their_end() -> None:
    """The visible part of a string that does not end is a value."""
    assert seen(parts_of_body(b'{"a": "x", "b": "1\' or', JSON)) == [("a", "x"), ("b", "1' or")]


@pytest.mark.parametrize("charset", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le"])
def test_unicode_that_json_may_be_in_is_found_out(charset: str) -> None:
    """Parsers find these out by their zero bytes or their mark, whatever is declared (RFC 4627 section 3)."""
    body = json.dumps({"a": "é" + ATTACK}, ensure_ascii=False).encode(charset)
    assert seen(parts_of_body(body, JSON), Place.JSON) == [("a", "é" + ATTACK)]


def test_invalid_utf8_is_latin_1_value_by_value() -> None:
    """One bad byte does not change how the rest of a body is read, and none is lost."""
    body = b'{"bad": "\xff\xc0\xbc", "good": "\xef\xbc\x9cscript", "both": "\xc3\xa9\xe9\\n"}'
    expected = [("bad", "\xff\xc0\xbc"), ("good", "\uff1cscript"), ("both", "éé\n")]
    assert seen(parts_of_body(body, JSON)) == expected


HOSTILE = {
    "brackets": "[",
    "objects": '{"":',
    "quotes": '"',
    "backslashes": "\\",
    "escaped quotes": '\\"',
    "string of backslashes": '"\\\\',
    "numbers": "1,",
    "digits": "1",
    "spaces": " ",
    "colons": ":",
    "commas": '"",',
    "escapes": "\\u005c",
    "minus": "-",
    "letters": "true",
}


@pytest.mark.parametrize("unit", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("prefix", ["", '"', '{"a":', "["], ids=["bare", "string", "object", "array"])
def test_work_doubles_with_the_body(unit: str, prefix: str) -> None:
    """Twice as long a body gives at most twice as many parts and characters; and none is dropped."""
    count = 6 * CHUNK // len(unit)
    once, twice = (size(parts_of_body((prefix + unit * n).encode(), JSON)) for n in (count, 2 * count))
    assert twice <= 2.2 * once + 100
    assert once <= 3 * (len(unit) * count) + 100


@given(body=st.binary(max_size=300), complete=st.booleans())
def test_no_bytes_are_too_odd(body: bytes, complete: bool) -> None:
    """Whatever comes as JSON is taken apart without an error."""
    parts_of_body(body, JSON, complete=complete)


@given(body=st.text('{}[]:,"\\u0 truefals12\n', max_size=60))
def test_attacks_survive_what_stands_before_them(body: str) -> None:
    """Wherever in a body that is nearly JSON it stands, an attack is in some value."""
    whole_text = body + ATTACK + body
    found = texts(parts_of_body(whole_text.encode(), JSON))
    assert any(ATTACK in text for text in found) or any(ATTACK in text.replace("\\", "") for text in found)
