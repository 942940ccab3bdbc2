"""Rules that ask, rules that fail and rules that read the body, driven by hand."""

from __future__ import annotations

import pytest
from tests.unit.walking import (
    ROOM,
    Access,
    LooksUp,
    Reads,
    Says,
    Walking,
    allows,
    challenges,
    conclusions,
    denies,
    ended,
    limit,
    looking,
    raises,
    says,
    states,
)

from doorward import Body, Conclusion
from doorward.effects import AskStore, CountHits, Failed, Gather, Pause, ReadBody
from doorward.rules.base import Outcome

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


def test_a_look_up_after_a_denial_is_not_asked() -> None:
    """One that has its answer at once may deny before the next is asked anything."""
    seen = []
    decision = Walking(LooksUp(does=denies), LooksUp(does=lambda _: seen.append(1) or says())).walk()
    assert (decision.status, seen) == (403, [])


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
    walking = Walking(
        Reads(does=lambda v: seen.append(v.request.body) or says()), Reads(does=allows), Says(does=allows)
    )
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
