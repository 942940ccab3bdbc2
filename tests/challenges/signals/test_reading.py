"""Signals are read strictly: all fields, each of its type and within its range; and whatever comes, nothing raises."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.challenges.signals.browsers import CHROME, PEOPLE

from doorward.automation import Examiner
from doorward.challenges.signals.reading import LONGEST, read
from doorward.challenges.signals.score import scored
from doorward.challenges.signals.weights import MOST, WEIGHTS
from doorward.context import RequestContext

GOOD = CHROME.signals
EXAMINER = Examiner()

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["Win32", "v8", "prompt"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def test_what_the_script_sends_is_read() -> None:
    found = read(GOOD)
    assert found is not None
    assert found.face == found.worker
    assert found.screen == GOOD["screen"]


@pytest.mark.parametrize("name", GOOD)
def test_a_field_less_or_of_another_type(name: str) -> None:
    """Or one more."""
    assert read({key: value for key, value in GOOD.items() if key != name}) is None
    assert read({**GOOD, name: object()}) is None
    assert read({**GOOD, "more": 1}) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cores", True), ("cores", -1), ("cores", 8.0), ("cores", "8"), ("memory", math.nan), ("memory", math.inf),
        ("memory", True), ("plugins", 1001), ("agent", "x" * 2049), ("agent", ["x"]), ("languages", ["x"] * 65),
        ("languages", ["x" * 65]), ("languages", "de"), ("languages", [1]), ("webdriver", 0), ("webdriver", "false"),
        ("marks", ["other"]), ("marks", "cdc"), ("marks", [["cdc"]]), ("altered", ["x"]), ("screen", [1, 2, 3, 4]),
        ("screen", [1, 2, 3, 4, 5, 6]), ("screen", [1, 2, 3, 4, 10**9]), ("window", [1, 2, 3, None]),
        ("offsets", [0]), ("offsets", [0, 3000]), ("stack", "V8"), ("stack", ["v8"]), ("eval", -1),
        ("permission", {"query": "prompt"}), ("permission", {"query": "x", "notification": "default"}),
        ("permission", {"query": {}, "notification": []}), ("graphics", {"vendor": "a", "renderer": None}),
        ("graphics", {"vendor": "a", "renderer": "b" * 201}), ("graphics", "Apple"), ("worker", {}),
        ("worker", {**GOOD["worker"], "worker": None}), ("hints", {}), ("hints", {"brands": [], "mobile": False}),
        ("hints", {"brands": [["a"]], "mobile": False, "platform": ""}),
        ("hints", {"brands": [["a", "1", "b"]], "mobile": False, "platform": ""}),
        ("hints", {"brands": [["a", "1"]] * 17, "mobile": False, "platform": ""}),
        ("hints", {"brands": {}, "mobile": False, "platform": ""}),
        ("hints", {"brands": [], "mobile": None, "platform": ""}),
    ],
)  # fmt: skip
def test_out_of_range(name: str, value: object) -> None:
    """Regression of NoBot: numbers as text and lists in place of texts were answered with 500."""
    assert read({**GOOD, name: value}) is None
    assert scored({**GOOD, name: value}, CHROME.request(), 1000, EXAMINER).points == MOST


@pytest.mark.parametrize(
    "text", ["", "{", "null", "[[" * 3000, "1" * 5000, "x" * (LONGEST + 1), "\ud800", '"a"', "NaN"]
)
def test_text_that_is_no_object(text: str) -> None:
    assert read(text) is None


def test_more_text_than_any_browser_sends() -> None:
    """Is not even parsed."""
    padded = json.dumps(GOOD) + " " * LONGEST
    assert read(padded) is None
    assert read(json.dumps(GOOD)) is not None


@given(anything)
def test_anything_is_read_as_nothing(sent: object) -> None:
    """And nothing raises for it."""
    assert read(sent) is None


@given(st.sampled_from(PEOPLE), st.dictionaries(st.sampled_from(sorted(GOOD)), anything, max_size=5))
def test_anything_in_any_field(person: Any, changed: dict[str, object]) -> None:
    """It is scored, within bounds, by names of the table."""
    found = scored({**person.signals, **changed}, person.request(), 1000, EXAMINER)
    assert 0 <= found.points <= MOST
    assert set(found.codes) <= set(WEIGHTS)


@given(st.text(max_size=40))
def test_any_text(text: str) -> None:
    assert scored(text, CHROME.request(), 1000, EXAMINER).points == MOST


HEADERS = ["user-agent", "accept-language", "sec-ch-ua", "sec-ch-ua-mobile", "sec-ch-ua-platform", "sec-fetch-site"]
values = st.text(max_size=60) | st.sampled_from([CHROME.agent, "de-DE", '"Chromium";v="144"', "?0", '"Windows"'])


@given(st.sampled_from(PEOPLE), st.lists(st.tuples(st.sampled_from(HEADERS), values), max_size=8), st.integers())
def test_any_request(person: Any, lines: list[tuple[str, str]], answered_ms: int) -> None:
    """As the signals, so what brings them."""
    request = RequestContext(method="POST", headers=lines, path="/.doorward/verify")
    found = scored(person.signals, request, answered_ms, EXAMINER)
    assert 0 <= found.points <= MOST
