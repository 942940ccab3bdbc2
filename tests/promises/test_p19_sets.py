"""P19, rules together: what a dry run comes to beside others, and whom it names.

A rule comes to what it comes to alone, whoever stands beside it; but dry limits are charged together, as live ones
are. Where all rules are dry, and none counts, the decision names the rule that decides where all are live.
"""

from __future__ import annotations

import random
from typing import Any

import pytest
from tests.conftest import SOAK
from tests.promises.dry_runs import ALONE, DRY, LIMITS, LIVE, client, decided, told, trace

from doorward import Conclusion, Decision, Doorward, allow, deny, rate_limit, sliding_window, weigh
from doorward.explaining.explanation import decider
from doorward.testing import FakeClock

SETS, REQUESTS = (100, 10_000) if SOAK else (8, 100)
PURE: dict[str, Any] = {
    **{name: rule for name, rule in ALONE.items() if name.split()[0] in {"bots", "email", "filter", "allow", "deny"}},
    "weigh": ALONE["weigh"],
    "weigh more": lambda mode: weigh(9, ip=["2001:db8::/32"], mode=mode, name="more"),
    "allow much": lambda mode: allow(paths=["/ab"], ends=["RULE", "FILTER", "EMAIL", "BOT"], mode=mode, name="much"),
}
"""Rules that count nothing: what they come to does not depend on requests before."""


def chosen(kinds: Any, seed: int, most: int) -> list[str]:
    return random.Random(seed).sample(sorted(kinds), most)


def both(aj: Doorward, others: Doorward, seed: int) -> Any:
    """A trace through two clients of one clock."""
    clock: Any = aj.runtime.clock
    for asked in trace(seed, REQUESTS):
        clock.advance(asked.seconds)
        yield asked, decided(aj, asked), decided(others, asked)


def ran_alike(live: Decision, dry: Decision) -> bool:
    """Whether every rule that ran live came to the same dry."""
    pairs = zip(live.results, dry.results, strict=True)
    return all(told(mine) == told(theirs) for mine, theirs in pairs if mine.state != "NOT_RUN")


@pytest.mark.parametrize("seed", range(SETS))
def test_p19_the_decision_names_the_rule_that_decides_live(seed: int) -> None:
    """All dry beside all live: the same results up to where the live walk ends, and the name of what ended it."""
    clock = FakeClock()
    names = chosen(PURE, seed, 5)
    live, dry = (client([PURE[name](mode) for name in names], clock=clock) for mode in (LIVE, DRY))
    for asked, one, other in both(live, dry, seed):
        refused = one.conclusion in (Conclusion.DENY, Conclusion.CHALLENGE)
        assert other.dry_run == (decider(one) if refused else None), (names, asked)
        assert ran_alike(one, other), (names, asked)
        assert other.conclusion is Conclusion.ALLOW


@pytest.mark.parametrize("seed", range(SETS))
def test_p19_a_rule_among_others_comes_to_what_it_comes_to_alone(seed: int) -> None:
    """Five kinds of rules, all dry, beside each of them alone and live; limits beside the limits among them, live."""
    clock = FakeClock()
    names = chosen(ALONE, seed, 5)
    limits = [name for name in names if name in LIMITS or name == "count_when"]
    groups = [limits, *[[name] for name in names if name not in limits]]
    together = client([ALONE[name](DRY) for group in groups for name in group], clock=clock)
    alone = [client([ALONE[name](LIVE) for name in group], clock=clock) for group in groups]
    for asked in trace(seed, REQUESTS):
        clock.advance(asked.seconds)
        dry = decided(together, asked)
        results = iter(dry.results)
        for aj in alone:
            live = decided(aj, asked)
            beside = [next(results) for _ in live.results]
            for mine, theirs in zip(live.results, beside, strict=True):
                assert mine.state == "NOT_RUN" or told(mine) == told(theirs), (names, asked)


@pytest.mark.parametrize("seed", range(SETS))
def test_p19_beside_a_live_rule(seed: int) -> None:
    """A live rule decides the same with dry ones beside it; these come to what they come to alone, if asked."""
    clock = FakeClock()
    names = chosen(PURE, seed + 1000, 4)
    first = "fixed" if seed % 2 else names[0]
    rules = {**PURE, **ALONE}
    mixed = client([rules[first](LIVE), *[rules[name](DRY) for name in names[1:]]], clock=clock)
    alone = client([rules[first](LIVE)], clock=clock)
    dry = client([rules[name](DRY) for name in names[1:]], clock=clock)
    for asked, one, other in both(mixed, alone, seed):
        assert one.conclusion is other.conclusion, (names, asked)
        own = len(other.results)
        assert list(map(told, one.results[:own])) == list(map(told, other.results)) or one.is_denied()
        for mine, theirs in zip(one.results[own:], decided(dry, asked).results, strict=True):
            assert mine.state == "NOT_RUN" or told(mine) == told(theirs), (names, asked)


@pytest.mark.parametrize("by_path", ["4/10s", "3/5s; 9/minute"], ids=["one", "two"])
def test_p19_limits_by_path(by_path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """``limits=`` takes the place of the application's limits, in a dry run as live: figures are the same."""
    clock = FakeClock()
    rules = [sliding_window(max=6, interval="10s", name="all"), *rate_limit("20/minute", name="more")]
    options: dict[str, Any] = {"clock": clock, "limits": {"/a*": by_path, "POST /b": "2/20s"}}
    live = client(rules, **options)
    dry = client(rules, mode=DRY, **options)
    monkeypatch.setenv("DOORWARD_MODE", DRY)
    forced = client(rules, **options)
    refused = 0
    for asked, one, other in both(live, dry, 7):
        assert ran_alike(one, other), asked
        assert [result.state for result in other.results if result.state == "NOT_RUN"] or asked.request["path"]
        assert (other.dry_run is not None) == one.is_denied(), asked
        assert list(map(told, decided(forced, asked).results)) == list(map(told, other.results))
        refused += one.is_denied()
    assert refused


# --- what the sets have found, by name


def names_of(*rules: Any, **options: Any) -> str | None:
    aj = client(list(rules), **options)
    return decided(aj, next(trace(0, 1))._replace(request={"peer": "203.0.113.9", "path": "/a"})).dry_run


def test_p19_a_dry_allow_rule_spares_the_dry_rules_that_it_would_end() -> None:
    """Had both been live, the bot would have passed: nobody is named."""
    bots = ALONE["bots allow"]
    spare = allow(paths=["/a"], ends=["BOT", "RULE"], mode=DRY)
    assert names_of(bots(DRY)) == "bot"
    assert names_of(spare, bots(DRY)) is None
    assert names_of(spare, deny(paths=["/a"], mode=DRY), bots(DRY)) is None
    assert names_of(spare, weigh(9, paths=["/a"], mode=DRY)) is None
    assert names_of(deny(paths=["/a"], mode=DRY), spare, bots(DRY)) == "deny"
    assert names_of(allow(paths=["/a"], mode=DRY), deny(paths=["/a"], mode=DRY)) == "deny"


def test_p19_weights_that_reach_the_threshold_first_are_named() -> None:
    """In the order of the walk: live weights would have ended it before the rule behind them was asked."""
    heavy, refusing = weigh(9, paths=["/a"], mode=DRY), deny(paths=["/a"], mode=DRY)
    assert names_of(heavy, refusing) == "weights"
    assert names_of(refusing, heavy) == "deny"
    assert names_of(heavy, ALONE["bots allow"](DRY)) == "weights"
    live = weigh(9, paths=["/a"])
    assert names_of(live, refusing) is None
    assert names_of(refusing, live) == "deny"


def test_p19_a_dry_limit_gives_way_to_a_dry_one_of_the_path() -> None:
    """As where both are live; one that is live gives way to no dry one."""
    limit = sliding_window(max=1, interval="1h", name="all")
    request = next(trace(0, 1))._replace(request={"peer": "203.0.113.9", "path": "/a"})
    for mode in (DRY, LIVE):
        aj = client([limit], mode=mode, limits={"/a": "5/minute"})
        everywhere, of_path = [decided(aj, request) for _ in range(3)][-1].results
        assert everywhere.state == "NOT_RUN", mode
        assert of_path.reason.remaining == 2, mode
    trial = client([sliding_window(max=1, interval="1h", mode=LIVE)], mode=DRY, limits={"/a": "5/minute"})
    assert [decided(trial, request).is_denied() for _ in range(2)] == [False, True]
