"""P19: every kind of rule comes to exactly the same, live and dry, over the same trace of requests.

``DOORWARD_SOAK=1`` takes 10,000 requests a rule and way; CI takes a beginning of the same traces.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest
from tests.conftest import SOAK
from tests.promises.dry_runs import (
    ALONE,
    DRY,
    LIMITS,
    LIVE,
    Asked,
    client,
    decided,
    signup,
    told,
    trace,
)

from doorward import AsyncDoorward, Conclusion, Decision, Doorward, RequestContext
from doorward.progress import Inputs, given
from doorward.rules.limits import Response
from doorward.stores.memory import MemoryStore
from doorward.testing import FakeClock

REQUESTS = 10_000


def length(name: str) -> int:
    """Requests for one rule: in CI a beginning, of limits a longer one, which take less and refuse later."""
    return REQUESTS if SOAK else 260 if name in LIMITS else 100


NEVER_REFUSES = {"allow"}
EVERY = {**ALONE, "signup": signup}


Ask = Callable[[Doorward, Asked], Decision]


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest) -> Iterator[Ask]:
    """The decision about the next request of a trace, blocking or awaiting."""
    if request.param == "sync":
        yield decided
        return
    with asyncio.Runner() as runner:
        yield lambda aj, asked: runner.run(awaited(aj.as_async(), asked))


async def awaited(aj: AsyncDoorward, asked: Asked) -> Decision:
    progress = aj.runtime.open(RequestContext(**asked.request), aj.engine)
    decision = await aj.decide(progress, Inputs(given(asked.inputs["email"]), asked.inputs["characteristics"]))
    if decision.is_allowed():
        await aj.settle(progress, Response(asked.status, ()))
        await aj.look_back(progress)
    return progress.decision or decision


def agree(live: Decision, dry: Decision) -> None:
    """Each rule that ran live came to the same dry, and only the live one changes anything."""
    for mine, theirs in zip(live.results, dry.results, strict=True):
        if mine.state != "NOT_RUN":
            assert told(mine) == told(theirs)
    assert dry.conclusion is Conclusion.ALLOW
    assert dry.status == 200


@pytest.mark.parametrize("name", ALONE, ids=[name.replace(" ", "-") for name in ALONE])
def test_p19_each_rule_comes_to_the_same(name: str, ask: Ask) -> None:
    """Conclusion, reason, figures, fingerprint, ttl and note are equal, request by request.

    The decision of a dry run is ALLOW, it names the rule exactly where the live one refuses, and it leaves the counters
    of the same rule, live in the same store, as they are without it.
    """
    clock = FakeClock()
    store = MemoryStore(clock=clock)
    live = client([ALONE[name](LIVE)], clock=clock)
    beside = client([ALONE[name](LIVE)], clock=clock, store=store)
    dry = client([ALONE[name](DRY)], clock=clock, store=store)
    refused = 0
    for asked in trace(19, length(name)):
        clock.advance(asked.seconds)
        one, other, third = ask(live, asked), ask(dry, asked), decided(beside, asked)
        agree(one, other)
        refuses = one.conclusion in (Conclusion.DENY, Conclusion.CHALLENGE)
        assert (other.dry_run is not None) == refuses
        assert third.conclusion is one.conclusion
        for mine, theirs in zip(one.results, third.results, strict=True):
            # A refusal is believed for a second where the store is an object: then all of the rule's limits are asked.
            assert "NOT_RUN" in (mine.state, theirs.state) or told(mine) == told(theirs)
        refused += refuses
    assert (refused > 0) == (name not in NEVER_REFUSES)


@pytest.mark.parametrize("name", sorted(EVERY), ids=[name.replace(" ", "-") for name in sorted(EVERY)])
def test_p19_the_environment_makes_the_same_dry(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """DOORWARD_MODE=DRY_RUN gives the results of rules that are dry by themselves."""
    clock = FakeClock()
    own = client([EVERY[name](DRY)], clock=clock)
    monkeypatch.setenv("DOORWARD_MODE", DRY)
    forced = client([EVERY[name](LIVE)], clock=clock)
    for asked in trace(20, length(name) // 2):
        clock.advance(asked.seconds)
        one, other = decided(own, asked), decided(forced, asked)
        assert list(map(told, one.results)) == list(map(told, other.results))
        assert one.dry_run == other.dry_run


# --- what the traces have found, by name


def shielded(mode: str, clock: FakeClock) -> Doorward:
    return client([ALONE["shield adds up"](mode)], clock=clock)


def of_weight(query: str) -> Asked:
    request = {"peer": "203.0.113.9", "path": "/a", "query": query, "headers": [("User-Agent", "x")], "body": b""}
    return Asked(0, request, {"email": None, "characteristics": {}}, 200)


LIGHT, ATTACK = of_weight("q=exec("), of_weight("q=1%27+or+%271%27=%271")


def test_p19_a_dry_shield_says_what_reached_the_threshold() -> None:
    """The request that makes the sum reach the threshold keeps its findings, in a dry run too."""
    clock = FakeClock()
    for mode in (LIVE, DRY):
        aj = shielded(mode, clock)
        found = [decided(aj, LIGHT).results[0].reason for _ in range(4)][-1]
        assert (found.findings[0].rule, found.retry_seconds) == ("php.call_alone", 60.0), mode


def test_p19_what_a_refused_client_sends_does_not_prolong_a_dry_refusal() -> None:
    """A client that goes on attacking is refused until the window after its first refusal ends, live and dry."""
    clock = FakeClock()
    both = [shielded(mode, clock) for mode in (LIVE, DRY)]
    for _ in range(2):
        assert all(decided(aj, ATTACK).results[0].is_denied() for aj in both)
    clock.advance(40)
    assert [decided(aj, ATTACK).results[0].reason.retry_seconds for aj in both] == [20.0, 20.0]
    clock.advance(21)
    assert [decided(aj, of_weight("")).results[0].conclusion for aj in both] == ["ALLOW", "ALLOW"]


@pytest.mark.parametrize("peers", ["the same process", "another process"])
def test_p19_nor_a_live_one_that_another_process_has_begun(peers: str) -> None:
    """The same where the refusal is not remembered here: what is sent meanwhile is not added to the sum."""
    clock = FakeClock()
    store = MemoryStore(clock=clock)
    first, second = (client([ALONE["shield adds up"](LIVE)], clock=clock, store=store) for _ in range(2))
    for _ in range(2):
        decided(first, ATTACK)
    clock.advance(40)
    found = decided(first if peers == "the same process" else second, ATTACK).results[0].reason
    assert (found.retry_seconds, found.findings) == (20.0, ())


def test_that_nobody_is_banned_is_no_reason_of_a_decision() -> None:
    """Once anybody was banned, decisions about others said "1 of 1 left in 1e-09 s": the ban's own counter."""
    aj = client([ALONE["deny"](DRY)])
    aj.ban("198.51.100.99", "1h")
    decision = decided(aj, of_weight(""))
    assert (decision.reason.type, decision.headers) == ("RULE", {})
