"""JSON that is parsed at once: the values are those of the reader that forgives, or there are none."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.attacks.benign import requests
from tests.attacks.taken_apart import names, parts_of_body, seen
from tests.attacks.test_json_text import ATTACK, DOCUMENTS, HOSTILE, keys, strings

from doorward.attacks.evidence import Place, Value
from doorward.attacks.json_text import JsonText
from doorward.attacks.json_tree import Origin, elements_at_once, parts_at_once
from doorward.attacks.parts import CHUNK, PAUSE, Part

SPACE = st.text(" \t\r\n", max_size=2)
KEYS = st.one_of(st.sampled_from(['"a"', '"a"', '""', '"$ne"', '"a.b"', '"\\u00e9"', '"__proto__"', f'"{"k" * 150}"']))
LEAVES = st.one_of(
    st.sampled_from(["true", "false", "null", "NaN", "Infinity", "-Infinity", "-0", "1.5e-7", "1E400", "9" * 5_000]),
    st.sampled_from(
        [r'"\ud800"', r'"\udc00\ud800"', r'"\ud83d\ude00"', r'"\u0022\\"', '"\x01\t"', '"\ud800"', '"%7B"']
    ),
    st.text().map(json.dumps),
    st.text(max_size=9).map(lambda text: json.dumps(text, ensure_ascii=False)),
    DOCUMENTS.map(lambda document: json.dumps(json.dumps(document))),
)


def _containers(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Arrays, and objects whose keys may be equal, as somebody wrote them."""
    members = st.lists(st.tuples(SPACE, KEYS, SPACE, inner, SPACE), max_size=4)
    return st.one_of(
        st.tuples(SPACE, st.lists(inner, max_size=4)).map(lambda given: f"[{given[0]}{','.join(given[1])}{given[0]}]"),
        members.map(lambda given: "{" + ",".join(f"{a}{key}{b}:{value}{c}" for a, key, b, value, c in given) + "}"),
    )


WRITTEN = _containers(st.recursive(LEAVES, _containers, max_leaves=8))
ORIGINS = st.sampled_from(["", "data", "d" * 150])


def inside(place: Place, name: str, text: str, depth: int) -> Iterator[Part]:
    """Tells what it is asked about."""
    yield Value(place, name, f"asked {depth}: {text}")


def both(text: str, name: str = "") -> tuple[list[Part] | None, list[Part], int | None]:
    """What is parsed at once; what the reader that forgives makes of the same text, and where it is broken."""
    reader = JsonText(text, name=name, inside=inside)
    return parts_at_once(text, Origin(Place.JSON, name, inside, 0)), list(reader.parts()), reader.broken_at


@given(texts=st.lists(WRITTEN, min_size=1, max_size=3), space=SPACE, name=ORIGINS)
def test_values_are_those_of_the_reader_that_forgives(texts: list[str], space: str, name: str) -> None:
    """Whatever is written: also equal keys, numbers of any length, half characters, and documents in a row."""
    text = space + "\n".join(texts) + space
    at_once, expected, broken_at = both(text, name)
    if len(text) <= CHUNK:
        assert at_once == expected
        assert broken_at is None
    else:
        assert at_once is None


@given(text=st.text('{}[]:,"\\u0 truefals12.-e\n\ufeff\xa0', max_size=60), name=ORIGINS)
def test_what_is_taken_is_what_the_other_reader_takes(text: str, name: str) -> None:
    """Of texts that are nearly JSON nothing is left out."""
    at_once, expected, broken_at = both(text, name)
    assert at_once is None or (at_once == expected and broken_at is None)


def test_bodies_of_ordinary_requests_are_parsed_at_once() -> None:
    """Of the benign suite all bodies of JSON that fit in a window; the values are the same."""
    bodies = [request.body.decode() for request in requests() if request.body.startswith((b"{", b"["))]
    small = [body for body in bodies if len(body) <= CHUNK]
    taken = 0
    for body in small:
        at_once, expected, _ = both(body)
        assert at_once is None or at_once == expected
        taken += at_once is not None
    assert taken > 0.9 * len(small) > 100


@pytest.mark.parametrize("unit", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("prefix", ["", '"', '{"a":', "["], ids=["bare", "string", "object", "array"])
def test_hostile_bodies_give_the_same_values(unit: str, prefix: str) -> None:
    """Depth, brackets that do not match, what is cut off: all that fits in a window."""
    for count in (1, 2, CHUNK // len(unit) - len(prefix)):
        at_once, expected, broken_at = both(prefix + unit * count)
        assert at_once is None or (at_once == expected and broken_at is None)


@pytest.mark.parametrize("before", ["[", '{"a":'], ids=["arrays", "objects"])
def test_depth_is_left_to_the_reader_that_forgives(before: str) -> None:
    """A tree deeper than the stack is none; one that is nearly as deep gives the same values, once."""
    after = "]" if before == "[" else "}"
    for depth in (10, sys.getrecursionlimit() // 2, sys.getrecursionlimit() - 60, sys.getrecursionlimit()):
        text = before * depth + '"x"' + after * depth
        at_once, expected, _ = both(text)
        assert at_once in (None, expected)
        assert depth > 10 or at_once == expected
        assert [text for _, text in seen(parts_of_body(text.encode(), "application/json"))] == ["x"]


@pytest.mark.parametrize(
    "literal", ["9" * 8_000, "-0." + "1" * 8_000, "1e" + "9" * 4_000], ids=["int", "float", "exponent"]
)
def test_no_number_is_read(literal: str) -> None:
    """Python takes quadratic time for it, or refuses."""
    at_once, expected, _ = both(f'{{"n": {literal}, "a": "x"}}')
    assert at_once == expected == [Value(Place.JSON, "a", "x")]


def test_what_is_longer_than_a_window_is_not_parsed_at_once() -> None:
    """Its tree is not built as a whole."""
    assert both('["' + "x" * (CHUNK - 4) + '"]')[0] is not None
    assert both('["' + "x" * (CHUNK - 3) + '"]')[0] is None


def test_elements_are_taken_as_far_as_they_are_whole() -> None:
    """The one that a window cuts off is left, with what is before it."""
    window = '{"a": "x", "$ne": 1}, ["y"] {"b": "z", "c'
    parts, end = elements_at_once(window, "rows[]", "", Origin(Place.JSON, "", None, 0))
    assert seen(parts) == [("rows[].a", "x"), ("rows[][]", "y")]
    assert names(parts) == ["$ne"]
    assert window[end:] == ' {"b": "z", "c'


RECORDS = st.lists(DOCUMENTS.filter(lambda document: isinstance(document, dict | list)), min_size=1, max_size=12)


@given(
    records=RECORDS,
    around=st.sampled_from(
        ["[%s]", "\n[%s\n]", '{"data":[%s]}', '{"$a": { "b" :[%s], "c": ["d"]}, "e": "f"}', "[[%s]]"]
    ),
    width=st.integers(300, 900),
)
def test_records_of_a_long_document_are_taken_one_by_one(records: list[object], around: str, width: int) -> None:
    """Wherever windows fall: the strings of an array's elements, and what stands around it."""
    text = around % ", ".join(map(json.dumps, records))
    document = json.loads(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("doorward.attacks.json_text.CHUNK", width)
        patch.setattr("doorward.attacks.json_text.OVERLAP", 3)
        reader = JsonText(text)
        parts = list(reader.parts())
    assert reader.broken_at is None
    assert seen(parts) == list(strings(document))
    small = JsonText(text)
    assert set(names(parts)) == set(names(small.parts())) <= set(keys(document))


@given(records=RECORDS, width=st.integers(300, 900))
def test_lines_of_a_long_document_are_taken_one_by_one(records: list[object], width: int) -> None:
    """NDJSON: paths begin anew with each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("doorward.attacks.json_text.CHUNK", width)
        patch.setattr("doorward.attacks.json_text.OVERLAP", 3)
        parts = list(JsonText("\n".join(map(json.dumps, records)), name="v").parts())
    assert seen(parts) == [found for record in records for found in strings(record, "v")]


@pytest.mark.parametrize("around", ["[%s]", '{"items": [%s]}', "%s"], ids=["array", "wrapped", "lines"])
@pytest.mark.parametrize("rest", ["", ', "' + ATTACK, f", {ATTACK}", f', {{"b": "{ATTACK}'], ids=range(4))
def test_long_documents_of_records_are_looked_at_to_their_end(around: str, rest: str) -> None:
    """An attack after records that were taken one by one is found, also where the document ends as no JSON."""
    records = ",\n".join(json.dumps({"id": n, "text": "word " * 20}) for n in range(400))
    parts = parts_of_body((around % records + rest).encode(), "application/json")
    assert parts.count(PAUSE) >= len(records) // CHUNK
    found = [text for _, text in seen(parts)]
    assert found.count("word " * 20) == 400
    assert any(ATTACK in text for text in found) or not rest
