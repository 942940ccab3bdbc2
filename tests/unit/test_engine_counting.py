"""Step 4 of the walk, driven by hand: what a request is charged on, and what follows from each verdict."""

from __future__ import annotations

import pytest
from tests.unit.walking import (
    PEER,
    ROOM,
    Dear,
    LooksUp,
    NotTrusted,
    Says,
    Walking,
    allows,
    challenges,
    conclusions,
    denies,
    ended,
    full,
    limit,
    result,
    says,
    states,
)

from doorward import Conclusion, fixed_window, rate_limit
from doorward.effects import Verdict
from doorward.refusals import Refusal

# --- counting


def test_all_limits_of_a_request_are_one_question() -> None:
    """Several limits, one call of the store, and one group."""
    walking = Walking(limit("a"), limit("b", most=5))
    walking.walk()
    (asked,) = walking.asked
    assert [(hit.max, hit.cost, hit.group, hit.dry_run) for hit in asked.hits] == [(1, 1, 0, False), (5, 1, 0, False)]


def test_a_refused_request_is_charged_on_no_live_limit() -> None:
    """All or none: the roomy limit keeps what the tight one refused."""
    walking = Walking(limit("tight"), fixed_window(max=5, window="1m", name="roomy"), store=NotTrusted())
    walking.walks(4)
    assert walking.client.peek(PEER).limits["roomy"].remaining == 4


def test_of_several_refusals_the_longest_wait_is_the_reason() -> None:
    """A client that waits as it is told must not be refused by another limit then."""
    walking = Walking(limit("short"), limit("long", most=2), limit("longer", most=3))
    flow = walking.start()
    next(flow)
    decision = ended(flow, [full(5), full(50), full(49)])
    assert decision.reason.reset_seconds == 50
    assert decision.headers["Retry-After"] == "50"


def test_an_allowed_requests_reason_is_its_tightest_limit() -> None:
    """Of the limits that allow, the one with the least room left is the reason."""
    decision = Walking(limit("roomy", most=9), limit("tight", most=2)).walk()
    assert (decision.reason.max, decision.reason.remaining) == (2, 1)


def test_limits_take_what_was_requested_or_their_own_cost() -> None:
    """``cost`` of a rule stands whatever ``requested`` says."""
    walking = Walking(limit("asked", most=9), limit("fixed", most=9, cost=2))
    walking.walk(requested=5)
    assert [hit.cost for hit in walking.asked[0].hits] == [5, 2]


@pytest.mark.parametrize(("requested", "cost"), [(0, 1), (-1, 1), (10**15, 10**15 - 1), (10**30, 10**15 - 1)])
def test_a_number_of_units_out_of_range_is_moved_into_it(requested: int, cost: int) -> None:
    """Else a client whose wish the application passes on would be let in uncharged."""
    walking = Walking(limit(most=9))
    walking.walk(requested=requested)
    assert [hit.cost for hit in walking.asked[0].hits] == [cost]


@pytest.mark.parametrize("requested", [1.5, "1", True])
def test_what_is_no_number_of_units_is_an_error_of_the_limit(requested: object) -> None:
    """``requested`` that is no whole number is reported by name."""
    decision = Walking(limit()).walk(requested=requested)
    assert decision.conclusion is Conclusion.ERROR
    assert "requested" in decision.reason.message


def test_a_limit_for_other_paths_and_methods_is_not_charged() -> None:
    """``paths`` and ``methods`` decide what a limit is about."""
    walking = Walking(
        limit("login", paths=["/login"]), limit("post", methods=["post"]), Says(does=denies, paths=["/x"])
    )
    assert walking.walk().conclusion is Conclusion.ALLOW
    assert walking.asked == []
    assert states(walking.walk(walking.progress(method="post", path="/login"))) == ["RUN", "RUN", "NOT_RUN"]


def test_a_rule_whose_paths_cannot_be_told_is_an_error_of_that_rule() -> None:
    """Whatever a rule of somebody else's does when it is asked whether it applies, the others go on."""

    class Odd(Says):
        def applies_to(self, request):
            raise LookupError("which path?")

    decision = Walking(Odd(name="odd"), limit(), Dear(does=allows)).walk()
    assert conclusions(decision) == ["ERROR", "ALLOW", "ALLOW"]


# --- dry-run limits


def test_dry_limits_have_counters_and_groups_of_their_own() -> None:
    """A dry twin of a live limit never touches its counter."""
    walking = Walking(limit("live", most=5), limit("dry", most=5, mode="DRY_RUN"))
    walking.walk()
    live, dry = walking.asked[0].hits
    assert live.key != dry.key
    assert (dry.dry_run, dry.group) == (True, 1)


def test_a_dry_refusal_lets_in_and_is_named() -> None:
    """The decision says which dry-run rule would have refused, and the live limit is charged."""
    walking = Walking(limit("live", most=5), limit("dry", mode="DRY_RUN"))
    assert walking.walk().dry_run is None
    decision = walking.walk()
    assert (decision.conclusion, decision.dry_run) == (Conclusion.ALLOW, "dry")
    assert result(decision, "live").reason.remaining == 3


def test_a_dry_limit_is_only_looked_at_where_a_live_one_refuses() -> None:
    """A request that was refused must not have used up a dry run's room."""
    walking = Walking(limit("live"), limit("dry", most=5, mode="DRY_RUN"), store=NotTrusted())
    walking.walks(4)
    assert walking.client.peek(PEER).limits["dry"].remaining == 4


@pytest.mark.parametrize(("live", "dry", "name"), [(5, 50, "dry"), (50, 5, None), (5, 5, None)])
def test_among_refusing_limits_the_longest_wait_would_have_decided(live: float, dry: float, name: str | None) -> None:
    """Beside a live refusal, a dry one is named only where it would have been the reason."""
    walking = Walking(limit("live"), limit("dry", mode="DRY_RUN"))
    flow = walking.start()
    next(flow)
    decision = ended(flow, [full(live), full(dry)])
    assert (decision.conclusion, decision.dry_run) == (Conclusion.DENY, name)


def test_of_several_dry_refusals_the_longest_wait_is_named() -> None:
    """Dry-run limits are compared as live ones are."""
    flow = Walking(limit("a", mode="DRY_RUN"), limit("b", most=2, mode="DRY_RUN")).start()
    next(flow)
    assert ended(flow, [full(5), full(9)]).dry_run == "b"


def test_a_dry_rule_that_denies_before_the_counters_would_have_decided() -> None:
    """What comes first in the walk would have ended it, also before a live refusal."""
    walking = Walking(Says(does=denies, mode="DRY_RUN"), limit())
    assert [walking.walk().dry_run for _ in range(2)] == ["says", "says"]


def test_a_dry_challenge_would_not_have_decided_beside_a_live_denial() -> None:
    """DENY > CHALLENGE, also in what would have been."""
    walking = Walking(Says(does=challenges, mode="DRY_RUN"), limit())
    assert [walking.walk().dry_run for _ in range(2)] == ["says", None]


def test_a_dry_denial_would_have_decided_before_a_dry_challenge() -> None:
    """Of two dry runs, the one that denies is named, whatever the order."""
    walking = Walking(Says(does=challenges, mode="DRY_RUN"), Dear(does=denies, mode="DRY_RUN"))
    assert walking.walk().dry_run == "dear"


def test_a_dry_look_up_would_not_have_decided_beside_a_live_one_before_it() -> None:
    """Of denials in one phase, the first asked would have decided."""
    assert Walking(LooksUp(does=denies, name="live")).walk().dry_run is None
    walking = Walking(LooksUp(does=denies, name="dry", mode="DRY_RUN"), LooksUp(does=denies, name="live"))
    assert walking.walk().dry_run == "dry"


# --- bans


def test_a_banned_client_is_refused_before_any_limit_is_charged() -> None:
    """A ban is a group-mate of the limits: it refuses, and they keep their room."""
    walking = Walking(limit(most=2))
    walking.client.ban(PEER, "1m")
    decision = walking.walk()
    assert (decision.status, decision.headers["Retry-After"]) == (403, "60")
    assert decision.reason.explain() == "ban: the client is banned"
    walking.client.unban(PEER)
    assert walking.walks(3) == [Conclusion.ALLOW, Conclusion.ALLOW, Conclusion.DENY]


def test_a_ban_is_asked_about_once_a_request() -> None:
    """A second walk does not ask again."""
    walking = Walking(limit(most=9), store=NotTrusted())
    progress = walking.progress()
    walking.walk(progress)
    walking.walk(progress, requested=1)
    assert [len(asked.hits) for asked in walking.asked] == [2, 1]


# --- remembered refusals


def test_a_remembered_refusal_ends_the_walk_and_asks_nothing() -> None:
    """CACHED: no counter is asked, no local rule runs, and the wait counts down."""
    walking = Walking(limit(), Says(does=allows))
    walking.walks(2)
    walking.asked.clear()
    walking.clock.advance(20)
    decision = walking.walk()
    assert walking.asked == []
    assert states(decision) == ["CACHED", "NOT_RUN"]
    assert (decision.headers["Retry-After"], decision.ttl) == ("40", 40)


def test_a_refusal_is_remembered_until_it_ends() -> None:
    """At the reset the store is asked again, and lets in."""
    walking = Walking(limit())
    walking.walks(2)
    walking.clock.advance(60)
    assert walking.walk().is_allowed()


def test_a_refusal_of_much_says_nothing_about_little() -> None:
    """Remembered for at least the cost that was refused, since less may still have room."""
    walking = Walking(limit(most=5))
    walking.walk(requested=3)
    assert walking.walk(requested=4).is_denied()
    assert walking.walk(requested=2).is_allowed()
    walking.asked.clear()
    assert states(walking.walk(requested=4)) == ["CACHED"]


def test_on_a_store_that_others_share_a_refusal_is_believed_for_a_second() -> None:
    """Another process may have lifted it: after a second the store is asked again."""
    walking = Walking(limit(), store=NotTrusted())
    walking.walks(2)
    walking.asked.clear()
    walking.clock.advance(0.999)
    assert states(walking.walk()) == ["CACHED"]
    walking.clock.advance(0.001)
    assert states(walking.walk()) == ["RUN"]
    assert walking.kinds() == ["CountHits"]


def test_the_longest_remembered_refusal_is_the_reason() -> None:
    """Also of several counters of one rule."""
    walking = Walking(rate_limit(lambda request: "1/minute; 2/hour"))
    walking.walk()
    walking.clock.advance(60)
    walking.walks(2)
    decision = walking.walk()
    assert states(decision) == ["CACHED"]
    assert decision.reason.reset_seconds == walking.walk().reason.reset_seconds > 60


def test_a_dry_refusal_is_not_remembered() -> None:
    """A dry run never ends a walk, not even from memory."""
    walking = Walking(limit(mode="DRY_RUN"))
    assert walking.walks(3) == [Conclusion.ALLOW] * 3
    assert len(walking.client.runtime.refusals) == 0


def test_a_limit_chosen_by_a_callable_is_chosen_once_a_request() -> None:
    """Also while refusals are remembered, which have to know the counters before anybody is asked."""
    seen = []
    walking = Walking(rate_limit(lambda request: seen.append(1) or "9/minute"))
    walking.client.runtime.refusals.remember("another", Refusal(10**20, 1, 0), 0, 0)
    walking.walk()
    assert len(seen) == 1


def test_a_limit_that_cannot_be_chosen_denies_where_it_is_to() -> None:
    """``on_error="deny"``, also while refusals are remembered: no local rule is asked after it."""

    def broken(_):
        raise LookupError("no plan")

    seen = []
    walking = Walking(rate_limit(broken, on_error="deny"), Says(does=lambda _: seen.append(1) or says()))
    walking.client.runtime.refusals.remember("another", Refusal(10**20, 1, 0), 0, 0)
    assert (walking.walk().status, seen) == (503, [])


# --- the store fails


def test_a_failing_store_is_followed_by_each_limits_on_error() -> None:
    """allow: ERROR; deny: DENY; local: the limiter of this process, which says so."""
    flow = Walking(limit("a", on_error="allow"), limit("l", most=8), limit("l2", most=1), workers=4).start()
    next(flow)
    asked = flow.throw(ConnectionError("down"))
    assert asked.local
    assert [hit.max for hit in asked.hits] == [2, 1]
    decision = ended(flow, [ROOM, ROOM])
    assert conclusions(decision) == ["ERROR", "ALLOW", "ALLOW"]
    assert result(decision, "l").reason.degraded == "ConnectionError: down"
    assert "local limiter" in result(decision, "l").explain()


def test_a_refusal_of_the_local_limiter_is_not_remembered() -> None:
    """The store, when it is back, decides for itself; and nothing of it is refunded."""
    walking = Walking(limit())
    progress = walking.progress()
    flow = walking.start(progress)
    next(flow)
    flow.throw(ConnectionError("down"))
    assert ended(flow, [full()]).is_denied()
    assert len(walking.client.runtime.refusals) == 0
    assert progress.ledger is None


@pytest.mark.parametrize(("on_error", "conclusion"), [("local", "ERROR"), ("deny", "DENY")])
def test_a_local_limiter_that_fails_too_is_an_error(on_error: str, conclusion: str) -> None:
    """Both causes are named."""
    flow = Walking(limit("x", on_error=on_error), limit("local")).start()
    next(flow)
    flow.throw(ConnectionError("down"))
    with pytest.raises(StopIteration) as stop:
        flow.throw(MemoryError("full"))
    decision = stop.value.value
    assert result(decision, "x").conclusion.value == conclusion
    assert result(decision, "local").reason.message == (
        "StoreError: ConnectionError: down; local limiter: MemoryError: full"
    )


LIES = {
    "none": None,
    "too few": [],
    "text": ["yes"],
    "tuples": [(True, 1, 0.0, 0.0, 0)],
    "negative": [Verdict(True, -1, 0.0, 0.0)],
    "in the past": [Verdict(False, 0, -1.0, -1.0)],
    "never": [Verdict(False, 0, float("inf"), float("inf"))],
}


@pytest.mark.parametrize("lie", LIES, ids=str)
def test_an_answer_that_makes_no_sense_is_a_failure_of_the_store(lie: str) -> None:
    """Nonsense is not believed, and not charged either."""
    walking = Walking(limit(on_error="allow"), characteristics=["userId"], store=NotTrusted())
    flow = walking.start(deferring=True)
    with pytest.raises(StopIteration) as stop:
        next(flow)
    assert states(stop.value.value) == ["NOT_RUN"]
    flow = Walking(limit(on_error="allow"), store=NotTrusted()).start()
    next(flow)
    answer = LIES[lie]
    assert ended(flow, [ROOM, *answer] if answer else answer).is_error()


def test_repr_of_a_bound_rule_names_it() -> None:
    """For whoever debugs a walk."""
    assert repr(Walking(limit()).client.engine.bound[0]) == "Bound('limit', LIVE)"


def test_a_rule_that_does_not_say_how_it_is_evaluated_is_an_error() -> None:
    """A subclass without ``evaluate`` cannot allow anything by accident."""
    from doorward.rules.base import Rule

    class Lazy(Says):
        evaluate = Rule.evaluate

    assert Walking(Lazy()).walk().is_error()
