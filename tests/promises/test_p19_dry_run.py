"""P19: a dry run comes to exactly what the live rule would have come to, and changes nothing."""

from __future__ import annotations

import random
from typing import Any

import pytest
from tests.behaviour.doubles import Breaker, Refuser

from doorward import (
    Conclusion,
    Decision,
    Doorward,
    RateLimitReason,
    RequestContext,
    RuleResult,
    fixed_window,
    sliding_window,
    token_bucket,
)
from doorward.testing import FakeClock

REQUESTS = 10_000
MAKERS: dict[str, Any] = {
    "fixed": lambda mode: fixed_window(max=5, window="10s", mode=mode, name="rule"),
    "sliding": lambda mode: sliding_window(max=5, interval="10s", mode=mode, name="rule"),
    "large": lambda mode: sliding_window(max=40, interval="600s", mode=mode, name="rule"),
    "bucket": lambda mode: token_bucket(capacity=5, refill_rate=1, interval="2s", mode=mode, name="rule"),
    "by path": lambda mode: sliding_window(max=3, interval="9s", paths=["/a*"], mode=mode, name="rule"),
    "by header": lambda mode: sliding_window(
        max=3, interval="9s", characteristics=['http.request.headers["x-key"]'], mode=mode, name="rule"
    ),
    "refuser": lambda mode: Refuser(marker="7", mode=mode, name="rule"),
    "breaker": lambda mode: Breaker(mode=mode, name="rule"),
}


def trace(seed: int, count: int, costs: tuple[int, ...]) -> list[tuple[float, dict[str, Any], int]]:
    """Seconds that pass, a request, and what it costs."""
    source = random.Random(seed)
    return [
        (
            source.choice((0, 0, 0.1, 1, 5)),
            {
                "peer": f"203.0.113.{source.randrange(6)}",
                "path": source.choice(("/a", "/ab", "/b")),
                "query": str(source.randrange(30)),
                "headers": [("X-Key", str(source.randrange(3)))],
            },
            source.choice(costs),
        )
        for _ in range(count)
    ]


def replay(rules: list[Any], count: int, *, costs: tuple[int, ...] = (1,)) -> list[Decision]:
    clock = FakeClock()
    aj = Doorward(rules, clock=clock, proxies=())
    decisions = []
    for seconds, request, cost in trace(19, count, costs):
        clock.advance(seconds)
        decisions.append(aj.protect(RequestContext(**request), requested=cost))
    return decisions


def told(result: RuleResult) -> tuple[object, ...]:
    """What a result says, times to the nanosecond."""
    reason = result.reason
    if isinstance(reason, RateLimitReason):
        return result.conclusion, reason.max, reason.remaining, round(reason.reset_seconds * 1e9), reason.now_ns
    return result.conclusion, reason


@pytest.mark.parametrize("name", MAKERS)
def test_p19_each_rule_alone_comes_to_the_same_dry_and_live(name: str) -> None:
    """P19: over one random trace, conclusion and reason of a rule are the same in both modes, request by request."""
    live, dry = replay([MAKERS[name]("LIVE")], REQUESTS), replay([MAKERS[name]("DRY_RUN")], REQUESTS)
    for one, other in zip(live, dry, strict=True):
        mine, theirs = one.results[0], other.results[0]
        assert told(mine) == told(theirs)
        assert other.conclusion is Conclusion.ALLOW
        assert (other.dry_run == "rule") == (one.conclusion is Conclusion.DENY)
    assert name == "breaker" or any(decision.is_denied() for decision in live)


@pytest.mark.parametrize("name", ["fixed", "sliding", "large", "bucket"])
def test_p19_conclusions_are_the_same_for_any_cost(name: str) -> None:
    """P19: the same where requests take different numbers of units; a remembered refusal keeps its old remainder."""
    live = replay([MAKERS[name]("LIVE")], REQUESTS, costs=(1, 1, 1, 2, 6))
    dry = replay([MAKERS[name]("DRY_RUN")], REQUESTS, costs=(1, 1, 1, 2, 6))
    assert [one.results[0].conclusion for one in live] == [other.results[0].conclusion for other in dry]


def test_p19_a_set_names_the_rule_that_would_have_decided() -> None:
    """P19: beside a live limit, the decision names the dry rule exactly where that rule alone would have refused."""
    dry = replay([MAKERS["refuser"]("DRY_RUN"), MAKERS["fixed"]("LIVE")], 2000)
    alone = replay([MAKERS["refuser"]("LIVE")], 2000)
    for one, other in zip(alone, dry, strict=True):
        if not other.is_denied():
            assert (other.dry_run is not None) == one.is_denied()


@pytest.mark.parametrize("name", ["fixed", "sliding", "large", "bucket"])
def test_p19_a_dry_limit_beside_a_live_one_does_not_touch_it(name: str) -> None:
    """P19: counters are apart: a live limit decides the same with and without dry limits beside it."""
    alone = replay([MAKERS[name]("LIVE")], 3000)
    beside = replay(
        [MAKERS[other]("DRY_RUN") for other in ("fixed", "sliding", "bucket")] + [MAKERS[name]("LIVE")], 3000
    )
    assert [told(decision.results[-1]) for decision in beside] == [told(decision.results[0]) for decision in alone]


def test_p19_the_environment_makes_the_same_dry(monkeypatch: pytest.MonkeyPatch) -> None:
    """P19: DOORWARD_MODE=DRY_RUN gives the results of rules that are dry by themselves."""
    own = replay([MAKERS["sliding"]("DRY_RUN")], 2000)
    monkeypatch.setenv("DOORWARD_MODE", "DRY_RUN")
    forced = replay([MAKERS["sliding"]("LIVE")], 2000)
    assert [told(decision.results[0]) for decision in forced] == [told(decision.results[0]) for decision in own]
