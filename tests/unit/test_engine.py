"""The walk of one request, driven by hand: what is asked, in which order, and what follows from each answer."""

from __future__ import annotations

import pytest
from tests.unit.walking import (
    ROOM,
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
    limit,
    raises,
    result,
    says,
    states,
)

from doorward import Body, Conclusion
from doorward.effects import CountHits, ReadBody
from doorward.refusals import Refusal

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


@pytest.mark.parametrize(
    ("ends", "ran"), [({"SAYS"}, ["RUN", "NOT_RUN", "RUN"]), ({"SAYS", "RATE_LIMIT"}, ["RUN", "NOT_RUN", "NOT_RUN"])]
)
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
    walking.client.runtime.refusals.remember("another", Refusal(10**20, 1, 0), 0, 0)
    decision = walking.walk()
    assert walking.asked == []
    assert states(decision) == ["RUN", "NOT_RUN", "RUN"]


# --- weights


@pytest.mark.parametrize(
    ("weights", "conclusion"), [((4, 5), "ALLOW"), ((5, 5), "CHALLENGE"), ((10, 10), "DENY"), ((30, -25), "DENY")]
)
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


def test_a_dry_weight_would_not_have_decided_beside_a_live_denial() -> None:
    """A sum that would have asked for a challenge does not come before a DENY."""
    rules = [Says(does=lambda _: says(weight=10), mode="DRY_RUN"), Dear(does=denies)]
    assert Walking(*rules, thresholds={"CHALLENGE": 10}).walk().dry_run is None


@pytest.mark.parametrize("thresholds", [{"CHALLENGE": 10}, {"DENY": 10}])
def test_a_dry_weight_on_top_of_enough_would_have_changed_nothing(thresholds: dict[str, int]) -> None:
    """Where live weights decide, a dry one that adds to them does not."""
    rules = [Says(does=lambda _: says(weight=1), mode="DRY_RUN"), Says(does=lambda _: says(weight=10))]
    assert Walking(*rules, thresholds=thresholds).walk().dry_run is None


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
    walking = Walking(
        Says(does=lambda _: seen.append("says") or says()), NeedsEmail(does=lambda v: seen.append(v.inputs) or says())
    )
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
    walking = Walking(
        limit("user", characteristics=["userId"]), limit("ip", characteristics=["ip.src"]), characteristics=["userId"]
    )
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
