"""What a User-Agent settles of a condition by itself is so, whatever else the request is."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.challenges.viewing import view

from doorward import Doorward, challenge, weigh
from doorward.rules.access import AccessRule

AGENTS = ("", "curl/8.5", "Mozilla/5.0 Firefox/128.0", "Googlebot/2.1", "GPTBot/1.0", "curl Googlebot")
atoms = st.sampled_from(
    [
        {"user_agent": "*curl*"},
        {"user_agent": "re:^Mozilla"},
        {"bot": "CATEGORY:SEARCH_ENGINE"},
        {"bot": "CATEGORY:AI", "standing": "unchecked"},
        {"header": "user-agent"},
        {"header": "accept"},
        {"path": "/a/*"},
        {"raw_path": "/a/*"},
        {"ip": "tor"},
    ]
)
trees = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.builds(lambda one: {"not": one}, inner),
        st.builds(lambda each: {"all": each}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda each: {"any": each}, st.lists(inner, min_size=1, max_size=3)),
    ),
    max_leaves=5,
)  # fmt: skip


def asked(agent: str, path: str, raw_path: str | None) -> Any:
    return view(path=path, raw_path=raw_path, headers=[("user-agent", agent), ("accept", "*/*")])


@given(trees, st.sampled_from(AGENTS), st.sampled_from(["/", "/a/b"]), st.sampled_from([None, "/a/b", "/c"]))
def test_what_it_rules_out_does_not_hold(tree: Any, agent: str, path: str, raw_path: str | None) -> None:
    """On any path, and from any address."""
    rule: Any = weigh(1, when=tree)
    first = rule.first()
    if first.by_agent is not None and not first.by_agent(agent):
        assert first.test(asked(agent, path, raw_path)) is False
        assert rule.evaluate(asked(agent, path, raw_path)) is rule.usual()


def settles(rule: AccessRule, agent: str) -> bool:
    first = rule.first()
    return first is not None and first.by_agent is not None and not first.by_agent(agent)


def test_what_may_be_settled() -> None:
    """One side of ``all`` is enough, of ``any`` it takes every side; ``not`` turns what is certain into a doubt."""
    curl, path = {"user_agent": "*curl*"}, {"path": "/a"}
    assert settles(weigh(1, user_agent="*curl*"), "Firefox")
    assert not settles(weigh(1, user_agent="*curl*"), "curl/8")
    assert settles(weigh(1, when={"all": [path, curl]}), "Firefox")
    assert not settles(weigh(1, when={"any": [path, curl]}), "Firefox")
    assert settles(weigh(1, when={"any": [{"bot": "CATEGORY:AI"}, curl]}), "Firefox")
    assert not settles(weigh(1, when={"not": curl}), "Firefox")
    assert settles(challenge(user_agent="*curl*", headers={"accept": True}), "Firefox")
    assert not settles(challenge(), "Firefox")


def test_what_is_remembered_of_agents_is_bounded() -> None:
    """By number, and by length."""
    from doorward import express

    client = Doorward([challenge(user_agent="*curl*")])
    straight: Any = client.engine.express
    for number in range(express._MOST_AGENTS + 10):
        assert client.protect(asked(f"Firefox/{number}", "/", None).request).is_allowed()
        assert len(straight._by_agent) <= express._MOST_AGENTS
    straight._by_agent.clear()
    client.protect(asked("a" * (express._LONGEST_AGENT + 1), "/", None).request)
    assert not straight._by_agent
