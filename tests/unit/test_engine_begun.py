"""Local rules that go on among the look-ups; notes; what rules read about addresses."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import pytest
from tests.unit.walking import (
    ALLOWS,
    DENIES,
    Begins,
    LooksUp,
    Says,
    Walking,
    asking,
    conclusions,
    denies,
    ended,
    limit,
    result,
    says,
    states,
)

from doorward import Conclusion, Doorward, RequestContext, RuleReason
from doorward.address_facts import AddressFacts
from doorward.effects import CountHits, DnsAnswer, DnsKind, Failed, Gather, ResolveDns
from doorward.rules.base import Outcome, View

MX = ResolveDns("mail.example", DnsKind.MX)
FOUND = DnsAnswer(True, ("mx.mail.example",))


def test_a_begun_rule_asks_after_the_counters_together_with_the_look_ups() -> None:
    """The limit is charged first; then one Gather holds what the begun rule and the look-up ask for."""
    flow = Walking(Begins(does=asking(ALLOWS)), limit(), LooksUp(does=asking(ALLOWS))).start()
    counted = next(flow)
    assert isinstance(counted, CountHits)
    walk = Walking(Begins(does=asking(ALLOWS)), limit(), LooksUp(does=asking(ALLOWS)))
    walk.walk()
    assert walk.asked[1:] == [Gather((MX, MX))]


def test_a_begun_rule_that_knows_at_once_denies_before_anything_is_charged() -> None:
    """Without a generator it is an ordinary local rule."""
    walk = Walking(Begins(does=denies), limit())
    assert walk.walk().is_denied()
    assert walk.asked == []


def test_a_denial_among_the_look_ups_keeps_the_charge() -> None:
    """An attempt is an attempt (design: "counting")."""
    walk = Walking(Begins(does=asking(DENIES)), limit(most=1))
    assert walk.walk().is_denied()
    assert walk.walk().reason.is_rate_limit()


def test_a_refusing_limit_leaves_a_begun_rule_not_run_and_nothing_is_asked() -> None:
    """The network is not bothered about a request that is refused anyway."""
    walk = Walking(Begins(does=asking(DENIES)), limit(most=1, name="l"))
    walk.walk()
    walk.asked.clear()
    decision = walk.walk()
    assert states(decision) == ["NOT_RUN", "RUN"]
    assert walk.kinds() == ["CountHits"]


def test_a_live_denial_of_a_local_rule_leaves_a_begun_rule_not_run() -> None:
    """A cheaper rule before it and one after it both end the walk."""

    @dataclass(frozen=True, kw_only=True)
    class Last(Says):
        effort: ClassVar[int] = 99

    walk = Walking(Begins(does=asking(ALLOWS)), Last(does=denies))
    decision = walk.walk()
    assert states(decision) == ["NOT_RUN", "RUN"]
    assert walk.asked == []


def test_a_failure_is_thrown_into_the_begun_rule() -> None:
    """It is an error of that rule alone."""
    flow = Walking(Begins(does=asking(ALLOWS)), Says()).start()
    next(flow)
    decision = ended(flow, [Failed(TimeoutError("silence"))])
    assert conclusions(decision) == ["ERROR", "ALLOW"]


def test_a_begun_rule_runs_once_for_all_layers() -> None:
    """A second layer does not ask again."""
    walk = Walking(Begins(does=asking(ALLOWS)))
    progress = walk.progress()
    walk.walk(progress)
    walk.asked.clear()
    walk.walk(progress)
    assert walk.asked == []


def test_of_two_dry_runs_the_limit_would_have_decided_before_the_look_up() -> None:
    """``decision.dry_run`` follows the order of the walk, in which look-ups come last."""
    walk = Walking(Begins(does=asking(DENIES), name="begun", mode="DRY_RUN"), limit(name="l", mode="DRY_RUN"))
    assert walk.walk().dry_run == "begun"
    assert walk.walk().dry_run == "l"


def asking_twice(outcome: Outcome) -> Callable[[View], Any]:
    """A rule that asks in two rounds."""

    def ask(_: View) -> Any:
        yield MX
        yield MX
        return outcome

    return ask


@dataclass(frozen=True, kw_only=True)
class Cheap(Begins):
    effort: ClassVar[int] = -1


def refuser(kind: type[Says], name: str, asks: Any = asking) -> Says:
    """A rule that asks, and then refuses for a reason of its own."""
    return kind(does=asks(Outcome(Conclusion.DENY, RuleReason(name))), name=name)


@pytest.mark.parametrize("mode", ["LIVE", "DRY_RUN"])
@pytest.mark.parametrize(
    ("rules", "decides"),
    [
        ([refuser(Begins, "slow", asking_twice), refuser(Begins, "quick")], "quick"),
        ([refuser(Begins, "first"), refuser(Cheap, "second")], "first"),
        ([refuser(LooksUp, "late"), refuser(Begins, "begun")], "late"),
    ],
    ids=["the earlier round", "of one round the first declared", "look-ups and begun rules alike"],
)
def test_the_same_look_up_decides_live_and_dry(mode: str, rules: list[Any], decides: str) -> None:
    """P19: what a dry run names is what would have decided."""
    decision = Walking(*[replace(rule, mode=mode) for rule in rules]).walk()
    named = decision.dry_run if mode == "DRY_RUN" else getattr(decision.reason, "rule", "")
    assert named == decides


def test_a_note_reaches_the_result_and_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """It is printable, and a warning."""
    aj = Doorward([Says(does=lambda _: says(note="could not\ncheck"), name="notes")])
    decision = aj.protect(RequestContext(peer="203.0.113.9"))
    assert result(decision, "notes").note == "could not\\x0acheck"
    assert decision.conclusion is Conclusion.ALLOW
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


@dataclass(frozen=True, kw_only=True)
class ReadsAbuse(Says):
    def reads(self) -> frozenset[str]:
        return frozenset({"abuse", "reserved"})


def test_a_rule_that_reads_what_there_is_no_data_for_warns_when_the_client_is_built(
    caplog: pytest.LogCaptureFixture, tmp_path: Any
) -> None:
    """The warning names the rule, the kind and the command that brings the data, and nothing that there is."""
    Doorward([ReadsAbuse(name="blocklist")], data=tmp_path)
    assert len(caplog.messages) == 1
    assert "rule blocklist: there is no data about abuse" in caplog.messages[0]
    assert "doorward data update" in caplog.messages[0]


def test_rules_see_what_is_known_about_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """``view.addresses`` and ``decision.ip`` have the same source."""
    seen: list[AddressFacts] = []

    def look(view: View) -> Any:
        seen.append(view.addresses.about(view.ip))
        return ALLOWS

    decision = Doorward([Says(does=look)]).protect(RequestContext(peer="127.0.0.1"))
    assert seen[0].names["reserved"] == ("loopback",)
    assert decision.ip.is_reserved() is True
    assert decision.ip.is_abuser() is None
    assert decision.ip.names("reserved") == ("loopback",)


@pytest.mark.parametrize("wrong", [{"data": 7}, {"geo": "x.mmdb"}, {"geo": ["no"]}, {"resolver": 7}])
def test_wrong_data_options_fail_at_construction(wrong: dict[str, Any]) -> None:
    """``data`` is a folder, ``geo`` a list of files that exist; the message names the argument."""
    with pytest.raises(ValueError, match=f"^{next(iter(wrong))}: must be"):
        Doorward(**wrong)


def test_cloudflare_is_an_edge_by_its_published_networks() -> None:
    """Its header counts from its addresses only."""
    aj = Doorward(proxies="cloudflare")
    headers = [("CF-Connecting-IP", "203.0.113.7")]
    peers = ("173.245.48.5", "198.51.100.5")
    found = [aj.protect(RequestContext(peer=peer, headers=headers)).ip.address for peer in peers]
    assert found == ["203.0.113.7", "198.51.100.5"]


@dataclass(frozen=True, kw_only=True)
class WantsPlan(Says):
    def wants(self) -> frozenset[str]:
        return frozenset({"plan"})


def test_middleware_leaves_a_rule_that_looks_at_something_of_the_application_s() -> None:
    """It runs in the ``protect`` that gives it, or in one that does not, with what there is."""
    walk = Walking(WantsPlan(does=denies))
    progress = walk.progress()
    assert states(walk.walk(progress, deferring=True)) == ["NOT_RUN"]
    assert states(walk.walk(progress, plan="free")) == ["RUN"]
    assert states(walk.walk()) == ["RUN"]
