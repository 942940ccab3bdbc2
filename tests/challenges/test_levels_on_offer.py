"""What rules ask for has to be on offer: found when the client is built, not when somebody is asked for it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from tests.challenges.clearing import SECRET, Site
from tests.challenges.pages.quick import Typed

from doorward import AsyncDoorward, ConfigurationError, Doorward, challenge, deny, weigh
from doorward.challenges.kinds import Offer
from doorward.challenges.listed import BY_NAME, kinds_of
from doorward.challenges.options import DEFAULT_KINDS, DEFAULT_MOST, SHOWN_BY
from doorward.levels import Level
from doorward.policy import load
from doorward.testing import FakeClock


@pytest.mark.parametrize("made", [Doorward, AsyncDoorward])
@pytest.mark.parametrize(
    ("level", "challenges", "named"),
    [
        ("human", None, "'letters', 'shapes', 'odd', 'pictures' or 'audio', or a hosted captcha such as turnstile(…)"),
        ("human", {"kinds": ["wait", "work"]}, "a hosted captcha"),
        ("browser", {"kinds": ["wait", "work"]}, "add 'browser' to challenges.kinds"),
        ("work", {"kinds": ["wait"]}, "add 'work' to challenges.kinds"),
    ],
)
def test_a_level_that_no_kind_shows_is_an_error(made: Any, level: str, challenges: Any, named: str) -> None:
    """It names the rule, and what to add."""
    rules = [deny(ip="tor"), challenge(level, paths=["/pay"], name="checkout")]
    with pytest.raises(ConfigurationError, match="'checkout' asks for") as raised:
        made(rules, challenges=challenges, secret=SECRET)
    assert raised.value.field == "rules"
    assert named in str(raised.value)
    with pytest.raises(ConfigurationError, match="'checkout' asks for"):
        made([], challenges=challenges, secret=SECRET).with_rule(*rules)


def test_levels_of_weights_have_to_be_on_offer_too() -> None:
    """As those of rules."""
    with pytest.raises(ConfigurationError, match=r"challenges\.levels: names 'human', .* add 'letters'"):
        Doorward([weigh(5, paths=["/"])], challenges={"levels": {"work": 1, "human": 20}}, secret=SECRET)


@pytest.mark.parametrize("rules", [[challenge("human")], [challenge("browser"), challenge("wait")], []])
def test_what_some_kind_shows_is_no_error(rules: Any) -> None:
    """Also where it shows more than is asked for."""
    kinds = {"kinds": [Typed()], "levels": {"human": 20}}
    assert Doorward(rules, challenges=kinds, secret=SECRET).health()["rules"] is not None


def test_what_names_of_kinds_show_is_as_the_hints_say() -> None:
    """The kinds by default are not made to find out."""
    assert Offer(kinds_of(DEFAULT_KINDS)).most is DEFAULT_MOST
    for name in ("wait", "work", "browser"):
        assert SHOWN_BY[BY_NAME[name]().level] == f"'{name}'"
    pytest.importorskip("PIL")
    named = re.findall("'([a-z]+)'", SHOWN_BY[Level.HUMAN])
    assert set(named) == set(BY_NAME) - {"wait", "work", "browser"}
    assert {BY_NAME[name]().level for name in named} == {Level.HUMAN}


FILE = """
[[rules]]
rule = "challenge"
name = "checkout"
level = "{}"
paths = ["/pay"]
"""


def test_a_policy_that_asks_for_what_is_not_on_offer_is_refused(tmp_path: Path) -> None:
    """When the client is built; afterwards what was in force stays in force."""
    file = tmp_path / "policy.toml"
    file.write_text(FILE.format("human"))
    with pytest.raises(ConfigurationError, match="'checkout' asks for 'human'"):
        Doorward(policy=file, secret=SECRET)
    file.write_text(FILE.format("work"))
    with Doorward(policy=file, secret=SECRET, clock=FakeClock()) as aj:
        file.write_text(FILE.format("human"))
        with pytest.raises(ConfigurationError, match="'checkout' asks for 'human'"):
            aj.reload()
        health: Any = aj.health()["policy"]
        assert (health["reloads"], health["failures"]) == (0, 1)
        assert "'checkout' asks for 'human'" in health["error"]
        rule: Any = aj.engine.bound[0].rule
        assert rule.level is Level.WORK


def test_tools_that_know_the_file_alone_take_it_as_it_is(tmp_path: Path) -> None:
    """Which kinds there are is said in code; where it is said, it is looked at."""
    file = tmp_path / "policy.toml"
    file.write_text(FILE.format("human"))
    policy = load(file)
    with policy.client(secret=SECRET) as aj:
        assert list(aj.health()["rules"]) == ["checkout"]  # type: ignore[call-overload]
    with pytest.raises(ConfigurationError, match="'checkout' asks for 'human'"):
        policy.client(secret=SECRET, challenges={"kinds": ["work"]})


def test_what_a_handler_asks_for_later_is_as_much_as_there_is() -> None:
    """Nobody is asked for ever; one warning says so."""
    site = Site([deny(ip="tor")], challenges={"kinds": ["wait"], "bind": []})
    cookie = f"__Host-doorward={site.token(Level.WAIT)}"
    passed = site.get("/x", cookie)
    assert site.aj.require(passed.environ, "human").is_allowed()
    counts: Any = site.aj.health()["counts"]
    assert counts["warning.challenges.kinds"] == 1
