"""The straight way comes to what the whole walk comes to."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward import Doorward, RequestContext, fixed_window, sliding_window, token_bucket
from doorward.decision import Decision
from doorward.testing import FakeClock

PEERS = ("203.0.113.1", "203.0.113.2", "2001:db8::1", "10.0.0.1", "")
RULES: dict[str, Any] = {
    "sliding": [sliding_window(max=3, interval="10s")],
    "several": [
        fixed_window(max=4, window="20s", name="fixed"),
        token_bucket(capacity=5, refill_rate=1, interval="3s", name="bucket", cost=2),
        sliding_window(max=40, interval="1m", name="wide"),
    ],
}

steps = st.one_of(
    st.tuples(st.just("ask"), st.sampled_from(PEERS)),
    st.tuples(st.just("refund"), st.sampled_from(PEERS)),
    st.tuples(st.just("wait"), st.floats(0, 15)),
    st.tuples(st.sampled_from(["ban", "unban", "reset"]), st.sampled_from(PEERS[:3])),
)


def told(decision: Decision) -> object:
    """All that a decision says but its id."""
    said = decision.to_dict()
    return {**said, "id": "", "headers": decision.headers, "reason": decision.reason, "results": decision.results}


class Client:
    """One client with its own clock."""

    def __init__(self, rules: Any, *, express: bool) -> None:
        self.clock = FakeClock()
        self.aj = Doorward(rules, clock=self.clock)
        assert self.aj.engine.express is not None
        if not express:
            self.aj.engine.express = None

    def perform(self, step: tuple[str, Any]) -> object:
        """Do one step; what came of it."""
        what, value = step
        if what == "wait":
            return self.clock.advance(value)
        if what in ("ask", "refund"):
            decision = self.aj.protect(RequestContext(peer=value))
            said = told(decision)
            if what == "refund":
                decision.refund()
            return said
        return getattr(self.aj, what)(value)


@pytest.mark.parametrize("rules", RULES.values(), ids=RULES)
@given(trace=st.lists(steps, max_size=40))
def test_it_comes_to_what_the_walk_comes_to(rules: Any, trace: list[tuple[str, Any]]) -> None:
    """On any traffic, with bans, refunds and waits between, both ways say the same."""
    express, walk = Client(rules, express=True), Client(rules, express=False)
    for step in trace:
        assert express.perform(step) == walk.perform(step)


def count_kept(*rules: Any, **options: Any) -> bool:
    """Whether a client with these rules has the straight way."""
    return Doorward(list(rules), **options).engine.express is not None


def test_it_is_for_plain_limits_by_address_only() -> None:
    """Whatever needs the walk's care is not sent past it."""
    assert count_kept(sliding_window(max=1, interval=1))
    assert not count_kept()
    assert not count_kept(sliding_window(max=1, interval=1, mode="DRY_RUN"))
    assert not count_kept(sliding_window(max=1, interval=1, characteristics=["userId"]))
    assert not count_kept(sliding_window(max=1, interval=1, paths=["/a"]))
    assert not count_kept(sliding_window(max=1, interval=1), limits={"/a": "1/minute"})


def test_refusals_of_some_do_not_slow_the_others() -> None:
    """A remembered refusal sends its own client on the walk, and nobody else."""
    aj = Doorward([sliding_window(max=1, interval="1m")])
    for _ in range(2):
        aj.protect(RequestContext(peer=PEERS[0]))
    assert aj.runtime.refusals
    progress = aj.runtime.open(RequestContext(peer=PEERS[1]), aj.engine)
    assert aj.engine.express is not None
    assert aj.engine.express.decide(progress) is not None
    refused = aj.runtime.open(RequestContext(peer=PEERS[0]), aj.engine)
    assert aj.engine.express.decide(refused) is None
