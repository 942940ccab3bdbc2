"""JSON inside of values: its strings are values too, however it is wrapped."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.attacks.taken_apart import longest_stretch, names, parts_of_body, seen, size, texts
from tests.attacks.test_json_text import DOCUMENTS, strings

from doorward import RequestContext
from doorward.attacks import views
from doorward.attacks.evidence import Place
from doorward.attacks.forms import pairs
from doorward.attacks.known import Known
from doorward.attacks.nested import DEEPEST, json_inside
from doorward.attacks.parts import CHUNK, LONGEST_NAME, OVERLAP, Part

FORM = "application/x-www-form-urlencoded"
ATTACK = "' or 1=1--"
DATA = json.dumps({"q": ATTACK, "n": 1})


def base64(text: str) -> str:
    return b64encode(text.encode()).decode()


def jwt(claims: dict[str, str]) -> str:
    parts = [{"alg": "none"}, claims]
    return ".".join([urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]) + ".c2ln"


def head(**given: object) -> list[Part]:
    request = RequestContext(path="/a", **given)  # type: ignore[arg-type]
    return [part for source in views.head(request, Known()) for part in source.values()]


def multipart(text: str) -> list[Part]:
    field = f'--b\r\nContent-Disposition: form-data; name="data"\r\n\r\n{text}\r\n--b--\r\n'
    return parts_of_body(field.encode(), "multipart/form-data; boundary=b")


PLACES: list[tuple[str, Callable[[str], list[Part]], Place]] = [
    ("query", lambda text: head(query="data=" + quote(text)), Place.QUERY),
    ("query-bare", lambda text: head(query="data=" + quote(text, safe="{}[]:\"', ")), Place.QUERY),
    ("query-twice", lambda text: head(query="data=" + quote(quote(text))), Place.QUERY),
    ("form", lambda text: parts_of_body(f"data={quote(text)}".encode(), FORM), Place.FORM),
    ("cookie", lambda text: head(headers=[("cookie", f"a=b; data={quote(text)}")]), Place.COOKIE),
    ("header", lambda text: head(headers=[("data", text)]), Place.HEADER),
    ("json", lambda text: parts_of_body(json.dumps({"data": text}).encode(), "application/json"), Place.JSON),
    ("field", multipart, Place.MULTIPART),
]  # fmt: skip


@pytest.mark.parametrize(("ask", "place"), [row[1:] for row in PLACES], ids=[row[0] for row in PLACES])
@pytest.mark.parametrize("encode", [str, base64, lambda text: f" {text}\n"], ids=["plain", "base64", "space"])
def test_strings_of_json_in_a_value_are_values(
    ask: Callable[[str], list[Part]], place: Place, encode: Callable[[str], str]
) -> None:
    """Of the same place, named by their path; beside the value as a whole."""
    found = seen(ask(encode(DATA)), place)
    assert ("data.q", ATTACK) in found
    assert any(name == "data" and text != ATTACK for name, text in found)


def test_names_of_nested_json_are_looked_at() -> None:
    """A key is chosen by the client as well."""
    parts = head(query="data=" + quote(json.dumps({"a": {"<b>": ["x", {"c": ATTACK}]}})))
    assert ("data.a.<b>[].c", ATTACK) in seen(parts)
    assert names(parts) == ["<b>"]


def test_claims_of_tokens_are_values() -> None:
    """In a header, after its scheme, and in a cookie."""
    token = jwt({"sub": ATTACK})
    assert ("authorization.sub", ATTACK) in seen(head(headers=[("authorization", f"Bearer {token}")]))
    assert ("t.sub", ATTACK) in seen(head(headers=[("cookie", f"t={token}")]))


def wrapped(times: int) -> str:
    text = ATTACK
    for _ in range(times):
        text = json.dumps({"a": text})
    return text


def test_nesting_is_bounded() -> None:
    """JSON in JSON is looked at, three times within a value; what is deeper is text, looked at as such."""
    for times in range(1, DEEPEST + 1):
        assert ("d" + ".a" * times, ATTACK) in seen(json_inside(Place.QUERY, "d", wrapped(times)))
    deepest = seen(json_inside(Place.QUERY, "d", wrapped(DEEPEST + 1)))
    assert deepest[-1] == ("d" + ".a" * DEEPEST, json.dumps({"a": ATTACK}))


@pytest.mark.parametrize(
    "text",
    ["", " ", "{", "{}", "[1, 2]", "{{7*7}}", "{% if a %}", '{"a": "b"', '["a"].join()', "e", "eyJ", "W3",
     "Where is it", "%", "%7B", "%22", "eyJub3QganNvbg", "[link](a)", "{a: b}", "{'a': 'b'}", "${x}"],
)  # fmt: skip
def test_what_is_no_json_is_one_value(text: str) -> None:
    """Templates, sentences and tokens are left as they are; so is JSON that is cut off."""
    assert list(json_inside(Place.QUERY, "d", text)) == []


@given(DOCUMENTS.filter(lambda document: isinstance(document, dict | list)))
def test_all_strings_are_found(document: object) -> None:
    """Those of a body are those of a value; both are those of the document."""
    expected = [(name[:LONGEST_NAME], text) for name, text in strings(document, "d")]
    found = seen(json_inside(Place.QUERY, "d", json.dumps(document)))
    assert [(name[:LONGEST_NAME], text) for name, text in found] == expected


@pytest.mark.parametrize(
    "ask", [row[1] for row in PLACES if row[0] in ("query", "form", "json", "field")], ids=range(4)
)
def test_long_json_is_taken_apart_to_its_end(ask: Callable[[str], list[Part]]) -> None:
    """As webhooks send it in forms and queues in JSON; in pieces."""
    parts = ask(json.dumps({"events": ["word " * 20] * 400, "last": ATTACK}))
    assert ("data.last", ATTACK) in seen(parts)
    assert longest_stretch(parts) <= 5 * CHUNK + OVERLAP


@pytest.mark.parametrize("unit", ['"a",', "[", '{"a":', '"\\"', "{}", '"[\\"b\\"]",', "%7B%22"], ids=range(7))
def test_work_doubles_with_the_text(unit: str) -> None:
    """Twice as long a text gives at most twice as much to look at, and at most four times its own length."""
    once, twice = (size(pairs("d=[" + quote(unit * n) + "]", Place.QUERY)) for n in (1_500, 3_000))
    assert twice <= 2.3 * once + 1_000
    assert twice <= 4 * 3_000 * len(quote(unit)) + 1_000


@given(st.text('{}[]":,\\%72Be5Djyu0 \n', max_size=60), st.sampled_from(list(Place)))
def test_nothing_is_too_odd(text: str, place: Place) -> None:
    """Whatever looks like JSON is dealt with."""
    texts(json_inside(place, "d", text))
    head(query="d=" + quote(text), headers=[("cookie", f"d={text}"), ("authorization", f"Bearer {text}")])
