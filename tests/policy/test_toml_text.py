"""Lines of values in TOML: found for every value of every layout, and never at the cost of time or memory."""

from __future__ import annotations

import os
import tomllib
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.policy.writing import all_places, toml

from doorward.policy.documents import DEEPEST, MOST_VALUES, Malformed
from doorward.policy.toml_text import parse

SOAK = os.environ.get("DOORWARD_SOAK") == "1"
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
KEYS = st.one_of(st.sampled_from(["rules", "a", "b-c", "d_1", "", "a.b", "é", "x y", '"', "0"]), TEXT)
SCALARS = st.one_of(TEXT, st.integers(-(2**63), 2**63 - 1), st.booleans(), st.floats(allow_nan=False))
VALUES = st.recursive(SCALARS, lambda v: st.lists(v, max_size=3) | st.dictionaries(KEYS, v, max_size=3), max_leaves=8)
TABLES = st.dictionaries(KEYS, VALUES, max_size=4)


@settings(max_examples=2_000 if SOAK else 60, suppress_health_check=[HealthCheck.too_slow])
@given(st.data(), TABLES)
def test_every_value_is_found_on_its_line(data: st.DataObject, table: dict[str, Any]) -> None:
    """Whatever the layout: headers, inline tables, strings over several lines, comments that look like code."""
    written = toml(data.draw, table)
    read, lines = parse(written.text)
    assert read == tomllib.loads(written.text) == table
    assert {place: lines[place] for place in all_places(table)} == written.lines


def test_dotted_keys_and_tables_below_lists_are_found() -> None:
    """The last table of a list is meant, as TOML has it."""
    text = "a.b.c = 1\n[[r]]\nx.y = 2\n[r.sub]\nz = 3\n[[r]]\n[[r.deep]]\n[[r.deep]]\nw = 4\n"
    _, lines = parse(text)
    assert lines["a", "b", "c"] == 1
    assert lines["r", 0, "x", "y"] == 3
    assert lines["r", 0, "sub", "z"] == 5
    assert lines["r", 1] == 6
    assert lines["r", 1, "deep", 1, "w"] == 9


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = 1\na = 2\n", 2),
        ("a = 1\n\nb = \n", 3),
        ("[a]\n[a]\n", 2),
        ("x = [1,\n2,\n", 3),
        ("x = 'é\n'", 1),
        ("d = 2026-02-31\n", 1),
        ("s = '''\nnever ends", 2),
        ("=", 1),
        ("\x00", 1),
    ],
    ids=["twice", "no value", "header twice", "open list", "open string", "no date", "open text", "no key", "null"],
)
def test_what_is_no_toml_is_refused_with_its_line(text: str, line: int) -> None:
    """What ``tomllib`` says, at the line that it says."""
    with pytest.raises(Malformed, match="is no TOML") as refused:
        parse(text)
    assert refused.value.line == line


@pytest.mark.parametrize(
    "text",
    [
        ".".join(["a"] * 200_000) + " = 1",
        "[" + ".".join(["a"] * 200_000) + "]",
        "a = " + "[" * 200_000,
        "a = " + "{a=" * 200_000,
        "a = [" + "1," * (MOST_VALUES + 1) + "]",
        "a = " + "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1),
    ],
    ids=["long key", "long header", "brackets", "braces", "many values", "one too deep"],
)
def test_what_would_take_for_ever_is_refused(text: str) -> None:
    """Before ``tomllib`` sees it, which is quadratic in the parts of a key, and recursive in brackets."""
    with pytest.raises(Malformed, match=r"deeper than|more than"):
        parse(text)


@given(st.text(st.sampled_from("ab.=[]{}'\"\\\n#,1 \x00é-:"), max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    """And read as ``tomllib`` reads it."""
    try:
        expected: dict[str, Any] | None = tomllib.loads(text)
    except ValueError:
        expected = None
    try:
        read, lines = parse(text)
    except Malformed:
        assert expected is None
        return
    assert read == expected
    assert set(all_places(read)) <= set(lines)
