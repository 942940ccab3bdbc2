"""Conditions in trees: logic of three values, patterns against what they stand for, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.challenges.viewing import matches

from doorward import (
    ConfigurationError,
    allow,
    challenge,
    deny,
    weigh,
)

# --- trees


def test_trees_and_tables() -> None:
    """All keys of a table, any item of a list; ``not`` of one."""
    rule = challenge(when={"any": [{"user_agent": "re:(?i)curl"}, {"not": {"header": "accept"}}]})
    assert matches(rule, headers=[("user-agent", "Curl/8"), ("accept", "*/*")])
    assert matches(rule, headers=[("user-agent", "x")])
    assert not matches(rule, headers=[("user-agent", "x"), ("accept", "*/*")])
    both = deny(when={"all": [{"method": "POST", "path": "/a/*"}, {"not": {"query": {"ok": True}}}]})
    assert matches(both, method="POST", path="/a/b")
    assert not matches(both, method="POST", path="/a/b", query="ok=")
    assert not matches(both, method="GET", path="/a/b")
    assert matches(deny(when={"method": "get"}), method="HEAD")


def test_what_the_application_gives_is_a_condition() -> None:
    """Unknown, until it has; middleware leaves the rule for the handler."""
    rule = deny(given={"plan": "free", "trial": "true"})
    assert rule.wants() == {"plan", "trial"}
    assert matches(rule, given={"plan": "free", "trial": True})
    assert not matches(rule, given={"plan": "free", "trial": False})
    assert not matches(deny(when={"not": {"given": {"plan": "free"}}}))


def test_addresses_that_nothing_is_known_of_are_unknown_under_not() -> None:
    """No data is no reason to let anybody pass, nor to refuse."""
    for condition in ({"ip": "tor"}, {"ip": "country:DE"}, {"where": "ip.src.tor"}):
        assert not matches(deny(when=condition))
        assert not matches(deny(when={"not": condition}))
    assert matches(deny(when={"not": {"ip": "10.0.0.0/8"}}))
    assert matches(deny(when={"ip": ["10.0.0.0/8", "192.0.2.0/24"]}))


ATOM = st.sampled_from([True, False, None])
TREE = st.recursive(
    ATOM,
    lambda inner: st.one_of(
        st.tuples(st.just("not"), inner),
        st.tuples(st.sampled_from(["all", "any"]), st.lists(inner, min_size=1, max_size=3)),
    ),
    max_leaves=8,
)
_ATOMS: dict[bool | None, dict[str, Any]] = {
    True: {"header": "there"},
    False: {"header": "absent"},
    None: {"json": {"a": "1"}},
}


def _tables(tree: Any) -> dict[str, Any]:
    if not isinstance(tree, tuple):
        return _ATOMS[tree]
    kind, inner = tree
    return {kind: _tables(inner) if kind == "not" else [_tables(each) for each in inner]}


def _truth(tree: Any) -> bool | None:
    """Kleene's tables, by the book."""
    if not isinstance(tree, tuple):
        return tree  # type: ignore[no-any-return]  # an atom
    kind, inner = tree
    if kind == "not":
        one = _truth(inner)
        return None if one is None else not one
    values = [_truth(each) for each in inner]
    decisive = kind == "any"
    return decisive if decisive in values else None if None in values else not decisive


def _depth(tree: Any) -> int:
    if not isinstance(tree, tuple):
        return 1
    inner = tree[1] if isinstance(tree[1], list) else [tree[1]]
    return 1 + max(_depth(each) for each in inner)


@given(TREE.filter(lambda tree: _depth(tree) <= 8))
def test_trees_are_logic_of_three_values(tree: Any) -> None:
    """For any tree, as a tree written by the book; a rule matches what is true only."""
    found = matches(deny(when=_tables(tree)), method="POST", headers=[("there", "1")])
    assert found is (_truth(tree) is True)


TEXT = st.text(alphabet="ab*/.", max_size=8)


@given(TEXT.filter(lambda text: text.strip("*") != ""), TEXT)
def test_patterns_of_texts_against_a_regular_expression(pattern: str, text: str) -> None:
    """The quick ways for beginnings, ends and parts come to the same."""
    import re

    meant = re.compile("".join(".*" if each == "*" else re.escape(each) for each in pattern), re.DOTALL)
    assert matches(deny(query={"a": pattern}), query=f"a={text}") is (meant.fullmatch(text) is not None)


@given(st.text(alphabet="ab*?/.", min_size=1, max_size=8), st.text(alphabet="ab/.", max_size=8))
def test_patterns_of_paths_against_those_of_routes(pattern: str, path: str) -> None:
    """As ``paths=`` takes them."""
    from doorward.patterns import compile_path

    try:
        meant = compile_path(pattern)
    except ConfigurationError:
        with pytest.raises(ConfigurationError):
            deny(when={"path": pattern})
        return
    assert matches(deny(when={"path": pattern}), path=path) is meant.matches(path)
    if path == path.lower():
        assert matches(deny(when={"path": pattern.upper(), "ignore_case": True}), path=path) is meant.matches(path)


# --- what is refused


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"when": {"pth": "/x"}}, r"when\.pth: is no condition.*Did you mean path\?"),
        ({"when": {"any": []}}, r"when\.any: must be a list of tables, at least one"),
        ({"when": {"any": [{"not": "x"}]}}, r"when\.any\[0\]\.not: must be a table"),
        ({"when": {}}, r"when: has no condition in it"),
        ({"when": {"any": [{"path": "x"}]}}, r"when\.any\[0\]\.path: 'x' can match no path"),
        ({"headers": {"x": "re:("}}, r"headers\.x: '\(' is not a regular expression"),
        ({"user_agent": "*"}, "user_agent: .* write true"),
        ({"user_agent": []}, "user_agent: is an empty list"),
        ({"user_agent": 5.5, "headers": {"a b": "x"}}, "headers: 'a b' is no name of a header"),
        ({"query": {"a": None}}, r"query\.a: takes patterns of text"),
        ({"query": "a"}, "query: must map names to patterns"),
        ({"json": {"a..b": "x"}}, "json: 'a..b' is no dotted path"),
        ({"bot": "GOGLEBOT"}, "bot: 'GOGLEBOT' is no id of a bot"),
        ({"bot": "UNKNOWN_BOT"}, "bot: names no bot that has a name"),
        ({"standing": "verified", "ip": "tor"}, "standing: says how a claim stands"),
        ({"bot": "CURL", "standing": "genuine"}, "standing: must be of verified, spoofed, unchecked, unverifiable"),
        ({"ignore_case": True, "paths": ["/x"]}, "ignore_case: is about texts of conditions"),
        ({"when": {"path": "/x", "ignore_case": 1}}, "ignore_case: must be true or false"),
        ({"when": {"method": "GOT"}}, r"when\.method: must be HTTP methods"),
        ({"user_agnet": "x"}, "user_agnet"),
    ],
)
def test_mistakes_are_errors_at_construction(options: dict[str, Any], problem: str) -> None:
    """Which name the field. A pattern that is no pattern is never left out."""
    with pytest.raises(ConfigurationError, match=problem):
        deny(**options)


def test_expressions_that_could_take_long_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """``(a|a)*b`` took 4 s on 24 characters in Humanify; google-re2 takes it where it is installed."""
    monkeypatch.setitem(__import__("sys").modules, "re2", None)
    for options in ({"user_agent": "re:(a|a)*b"}, {"headers": {"x": "re:(a+)+$"}}, {"when": {"path": "re:/(a|a)*b"}}):
        with pytest.raises(ConfigurationError, match="is refused: it can take quadratic or exponential time"):
            deny(**options)  # type: ignore[arg-type]


def test_what_is_too_long_to_be_searched_falls_to_the_side_that_protects() -> None:
    """Under ``not`` as well."""
    long = [("x", "a" * 10_000)]
    assert matches(deny(headers={"x": "re:b"}), headers=long)
    assert not matches(allow(headers={"x": "re:b"}), headers=long)
    assert not matches(weigh(-1, headers={"x": "re:b"}), headers=long)
    assert matches(deny(when={"not": {"headers": {"x": "re:a"}}}), headers=long)
    assert not matches(allow(when={"not": {"headers": {"x": "re:b"}}}), headers=long)


def test_trees_are_bounded() -> None:
    """In depth, and in comparisons."""
    deep: dict[str, Any] = {"path": "/x"}
    for _ in range(20):
        deep = {"not": deep}
    with pytest.raises(ConfigurationError, match="is nested deeper than 8 tables"):
        deny(when=deep)
    with pytest.raises(ConfigurationError, match="has at most 500 comparisons, not 501"):
        deny(when={"any": [{"path": "/x"}] * 501})
