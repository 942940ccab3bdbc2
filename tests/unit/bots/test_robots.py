"""robots.txt from a rule: what a parser reads in it is what the rule does."""

from __future__ import annotations

import re
from urllib.robotparser import RobotFileParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.bots.doubles import FOUR, Listed, Names, rule, tell, view

from doorward import Conclusion, ConfigurationError
from doorward.builders.bots import detect_bot
from doorward.robots import robots_txt
from doorward.rules.bots import BotCategory, BotRule

TOKENS = st.text("abB-_", min_size=1, max_size=4)
BOTS = st.lists(TOKENS, max_size=8, unique_by=str.lower)


def parsed(text: str) -> RobotFileParser:
    parser = RobotFileParser()
    parser.parse(text.splitlines())
    return parser


def may_fetch(text: str, token: str, path: str = "/page") -> bool:
    return parsed(text).can_fetch(token, path)


def does(the_rule: BotRule, token: str) -> bool:
    """Whether the rule lets an agent pass that names a token, and is what it claims to be."""
    assert the_rule.bots is not None
    return not the_rule.refused(the_rule.bots.find(f"{token}/1.0"))


def listed(tokens: list[str]) -> Names:
    return Names([Listed(f"BOT_{number}", token=token) for number, token in enumerate(tokens)])


def test_an_allow_list_names_who_may_and_refuses_the_others() -> None:
    """The whole text, once, as its readers see it."""
    text = robots_txt(rule(allow=["CATEGORY:SEARCH_ENGINE"]), sitemap="https://example.com/sitemap.xml")
    assert text == (
        "# Made by doorward from the rule detect_bot(allow=[CATEGORY:SEARCH_ENGINE]).\n"
        "# Crawlers that do not keep to it are refused by the rule itself.\n"
        "\n"
        "User-agent: GPTBot\n"
        "Disallow: /\n"
        "\n"
        "User-agent: Googlebot\n"
        "User-agent: bingbot\n"
        "Allow: /\n"
        "\n"
        "# Everyone else.\n"
        "User-agent: *\n"
        "Disallow: /\n"
        "\n"
        "Sitemap: https://example.com/sitemap.xml\n"
    )


def test_a_deny_list_names_who_may_not_and_lets_the_others() -> None:
    """The other way round."""
    text = robots_txt(rule(deny=["CATEGORY:AI"]))
    assert not may_fetch(text, "GPTBot")
    assert may_fetch(text, "Googlebot")
    assert may_fetch(text, "SomebodyElse")


def test_crawlers_that_do_not_obey_the_star_are_named() -> None:
    """AI and advertising crawlers that an allow list leaves out have lines of their own."""
    assert "User-agent: GPTBot\nDisallow: /\n" in robots_txt(rule(allow=[]))


def test_only_some_paths() -> None:
    """``disallow`` says what the refused may not fetch."""
    text = robots_txt(rule(deny=["OPENAI_CRAWLER"]), disallow=["/account", "/api/*.json$"])
    assert not may_fetch(text, "GPTBot", "/account/1")
    assert may_fetch(text, "GPTBot", "/blog")
    assert "Disallow: /api/*.json$\n" in text


def test_no_paths_refuse_nothing() -> None:
    """An empty rule is one that lets everything pass (RFC 9309 section 2.2.2)."""
    assert may_fetch(robots_txt(rule(allow=[]), disallow=[]), "GPTBot")


def test_a_rule_by_evidence_alone_speaks_to_everyone() -> None:
    """It knows no names."""
    text = robots_txt(detect_bot(allow=[], lists=False))
    assert text.count("User-agent:") == 1
    assert not may_fetch(text, "Googlebot")


def test_what_cannot_be_named_is_said() -> None:
    """A listed bot without a token, and what no list names."""
    nameless = Names([Listed("A"), Listed("B", token="has.dot")])
    assert "# 2 listed bots have no product token" in robots_txt(rule(deny=["A", "B"], bots=nameless))
    assert "# UNKNOWN_BOT has no name" in robots_txt(rule(deny=["UNKNOWN_BOT"]))


@given(BOTS, st.data())
def test_a_parser_reads_what_the_rule_does(tokens: list[str], data: st.DataObject) -> None:
    """Python's parser takes the first group whose token is part of a name: also there everybody finds the right one."""
    names = listed(tokens)
    chosen = data.draw(st.sets(st.sampled_from(sorted(names.ids())))) if tokens else set()
    for the_rule in (rule(allow=chosen, bots=names), rule(deny=chosen, bots=names)):
        parser = parsed(robots_txt(the_rule))
        for bot in names.all.values():
            assert parser.can_fetch(bot.token, "/page") is does(the_rule, bot.token), (bot.token, chosen)


@given(BOTS, st.data())
def test_a_parser_of_the_rfc_reads_the_same(tokens: list[str], data: st.DataObject) -> None:
    """By whole tokens, without case: RFC 9309 section 2.2.1."""
    names = listed(tokens)
    chosen = data.draw(st.sets(st.sampled_from(sorted(names.ids())))) if tokens else set()
    the_rule = rule(allow=chosen, bots=names)
    groups = by_token(robots_txt(the_rule))
    for bot in names.all.values():
        lines = groups.get(bot.token.lower(), groups["*"])
        assert (lines == ["Allow: /"]) is does(the_rule, bot.token)


def by_token(text: str) -> dict[str, list[str]]:
    """The rules of each token; a token must not stand in two groups."""
    groups: dict[str, list[str]] = {}
    for block in text.split("\n\n"):
        lines = [line for line in block.splitlines() if not line.startswith("#")]
        agents = [line.partition(": ")[2].lower() for line in lines if line.startswith("User-agent: ")]
        for agent in agents:
            assert agent not in groups
            groups[agent] = lines[len(agents) :]
    return groups


@pytest.mark.parametrize(
    "the_rule",
    [
        detect_bot(allow=[]),
        detect_bot(allow=["CATEGORY:SEARCH_ENGINE"]),
        detect_bot(allow=["GOOGLE_CRAWLER", "CATEGORY:MONITOR"]),
        detect_bot(deny=["CATEGORY:AI"]),
        detect_bot(deny=["GOOGLE_CRAWLER_IMAGE"]),
    ],
    ids=str,
)
def test_the_list_in_the_wheel(the_rule: BotRule) -> None:
    """Every token of the list has the verdict of an agent that names it, or, where none does, of its bots."""
    text = robots_txt(the_rule)
    assert text == robots_txt(the_rule)
    assert all(
        re.fullmatch(r"(#.*|User-agent: (\*|[A-Za-z_-]+)|(Allow|Disallow): /|)", line) for line in text.split("\n")
    )
    parser = parsed(text)
    assert the_rule.bots is not None
    bots = [bot for name in the_rule.bots.ids() if (bot := the_rule.bots.bot(name))]
    for bot in bots:
        if re.fullmatch(r"[A-Za-z_-]+", bot.token):
            named = the_rule.bots.find(f"{bot.token}/1.0") or [bot]
            assert parser.can_fetch(bot.token, "/") is (not the_rule.refused(named)), bot


@pytest.mark.parametrize("token", ["CCBot", "facebookexternalhit", "meta-externalagent"])
def test_a_token_of_several_bots_is_refused_where_the_rule_refuses_one(token: str) -> None:
    """CCBot has two ids, one of them AI: the rule denies it, and so does the text."""
    assert not may_fetch(robots_txt(detect_bot(deny=["CATEGORY:AI"])), token)
    assert may_fetch(robots_txt(detect_bot(allow=["CATEGORY:AI"])), token)


WHEEL = detect_bot(deny=[]).bots
assert WHEEL is not None
NAMES = st.lists(st.sampled_from([*BotCategory, *sorted(WHEEL.ids())]), max_size=4)


@settings(max_examples=10)
@given(NAMES)
def test_every_verdict_is_what_the_rule_does_to_the_name(names: list[str]) -> None:
    """Any list, on the bots in the wheel: requests that name a token are denied exactly where the text says so."""
    the_rule = detect_bot(deny=names)
    text = robots_txt(the_rule)
    groups = by_token(text)
    spelled = {line.partition(": ")[2] for line in text.splitlines() if line.startswith("User-agent: ")} - {"*"}
    for token in sorted(spelled):
        lines = groups[token.lower()]
        outcome = tell(the_rule, view(f"{token}/1.0")).outcome
        named = the_rule.bots is not None and the_rule.bots.find(f"{token}/1.0")
        assert not named or (lines == ["Allow: /"]) is (outcome.conclusion is Conclusion.ALLOW), token


@pytest.mark.parametrize("path", ["", "page", "/a b", "/a#b", "/a\nAllow: /", "/é", "https://example.com/"])
def test_paths_that_cannot_stand_there(path: str) -> None:
    """Nothing that is put in can make a line of its own."""
    with pytest.raises(ConfigurationError, match="disallow: must begin with /"):
        robots_txt(rule(allow=[]), disallow=[path])


@pytest.mark.parametrize(
    "url", ["", "/sitemap.xml", "ftp://example.com/", "https://", "https://a/\nAllow: /", "http://["]
)
def test_sitemaps_that_cannot_stand_there(url: str) -> None:
    """A sitemap's URL is absolute."""
    with pytest.raises(ConfigurationError, match="sitemap: must be"):
        robots_txt(rule(allow=[]), sitemap=[url])


@pytest.mark.parametrize("value", [None, 1, {"/": 1}, [1]])
def test_paths_are_texts(value: object) -> None:
    """Whatever else is given is named."""
    with pytest.raises(ConfigurationError, match="disallow: must be text or a list of texts"):
        robots_txt(rule(allow=[]), disallow=value)  # type: ignore[arg-type]


def test_the_doubles_have_tokens() -> None:
    """So that the tests above test something."""
    assert all(bot.token for bot in FOUR)
