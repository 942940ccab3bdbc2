"""P19 through the player: a trace replayed with all rules live and again with all dry is the same, rule by rule."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from tests.replay.player.recordings import ATTACK, BOT, BROWSER, recorded

from doorward import Doorward, deny, detect_bot, filter_request, fixed_window, shield, sliding_window, token_bucket
from doorward.decision import State
from doorward.replay.player import Player, replay
from doorward.replay.records import Recorded
from doorward.rules.base import Rule

RULES: dict[str, Callable[..., Rule]] = {
    "bots": lambda **mode: detect_bot(allow=[], **mode),
    "deny": lambda **mode: deny(paths=["/admin*"], **mode),
    "filter": lambda **mode: filter_request(deny=['http.request.uri.args["debug"] eq "1"'], **mode),
    "fixed": lambda **mode: fixed_window(max=6, window="30s", **mode),
    "shield": lambda **mode: shield(threshold=1.5, **mode),
    "sliding": lambda **mode: sliding_window(max=5, interval="20s", **mode),
    "bucket": lambda **mode: token_bucket(refill_rate=1, interval="3s", capacity=4, **mode),
}


def trace(length: int = 3_000) -> list[Recorded]:
    """Browsers, bots and attackers of twelve addresses, in bursts."""
    chance, at, found = random.Random(19), 0.0, []
    for line in range(1, length + 1):
        at += chance.choice([0, 0, 0.2, 1, 5])
        path = chance.choice(["/", "/a", "/admin", "/x?debug=1", "/q?s=1+or+1=1", ATTACK])
        agent = chance.choice([BROWSER, BROWSER, BOT])
        found.append(recorded(path, at=at, ip=f"192.0.2.{chance.randrange(12)}", agent=agent, line=line))
    return found


TRACE = trace()


def results(rule: Rule) -> list[tuple[object, ...]]:
    """What the rule came to, request by request: asked or not, conclusion, reason."""
    player, found = Player(Doorward([rule]), "p19"), []
    for one in TRACE:
        player.clock.reach(one.at_ns)
        decided = player.decider.decide(one)
        assert decided.decision is not None
        (result,) = decided.decision.results
        found.append((result.state is not State.NOT_RUN, result.conclusion, result.reason))
        player.decider.answered(one, decided)
    return found


@pytest.mark.parametrize("name", RULES)
def test_each_rule_comes_to_the_same_live_and_dry(name: str) -> None:
    live, dry = results(RULES[name](mode="LIVE")), results(RULES[name](mode="DRY_RUN"))
    assert [row[:2] for row in live] == [row[:2] for row in dry]
    differing = [(a, b) for a, b in zip(live, dry, strict=True) if a[2] != b[2]]
    # A remembered refusal has what was left when it was refused, and its end in nanoseconds, not as a sum of floats.
    assert all(_in_whole(a[2]) == _in_whole(b[2]) for a, b in differing)


def _in_whole(reason: Any) -> object:
    if hasattr(reason, "remaining"):
        reason = reason._replace(remaining=0)
    if hasattr(reason, "retry_seconds"):
        reason = reason._replace(retry_seconds=round(reason.retry_seconds, 6))
    return reason


@pytest.mark.parametrize("name", RULES)
def test_each_rule_would_deny_dry_what_it_denies_live(name: str) -> None:
    live = replay(Doorward([RULES[name](mode="LIVE")]), TRACE)
    dry = replay(Doorward([RULES[name](mode="DRY_RUN")]), TRACE)
    (mine,), (its,) = live.rules, dry.rules
    assert mine.denied > 0
    assert (mine.asked, mine.denied) == (its.asked, its.would_deny)
    assert (live.denied, live.would_deny, dry.denied, dry.would_deny) == (mine.denied, 0, 0, mine.denied)
    places = [[(one.line, one.rule) for one in tally.samples] for tally in (mine, its)]
    assert places[0] == places[1]
    assert replay(Doorward([RULES[name](mode="DRY_RUN")]), TRACE, as_live=True).denied == mine.denied
