"""Suspicion that adds up: per client, within the window, in the store, and until it is lifted."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.unit.shield.marking import Marking, marked
from tests.unit.walking import PEER, NotTrusted, request

from doorward import Doorward, RequestContext, deny, fixed_window, sliding_window, validate_email
from doorward.effects import Algorithm, Hit
from doorward.progress import NO_INPUTS
from doorward.reason import ShieldReason
from doorward.stores.memory import MemoryStore
from doorward.testing import FakeClock, ScriptedResolver

WEAK = "q=weigh(0.4)"


class Client:
    """A client with a clock to turn."""

    def __init__(self, *rules: Any, **options: Any) -> None:
        self.clock = FakeClock()
        if isinstance(options.get("store"), type):
            options["store"] = options["store"](clock=self.clock)
        self.aj = Doorward(rules, clock=self.clock, **options)

    def ask(self, query: str = "", **parts: Any) -> Any:
        return self.aj.protect(request(query=query, **parts))

    def asks(self, times: int, query: str = WEAK, **parts: Any) -> str:
        """The conclusions, by their first letters."""
        return "".join([str(self.ask(query, **parts).conclusion)[0] for _ in range(times)])


# --- the threshold


@pytest.mark.parametrize("store", ["memory://", MemoryStore, NotTrusted], ids=["default", "memory", "foreign"])
def test_the_threshold_denies_the_very_request(store: Any) -> None:
    """0.4 at a time: the third makes 1.2; from then on whatever the client sends is refused, for the window."""
    client = Client(marked(threshold=1.0, window=300.0), store=store)
    assert client.asks(3) == "AAD"
    assert client.asks(3, "q=tea") == "DDD"
    assert client.ask(peer="203.0.113.77").is_allowed()


def test_the_refusal_is_explained_and_timed() -> None:
    """The reason of the request that reached the threshold has its findings; those after it say how long to wait."""
    client = Client(marked(threshold=0.8, window=300.0))
    client.ask(WEAK)
    reached = client.ask(WEAK)
    client.clock.advance(100)
    later = client.ask("q=tea")
    for decision, seconds in ((reached, 300), (later, 200)):
        assert isinstance(decision.reason, ShieldReason)
        assert (decision.reason.shield_triggered, decision.reason.suspicious) == (True, True)
        assert (decision.status, decision.ttl, decision.headers["Retry-After"]) == (403, seconds, str(seconds))
        assert decision.results[0].fingerprint.startswith("fp::3::")
    assert [len(decision.reason.findings) for decision in (reached, later)] == [1, 0]


def test_the_refusal_ends_by_itself() -> None:
    """After the window, with a sum that has sunk."""
    client = Client(marked(threshold=1.0, window=300.0))
    assert client.asks(3) == "AAD"
    client.clock.advance(299)
    assert client.asks(1, "") == "D"
    client.clock.advance(2)
    assert client.asks(3) == "AAD"


def test_refused_requests_do_not_prolong_it() -> None:
    """A client that keeps knocking is let in when its time is over."""
    client = Client(marked(threshold=1.0, window=300.0))
    client.asks(3)
    for _ in range(30):
        client.clock.advance(10)
        client.ask(WEAK)
    assert client.asks(1) == "A"


def test_conclusive_attacks_count() -> None:
    """Each adds its 1.0; the fifth refuses the client."""
    client = Client(marked())
    assert client.asks(5, "q=weigh(1.0)") == "DDDDD"
    assert client.asks(1, "q=tea") == "D"
    client = Client(marked())
    assert client.asks(4, "q=weigh(1.0)") + client.asks(1, "q=tea") == "DDDDA"


@given(st.lists(st.tuples(st.sampled_from([0.2, 0.4, 0.7, 1.0]), st.integers(0, 400)), max_size=30))
@example([(0.2, 0), (0.7, 0), (0.2, 0), (0.2, 0), (0.2, 0)])  # as binary fractions, a little less than 1.5
def test_the_sum_never_counts_what_is_older_than_the_window(requests: list[tuple[float, int]]) -> None:
    """Refused only where what was sent within the window reaches the threshold, and always where the last half does."""
    client = Client(marked(threshold=1.5, window=600.0))
    sent: list[tuple[int, float]] = []
    now = 0
    for weight, pause in requests:
        now += pause
        client.clock.advance(pause)
        sent.append((now, weight))
        barred = client.ask(f"q=weigh({weight})").results[0].ttl > 0
        within = round(sum(w for at, w in sent if at > now - 600), 6)
        recent = round(sum(w for at, w in sent if at > now - 300), 6)
        assert barred <= (within >= 1.5)
        assert barred >= (recent >= 1.5)
        if barred:
            client.clock.advance(601)
            now += 601
            sent.clear()


# --- who


def test_ipv6_counts_by_64() -> None:
    """All addresses of one network are one client."""
    client = Client(marked(threshold=1.0))
    peers = ["2001:db8:1:2::1", "2001:db8:1:2:ffff::2", "2001:db8:1:2::3"]
    assert [client.ask(WEAK, peer=peer).is_denied() for peer in peers] == [False, False, True]
    assert client.ask(peer="2001:db8:1:3::1").is_allowed()


def test_by_user_in_protect() -> None:
    """Wherever the user comes from; what is not given falls back to the address, and says so."""
    client = Client(marked(threshold=0.8, characteristics=["userId"]))

    def ask(number: int, **given: Any) -> Any:
        asked = RequestContext(query=WEAK, peer=f"203.0.113.{number}")
        return client.aj.protect(asked, characteristics=given or None)

    assert [ask(n, userId=7).is_denied() for n in (1, 2, 3)] == [False, True, True]
    assert ask(4, userId=8).is_allowed()
    missing = ask(5)
    assert "userId not given to protect" in missing.results[0].note
    assert ask(5).is_denied()
    assert ask(6).is_allowed()


@pytest.mark.parametrize("value", [object(), [1], b"x"], ids=["object", "list", "bytes"])
def test_a_characteristic_of_the_wrong_type_does_not_raise(value: Any) -> None:
    """The finding stands; what could not be counted is said."""
    client = Client(marked(threshold=0.8, characteristics=["userId"]))
    decision = client.aj.protect(request(query=WEAK), characteristics={"userId": value})
    assert decision.is_allowed()
    assert client.aj.protect(request(query="q=weigh(1.0)"), characteristics={"userId": value}).is_denied()


# --- dry runs


def test_a_dry_run_has_its_own_sum() -> None:
    """It never refuses anybody, and never adds to the live rule's sum."""
    client = Client(marked(threshold=0.8, mode="DRY_RUN", name="dry"), marked(threshold=1.6, name="live"))
    assert client.asks(3) == "AAA"
    decision = client.ask(WEAK)
    assert decision.is_denied()
    assert client.aj.stats(PEER).refused_for == {"dry": 600.0, "live": 600.0}


def test_a_dry_run_says_what_it_would_have_done() -> None:
    """``decision.dry_run``: at the threshold, and for the window."""
    client = Client(marked(threshold=0.8, mode="DRY_RUN", name="dry"))
    decisions = [client.ask(query) for query in (WEAK, WEAK, "q=tea")]
    assert [(d.conclusion.value, d.dry_run) for d in decisions] == [("ALLOW", None), ("ALLOW", "dry"), ("ALLOW", "dry")]
    assert decisions[2].results[0].state == "DRY_RUN"
    client.clock.advance(601)
    assert client.ask().dry_run is None


# --- remembered


def test_a_refusal_is_remembered() -> None:
    """CACHED, without a scan, without a charge of the limit beside it."""
    marking = Marking()
    client = Client(marked(marking, threshold=0.4), sliding_window(max=5, interval="1m", name="limit"))
    client.ask(WEAK)
    looked = len(marking.seen)
    states = [[str(result.state) for result in client.ask(WEAK).results] for _ in range(3)]
    assert states == [["CACHED", "NOT_RUN"]] * 3
    assert len(marking.seen) == looked
    assert client.aj.peek(PEER).limits["limit"].remaining == 5


def test_another_process_finds_the_refusal_in_the_store() -> None:
    """Two clients on one store: the second has never seen the attack; it is asked in the call that counts limits."""
    calls: list[list[str]] = []

    class Counting(MemoryStore):
        def count(self, hits: Any) -> Any:
            calls.append([str(hit.algorithm) for hit in hits])
            return super().count(hits)

    clock = FakeClock()
    store = Counting(clock=clock)
    rules = [marked(threshold=0.4), fixed_window(max=9, window="1m")]
    first, second = (Doorward(rules, store=store, clock=clock) for _ in range(2))
    assert first.protect(request(query=WEAK)).is_denied()
    calls.clear()
    assert second.protect(request()).is_denied()
    assert len(calls) == 1
    assert second.protect(request()).results[0].state == "CACHED"
    assert len(calls) == 1


def test_protect_does_not_ask_the_store_twice() -> None:
    """Middleware has asked whether the client is refused; ``protect`` with an e-mail address needs not."""
    calls: list[int] = []

    class Counting(NotTrusted):
        def count(self, hits: Any) -> Any:
            calls.append(len(hits))
            return super().count(hits)

    resolver = ScriptedResolver({("mail.example", "MX"): ["mx.mail.example"]})
    aj = Doorward([marked(), validate_email(deny=["INVALID"])], store=Counting(clock=FakeClock()), resolver=resolver)
    environ: Any = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "REMOTE_ADDR": PEER}
    progress = aj._prepared(environ)
    aj.decide(progress, NO_INPUTS, deferring=True)
    asked = len(calls)
    assert aj.protect(environ, email="ada@mail.example").is_allowed()
    assert len(calls) == asked


# --- lifted


def test_reset_forgets_the_sum_and_the_refusal() -> None:
    """Half way, and all the way."""
    client = Client(marked(threshold=1.0))
    client.asks(2)
    assert client.aj.reset(PEER) >= 1
    assert client.asks(3) == "AAD"
    client.aj.reset(PEER)
    assert client.asks(3) == "AAD"


def test_unban_lifts_it_for_a_fresh_start() -> None:
    """True where there was something to lift; the sum starts anew, or the next trace would refuse the client again."""
    client = Client(marked(threshold=1.0))
    client.asks(3)
    assert client.aj.unban(PEER) is True
    assert client.asks(3) == "AAD"
    assert client.aj.unban("203.0.113.77") is False


def test_unban_leaves_what_has_not_refused_anybody() -> None:
    """A sum that is under way is none of its business."""
    client = Client(marked(threshold=1.0))
    client.asks(2)
    assert client.aj.unban(PEER) is False
    assert client.asks(1) == "D"


def test_refusals_are_listed() -> None:
    """By rule, with the seconds that are left; a ban by hand is another matter."""
    client = Client(
        marked(threshold=0.4, window=300.0, name="guard"), sliding_window(max=5, interval="1m", name="limit")
    )
    client.ask(WEAK)
    client.clock.advance(60)
    state = client.aj.peek(PEER)
    assert (state.banned_for, state.refused_for, list(state.limits)) == (None, {"guard": 240.0}, ["limit"])
    client.aj.ban(PEER, "1h")
    assert client.aj.peek(PEER).banned_for == 3600.0
    assert client.aj.unban(PEER) is True
    assert client.aj.peek(PEER)[::2] == (None, {})


def test_counters_of_the_client_say_so() -> None:
    """``stats()``: decisions, and what the store holds."""
    client = Client(marked(threshold=0.8))
    client.asks(3)
    figures = client.aj.stats()
    assert (figures["decision.ALLOW"], figures["decision.DENY"], figures["store.bans"], figures["store.tallies"]) == (
        1, 2, 1, 1,
    )  # fmt: skip


def test_looking_back_twice_is_looking_back_once() -> None:
    """Frameworks may tell of the end of a response twice: of its exception, and when it is closed."""
    client = Client(marked(when="after", threshold=1.0))
    progress = client.aj._prepared(request(query="q=weigh(0.6)"))
    client.aj.decide(progress, NO_INPUTS, deferring=True)
    client.aj.look_back(progress)
    once = client.aj.stats()
    client.aj.look_back(progress)
    assert client.aj.stats() == once
    assert client.ask().is_allowed()


# --- beside others


def test_with_rule_shares_the_store() -> None:
    """A client with one more shield: each sum is its own, and refuses where its rule is."""
    client = Client(sliding_window(max=99, interval="1m"))
    strict = client.aj.with_rule(marked(threshold=0.8))
    assert [strict.protect(request(query=WEAK)).is_denied() for _ in range(3)] == [False, True, True]
    assert client.ask(WEAK).is_allowed()
    assert strict.unban(PEER) is True


def test_a_refused_client_is_charged_nothing() -> None:
    """All or none: the refusal comes with the limits, and takes nothing from them."""
    client = Client(marked(threshold=0.4), fixed_window(max=3, window="1m", name="limit"), store=NotTrusted)
    client.ask("")
    client.ask(WEAK)
    for _ in range(5):
        client.ask("")
    assert client.aj.peek(PEER).limits["limit"].remaining == 2


def test_a_client_denied_by_another_rule_adds_nothing() -> None:
    """It was not looked at."""
    client = Client(deny(ip=[PEER]), marked(threshold=0.4))
    client.asks(3)
    assert client.aj.stats()["store.tallies"] == 0


def test_sums_of_different_rules_do_not_mix() -> None:
    """Keys are by rule: a stricter rule starts with nothing."""
    clock = FakeClock()
    store = MemoryStore(clock=clock)
    lenient, strict = (Doorward([marked(threshold=t)], store=store, clock=clock) for t in (9.0, 0.8))
    for _ in range(5):
        lenient.protect(request(query=WEAK))
    assert strict.protect(request(query=WEAK)).is_allowed()
    assert strict.protect(request(query=WEAK)).is_denied()


def test_a_bar_is_asked_for_as_a_ban() -> None:
    """In the hits of one call, with the limits."""
    hits: list[Hit] = []

    class Watched(NotTrusted):
        def count(self, asked: Any) -> Any:
            hits.extend(asked)
            return super().count(asked)

    client = Client(marked(), sliding_window(max=9, interval="1m"), store=Watched)
    client.ask()
    assert [hit.algorithm is Algorithm.BAN for hit in hits] == [True, True, False]
    assert len({hit.key for hit in hits}) == 3


QUERIES = st.sampled_from(["", "q=tea", "q=weigh(0.1)", "q=weigh(0.4)", "q=weigh(1.0)", f"q={'a' * 9_000}"])
BODIES = st.sampled_from([None, b"", b"a=tea", b"a=weigh(0.4)"])


@given(st.lists(st.tuples(QUERIES, BODIES, st.integers(1, 3), st.integers(0, 200)), max_size=25), st.booleans())
def test_the_straight_way_comes_to_the_same(traffic: list[Any], late: bool) -> None:
    """With limits in memory most requests take a shorter way: decisions and sums are those of the whole walk."""

    def client() -> Client:
        when: Any = "after" if late else "before"
        return Client(marked(threshold=1.0, when=when), sliding_window(max=6, interval="5m", name="limit"))

    straight, walked = client(), client()
    assert straight.aj.engine.express is not None
    walked.aj.engine.express = None
    for query, body, peer, pause in traffic:
        decisions = []
        for each in (straight, walked):
            each.clock.advance(pause)
            asked = RequestContext(method="POST", query=query, body=body, peer=f"203.0.113.{peer}")
            progress = each.aj._prepared(asked)
            decision = each.aj.decide(progress, NO_INPUTS, deferring=True)
            each.aj.look_back(progress)
            decisions.append([(decision.conclusion, *[(r.conclusion, r.state, r.ttl) for r in decision.results])])
        assert decisions[0] == decisions[1]
    for peer in (1, 2, 3):
        assert straight.aj.peek(f"203.0.113.{peer}") == walked.aj.peek(f"203.0.113.{peer}")
