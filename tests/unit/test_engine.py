"""The walk of one request, driven by hand: what is asked, in which order, and what follows from each answer."""

from __future__ import annotations

import pytest

from doorward import Body, Conclusion, fixed_window, rate_limit, sliding_window
from doorward.effects import AskStore, CountHits, Failed, Gather, Pause, ReadBody, Verdict
from doorward.refusals import Refusal
from doorward.rules.base import Outcome
from doorward.stores.memory import MemoryStore
from tests.unit.walking import (
    PEER,
    Access,
    Dear,
    LooksUp,
    NeedsEmail,
    Reads,
    Says,
    Walking,
    allows,
    challenges,
    conclusions,
    denies,
    ended,
    raises,
    result,
    says,
    states,
)

class NotTrusted(MemoryStore):
    """A store of somebody else's, as far as the engine knows: bans are asked for, answers are checked."""


ROOM = Verdict(True, 3, 60.0, 0.0)


def full(wait: float = 30.0) -> Verdict:
    return Verdict(False, 0, wait, wait)


def limit(name: str = "limit", most: int = 1, **options):
    return sliding_window(max=most, interval="1m", name=name, **options)


def looking(*answers: object):
    """A look-up that asks for one thing, and appends the answer to ``answers``."""

    def look(_):
        answer = yield AskStore("get", ("key",))
        answers[0].append(answer)
        return says()

    return look


# --- the order


def test_a_walk_without_rules_asks_for_nothing_and_allows() -> None:
    """No rules: ALLOW at once, with a reason that says so."""
    decision = Walking().walk()
    assert decision.conclusion is Conclusion.ALLOW
    assert decision.reason.explain() == "allowed: no rule objected"


def test_rules_are_asked_in_the_order_of_the_design_whatever_their_declaration() -> None:
    """Own rules, local ones by effort, those that read the body, counters, look-ups; results as declared."""
    seen = []

    def note(name):
        return lambda _: seen.append(name) or says()

    walking = Walking(
        LooksUp(does=note("look-up")), limit(), Reads(does=note("body")), Dear(does=note("dear")),
        Says(does=note("cheap")), Access(does=note("access")),
    )  # fmt: skip
    flow = walking.start()
    assert isinstance(next(flow), ReadBody)
    assert seen == ["access", "cheap", "dear"]
    asked = flow.send(Body(b"x", True))
    assert isinstance(asked, CountHits)
    assert seen[3:] == ["body"]
    decision = ended(flow, [ROOM])
    assert seen[4:] == ["look-up"]
    assert [one.rule for one in decision.results] == ["looks_up", "limit", "reads", "dear", "says", "access"]


@pytest.mark.parametrize(("rule", "asked"), [(Access, []), (Says, []), (Reads, ["ReadBody"]), (LooksUp, ["CountHits"])])
def test_a_live_denial_ends_the_walk(rule, asked: list[str]) -> None:
    """What comes after a live DENY is neither asked nor charged."""
    walking = Walking(rule(does=denies, name="denies"), limit(), LooksUp(does=allows, name="later"))
    decision = walking.walk()
    assert walking.kinds() == asked
    assert decision.conclusion is Conclusion.DENY
    assert states(decision) == ["RUN", "RUN" if rule is LooksUp else "NOT_RUN", "NOT_RUN"]


def test_a_dry_denial_does_not_end_the_walk() -> None:
    """A dry run only says what it would have decided."""
    decision = Walking(Says(does=denies, mode="DRY_RUN"), limit()).walk()
    assert decision.conclusion is Conclusion.ALLOW
    assert decision.dry_run == "says"
    assert states(decision) == ["DRY_RUN", "RUN"]


def test_a_denial_in_a_look_up_keeps_the_charge() -> None:
    """An attempt is an attempt: the limit was charged before the look-up denied."""
    walking = Walking(limit(most=2), LooksUp(does=denies))
    assert walking.walks(2) == [Conclusion.DENY] * 2
    assert walking.walk().reason.is_rate_limit()


# --- allow rules


@pytest.mark.parametrize(("ends", "ran"), [({"SAYS"}, ["RUN", "NOT_RUN", "RUN"]), ({"SAYS", "RATE_LIMIT"}, ["RUN", "NOT_RUN", "NOT_RUN"])])
def test_an_allow_rule_ends_the_kinds_it_names_and_no_others(ends: set[str], ran: list[str]) -> None:
    """Limits stay in force unless the allow rule says so."""
    opener = Access(does=lambda _: says(ends=frozenset(ends)))
    decision = Walking(opener, Says(does=denies), limit()).walk()
    assert states(decision) == ran
    assert decision.conclusion is Conclusion.ALLOW
    assert "an allow rule matched" in decision.results[1].explain()


def test_a_dry_allow_rule_ends_nothing() -> None:
    """A dry run must not open the door either."""
    opener = Access(does=lambda _: says(ends=frozenset({"SAYS"})), mode="DRY_RUN")
    assert Walking(opener, Says(does=denies)).walk().conclusion is Conclusion.DENY


def test_an_allow_rule_that_ends_limits_comes_before_a_remembered_refusal() -> None:
    """What a client may do does not depend on what it was refused elsewhere."""

    def opens(view):
        return says(ends=frozenset({"RATE_LIMIT"}) if view.request.path == "/health" else frozenset())

    walking = Walking(Access(does=opens), limit())
    assert walking.walks(3)[-1] is Conclusion.DENY
    assert walking.walk(walking.progress(path="/health")).conclusion is Conclusion.ALLOW


def test_a_local_rule_may_end_limits_while_another_client_is_remembered() -> None:
    """Counters that were prepared before a local rule spoke are narrowed by what it said."""
    walking = Walking(Says(does=lambda _: says(ends=frozenset({"RATE_LIMIT"}))), limit(), Dear(does=allows))
    walking.client.runtime.refusals.remember("another", Refusal(10**20, 1, 0), 0)
    decision = walking.walk()
    assert walking.asked == []
    assert states(decision) == ["RUN", "NOT_RUN", "RUN"]


# --- weights


@pytest.mark.parametrize(("weights", "conclusion"), [((4, 5), "ALLOW"), ((5, 5), "CHALLENGE"), ((10, 10), "DENY"), ((30, -25), "DENY")])
def test_weights_add_up_to_the_threshold_they_reach(weights: tuple[int, int], conclusion: str) -> None:
    """A sum of weights leads to the action of the highest threshold it reaches, as soon as that denies."""
    rules = [Says(does=lambda _, w=weight: says(weight=w)) for weight in weights]
    decision = Walking(rules, thresholds={"CHALLENGE": 10, "DENY": 20}).walk()
    assert decision.conclusion.value == conclusion


def test_the_sum_of_weights_is_the_reason() -> None:
    """Who was refused for a sum can be told which."""
    decision = Walking(Says(does=lambda _: says(weight=7.5)), thresholds={"CHALLENGE": 7}).walk()
    assert (decision.reason.type, decision.reason.weight) == ("CHALLENGE", 7.5)
    assert decision.reason.explain() == "weights: the weights add up to 7.5"
    denied = Walking(Says(does=lambda _: says(weight=7.5)), thresholds={"DENY": 7}).walk()
    assert (denied.reason.type, denied.status) == ("RULE", 403)


def test_a_sum_that_denies_ends_the_walk() -> None:
    """Weights that reach the DENY threshold end the walk before the counters."""
    walking = Walking(Says(does=lambda _: says(weight=20)), limit(), thresholds={"DENY": 20})
    assert walking.walk().is_denied()
    assert walking.asked == []


def test_dry_weights_only_say_what_they_would_have_led_to() -> None:
    """The weight of a dry run adds to what would have been, and to nothing else."""
    walking = Walking(Says(does=lambda _: says(weight=20), mode="DRY_RUN"), thresholds={"DENY": 20})
    decision = walking.walk()
    assert (decision.conclusion, decision.dry_run) == (Conclusion.ALLOW, "weights")


def test_dry_weights_below_every_threshold_say_nothing() -> None:
    """A sum that leads nowhere would not have decided."""
    walking = Walking(Says(does=lambda _: says(weight=1), mode="DRY_RUN"), thresholds={"DENY": 20})
    assert walking.walk().dry_run is None


# --- conclusions


def test_a_denial_beats_a_challenge_beats_an_error_beats_an_allowance() -> None:
    """DENY > CHALLENGE > ERROR > ALLOW, whatever the order of declaration."""
    rules = [Says(does=allows), Says(does=raises), Says(does=challenges), LooksUp(does=denies)]
    found = [Walking(*rules[:count]).walk().conclusion.value for count in (1, 2, 3, 4)]
    assert found == ["ALLOW", "ERROR", "CHALLENGE", "DENY"]


def test_a_challenge_does_not_end_the_walk() -> None:
    """What would deny is asked even where a challenge is due already."""
    walking = Walking(Says(does=challenges), limit())
    assert walking.walks(2) == [Conclusion.CHALLENGE, Conclusion.DENY]


def test_a_challenge_of_weights_comes_behind_a_rules_own_denial() -> None:
    """The limit that denies is the reason, not the sum that asks for a challenge."""
    walking = Walking(Says(does=lambda _: says(weight=10)), limit(), thresholds={"CHALLENGE": 10})
    assert walking.walks(2) == [Conclusion.CHALLENGE, Conclusion.DENY]


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


@pytest.mark.parametrize("requested", [0, -1, 1.5, "1", True])
def test_an_impossible_number_of_units_is_an_error_of_the_limit(requested: object) -> None:
    """``requested`` that is no whole number from 1 is reported by name."""
    decision = Walking(limit()).walk(requested=requested)
    assert decision.conclusion is Conclusion.ERROR
    assert "requested" in decision.reason.message


def test_a_limit_for_other_paths_and_methods_is_not_charged() -> None:
    """``paths`` and ``methods`` decide what a limit is about."""
    walking = Walking(limit("login", paths=["/login"]), limit("post", methods=["post"]), Says(does=denies, paths=["/x"]))
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


# --- once only


def test_each_rule_is_asked_once_however_many_layers_ask() -> None:
    """A second walk over the same progress evaluates nothing and gives the very same decision."""
    seen = []
    walking = Walking(Says(does=lambda _: seen.append(1) or says()), limit(most=9))
    progress = walking.progress()
    first = walking.walk(progress)
    assert walking.walk(progress) is first
    assert (len(seen), len(walking.asked)) == (1, 1)


def test_requested_given_again_is_charged_again() -> None:
    """Only an explicit ``requested`` charges a limit that ran before; other rules do not run again."""
    seen = []
    walking = Walking(Says(does=lambda _: seen.append(1) or says()), limit(most=9))
    progress = walking.progress()
    walking.walk(progress)
    decision = walking.walk(progress, requested=3)
    assert result(decision, "limit").reason.remaining == 5
    assert len(seen) == 1


def test_a_denial_stands_whatever_is_asked_after_it() -> None:
    """After a DENY nothing is evaluated any more."""
    walking = Walking(Says(does=denies), limit())
    progress = walking.progress()
    denied = walking.walk(progress)
    assert walking.walk(progress, requested=2, email="a@b.example") is denied


def test_a_decision_that_was_handed_out_does_not_change() -> None:
    """Looking later gives what looking at once would have given, whatever happened since."""
    walking = Walking(limit(most=9), NeedsEmail(does=denies))
    progress = walking.progress()
    first = walking.walk(progress, deferring=True)
    second = walking.walk(progress, email="a@b.example", requested=4)
    assert first.reason.remaining == 8
    assert states(first) == ["RUN", "NOT_RUN"]
    assert second.is_denied()


# --- inputs


def test_a_missing_input_is_left_for_later_in_middleware() -> None:
    """Middleware leaves rules without their input NOT_RUN; ``protect`` runs exactly those."""
    seen = []
    walking = Walking(Says(does=lambda _: seen.append("says") or says()), NeedsEmail(does=lambda v: seen.append(v.inputs) or says()))
    progress = walking.progress()
    assert states(walking.walk(progress, deferring=True)) == ["RUN", "NOT_RUN"]
    assert states(walking.walk(progress, email="a@b.example")) == ["RUN", "RUN"]
    assert seen == ["says", {"email": "a@b.example"}]


def test_a_missing_input_is_an_error_in_protect_that_names_it() -> None:
    """Whoever forgot to give an input is told which."""
    decision = Walking(NeedsEmail(does=allows)).walk()
    assert decision.conclusion is Conclusion.ERROR
    assert decision.reason.message == "ValueError: email= was not given to protect"


def test_a_missing_characteristic_defers_the_limit_in_middleware() -> None:
    """A limit by user waits for the handler, and is charged there once."""
    walking = Walking(limit("user", most=5, characteristics=["userId"]), limit("ip", most=5))
    progress = walking.progress()
    assert states(walking.walk(progress, deferring=True)) == ["NOT_RUN", "RUN"]
    decision = walking.walk(progress, userId=7)
    assert states(decision) == ["RUN", "RUN"]
    assert [one.reason.remaining for one in decision.results] == [4, 4]


def test_a_missing_characteristic_falls_back_to_the_address_and_says_so() -> None:
    """Nobody escapes a limit by a user that the application does not know."""
    walking = Walking(limit(characteristics=["userId"]))
    progress = walking.progress()
    decision = walking.walk(progress)
    assert result(decision, "limit").note == "userId not given to protect: counted by address instead"
    assert progress.noteworthy
    assert walking.walk().is_denied()
    assert walking.walk(userId=7).is_allowed()


def test_a_characteristic_of_the_wrong_type_is_an_error_of_its_limit_alone() -> None:
    """The limit by address is charged all the same, also while the ban check needs the characteristic too."""
    walking = Walking(limit("user", characteristics=["userId"]), limit("ip", characteristics=["ip.src"]), characteristics=["userId"])
    walking.client.ban({"userId": "mallory"})
    decision = walking.walk(userId=["a list"])
    assert conclusions(decision) == ["ERROR", "ALLOW"]
    assert "characteristics['userId']" in decision.reason.message


def test_a_ban_by_user_waits_for_the_user() -> None:
    """Middleware does not know the user yet; the handler's ``protect`` refuses a banned one."""
    walking = Walking(characteristics=["userId"])
    walking.client.ban("mallory")
    progress = walking.progress()
    assert walking.walk(progress, deferring=True).is_allowed()
    assert walking.walk(progress, userId="mallory").is_denied()


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
    walking.client.runtime.refusals.remember("another", Refusal(10**20, 1, 0), 0)
    walking.walk()
    assert len(seen) == 1


def test_a_limit_that_cannot_be_chosen_denies_where_it_is_to() -> None:
    """``on_error="deny"``, also while refusals are remembered: no local rule is asked after it."""

    def broken(_):
        raise LookupError("no plan")

    seen = []
    walking = Walking(rate_limit(broken, on_error="deny"), Says(does=lambda _: seen.append(1) or says()))
    walking.client.runtime.refusals.remember("another", Refusal(10**20, 1, 0), 0)
    assert (walking.walk().status, seen) == (503, [])


# --- look-ups


def test_look_ups_are_advanced_in_step_and_merged() -> None:
    """One Gather a round holds what every look-up asks for; each is sent its own answer."""
    first, second = [], []
    flow = Walking(LooksUp(does=looking(first)), LooksUp(does=looking(second))).start()
    asked = next(flow)
    assert asked == Gather((AskStore("get", ("key",)), AskStore("get", ("key",))))
    decision = ended(flow, [b"1", b"2"])
    assert (first, second) == ([b"1"], [b"2"])
    assert states(decision) == ["RUN", "RUN"]


def test_a_look_up_of_two_rounds_goes_on_when_another_has_ended() -> None:
    """The second round asks for what is still open only."""

    def twice(_):
        first = yield AskStore("get", ("a",))
        second = yield AskStore("get", (first,))
        return says("DENY" if second == b"bad" else "ALLOW")

    flow = Walking(LooksUp(does=looking([])), LooksUp(does=twice)).start()
    next(flow)
    assert flow.send([b"x", "b"]) == Gather((AskStore("get", ("b",)),))
    assert ended(flow, [b"bad"]).is_denied()


def test_a_failed_look_up_is_thrown_into_its_rule_alone() -> None:
    """A rule may handle its failure; where it does not, the error is its own."""

    def handles(_):
        try:
            yield AskStore("get", ("key",))
        except ConnectionError:
            return says("CHALLENGE")

    flow = Walking(LooksUp(does=handles), LooksUp(does=looking([]))).start()
    next(flow)
    decision = ended(flow, [Failed(ConnectionError("down")), Failed(ConnectionError("down"))])
    assert conclusions(decision) == ["CHALLENGE", "ERROR"]


def test_a_round_that_fails_as_a_whole_fails_every_look_up_in_it() -> None:
    """A driver that throws into the walk gets a decision all the same."""
    flow = Walking(LooksUp(does=looking([])), LooksUp(does=looking([]))).start()
    next(flow)
    with pytest.raises(StopIteration) as stop:
        flow.throw(ConnectionError("down"))
    assert conclusions(stop.value.value) == ["ERROR", "ERROR"]


def test_a_live_denial_among_look_ups_ends_the_others() -> None:
    """No further round is asked for once a look-up has denied."""

    def second_round(_):
        yield AskStore("get", ("a",))
        yield AskStore("get", ("b",))
        return says()

    def denies_at_once(_):
        yield AskStore("get", ("c",))
        return says("DENY")

    flow = Walking(LooksUp(does=second_round), LooksUp(does=denies_at_once)).start()
    next(flow)
    decision = ended(flow, [b"", b""])
    assert states(decision) == ["NOT_RUN", "RUN"]
    assert decision.is_denied()


# --- rules that fail


@pytest.mark.parametrize("rule", [Access, Says, LooksUp])
def test_a_rule_that_raises_is_an_error_of_that_rule(rule) -> None:
    """The others go on, and the walk is marked for the log."""
    walking = Walking(rule(does=raises, name="broken"), limit())
    progress = walking.progress()
    decision = walking.walk(progress)
    assert conclusions(decision) == ["ERROR", "ALLOW"]
    assert decision.reason.message == "RuntimeError: a bug"
    assert progress.noteworthy


def test_a_rule_that_raises_denies_where_it_is_to() -> None:
    """``on_error="deny"`` of the rule, or of the client: DENY with reason ERROR, 503."""
    by_rule = Walking(Says(does=raises, on_error="deny"), limit()).walk()
    by_client = Walking(Says(does=raises), on_error="deny").walk()
    assert (by_rule.status, by_client.status) == (503, 503)
    assert (by_rule.is_denied(), by_rule.reason.is_error(), states(by_rule)) == (True, True, ["RUN", "NOT_RUN"])
    dry = Walking(Says(does=raises, on_error="deny", mode="DRY_RUN")).walk()
    assert (dry.conclusion, dry.dry_run) == (Conclusion.ALLOW, "says")


NONSENSE = {
    "nothing": lambda _: None,
    "text": lambda _: "DENY",
    "text for a conclusion": lambda view: Outcome("DENY", says().reason),
    "an error for a conclusion": lambda view: Outcome(Conclusion.ERROR, says().reason),
    "no reason": lambda _: Outcome(Conclusion.ALLOW, None),
    "a list of ends": lambda _: says(ends=["BOT"]),
    "nan": lambda _: says(weight=float("nan")),
    "infinite": lambda _: says(ttl=float("inf")),
    "text for a weight": lambda _: says(weight="heavy"),
}


@pytest.mark.parametrize("rule", [Says, LooksUp])
@pytest.mark.parametrize("nonsense", NONSENSE, ids=str)
def test_a_rule_that_returns_nonsense_is_an_error_of_that_rule(nonsense: str, rule) -> None:
    """Whatever a rule returns, it cannot break the decision of the others."""
    decision = Walking(rule(does=NONSENSE[nonsense], name="odd"), Says(does=challenges, name="sane")).walk()
    assert conclusions(decision) == ["ERROR", "CHALLENGE"]


@pytest.mark.parametrize("rule", [Says, LooksUp])
def test_a_generator_rule_that_raises_after_an_effect_is_an_error_of_that_rule(rule) -> None:
    """Half way through is no different."""

    def breaks(_):
        yield AskStore("get", ("key",))
        raise RuntimeError("half way")

    decision = Walking(rule(does=breaks, name="broken"), limit()).walk()
    assert conclusions(decision) == ["ERROR", "ALLOW"]


def test_a_local_rule_may_ask_and_pause() -> None:
    """A long scan yields Pause, and goes on when it is sent anything."""

    def scans(_):
        yield Pause()
        yield Pause()
        return says("CHALLENGE")

    walking = Walking(Says(does=scans))
    assert walking.walk().is_challenged()
    assert walking.kinds() == ["Pause", "Pause"]


# --- bodies


def test_the_body_is_asked_for_once_and_after_the_rules_that_do_not_need_it() -> None:
    """Two body rules, one reading; a header-only denial comes before it."""
    seen = []
    walking = Walking(Reads(does=lambda v: seen.append(v.request.body) or says()), Reads(does=allows), Says(does=allows))
    flow = walking.start()
    assert isinstance(next(flow), ReadBody)
    ended(flow, Body(b"abc", True))
    assert seen == [b"abc"]
    denied = Walking(Reads(does=allows), Says(does=denies))
    assert denied.walk().is_denied()
    assert denied.asked == []


def test_a_body_at_hand_is_not_asked_for() -> None:
    """What the caller gave is what rules see."""
    walking = Walking(Reads(does=allows))
    walking.walk(walking.progress(body=b"abc"))
    assert walking.asked == []


def test_a_body_out_of_reach_is_asked_for_once() -> None:
    """Rules see None, and decide what that means."""
    seen = []
    walking = Walking([Reads(does=lambda v: seen.append(v.request.body) or says()) for _ in range(2)])
    walking.walk()
    assert (walking.kinds(), seen) == (["ReadBody"], [None, None])


def test_a_body_that_cannot_be_read_is_an_error_of_the_rules_that_need_it() -> None:
    """A broken upload must not keep the limit from being charged, and is not read twice."""
    flow = Walking(Reads(does=allows, name="one"), Reads(does=allows, name="two"), limit()).start()
    next(flow)
    assert isinstance(flow.throw(OSError("connection reset")), CountHits)
    assert conclusions(ended(flow, [ROOM])) == ["ERROR", "ERROR", "ALLOW"]


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
