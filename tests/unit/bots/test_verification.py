"""Verified, spoofed, and "could not check": each branch, driven by hand."""

from __future__ import annotations

import pytest
from tests.unit.bots.doubles import (
    BING,
    CRAWL_HOST,
    GOOGLE,
    HERE,
    NO_SUCH_NAME,
    REVERSE,
    Examiner,
    Known,
    Listed,
    Names,
    Told,
    rule,
    tell,
    view,
)

from doorward import Conclusion, Mode, RuleResult, State
from doorward.effects import DnsAnswer, DnsKind, Failed, Gather, ResolveDns
from doorward.errors import DeadlineExceeded, ResolverError
from doorward.reason import BotReason, ErrorReason
from doorward.rules.bots import (
    MISSING_USER_AGENT,
    CouldNotCheck,
    is_missing_user_agent,
    is_spoofed_bot,
    is_verified_bot,
)
from doorward.rules.verification import MOST_HOSTS, Standing, ask_dns, reverse_name

GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1)"
SEARCH = rule(allow=["CATEGORY:SEARCH_ENGINE"])
ASKS_REVERSE = ResolveDns(REVERSE, DnsKind.PTR)
ASKS_FORWARD = Gather([ResolveDns(CRAWL_HOST, DnsKind.A)])
NAMED = DnsAnswer(True, (CRAWL_HOST,))
HAS_IT = [DnsAnswer(True, (HERE,))]


def reason(told: Told) -> BotReason:
    assert isinstance(told.outcome.reason, BotReason)
    return told.outcome.reason


def verdict(told: Told) -> tuple[Conclusion, bool, bool]:
    return told.outcome.conclusion, reason(told).verified, reason(told).spoofed


VERIFIED = (Conclusion.ALLOW, True, False)
SPOOFED = (Conclusion.DENY, False, True)


# --- what is known without asking


def test_an_address_in_the_published_ranges_is_verified_without_the_dns() -> None:
    """Local data is enough for a yes."""
    told = tell(SEARCH, view(GOOGLEBOT, known=Known("other", "googlebot")))
    assert (told.asked, verdict(told)) == ([], VERIFIED)


def test_another_operators_range_verifies_nobody() -> None:
    """A crawler of somebody else's is not Google's."""
    told = tell(rule(allow=["CATEGORY:AI"]), view("GPTBot/1.0", known=Known("googlebot")))
    assert verdict(told) == SPOOFED


def test_a_bot_with_ranges_alone_is_spoofed_outside_of_them() -> None:
    """Nothing else could verify it; the reason names it, and no category."""
    told = tell(rule(allow=["CATEGORY:AI"]), view("GPTBot/1.0"))
    assert (told.asked, verdict(told)) == ([], SPOOFED)
    assert reason(told).denied == ("OPENAI_CRAWLER",)
    assert reason(told).evidence[-1] == "its address is none of OPENAI_CRAWLER's"


@pytest.mark.parametrize(
    "known",
    [Known(data=()), Known(data=["googlebot"])],
    ids=["no data about crawlers", "no data about this operator's"],
)
def test_without_data_a_bot_with_ranges_alone_could_not_be_checked(known: Known) -> None:
    """Being in no range says nothing where there are none."""
    the_rule = rule(allow=["CATEGORY:AI"])
    with pytest.raises(
        CouldNotCheck, match=r"could not check OPENAI_CRAWLER: there is no data .* doorward data update"
    ):
        tell(the_rule, view("GPTBot/1.0", known=known))


@pytest.mark.parametrize(
    "ip",
    ["10.1.2.3", "192.168.1.1", "127.0.0.1", "169.254.1.1", "100.64.0.1", "203.0.113.1", "::1", "fd00::1", "fe80::1"],
)
def test_no_operator_crawls_from_a_reserved_address(ip: str) -> None:
    """Private, loopback, link-local and documentation addresses are spoofed for certain: nobody is asked."""
    told = tell(SEARCH, view(GOOGLEBOT, ip=ip))
    assert (told.asked, verdict(told)) == ([], SPOOFED)


def test_without_an_address_it_could_not_be_checked() -> None:
    """Behind a Unix socket without a trusted hop, say."""
    with pytest.raises(CouldNotCheck, match="could not check GOOGLE_CRAWLER: the client's address is not known"):
        tell(SEARCH, view(GOOGLEBOT, ip=""))


def test_a_bot_whose_operator_publishes_nothing_passes_by_name() -> None:
    """There is nothing to verify it by: neither verified nor spoofed."""
    told = tell(rule(allow=["CURL"]), view("curl/8.5"))
    assert verdict(told) == (Conclusion.ALLOW, False, False)


# --- forward-confirmed reverse DNS


def test_a_name_that_is_confirmed_forwards_is_verified() -> None:
    """PTR, mask, A: in this order, and nothing else is asked."""
    told = tell(SEARCH, view(GOOGLEBOT), NAMED, HAS_IT)
    assert told.asked == [ASKS_REVERSE, ASKS_FORWARD]
    assert verdict(told) == VERIFIED
    assert reason(told).allowed == ("GOOGLE_CRAWLER", "CATEGORY:SEARCH_ENGINE")


@pytest.mark.parametrize(
    "answer",
    [
        NO_SUCH_NAME,
        DnsAnswer(True),
        DnsAnswer(True, ("host.example.com",)),
        DnsAnswer(True, ("crawl-66-249-66-1.googlebot.com.evil.example",)),
        DnsAnswer(True, ("crawl-66-249-66-1.evilgooglebot.com",)),
        DnsAnswer(True, ("", ".", "a b", "crawl-1-2-3-4.googlebot.com\n", "\u212aooglebot.com", "x" * 5000)),
        DnsAnswer(True, ("crawl-1-\\..googlebot.com",)),
    ],
)
def test_without_a_host_name_of_the_operators_it_is_spoofed(answer: DnsAnswer) -> None:
    """Whoever holds an address chooses its name: no name leads to another answer, or to another question."""
    told = tell(SEARCH, view(GOOGLEBOT), answer)
    assert (told.asked, verdict(told)) == ([ASKS_REVERSE], SPOOFED)


@pytest.mark.parametrize(
    "reply",
    [NO_SUCH_NAME, DnsAnswer(True), DnsAnswer(True, ("66.249.66.2",)), DnsAnswer(True, ("", "nonsense", "::1"))],
)
def test_a_name_that_is_not_confirmed_is_spoofed(reply: DnsAnswer) -> None:
    """The owner of the domain says which addresses the name has."""
    assert verdict(tell(SEARCH, view(GOOGLEBOT), NAMED, [reply])) == SPOOFED


def test_one_of_several_addresses_is_enough() -> None:
    """A name may have many."""
    replies = [DnsAnswer(True, ("66.249.66.9", HERE))]
    assert verdict(tell(SEARCH, view(GOOGLEBOT), NAMED, replies)) == VERIFIED


def test_names_are_compared_without_case_and_final_dot() -> None:
    """RFC 4343, whatever a resolver hands over."""
    told = tell(SEARCH, view(GOOGLEBOT), DnsAnswer(True, (f"{CRAWL_HOST.upper()}.",)), HAS_IT)
    assert (told.asked[-1], verdict(told)) == (ASKS_FORWARD, VERIFIED)


@pytest.mark.parametrize(
    ("ip", "record"),
    [
        ("2001:4860:4801:10::1", "2001:4860:4801:0010:0000::0001"),
        ("2001:4860:4801:10::1", "2001:4860:4801:10::1"),
        ("2600:0:0:1::", "2600::1:0:0:0:0"),
    ],
)
def test_ipv6_is_compared_as_a_number(ip: str, record: str) -> None:
    """One address has many texts; Vouch's verified_bot compares them as they are written."""
    told = tell(SEARCH, view(GOOGLEBOT, ip=ip), NAMED, [DnsAnswer(True, (record,))])
    assert told.asked[-1] == Gather([ResolveDns(CRAWL_HOST, DnsKind.AAAA)])
    assert verdict(told) == VERIFIED


def test_mapped_ipv4_is_ipv4() -> None:
    """In the client's address and in what the DNS says."""
    told = tell(SEARCH, view(GOOGLEBOT, ip=f"::ffff:{HERE}"), NAMED, [DnsAnswer(True, (f"::ffff:{HERE}",))])
    assert (told.asked, verdict(told)) == ([ASKS_REVERSE, ASKS_FORWARD], VERIFIED)


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("192.0.2.1", "1.2.0.192.in-addr.arpa"),
        ("2001:db8::567:89ab", "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"),
    ],
)
def test_reverse_names(address: str, name: str) -> None:
    """The examples of RFC 1035 section 3.5 and of RFC 3596 section 2.5 in kind."""
    assert reverse_name(address) == name


def with_hosts(count: int) -> DnsAnswer:
    """So many names that look like Google's."""
    return DnsAnswer(True, tuple(f"crawl-1-1-1-{number}.googlebot.com" for number in range(count)))


def test_only_a_few_names_are_looked_up() -> None:
    """An address with a thousand PTR records costs no more than one with four; one that is confirmed is enough."""
    told = tell(SEARCH, view(GOOGLEBOT), with_hosts(1000), [*[NO_SUCH_NAME] * (MOST_HOSTS - 1), *HAS_IT])
    asked = told.asked[-1]
    assert isinstance(asked, Gather)
    assert len(asked.effects) == MOST_HOSTS
    assert verdict(told) == VERIFIED


def test_names_that_were_left_out_might_have_been_the_right_ones() -> None:
    """Nobody is called a liar for a name that nobody looked up; where all were looked up, it is certain."""
    with pytest.raises(CouldNotCheck, match="could not check GOOGLE_CRAWLER: it has more than 4 host names"):
        tell(SEARCH, view(GOOGLEBOT), with_hosts(MOST_HOSTS + 1), [NO_SUCH_NAME] * MOST_HOSTS)
    assert verdict(tell(SEARCH, view(GOOGLEBOT), with_hosts(MOST_HOSTS), [NO_SUCH_NAME] * MOST_HOSTS)) == SPOOFED


def test_the_right_name_among_others() -> None:
    """Names of nobody's are not looked up, and do not take a place."""
    names = (*[f"host{number}.example" for number in range(50)], CRAWL_HOST)
    assert verdict(tell(SEARCH, view(GOOGLEBOT), DnsAnswer(True, names), HAS_IT)) == VERIFIED


# --- could not check


@pytest.mark.parametrize("error", [ResolverError("timed out"), DeadlineExceeded("too late"), OSError("no network")])
def test_a_resolver_failure_is_neither_verified_nor_spoofed(error: Exception) -> None:
    """The error keeps what the rule found: the claim as it stands, and no flag. Nothing is concluded from silence."""
    with pytest.raises(CouldNotCheck) as raised:
        tell(SEARCH, view(GOOGLEBOT), error)
    found = raised.value.reason
    assert str(raised.value) == f"could not check GOOGLE_CRAWLER: {type(error).__name__}: {error}"
    assert (found.allowed, found.denied) == (("GOOGLE_CRAWLER", "CATEGORY:SEARCH_ENGINE"), ())
    assert (found.verified, found.spoofed) == (False, False)


@pytest.mark.parametrize("replies", [[Failed(ResolverError("SERVFAIL"))], DeadlineExceeded("too late")])
def test_nor_is_a_failure_of_the_forward_look_up(replies: object) -> None:
    """Alone, or because the deadline ended them all."""
    with pytest.raises(CouldNotCheck, match=r"could not check GOOGLE_CRAWLER: (ResolverError: SERVFAIL|Deadline)"):
        tell(SEARCH, view(GOOGLEBOT), NAMED, replies)


def test_one_failure_does_not_hide_a_confirmation() -> None:
    """A yes is a yes."""
    both = DnsAnswer(True, ("crawl-1-1-1-1.googlebot.com", CRAWL_HOST))
    replies = [Failed(ResolverError("SERVFAIL")), *HAS_IT]
    assert verdict(tell(SEARCH, view(GOOGLEBOT), both, replies)) == VERIFIED


def test_one_failure_among_refutations_is_no_certainty() -> None:
    """The name that failed might have been the right one."""
    both = DnsAnswer(True, ("crawl-1-1-1-1.googlebot.com", CRAWL_HOST))
    with pytest.raises(CouldNotCheck):
        tell(SEARCH, view(GOOGLEBOT), both, [NO_SUCH_NAME, Failed(ResolverError("SERVFAIL"))])


def test_an_outage_is_over_when_the_resolver_is_back() -> None:
    """Vouch's verified_bot keeps an outage for an hour, so that the genuine Googlebot gets 403 all that time."""
    with pytest.raises(CouldNotCheck):
        tell(SEARCH, view(GOOGLEBOT), ResolverError("timed out"))
    assert verdict(tell(SEARCH, view(GOOGLEBOT), NAMED, HAS_IT)) == VERIFIED


# --- when nobody is asked


@pytest.mark.parametrize(
    "the_rule",
    [rule(allow=[]), rule(allow=["CATEGORY:AI"]), rule(deny=["CATEGORY:AI"]), rule(deny=["CATEGORY:SEARCH_ENGINE"])],
)
def test_the_dns_is_not_asked_where_it_would_change_nothing(the_rule: object) -> None:
    """A bot that is refused anyway, and every bot under ``deny``, costs no look-up and has no flag."""
    told = tell(the_rule, view(GOOGLEBOT))  # type: ignore[arg-type]
    assert told.asked == []
    assert (reason(told).verified, reason(told).spoofed) == (False, False)


def test_flags_from_local_data_are_there_for_refused_bots_too() -> None:
    """They cost nothing, and say who was refused."""
    assert verdict(tell(rule(allow=[]), view(GOOGLEBOT, known=Known("googlebot")))) == (Conclusion.DENY, True, False)
    assert verdict(tell(rule(allow=[]), view(GOOGLEBOT, ip="10.0.0.1"))) == SPOOFED


def test_under_deny_a_lie_is_told_but_decides_nothing() -> None:
    """A rule that keeps some bots out lets everybody else pass, people and liars."""
    told = tell(rule(deny=["CURL"]), view(GOOGLEBOT, ip="10.0.0.1"))
    assert verdict(told) == (Conclusion.ALLOW, False, True)


# --- bot by bot


def test_standings_by_bot() -> None:
    """What the DNS said is told bot by bot."""
    steps = ask_dns([GOOGLE, BING], HERE)
    next(steps)
    steps.send(NAMED)
    with pytest.raises(StopIteration) as stop:
        steps.send(HAS_IT)
    assert stop.value.value.standings == {"GOOGLE_CRAWLER": Standing.VERIFIED, "BING_CRAWLER": Standing.SPOOFED}


def test_ranges_of_today_may_be_newer_than_ours() -> None:
    """A bot with ranges and masks, outside of the ranges: the DNS has the last word."""
    assert GOOGLE.ranges
    assert verdict(tell(SEARCH, view(GOOGLEBOT, known=Known("other")), NAMED, HAS_IT)) == VERIFIED


# --- helpers


def result(found: object, state: State = State.RUN) -> RuleResult:
    return RuleResult("bot", "id", state, Conclusion.DENY, found)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("helper", "found"),
    [
        (is_spoofed_bot, BotReason(spoofed=True)),
        (is_verified_bot, BotReason(verified=True)),
        (is_missing_user_agent, BotReason(evidence=(MISSING_USER_AGENT,))),
    ],
)
def test_helpers_tell_what_live_rules_found(helper: object, found: BotReason) -> None:
    """A dry run is not to make an application refuse anybody: Arcjet's did (arcjet-py#216)."""
    assert callable(helper)
    assert helper(result(found))
    assert not helper(result(found, State.DRY_RUN))
    assert not helper(result(BotReason()))
    assert not helper(result(ErrorReason("something else")))


def test_helpers_read_what_the_rule_wrote() -> None:
    """End to end, from a request to the helper."""
    assert is_missing_user_agent(result(reason(tell(rule(allow=[]), view()))))
    assert is_spoofed_bot(result(reason(tell(SEARCH, view(GOOGLEBOT, ip="10.0.0.1")))))


def test_a_spoofed_bot_in_a_dry_run_is_what_it_would_have_been() -> None:
    """The rule comes to the same outcome; that it decides nothing is the engine's business and the helper's."""
    dry = rule(allow=["CATEGORY:SEARCH_ENGINE"], mode=Mode.DRY_RUN)
    told = tell(dry, view(GOOGLEBOT), NO_SUCH_NAME)
    assert verdict(told) == SPOOFED
    assert not is_spoofed_bot(result(reason(told), State.DRY_RUN))


def test_a_bot_without_masks_never_leads_to_a_question() -> None:
    """Not even in a rule that can ask."""
    named = Names([Listed("X", ranges=("x",), token="x-bot")])
    told = tell(rule(allow=["X"], bots=named, examiner=Examiner()), view("x-bot", known=Known(data=["x"])))
    assert (told.asked, verdict(told)) == ([], SPOOFED)
