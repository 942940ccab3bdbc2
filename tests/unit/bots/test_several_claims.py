"""Agents that name several bots, each of which is a claim of its own; and rules for bots that can be verified alone."""

from __future__ import annotations

import pytest
from tests.unit.bots.doubles import BING, CRAWL_HOST, CURL, GOOGLE, HERE, Known, Listed, Names, Told, rule, tell, view

from doorward import Conclusion
from doorward.effects import DnsAnswer, Failed
from doorward.errors import ResolverError
from doorward.reason import BotReason
from doorward.rules.bots import UNKNOWN_BOT, BotRule

GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1)"
SEARCH = rule(allow=["CATEGORY:SEARCH_ENGINE"])
NAMED = DnsAnswer(True, (CRAWL_HOST,))
HAS_IT = [DnsAnswer(True, (HERE,))]
NO_SUCH_NAME = DnsAnswer(False)


def reason(told: Told) -> BotReason:
    assert isinstance(told.outcome.reason, BotReason)
    return told.outcome.reason


def verdict(told: Told) -> tuple[Conclusion, bool, bool]:
    return told.outcome.conclusion, reason(told).verified, reason(told).spoofed


VERIFIED = (Conclusion.ALLOW, True, False)
SPOOFED = (Conclusion.DENY, False, True)


BOTH = "Googlebot bingbot"


def test_all_claims_have_to_stand() -> None:
    """Google's address does not make a client Bing's: the one that stands is allowed, the other is not."""
    told = tell(SEARCH, view(BOTH, known=Known("googlebot")), NAMED)
    assert verdict(told) == SPOOFED
    assert (reason(told).allowed, reason(told).denied) == (
        ("GOOGLE_CRAWLER", "CATEGORY:SEARCH_ENGINE"),
        ("BING_CRAWLER",),
    )


def test_claims_share_their_questions() -> None:
    """One PTR for both, and one round of forward questions."""
    names = DnsAnswer(True, ("a.search.msn.com", CRAWL_HOST))
    told = tell(SEARCH, view(BOTH), names, [DnsAnswer(True, (HERE,)), DnsAnswer(True, (HERE,))])
    assert len(told.asked) == 2
    assert verdict(told) == VERIFIED


def test_a_certain_lie_outweighs_what_could_not_be_checked() -> None:
    """One claim failed for good: that the other is open does not help."""
    names = DnsAnswer(True, ("a.search.msn.com",))
    told = tell(SEARCH, view(BOTH), names, [Failed(ResolverError("SERVFAIL"))])
    assert verdict(told) == SPOOFED


def test_what_evidence_finds_beside_a_claim_is_refused_before_anybody_is_asked() -> None:
    """Two agents that differ: the second makes the first not worth a look-up."""
    told = tell(SEARCH, view(GOOGLEBOT, "Mozilla/5.0"))
    assert (told.asked, told.outcome.conclusion) == ([], Conclusion.DENY)


TWIN = GOOGLE._replace(id="GOOGLE_TWIN", categories=frozenset({"GOOGLE"}))
KIN = Listed("GOOGLE_KIN", frozenset({"GOOGLE"}), GOOGLE.masks, (), "kin")
BOTS = Names([GOOGLE, TWIN, KIN, BING, CURL, Listed("PLAIN", token="plain")])


def allowing(*names: str) -> BotRule:
    return rule(allow=names, bots=BOTS)


@pytest.mark.parametrize("name", ["GOOGLE_CRAWLER", "GOOGLE_TWIN"])
def test_one_crawler_by_two_names_needs_one_allowed(name: str) -> None:
    """The same address proves both, in the ranges or by the DNS: neither is spoofed."""
    known = tell(allowing(name), view(GOOGLEBOT, known=Known("googlebot")))
    asked = tell(allowing(name), view(GOOGLEBOT), NAMED, HAS_IT)
    assert verdict(known) == verdict(asked) == VERIFIED
    assert reason(asked).allowed == ("GOOGLE_CRAWLER", "GOOGLE_TWIN")


def test_another_name_of_the_same_operators_has_to_be_proved_too() -> None:
    """It shares a mask: the DNS is asked, though the ranges verify the name that is allowed."""
    told = tell(
        allowing("GOOGLE_CRAWLER", "GOOGLE_TWIN"), view("Googlebot kin", known=Known("googlebot")), NO_SUCH_NAME
    )
    assert verdict(told) == SPOOFED
    assert reason(told).denied == ("GOOGLE_KIN",)


def test_a_liar_with_two_names_is_spoofed() -> None:
    """Neither name stands."""
    told = tell(allowing("GOOGLE_TWIN"), view(GOOGLEBOT), NO_SUCH_NAME)
    assert verdict(told) == SPOOFED
    assert reason(told).denied == ("GOOGLE_CRAWLER", "GOOGLE_TWIN")


@pytest.mark.parametrize("agent", ["Googlebot bingbot", "Googlebot plain", "Googlebot curl plain"])
def test_what_is_neither_its_tool_nor_its_operators_is_refused(agent: str) -> None:
    """Two crawlers in one agent are a lie: nobody is asked about it."""
    told = tell(allowing("GOOGLE_CRAWLER"), view(agent))
    assert (told.asked, told.outcome.conclusion) == ([], Conclusion.DENY)


def test_a_crawler_may_name_the_tool_that_it_is_made_with() -> None:
    """But a tool that is allowed does not let the crawler pass, nor does a bot that is spoofed let its tool."""
    agent = view("Googlebot curl")
    assert verdict(tell(allowing("GOOGLE_CRAWLER"), agent, NAMED, HAS_IT)) == VERIFIED
    assert verdict(tell(allowing("GOOGLE_CRAWLER"), agent, NO_SUCH_NAME)) == SPOOFED
    assert tell(allowing("CURL"), agent).outcome.conclusion is Conclusion.DENY
    assert tell(allowing("PLAIN"), view("plain curl")).outcome.conclusion is Conclusion.ALLOW


# --- verified_only


def test_only_bots_that_can_be_verified_pass() -> None:
    """A name that anybody can send is not enough then, and the reason says so; a person passes."""
    the_rule = rule(allow=["GOOGLE_CRAWLER", "CURL", UNKNOWN_BOT], verified_only=True)
    told = tell(the_rule, view("curl/8.5"))
    assert told.outcome.conclusion is Conclusion.DENY
    assert reason(told).denied == ("CURL",)
    assert reason(told).evidence[-1] == "its operator publishes nothing that could verify it"
    assert verdict(tell(the_rule, view(GOOGLEBOT), NAMED, HAS_IT)) == VERIFIED
    assert verdict(tell(the_rule, view("Googlebot curl"), NAMED, HAS_IT)) == VERIFIED
    assert tell(the_rule, view("Mozilla/5.0")).outcome.conclusion is Conclusion.ALLOW


def test_a_bot_that_is_not_listed_is_refused_for_that() -> None:
    """Not for what its operator publishes."""
    told = tell(rule(allow=["GOOGLE_CRAWLER"], verified_only=True), view("curl/8.5"))
    assert reason(told).evidence == ("its User-Agent names CURL",)
