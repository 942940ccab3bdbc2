"""The straight way for remembered refusals comes to what the walk comes to."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward import Decision, Doorward, RequestContext, allow, detect_bot, fixed_window, sliding_window, token_bucket
from doorward.progress import NO_INPUTS, Progress
from doorward.remembered import Remembered
from doorward.stores.memory import MemoryStore
from doorward.testing import FakeClock

PEERS = ("203.0.113.9", "198.51.100.7", "2001:db8::1", "2001:db8::2")
LIMITS = st.lists(
    st.one_of(
        st.builds(lambda n: fixed_window(max=n, window=60), st.integers(1, 4)),
        st.builds(lambda n: sliding_window(max=n, interval=90), st.integers(1, 4)),
        st.builds(lambda n: token_bucket(refill_rate=1, interval=30, capacity=n), st.integers(1, 4)),
        st.builds(lambda n: fixed_window(max=n, window=10, cost=1), st.integers(1, 4)),
    ),
    min_size=1,
    max_size=3,
)
STEPS = st.lists(st.tuples(st.sampled_from(PEERS), st.sampled_from([0.0, 0.3, 1.0, 7.0])), max_size=25)


def told(decision: Decision) -> dict[str, Any]:
    return {**decision.to_dict(), "id": "", "headers": decision.headers, "status": decision.status}


@given(rules=LIMITS, steps=STEPS, bots=st.booleans())
def test_the_straight_way_comes_to_what_the_walk_comes_to(rules: list[Any], steps: Any, bots: bool) -> None:
    """For any limits by address, at any time: the same decision, to the last field."""
    clocks = FakeClock(), FakeClock()
    every = [*rules, detect_bot(allow=[], lists=False)] if bots else rules
    straight, walking = (Doorward(every, clock=clock, store=MemoryStore(clock=clock)) for clock in clocks)
    assert straight.engine.remembered is not None
    walking.engine.remembered = None
    for peer, seconds in steps:
        for clock in clocks:
            clock.advance(seconds)
        context = [RequestContext(peer=peer, headers=[("user-agent", "curl/8")]) for _ in clocks]
        assert told(straight.protect(context[0])) == told(walking.protect(context[1]))


def refused(*rules: Any, **options: Any) -> Doorward:
    client = Doorward([*rules], **options)
    while not client.protect(RequestContext(peer=PEERS[0])).is_denied():
        pass
    return client


def test_it_is_taken() -> None:
    """Or the comparison above would prove nothing."""
    client = refused(fixed_window(max=1, window=60))
    remembered = client.engine.remembered
    assert remembered is not None
    assert remembered.decide(Progress(RequestContext(peer=PEERS[0]), client.engine)) is not None
    assert remembered.decide(Progress(RequestContext(peer=PEERS[1]), client.engine)) is None


OTHERS = [
    pytest.param([allow(paths=["/health"])], id="a rule of the application's own comes first"),
    pytest.param([fixed_window(max=1, window=9, mode="DRY_RUN")], id="a dry run"),
    pytest.param([fixed_window(max=1, window=9, paths=["/a"])], id="a limit of some paths"),
    pytest.param([fixed_window(max=1, window=9, characteristics=["userId"])], id="a limit by something else"),
]


@pytest.mark.parametrize("others", OTHERS)
def test_it_is_not_for(others: list[Any]) -> None:
    """Whatever may come before the refusal, or depend on more than the address, takes the walk."""
    client = Doorward([fixed_window(max=1, window=60), *others])
    assert not Remembered.serves(client.engine)
    assert client.engine.remembered is None


def test_a_ban_is_the_reason_where_there_is_one() -> None:
    """Bans come first in the walk."""
    client = refused(fixed_window(max=1, window=60))
    client.ban(PEERS[0])
    assert client.protect(RequestContext(peer=PEERS[0])).reason.is_rule()


def test_a_second_call_is_given_the_first_ones_decision() -> None:
    """Middleware has refused; a handler that asks again gets the same."""
    client = refused(fixed_window(max=1, window=60))
    progress = Progress(RequestContext(peer=PEERS[0]), client.engine)
    first = client.decide(progress, NO_INPUTS, deferring=True)
    assert client.decide(progress, NO_INPUTS) is first
