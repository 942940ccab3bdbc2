"""YAML as data with lines: YAML 1.2's plain words, no tags, no bombs, no key twice."""

from __future__ import annotations

import builtins
import json
import sys
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.policy.writing import all_places

from doorward.errors import ConfigurationError
from doorward.policy import yaml_text
from doorward.policy.documents import DEEPEST, Malformed
from doorward.policy.yaml_text import parse

TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=8).map("k{}".format)
VALUES = st.recursive(
    st.one_of(TEXT, st.integers(-(2**70), 2**70), st.booleans(), st.none()),
    lambda v: st.lists(v, max_size=3) | st.dictionaries(TEXT, v, max_size=3),
    max_leaves=8,
)
TABLES = st.dictionaries(TEXT, VALUES, min_size=1, max_size=4)


@settings(max_examples=60)
@given(TABLES, st.booleans(), st.booleans())
def test_what_is_written_is_read(table: dict[str, Any], flow: bool, as_json: bool) -> None:
    """With a line for everything; JSON is YAML, too."""
    dumped = yaml.safe_dump(table, default_flow_style=flow, sort_keys=False)
    read, lines = parse(json.dumps(table, indent=1) if as_json else dumped)
    assert read == table
    assert set(all_places(table)) <= set(lines)


def test_plain_words_are_read_as_yaml_1_2_has_them() -> None:
    """``NO`` is a country, ``on`` a word, ``1:30`` no 90, ``010`` ten; a date is text."""
    text = "[NO, yes, on, 1:30, 010, 2026-01-02, 0x10, 0o10, 1e3, .5, .inf, ~, null, TRUE, False, '1', 1_000]"
    read, _ = parse(f"a: {text}")
    assert read["a"] == [
        *("NO", "yes", "on", "1:30", 10, "2026-01-02", 16, 8, 1000.0, 0.5, float("inf")),
        *(None, None, True, False, "1", "1_000"),
    ]
    assert isinstance(read["a"][-1], str)


def test_aliases_stand_for_what_they_name() -> None:
    """A list of addresses, written once."""
    read, lines = parse("a: &x\n  - 1\n  - 2\nb:\n  c: *x\n")
    assert read == {"a": [1, 2], "b": {"c": [1, 2]}}
    assert lines["b", "c"] == 5


BOMB = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
CHAIN = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 2000))


@pytest.fixture(params=["libyaml", "pure Python"])
def _parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wheels of PyYAML bring libyaml; where there is none, Python reads."""
    if request.param == "pure Python":
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    elif not hasattr(yaml, "CSafeLoader"):
        pytest.skip("this PyYAML was built without libyaml")


@pytest.mark.usefixtures("_parser")
@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        (BOMB, 4, "more than 1,000 values"),
        (CHAIN, DEEPEST - 1, f"deeper than {DEEPEST}"),
        ("a: &a [*a]", 1, "contains itself"),
        ("a: *b", 1, "undefined alias|is not there"),
        ("a: 1\nb: 2\na: 3", 3, "'a' is there twice"),
        ("a: " + "[" * 5_000, 1, "deeper than"),
        ("a:\n- !!python/object/apply:os.system ['true']", 2, "tag"),
        ("a: !!int 5", 1, "tag"),
        ("base: &b {x: 1}\nc:\n  <<: *b", 3, "does not merge"),
        ("? [1, 2]\n: 3", 1, "a key must be text"),
        ("a: 1\n---\nb: 2", 2, "another begins"),
        ("- a\n- b", 1, "must be a mapping"),
        ("a: [1\nb: 2", 2, "is no YAML"),
        ("a: 1\n\tb: 2", 2, "is no YAML"),
        ("a: 1\nb: \x00", 2, "is no YAML"),
        ("a:\n" + "- 1\n" * 1_001, 1_000, "more than 1,000 values"),
    ],
    ids=[
        *("bomb", "chain of aliases", "circle", "no anchor", "key twice", "brackets", "object", "tag", "merge"),
        *("complex key", "two documents", "list", "open list", "tab", "null byte", "many values"),
    ],
)
def test_what_is_no_policy_is_refused_with_its_line(
    monkeypatch: pytest.MonkeyPatch, text: str, line: int, problem: str
) -> None:
    """Nothing is constructed, nothing grows beyond what was written."""
    monkeypatch.setattr(yaml_text, "MOST_VALUES", 1_000)  # pure Python takes a second for as many as there may be
    with pytest.raises(Malformed, match=problem) as refused:
        parse(text)
    assert refused.value.line == line


@given(st.text(st.sampled_from("ab:-[]{}'\"\\\n#,1 &*!|>?%@\t\x85é<"), max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Never anything else."""
    try:
        read, _ = parse(text)
    except Malformed:
        return
    assert isinstance(read, dict)


def test_without_pyyaml_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that one knows what to install."""
    monkeypatch.delitem(sys.modules, "yaml", raising=False)
    real = builtins.__import__

    def without(name: str, *arguments: Any) -> Any:
        if name == "yaml":
            raise ImportError(name)
        return real(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ConfigurationError, match=r"pip install 'doorward\[yaml\]'"):
        parse("a: 1")
