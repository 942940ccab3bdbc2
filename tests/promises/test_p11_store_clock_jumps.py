"""P11: the wall clock jumps, with the store and without it: nobody is locked out, nobody gets more than twice."""

from __future__ import annotations

from typing import Any

import pytest
from tests.behaviour.doubles import ShakyStore

from doorward import Doorward, RequestContext, fixed_window, sliding_window, token_bucket
from doorward.testing import FakeClock

MAX = 5
PEER = "203.0.113.9"


@pytest.mark.parametrize("jump", [3600, -3600, -5, 600])
@pytest.mark.parametrize("lost", [False, True], ids=["well", "lost"])
@pytest.mark.parametrize(
    "rule",
    [
        fixed_window(max=MAX, window="1m", name="limit"),
        sliding_window(max=MAX, interval="1m", name="limit"),
        token_bucket(capacity=MAX, refill_rate=MAX, interval="1m", name="limit"),
    ],
    ids=["fixed", "sliding", "bucket"],
)
def test_p11_a_jump_of_the_clock(rule: Any, lost: bool, jump: int) -> None:
    """P11: waits are finite and not negative, at most 2 * max around the jump, and everybody is let in afterwards."""
    clock = FakeClock()
    store = ShakyStore(clock, blocking=False)
    aj = Doorward([rule], store=store, clock=clock)

    def ask(times: int) -> int:
        decisions = [aj.protect(RequestContext(peer=PEER)) for _ in range(times)]
        waits = [result.reason.reset_seconds for decision in decisions for result in decision.results]  # type: ignore[attr-defined]
        assert all(0.0 <= wait <= 120.0 for wait in waits)
        assert all(int(d.headers["Retry-After"]) >= 0 for d in decisions if d.is_denied())
        return sum(decision.is_allowed() for decision in decisions)

    admitted = ask(3)
    store.mode = "raises" if lost else "well"
    clock.advance(jump)
    assert admitted + ask(12) <= 2 * MAX
    clock.advance(125)
    assert ask(1) == 1


@pytest.mark.parametrize("jump", [3600, -3600])
def test_p11_a_ban_survives_no_jump_for_ever(jump: int) -> None:
    """P11: a ban of a minute is over when the clock has gone on by the jump and a minute."""
    clock = FakeClock()
    aj = Doorward([sliding_window(max=MAX, interval="1m")], clock=clock)
    aj.ban(PEER, "1m")
    clock.advance(jump)
    clock.advance(abs(jump) + 61)
    assert aj.protect(RequestContext(peer=PEER)).is_allowed()
