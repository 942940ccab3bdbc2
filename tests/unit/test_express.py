"""The straight way comes to what the whole walk comes to."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward import (
    Doorward,
    RequestContext,
    allow,
    deny,
    detect_bot,
    filter_request,
    fixed_window,
    shield,
    sliding_window,
    stores,
    token_bucket,
    validate_email,
    weigh,
)
from doorward.decision import Decision
from doorward.errors import StoreError
from doorward.progress import NO_INPUTS
from doorward.stores.memory import MemoryStore
from doorward.testing import FakeClock, ScriptedResolver

PEERS = ("203.0.113.1", "203.0.113.2", "2001:db8::1", "10.0.0.1", "")
RULES: dict[str, Any] = {
    "sliding": [sliding_window(max=3, interval="10s")],
    "several": [
        fixed_window(max=4, window="20s", name="fixed"),
        token_bucket(capacity=5, refill_rate=1, interval="3s", name="bucket", cost=2),
        sliding_window(max=40, interval="1m", name="wide"),
    ],
    "bots": [
        detect_bot(allow=["CATEGORY:SEARCH_ENGINE"]),
        sliding_window(max=5, interval="10s"),
        filter_request(deny=['http.request.headers["x"] eq "1"']),
        allow(ip=["2001:db8::/32"]),
        deny(ip=["10.0.0.0/8"]),
        weigh(3, ip=["203.0.113.2"]),
    ],
    "open": [
        validate_email(deny=["FREE"]),
        filter_request(deny=['local.plan eq "x"']),
        sliding_window(max=5, interval=9),
    ],
}
UNCOUNTED: dict[str, Any] = {
    "nothing": [],
    "agents": [
        allow(user_agent="*bing*"),
        weigh(3, when={"any": [{"user_agent": "*curl*"}, {"header": "x"}]}),
        weigh(5, when={"not": {"user_agent": "Mozilla/*"}}),
        deny(when={"raw_path": "/no"}),
        deny(bot="CATEGORY:SEARCH_ENGINE"),
    ],
}
USUAL = [("Accept", "*/*"), ("Accept-Language", "en"), ("Accept-Encoding", "gzip")]
HEADERS = {
    "person": [("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"), *USUAL],
    "filtered": [("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"), ("X", "1")],
    "curl": [("User-Agent", "curl/8.5")],
    "bing": [("User-Agent", "bingbot/2.0")],
    "nobody": [],
    "two": [("User-Agent", "curl/8.5"), ("User-Agent", "bingbot/2.0")],
}

steps = st.one_of(
    st.tuples(st.just("ask"), st.tuples(st.sampled_from(PEERS), st.sampled_from(sorted(HEADERS)))),
    st.tuples(st.just("refund"), st.tuples(st.sampled_from(PEERS), st.just("person"))),
    st.tuples(st.just("wait"), st.floats(0, 15)),
    st.tuples(st.sampled_from(["ban", "unban", "reset"]), st.sampled_from(PEERS[:3])),
)


def told(decision: Decision) -> object:
    """All that a decision says but its id."""
    said = decision.to_dict()
    return {**said, "id": "", "headers": decision.headers, "reason": decision.reason, "results": decision.results}


class Client:
    """One client with its own clock."""

    def __init__(self, rules: Any, *, express: bool, store: str = "memory://") -> None:
        self.clock = FakeClock()
        options: Any = {"clock": self.clock, "thresholds": {"DENY": 9}, "resolver": ScriptedResolver({})}
        self.aj = Doorward(rules, store=store, **options)
        assert self.aj.engine.express is not None
        if not express:
            self.aj.engine.express = None

    def perform(self, step: tuple[str, Any]) -> object:
        """Do one step; what came of it."""
        what, value = step
        if what == "wait":
            return self.clock.advance(value)
        if what in ("ask", "refund"):
            peer, headers = value
            request = RequestContext(peer=peer, headers=HEADERS[headers])
            progress = self.aj.runtime.open(request, self.aj.engine)
            decision = self.aj.decide(progress, NO_INPUTS, deferring=True)
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


@pytest.mark.parametrize("rules", UNCOUNTED.values(), ids=UNCOUNTED)
@pytest.mark.parametrize("peer", PEERS)
@pytest.mark.parametrize("headers", HEADERS)
def test_it_comes_to_what_the_walk_comes_to_without_limits(rules: Any, peer: str, headers: str) -> None:
    """Asked twice, so that what a User-Agent settles is known the second time."""
    express, walk = Client(rules, express=True), Client(rules, express=False)
    for _ in range(2):
        assert express.perform(("ask", (peer, headers))) == walk.perform(("ask", (peer, headers)))


class QuickStore(MemoryStore):
    """A store of ours that is not in memory, and asks about bans with every hit, as shared:// does."""


@pytest.fixture(scope="module", autouse=True)
def _quick() -> Iterator[None]:
    """quick:// opens one."""
    module: Any = ModuleType("quick_store")
    module.open_quick = lambda url, clock, timeout: QuickStore(clock=clock)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "quick_store", module)
        patch.setitem(stores._MODULES, "quick", ("quick_store", "open_quick"))
        patch.setattr(QuickStore, "ban_table", None)
        yield


@pytest.mark.parametrize("rules", RULES.values(), ids=RULES)
@given(trace=st.lists(steps, max_size=40))
def test_it_comes_to_the_same_where_bans_are_asked_about(rules: Any, trace: list[tuple[str, Any]]) -> None:
    """In a store that other processes share, which does not wait."""
    express, walk = Client(rules, express=True, store="quick://"), Client(rules, express=False, store="quick://")
    for step in trace:
        assert express.perform(step) == walk.perform(step)


def test_a_store_that_fails_sends_requests_on_the_walk() -> None:
    """There the local limiter decides; the straight way asks no more until the store is back."""
    client = Client(RULES["sliding"], express=True, store="quick://")
    store: Any = client.aj.runtime.store
    asked: list[object] = []

    def fail(hits: object) -> None:
        asked.append(hits)
        raise StoreError("down")

    # What was bound when the client was made is the store's own method.
    client.aj.engine.express._count = store.count = fail  # type: ignore[union-attr]
    client.aj.runtime.inline_ports.inline_count = fail
    reasons = [client.aj.protect(RequestContext(peer=PEERS[0])).reason for _ in range(3)]
    assert [reason.degraded for reason in reasons] == ["StoreError: down"] * 3  # type: ignore[attr-defined]
    assert len(asked) == 4, "twice for the first request, once for each after it"


def test_it_is_not_for_another_identity_of_bans() -> None:
    """Where they have to be asked about, and go by something else than the address."""
    keyed = {"characteristics": ["userId"]}
    rule = sliding_window(max=1, interval=1, characteristics=["ip.src"])
    assert count_kept(rule, **keyed)
    assert count_kept(rule, store="quick://")
    assert not count_kept(rule, store="quick://", **keyed)
    assert not count_kept(rule, shield(), store="quick://")


def count_kept(*rules: Any, **options: Any) -> bool:
    """Whether a client with these rules has the straight way."""
    return Doorward(list(rules), **options).engine.express is not None


def test_it_is_for_plain_limits_by_address_and_rules_with_a_usual_outcome() -> None:
    """Whatever needs the walk's care is not sent past it."""
    assert count_kept(sliding_window(max=1, interval=1))
    assert count_kept(sliding_window(max=1, interval=1), detect_bot(allow=[]))
    assert count_kept()
    assert not count_kept(detect_bot(allow=[]))
    assert not count_kept(sliding_window(max=1, interval=1), detect_bot(allow=[], paths=["/a"]))
    assert not count_kept(sliding_window(max=1, interval=1), detect_bot(allow=[], mode="DRY_RUN"))
    assert not count_kept(sliding_window(max=1, interval=1), filter_request(allow=["ip.src eq 1.1.1.1"]))
    assert not count_kept(sliding_window(max=1, interval=1, mode="DRY_RUN"))
    assert not count_kept(sliding_window(max=1, interval=1, characteristics=["userId"]))
    assert not count_kept(sliding_window(max=1, interval=1, paths=["/a"]))
    assert not count_kept(sliding_window(max=1, interval=1), limits={"/a": "1/minute"})


def test_a_rule_that_needs_an_input_is_not_passed_over_in_a_handler() -> None:
    """There it is an error that names the argument."""
    aj = Doorward([sliding_window(max=1, interval="1m"), validate_email(deny=["FREE"])])
    assert aj.protect(RequestContext(peer=PEERS[0])).is_errored()


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
