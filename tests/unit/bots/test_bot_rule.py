"""The bot rule: who is let pass, who is not, and what the reason says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.bots.doubles import BING, CURL, FOUR, GOOGLE, GPT, Examiner, Known, Listed, Names, rule, tell, view

from doorward import Conclusion, Headers, Mode, RequestContext
from doorward.reason import BotReason
from doorward.requests import from_environ, from_scope
from doorward.rules.base import Outcome, View
from doorward.rules.bots import (
    MISSING_USER_AGENT,
    TWO_USER_AGENTS,
    UNKNOWN_BOT,
    BotCategory,
    BotRule,
    VerifyingBotRule,
)

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
CALLED_CURL = "its User-Agent names CURL"


def told(the_rule: BotRule, *agents: str, **fields: object) -> BotReason:
    reason = tell(the_rule, view(*agents, **fields)).outcome.reason
    assert isinstance(reason, BotReason)
    return reason


def passes(the_rule: BotRule, *agents: str) -> bool:
    return tell(the_rule, view(*agents)).outcome.conclusion is Conclusion.ALLOW


def test_a_person_passes_and_the_reason_says_so() -> None:
    """No name, no evidence: ALLOW, and nothing is listed."""
    outcome = tell(rule(allow=[]), view(BROWSER)).outcome
    assert outcome == Outcome(Conclusion.ALLOW, BotReason())


def test_no_bot_passes_an_empty_list() -> None:
    """``allow=[]`` denies every bot by name, and says which."""
    outcome = tell(rule(allow=[]), view("curl/8.5")).outcome
    assert outcome.conclusion is Conclusion.DENY
    assert outcome.reason == BotReason(denied=("CURL",), evidence=(CALLED_CURL,))


def test_a_denial_is_not_remembered() -> None:
    """Bots are judged anew each time (design: "refusals remembered")."""
    assert tell(rule(allow=[]), view("curl/8.5")).outcome.ttl == 0


def test_an_allowed_id_passes_and_is_named() -> None:
    """Allowed results carry reasons too."""
    assert told(rule(allow=["CURL"]), "curl/8.5") == BotReason(allowed=("CURL",), evidence=(CALLED_CURL,))


def test_a_configured_category_is_listed_beside_the_id() -> None:
    """Arcjet lists both; here in a fixed order: ids, then categories."""
    assert told(rule(allow=["CATEGORY:PROGRAMMATIC"]), "curl/8.5").allowed == ("CURL", "CATEGORY:PROGRAMMATIC")
    assert told(rule(deny=["CATEGORY:PROGRAMMATIC"]), "curl/8.5").denied == ("CURL", "CATEGORY:PROGRAMMATIC")


@pytest.mark.parametrize("category", ["GOOGLE", "SEARCH_ENGINE"])
def test_any_of_its_categories_lets_a_bot_pass(category: str) -> None:
    """A bot of several categories needs one of them listed, and only listed ones are named."""
    reason = told(rule(allow=[f"CATEGORY:{category}"]), "Googlebot/2.1", known=Known("googlebot"))
    assert reason.allowed == ("GOOGLE_CRAWLER", f"CATEGORY:{category}")


def test_a_deny_list_lets_the_others_pass() -> None:
    """Bots that it does not list are named as allowed, without categories."""
    reason = told(rule(deny=["CATEGORY:AI"]), "curl/8.5")
    assert reason == BotReason(allowed=("CURL",), evidence=(CALLED_CURL,))


def test_an_agent_that_names_two_crawlers_needs_both_allowed() -> None:
    """One that is not allowed is enough; the other is still named."""
    reason = told(rule(allow=["CURL"]), "curl/8 bingbot/2.0")
    assert (reason.allowed, reason.denied) == (("CURL",), ("BING_CRAWLER",))


def test_one_denied_bot_is_enough_for_a_deny_list() -> None:
    """The same for ``deny``."""
    reason = told(rule(deny=["CURL"]), "curl/8 GPTBot/1.0")
    assert (reason.allowed, reason.denied) == (("OPENAI_CRAWLER",), ("CURL",))


# --- evidence


@pytest.mark.parametrize(
    ("lists", "conclusion"),
    [
        ({"allow": []}, Conclusion.DENY),
        ({"allow": ["CATEGORY:SEARCH_ENGINE"]}, Conclusion.DENY),
        ({"allow": [UNKNOWN_BOT]}, Conclusion.ALLOW),
        ({"allow": [BotCategory.UNKNOWN]}, Conclusion.ALLOW),
        ({"deny": []}, Conclusion.ALLOW),
        ({"deny": ["CURL"]}, Conclusion.ALLOW),
        ({"deny": [UNKNOWN_BOT]}, Conclusion.DENY),
        ({"deny": ["CATEGORY:UNKNOWN"]}, Conclusion.DENY),
    ],
)
def test_what_evidence_finds_is_a_bot_without_a_name(lists: dict[str, list[str]], conclusion: Conclusion) -> None:
    """It is ``UNKNOWN_BOT``, of the category UNKNOWN, and can be listed as such."""
    the_rule = rule(**lists, examiner=Examiner("has no header that browsers send"))
    outcome = tell(the_rule, view(BROWSER)).outcome
    assert outcome.conclusion is conclusion
    assert isinstance(outcome.reason, BotReason)
    assert UNKNOWN_BOT in (*outcome.reason.allowed, *outcome.reason.denied)
    assert outcome.reason.evidence == ("has no header that browsers send",)


def test_a_name_decides_before_evidence() -> None:
    """A bot with a name is not examined: it has said what it is."""
    examiner = Examiner("looks automated")
    assert told(rule(allow=["CURL"], examiner=examiner), "curl/8.5").allowed == ("CURL",)


def test_without_lists_evidence_stands_alone() -> None:
    """A name that only a list knows says nothing to such a rule."""
    alone = BotRule(allow=(), examiner=Examiner())
    assert passes(alone, "curl/8.5")
    assert not passes(BotRule(allow=(), examiner=Examiner("is a tool")), "curl/8.5")


@pytest.mark.parametrize("agents", [(), ("",), (" \t",), ("", "")])
def test_a_client_without_an_agent_is_a_bot_and_the_reason_says_why(agents: tuple[str, ...]) -> None:
    """Arcjet's evaluator gives up on these, so that they pass; here they are denied like any bot without a name."""
    outcome = tell(rule(allow=[]), view(*agents)).outcome
    assert outcome.conclusion is Conclusion.DENY
    assert outcome.reason == BotReason(denied=(UNKNOWN_BOT,), evidence=(MISSING_USER_AGENT,))


def test_two_agents_that_differ_are_evidence_and_each_is_looked_up() -> None:
    """An allowed name does not help a client that also sends another agent."""
    reason = told(rule(allow=["CURL"]), "curl/8.5", BROWSER)
    assert (reason.allowed, reason.denied) == (("CURL",), (UNKNOWN_BOT,))
    assert reason.evidence == (CALLED_CURL, TWO_USER_AGENTS)
    assert told(rule(deny=["CURL"]), BROWSER, "curl/8.5").denied == ("CURL",)


def test_the_same_agent_twice_is_one_agent() -> None:
    """A hop that repeats a line does not make a person a bot."""
    assert passes(rule(allow=[]), BROWSER, BROWSER)
    assert passes(rule(allow=[]), "", BROWSER)


# --- header order


def asked_in_order(request: RequestContext) -> bool:
    examiner = Examiner()
    tell(rule(allow=[], examiner=examiner), View(request, "", {}, {}))
    return examiner.ordered == [True]


def test_only_lines_from_a_server_are_in_order() -> None:
    """An ASGI scope has the client's order; an environ has lost it, and text was written down by somebody."""
    lines = [(b"user-agent", BROWSER.encode())]
    scope = {"type": "http", "headers": lines, "path": "/"}
    assert asked_in_order(from_scope(scope))
    assert not asked_in_order(from_environ({"REQUEST_METHOD": "GET", "HTTP_USER_AGENT": BROWSER}))
    assert not asked_in_order(RequestContext(headers=[("User-Agent", BROWSER)]))
    assert not asked_in_order(RequestContext(headers={"User-Agent": BROWSER}))
    assert not asked_in_order(RequestContext(headers=Headers(lines)))


# --- Arcjet's mistakes


@pytest.mark.parametrize("listed", [BotCategory.SEARCH_ENGINE, "CATEGORY:SEARCH_ENGINE"])
def test_arcjet_10_1_1_members_and_their_text_are_the_same(listed: str) -> None:
    """Arcjet's SDK denies Googlebot under ``allow=[BotCategory.SEARCH_ENGINE]``, and lets it pass under ``deny``."""
    asks_google = view("Googlebot/2.1", known=Known("googlebot"))
    assert tell(rule(allow=[listed]), asks_google).outcome.conclusion is Conclusion.ALLOW
    assert tell(rule(deny=[listed]), asks_google).outcome.conclusion is Conclusion.DENY


@pytest.mark.parametrize("query", ["a=1", "?", "a=1&a=2", "%00", "q=" + "x" * 5000])
def test_arcjet_10_1_2_a_query_does_not_lead_past_the_rule(query: str) -> None:
    """Arcjet's SDK lets every bot with a query string pass its local rules."""
    assert tell(rule(allow=[]), view("curl/8.5", query=query)).outcome.conclusion is Conclusion.DENY


def test_arcjet_10_1_2_nor_do_repeated_headers() -> None:
    """Nor does a header that comes several times."""
    request = RequestContext(headers=[("X-A", "1"), ("X-A", "2"), ("User-Agent", "curl/8.5")])
    assert tell(rule(allow=[]), View(request, "", {}, {})).outcome.conclusion is Conclusion.DENY


# --- identity


def test_the_id_is_arcjets_where_nothing_of_ours_is_set() -> None:
    """``type``, ``version``, ``mode``, ``allow``, ``deny``: arcjet.md section 3.2."""
    fields = [("type", "BOT"), ("version", 0), ("mode", "LIVE"), ("allow", ("CURL",)), ("deny", ())]
    assert rule(allow=["CURL"]).fields(Mode.LIVE) == fields


def test_what_is_ours_changes_the_id() -> None:
    """Evidence alone, paths and methods make another rule; the examiner and the list do not."""
    ids = {
        one.rule_id(Mode.LIVE)
        for one in (
            rule(allow=[]),
            rule(deny=[]),
            BotRule(allow=(), examiner=Examiner()),
            rule(allow=[], paths=["/signup"]),
            rule(allow=[], methods=["POST"]),
            rule(allow=[], verified_only=True),
        )
    }
    assert len(ids) == 5, "allow=[] and deny=[] have equal fields, as in Arcjet's scheme; all others differ"
    assert rule(allow=[]) == rule(allow=[], examiner=Examiner("other"), bots=Names(()))


def test_only_a_verifying_rule_waits() -> None:
    """Other bot rules keep a client on its fast way."""
    assert (BotRule.waits, BotRule.looks_up) == (False, False)
    assert (VerifyingBotRule.waits, VerifyingBotRule.looks_up) == (True, True)


def test_reads_the_sets_of_ranges_that_bots_are_verified_by() -> None:
    """So that a client warns of missing data exactly where it matters, and has opened the data before a request."""
    sets = {f"crawler:{name}" for bot in rule(allow=["CATEGORY:AI"]).passing() for name in bot.ranges if not bot.masks}
    assert sets
    assert rule(allow=["CATEGORY:AI"]).reads() == sets | {"crawler"}
    assert rule(allow=["CURL"]).reads() == {"crawler"}
    assert rule(deny=["CATEGORY:AI"]).reads() == {"crawler"}


# --- properties

NAMES = st.sampled_from([bot.id for bot in FOUR])
LISTS = st.lists(st.one_of(NAMES, st.sampled_from(["CATEGORY:AI", "CATEGORY:SEARCH_ENGINE", UNKNOWN_BOT])))


def is_listed(bot: Listed, names: list[str]) -> bool:
    return bot.id in names or any(f"CATEGORY:{category}" in names for category in bot.categories)


@given(LISTS, st.sets(st.sampled_from(FOUR), min_size=1))
def test_a_rule_does_what_its_list_says(names: list[str], bots: set[Listed]) -> None:
    """Against the definition; every bot comes from where it says, so that only lists decide."""
    agent = " ".join(sorted(bot.token for bot in bots))
    known = Known("googlebot", "gptbot")
    plain = Names([bot._replace(masks=()) for bot in FOUR])
    allowing = tell(rule(allow=names, bots=plain), view(agent, known=known)).outcome.conclusion
    denying = tell(rule(deny=names, bots=plain), view(agent, known=known)).outcome.conclusion
    others = bots - {CURL} if any(is_listed(bot, names) for bot in bots - {CURL}) else bots
    assert (allowing is Conclusion.ALLOW) == all(is_listed(bot, names) for bot in others), "a tool goes with a crawler"
    assert (denying is Conclusion.ALLOW) == (not any(is_listed(bot, names) for bot in bots))


@given(st.lists(st.text(max_size=60), max_size=3), LISTS)
def test_any_agents_come_to_an_outcome(agents: list[str], names: list[str]) -> None:
    """Bad request bytes never raise."""
    assert isinstance(told(rule(deny=names), *agents), BotReason)


def test_a_reason_is_the_same_every_time() -> None:
    """Whatever the order in which a list names the bots."""
    backwards = Names([CURL, GPT, BING, GOOGLE])
    agent = "curl bingbot GPTBot"
    one, other = told(rule(allow=[]), agent), told(rule(allow=[], bots=backwards), agent)
    assert one == other
    assert one.denied == ("BING_CRAWLER", "CURL", "OPENAI_CRAWLER")
