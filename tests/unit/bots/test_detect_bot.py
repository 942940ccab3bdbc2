"""The builder: names in any form, and errors that say which name and what was meant. On the list in the wheel."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import doorward
from doorward import ConfigurationError, Mode, RequestContext, UnknownArgument
from doorward.builders.bots import detect_bot
from doorward.decision import Conclusion
from doorward.intelligence.bot_index import CATEGORIES, BotIndex
from doorward.intelligence.library import wheel_folder
from doorward.rules.base import Outcome, View
from doorward.rules.bots import BotCategory, BotRule, VerifyingBotRule
from doorward.rules.verification import is_verifiable


@pytest.fixture(scope="module")
def index() -> BotIndex:
    return BotIndex.open(wheel_folder() / "bots.dwd")


def conclusion(rule: BotRule, agent: str) -> Conclusion:
    outcome = rule.evaluate(View(RequestContext(headers=[("User-Agent", agent)]), "203.0.113.9", {}, {}))
    assert isinstance(outcome, Outcome)
    return outcome.conclusion


# --- names


@pytest.mark.parametrize(
    "name",
    [
        BotCategory.SEARCH_ENGINE,
        "CATEGORY:SEARCH_ENGINE",
        "category:search_engine",
        "SEARCH_ENGINE",
        "search_engine",
        "search-engine",
        " Search_Engine ",
    ],
)
def test_a_category_in_any_form(name: str) -> None:
    """A member, its text, its name, in any case: all are the same rule."""
    assert detect_bot(allow=[name]).allow == ("CATEGORY:SEARCH_ENGINE",)
    assert detect_bot(deny=[name]).deny == ("CATEGORY:SEARCH_ENGINE",)


@pytest.mark.parametrize("name", ["CURL", "curl", "Curl"])
def test_an_id_in_any_case(name: str) -> None:
    """Arcjet ignores an id that it does not know; here it is found, or refused."""
    assert detect_bot(deny=[name]).deny == ("CURL",)
    assert conclusion(detect_bot(deny=[name]), "curl/8.5") is Conclusion.DENY


def test_every_id_and_category_of_the_list_is_accepted(index: BotIndex) -> None:
    """In lower case and with hyphens, as the public list spells them; a category before an id that is spelled alike."""
    ids = sorted(index.ids() - set(CATEGORIES))
    assert detect_bot(deny=[name.lower().replace("_", "-") for name in ids]).deny == tuple(ids)
    assert detect_bot(allow=list(BotCategory)).allow == tuple(sorted(BotCategory))


def test_members_are_the_categories_of_the_list() -> None:
    """23 of Arcjet's, and text like theirs."""
    assert tuple(BotCategory.__members__) == CATEGORIES
    assert [str(member) for member in BotCategory] == [f"CATEGORY:{name}" for name in CATEGORIES]


def test_order_and_repetition_say_nothing() -> None:
    """Equal lists make equal rules with equal ids."""
    one, other = detect_bot(deny=["curl", "AI"]), detect_bot(deny=("CATEGORY:AI", "CURL", "AI"))
    assert one == other
    assert one.rule_id(Mode.LIVE) == other.rule_id(Mode.LIVE)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("CURLL", "CURL"),
        ("SEARCH_ENGINES", "CATEGORY:SEARCH_ENGINE"),
        ("CATEGORY:SERCH_ENGINE", "CATEGORY:SEARCH_ENGINE"),
        ("GPTBott", "OPENAI_CRAWLER"),
        ("GOOGLE_CRAWLR", "GOOGLE_CRAWLER"),
    ],
)
@pytest.mark.parametrize("field", ["allow", "deny"])
def test_an_unknown_name_is_an_error_that_suggests_the_nearest(field: str, name: str, meant: str) -> None:
    """It names the argument, the name, and what was probably meant: also by what a bot calls itself."""
    with pytest.raises(ConfigurationError) as raised:
        detect_bot(**{field: ["CURL", name]})  # type: ignore[arg-type]
    assert raised.value.field == field
    assert repr(name) in raised.value.problem
    suggested = raised.value.problem.partition("did you mean ")[2]
    assert meant in suggested.rstrip("?").split(", ")


def test_a_name_like_no_other_brings_the_categories() -> None:
    """Rather than a wild guess."""
    with pytest.raises(ConfigurationError, match=r"categories are CATEGORY:ACADEMIC, .*CATEGORY:YAHOO"):
        detect_bot(allow=["%%%%%%%%"])


def complaint(name: str) -> str:
    """The argument that the builder complains about, if any."""
    try:
        detect_bot(deny=[name])
    except ConfigurationError as error:
        return error.field
    return ""


@given(st.text(max_size=30))
def test_any_text_is_a_name_or_a_clear_error(name: str) -> None:
    """Nothing else comes out of the builder."""
    assert complaint(name) in ("", "deny")


# --- arguments


def test_exactly_one_of_allow_and_deny() -> None:
    """Arcjet's rule, and its spirit: both names are in the message."""
    with pytest.raises(ConfigurationError, match="allow, deny: one of them must be given"):
        detect_bot()
    with pytest.raises(ConfigurationError, match="allow, deny: cannot be given together"):
        detect_bot(allow=[], deny=[])


def test_empty_lists_mean_none() -> None:
    """``allow=[]`` lets no bot pass, ``deny=[]`` every one."""
    assert conclusion(detect_bot(allow=[]), "curl/8.5") is Conclusion.DENY
    assert conclusion(detect_bot(deny=[]), "curl/8.5") is Conclusion.ALLOW


@pytest.mark.parametrize("value", ["CURL", b"CURL", 1, {"CURL": 1}, iter(["CURL"])])
def test_a_list_is_a_list(value: object) -> None:
    """Text is no list of its letters."""
    with pytest.raises(ConfigurationError, match="allow: must be a list of ids and categories"):
        detect_bot(allow=value)  # type: ignore[arg-type]


@pytest.mark.parametrize("item", [None, 1, b"CURL", ["CURL"]])
def test_items_are_text(item: object) -> None:
    """Whatever else somebody puts in is named."""
    with pytest.raises(ConfigurationError, match="deny: must hold ids and categories of bots as text"):
        detect_bot(deny=[item])  # type: ignore[list-item]


def test_unknown_arguments_and_options() -> None:
    """A mistyped argument is named; the options of every rule are taken."""
    with pytest.raises(UnknownArgument, match=r"alow: detect_bot takes no such argument\. Did you mean allow\?"):
        detect_bot(alow=[])  # type: ignore[call-arg]
    with pytest.raises(ConfigurationError, match="lists: must be True or False"):
        detect_bot(allow=[], lists="no")  # type: ignore[arg-type]
    rule = detect_bot(allow=[], mode="dry_run", name="no-bots", on_error="deny", paths=["/signup"], methods=["POST"])
    assert (rule.mode, rule.name, rule.on_error) == (Mode.DRY_RUN, "no-bots", "deny")


@pytest.mark.parametrize("name", ["CURL", "CATEGORY:AI", "nonsense"])
def test_without_lists_only_what_has_no_name_can_be_named(name: str) -> None:
    """Everything else would never match."""
    with pytest.raises(ConfigurationError, match="allow: may name only UNKNOWN_BOT and CATEGORY:UNKNOWN"):
        detect_bot(allow=[name], lists=False)
    assert detect_bot(allow=["unknown_bot", BotCategory.UNKNOWN], lists=False).bots is None


# --- which kind of rule


@pytest.mark.parametrize(
    ("lists", "kind"),
    [
        ({"allow": []}, BotRule),
        ({"allow": ["CURL"]}, BotRule),
        ({"allow": ["UNKNOWN_BOT"]}, BotRule),
        ({"deny": ["GOOGLE_CRAWLER"]}, BotRule),
        ({"deny": ["CATEGORY:SEARCH_ENGINE"]}, BotRule),
        ({"allow": ["OPENAI_CRAWLER"]}, BotRule),
        ({"allow": ["GOOGLE_CRAWLER"]}, VerifyingBotRule),
        ({"allow": ["CATEGORY:SEARCH_ENGINE"]}, VerifyingBotRule),
    ],
)
def test_only_a_rule_that_may_ask_the_dns_can_wait(lists: dict[str, list[str]], kind: type[BotRule]) -> None:
    """Ranges alone are looked up on the spot."""
    assert type(detect_bot(**lists)) is kind  # type: ignore[arg-type]


def test_only_what_can_be_verified() -> None:
    """``verified_only`` goes with ``allow``, is a switch, and makes another rule."""
    rule = detect_bot(allow=["LINKEDIN_CRAWLER"], verified_only=True)
    assert conclusion(rule, "LinkedInBot/1.0") is Conclusion.DENY
    assert conclusion(detect_bot(allow=["LINKEDIN_CRAWLER"]), "LinkedInBot/1.0") is Conclusion.ALLOW
    assert ("verified_only", True) in rule.fields(Mode.LIVE)
    assert "verified_only" not in dict(detect_bot(allow=[]).fields(Mode.LIVE))
    with pytest.raises(ConfigurationError, match="verified_only: goes only with allow"):
        detect_bot(deny=["CURL"], verified_only=True)
    with pytest.raises(ConfigurationError, match="verified_only: must be True or False"):
        detect_bot(allow=[], verified_only=1)  # type: ignore[arg-type]


def test_most_search_engines_cannot_be_verified(index: BotIndex) -> None:
    """What the builder's docstring says of them, and of those that can."""
    able = {bot.id for bot in index.by_category("SEARCH_ENGINE") if is_verifiable(bot)}
    assert len(able) < len(index.by_category("SEARCH_ENGINE")) / 2
    assert {f"{name}_CRAWLER" for name in ("GOOGLE", "BING", "APPLE", "YAHOO", "YANDEX", "DUCKDUCKGO")} <= able


def test_a_verifying_rule_keeps_its_options() -> None:
    """It is made from the plain one."""
    rule = detect_bot(allow=["GOOGLE_CRAWLER"], name="search", methods=["GET"], verified_only=True)
    assert rule.verified_only
    assert (rule.name, rule.methods, rule.allow) == ("search", ("GET",), ("GOOGLE_CRAWLER",))
    assert rule.bots is not None


def test_it_is_a_public_name() -> None:
    """As the design fixes it."""
    assert doorward.detect_bot is detect_bot
    assert doorward.BotCategory is BotCategory
