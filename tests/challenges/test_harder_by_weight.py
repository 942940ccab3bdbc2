"""Doubt makes challenges harder, whoever asks for them: a rule, a route, a handler, or the sum of weights itself."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.challenges.clearing import Site
from tests.challenges.pages.quick import Typed

from doorward import allow, challenge, deny, weigh
from doorward.levels import Level
from doorward.rules.base import Rule

HERE: dict[str, Any] = {"paths": ["/x"]}
WORK = challenge("work", **HERE)


def told(rules: list[Rule], **options: Any) -> tuple[dict[str, Any], Any]:
    """What the page of a challenge is told, and the decision."""
    site = Site(rules, **options)
    reply = site.get("/x")
    found = re.search(r'id="challenge">(.*?)</script>', reply.body.decode())
    assert found is not None
    return json.loads(found[1]), reply.decision


@pytest.mark.parametrize(("weight", "counters"), [(0.25, 1017), (5, 1414), (10, 2000), (20, 4000), (90, 4000)])
@pytest.mark.parametrize("thresholds", [None, {"DENY": 100}, {"CHALLENGE": 5, "DENY": 100}])
def test_a_heavier_request_computes_longer(weight: float, counters: int, thresholds: dict[str, float] | None) -> None:
    """Regression: a rule's challenge was as easy for any weight, also where the weights asked for one themselves."""
    page, decision = told([WORK, weigh(weight, **HERE)], thresholds=thresholds)
    assert page["most"] == counters
    assert (decision.challenge.level, decision.challenge.weight) == (Level.WORK, weight)


def test_without_weight_it_is_as_easy_as_can_be() -> None:
    """Weight that was taken off makes nothing easier than that."""
    assert told([WORK])[0]["most"] == 1000
    assert told([WORK, weigh(-30, **HERE)])[0]["most"] == 1000
    waiting = [challenge("wait", **HERE)]
    assert told([*waiting, weigh(-30, **HERE)])[0]["seconds"] == told(waiting)[0]["seconds"] == 2
    assert told([*waiting, weigh(20, **HERE)])[0]["seconds"] == 6


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(-20, 40).filter(bool), max_size=3), st.integers(1, 40), st.integers(0, 3))
def test_more_weight_is_never_easier(weights: list[int], more: int, place: int) -> None:
    """Wherever the weighing rules stand, before the challenge or behind it."""
    rules: list[Rule] = [weigh(weight, name=f"w{number}", **HERE) for number, weight in enumerate(weights)]
    lighter, _ = told([*rules[:place], WORK, *rules[place:]])
    heavier, _ = told([*rules[:place], WORK, *rules[place:], weigh(more, name="more", **HERE)])
    assert lighter["most"] <= heavier["most"] <= 4000


LEVELS: dict[str, Any] = {"kinds": ["wait", "work", Typed()], "levels": {"work": 10, "human": 20}}


@pytest.mark.parametrize(
    ("asked", "weight", "level"),
    [
        ("wait", 0, Level.WAIT),
        ("wait", 9, Level.WAIT),
        ("wait", 10, Level.WORK),
        ("wait", 20, Level.HUMAN),
        ("work", 10, Level.WORK),
        ("human", 10, Level.HUMAN),
    ],
)
def test_a_level_rises_with_the_weight(asked: str, weight: float, level: Level) -> None:
    """By what ``levels`` says, and never below what the rule asks for; a challenge is not asked for by that alone."""
    rules = [challenge(asked, **HERE), *([weigh(weight, **HERE)] if weight else [])]
    _, decision = told(rules, challenges=LEVELS)
    assert decision.challenge.level is level
    assert Site([weigh(30, **HERE)], challenges=LEVELS).get("/x").status == 200


def test_a_clearance_is_enough_for_as_much_as_is_asked() -> None:
    """Who is doubted more shows more, once."""
    site = Site([challenge("wait", **HERE), weigh(20, user_agent="*curl*")], challenges=LEVELS)
    waited = f"__Host-doorward={site.token(Level.WAIT, agent='curl/8')}"
    shown = f"__Host-doorward={site.token(Level.HUMAN, agent='curl/8')}"
    assert site.get("/x", f"__Host-doorward={site.token(Level.WAIT)}").status == 200
    assert site.get("/x", waited, agent="curl/8").status == 403
    assert site.get("/x", shown, agent="curl/8").status == 200


def test_dry_weights_make_nothing_harder() -> None:
    """Nor do weights where a rule that allows has spared the challenge."""
    page, decision = told([WORK, weigh(20, mode="DRY_RUN", **HERE)])
    assert (page["most"], decision.challenge.weight) == (1000, 0.0)
    assert Site([allow(**HERE), WORK, weigh(20, **HERE)]).get("/x").status == 200


def test_a_handler_asks_for_more_of_who_is_doubted() -> None:
    """``require`` poses what is as hard as a rule's."""
    site = Site([weigh(10, **HERE), deny(ip="tor")])
    decision = site.aj.require(site.get("/x").environ, "work")
    assert decision.challenge is not None
    assert decision.challenge.weight == 10
