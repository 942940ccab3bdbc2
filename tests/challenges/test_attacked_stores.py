"""A store that answers nonsense, and workers whose clocks differ: nobody is locked out, and nobody in twice."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.challenges.clearing import Site

from doorward import challenge
from doorward.challenges.gate import CHALLENGE_TTL_MS
from doorward.challenges.tokens import CLOCK_SKEW_MS
from doorward.stores.memory import MemoryStore
from doorward.testing import FakeClock

NONSENSE = ["text", b"junk", 7, [], [None], [True], object(), float("nan"), None, {}]


class Confused(MemoryStore):
    """Counts, and then says something else."""

    answer: Any = None

    def count(self, hits: Any) -> Any:
        super().count(hits)
        return self.answer


@pytest.mark.swallows_errors
@pytest.mark.parametrize("answer", NONSENSE, ids=lambda answer: type(answer).__name__ + str(bool(answer)))
def test_a_store_whose_counters_make_no_sense_locks_nobody_out(answer: object) -> None:
    """As where it fails: the counters of this process take over, for the endpoints too."""
    clock = FakeClock()
    store = Confused(clock=clock)
    store.answer = answer
    site = Site([challenge("wait")], store=store, clock=clock)
    cookie = site.passed()
    assert site.get(cookie=cookie).status == 200
    altcha = [site.get("/.doorward/altcha").status for _ in range(61)]
    assert altcha == [200] * 60 + [429]


@pytest.mark.parametrize("skew_ms", [-CLOCK_SKEW_MS, -1000, 0, 1000, CLOCK_SKEW_MS])
def test_no_worker_whose_clock_is_late_redeems_a_challenge_again(skew_ms: int) -> None:
    """The mark of what is spent outlives the challenge by as much as the clocks of workers may differ."""
    true, early = FakeClock(), FakeClock()
    early.advance(skew_ms / 1000)
    store = MemoryStore(clock=true)
    here = Site(clock=true, store=store)
    there = Site(clock=early, store=store)
    page = here.get()
    token = re.search(rb'name="token" value="([^"]+)"', page.body)
    assert token is not None
    left_ms = CHALLENGE_TTL_MS - 1000 - max(0, skew_ms)
    for clock in (true, early):
        clock.advance(left_ms / 1000)
    answers = [there.call("POST", "/.doorward/verify", body=b"token=" + token[1]).status]
    for _ in range(35):
        for clock in (true, early):
            clock.advance(2)
        answers += [site.call("POST", "/.doorward/verify", body=b"token=" + token[1]).status for site in (here, there)]
    assert answers[0] == 303
    assert 303 not in answers[1:]
