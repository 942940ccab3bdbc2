"""The bots that a user agent names, from the registry in the wheel and from small ones."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.errors import DataError
from doorward.intelligence import container
from doorward.intelligence.agent_evidence import frame, parse
from doorward.intelligence.bot_index import CATEGORIES, FILE, KIND, LONGEST, VERSION, BotIndex
from doorward.intelligence.container import Meta
from doorward.intelligence.library import wheel_folder
from doorward.rules.verification import is_verifiable

INDEX = BotIndex.open(wheel_folder() / FILE)
BROWSERS = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14.6; rv:133.0) Gecko/20100101 Firefox/133.0",
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 "
        "Mobile/15E148 Safari/604.1"
    ),
    (
        "Mozilla/5.0 (Linux; Android 14; SM-A556B Build/UP1A.231005.007; wv) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Version/4.0 Chrome/130.0.6723.102 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/490.0.0.63.82;]"
    ),
    (
        "Mozilla/5.0 (X11; CrOS x86_64 15917.71.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/127.0.0.0 "
        "Safari/537.36 Edg/127.0.0.0"
    ),
    (
        "Mozilla/5.0 (Linux; Android 11; KFTRWI) AppleWebKit/537.36 (KHTML, like Gecko) Silk/126.5.3 like Chrome/126.0 "
        "Safari/537.36"
    ),
]
APPS = ["MyBank/4.1 okhttp/4.12.0", "Podcasts/1700 CFNetwork/1568 Darwin/24.1.0", "Nextcloud-android/3.29.1", ""]
MADE = Meta("2026-01-01", ())


def ids(agent: str) -> list[str]:
    return [bot.id for bot in INDEX.find(agent)]


def test_opening_is_what_finding_needs() -> None:
    """The registry in the wheel has all ids and categories of Arcjet's public list, and more bots from the packages."""
    assert {"GOOGLE_CRAWLER", "CURL", "OPENAI_CRAWLER", "IMESSAGE_PREVIEW", "SISTRIX_007AC9_CRAWLER"} <= INDEX.ids()
    assert len(INDEX.ids()) > 1_400
    assert {category for bot_id in INDEX.ids() for category in INDEX.bot(bot_id).categories} <= set(CATEGORIES)


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        ("curl/8.5.0", ["CURL"]),
        ("python-requests/2.32.3", ["PYTHON_REQUESTS"]),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", ["GOOGLE_CRAWLER"]),
        ("mozilla/5.0 (compatible; GOOGLEBOT/2.1)", ["GOOGLE_CRAWLER"]),
        ("Googlebot-Image/1.0", ["GOOGLE_CRAWLER_IMAGE"]),
        ("okhttp/4.12.0", ["JAVA_OKHTTP"]),
        ("facebookexternalhit/1.1", ["FACEBOOK_SHARE_CRAWLER"]),
        ("Safari/601 facebookexternalhit/1.1 Facebot Twitterbot/1.0", ["IMESSAGE_PREVIEW"]),
        ("ReaderOfFeeds/1.2 (like Googlebot/2.1)", []),
    ],
)
def test_agents_name_their_bots(agent: str, expected: list[str]) -> None:
    """Texts count in any case, all of what a bot needs must be there, and what "like" introduces is no claim."""
    assert ids(agent) == expected


@pytest.mark.parametrize("agent", [*BROWSERS, *APPS])
def test_people_are_no_bots(agent: str) -> None:
    """Neither browsers nor apps name a bot, though apps carry the libraries that bots are made with."""
    assert ids(agent) == []


def test_crawlers_come_before_their_tools() -> None:
    """A crawler that renders with headless Chrome is first of all that crawler."""
    headless = "Mozilla/5.0 (X11) HeadlessChrome/120.0.0.0 Safari/537.36"
    assert ids(headless) == ["HEADLESS_CHROME"]
    assert ids(f"{headless} (compatible; bingbot/2.0)") == ["BING_CRAWLER", "HEADLESS_CHROME"]


def test_bots_say_how_they_can_be_verified() -> None:
    """Ranges, masks, categories and the robots token of a bot are its operator's."""
    google = INDEX.bot("GOOGLE_CRAWLER")
    assert google.categories == {"GOOGLE", "SEARCH_ENGINE"}
    assert google.ranges == ("google-googlebot",)
    assert "crawl-***-***-***-***.googlebot.com" in google.masks
    assert google.token == "Googlebot"
    assert is_verifiable(google)
    assert not is_verifiable(INDEX.bot("CURL"))


@pytest.mark.parametrize(
    ("agent", "names"),
    [
        ("CCBot/2.0 (https://commoncrawl.org/faq/)", {"COMMONCRAWL_CRAWLER", "CCBOT_CRAWLER"}),
        (
            "Mozilla/5.0 (compatible; Pinterestbot/1.0; +https://www.pinterest.com/bot.html)",
            {"PINTREST_CRAWLER", "PINTEREST_CRAWLER"},
        ),
        ("Better Stack Better Uptime Bot Mozilla/5.0", {"BETTERSTACK_MONITOR", "BETTERUPTIME_MONITOR"}),
        ("Mozilla/5.0 (compatible; YandexImages/3.0; +http://yandex.com/bots)", {"YANDEX_CRAWLER", "YANDEXIMAGES"}),
        ("adidxbot/2.0 (+http://search.msn.com/msnbot.htm)", {"MSN_CRAWLER", "BING_ADS"}),
    ],
)
def test_one_crawler_by_two_names_has_one_proof(agent: str, names: set[str]) -> None:
    """So that an address that verifies one verifies the other."""
    found = INDEX.find(agent)
    assert {bot.id for bot in found} == names
    assert len({(bot.masks, bot.ranges) for bot in found}) == 1
    assert all(is_verifiable(bot) for bot in found)


@pytest.mark.parametrize(
    ("bot", "masks"),
    [
        ("YAHOO_CRAWLER", ("@.crawl.yahoo.net",)),
        ("SEZNAM_CRAWLER", ("@.seznam.cz",)),
        ("AMAZON_CRAWLER", ("@.crawl.amazonbot.amazon",)),
        ("YANDEXMOBILEBOT", ("@.yandex.ru", "@.yandex.com", "@.yandex.net")),
    ],
)
def test_what_operators_say_of_their_host_names(bot: str, masks: tuple[str, ...]) -> None:
    """From their documentation."""
    assert INDEX.bot(bot).masks == masks


IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
PHONE = (
    "Mozilla/5.0 (Linux; Android 15; Pixel 8 Build/AP3A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 "
    "Chrome/131.0.6778.81 Mobile Safari/537.36"
)
SERVICES = [
    "Pinterest", "LinkedIn", "Hatena", "Daum", "coccoc", "Fever", "WordPress", "Disqus", "Netvibes", "Friendica",
    "TinEye", "Stripe", "Turnitin", "Feedbin", "Feedspot", "Inoreader", "FreshRSS", "Miniflux", "Tiny Tiny RSS",
    "NextCloud-News", "Lemmy", "NewsBlur", "Feedly", "Flipboard", "Twitter", "Discord", "Slack", "Viber", "Snapchat",
    "Pingdom", "UptimeRobot", "Goodreads", "upday", "MailChimp", "Scoop.it", "NewsNow", "Tumblr", "Notion", "Reddit",
    "Telegram", "Mastodon", "Bluesky", "Asana", "Pocket", "Steam", "GroupMe", "Quora", "TikTok", "AllAfrica",
]  # fmt: skip


@pytest.mark.parametrize("service", SERVICES)
def test_an_app_is_not_the_bot_of_its_service(service: str) -> None:
    """People use the browser within an app, and the app itself, under the name that the service's bot has too."""
    agents = [
        f"{IPHONE} [{service}/iOS]",
        f"{PHONE} [{service}/Android]",
        f"{IPHONE} {service}/12.4",
        f"{PHONE} {service}/12.4",
        f"{service}/12.4 CFNetwork/1568.300.101 Darwin/24.2.0",
        f"{service}/12.4 (iPhone; iOS 18.2; Scale/3.00)",
        f"{service}/12.4 (Android 15; Pixel 8) okhttp/4.12.0",
    ]
    assert {agent: ids(agent) for agent in agents if INDEX.find(agent)} == {}


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        ("Pinterest/0.2 (+https://www.pinterest.com/bot.html)", ["PINTREST_CRAWLER", "PINTEREST_CRAWLER"]),
        ("FreshRSS/1.24.3 (Linux; https://freshrss.org)", ["FRESHRSS_FEEDFETCHER"]),
        ("WordPress/6.7; https://blog.example", ["WORDPRESS_CRAWLER"]),
        ("Slack-ImgProxy/1.0", ["SLACK_IMAGE_PROXY"]),
        ("elmahio-uptimebot/2.0", ["ELMAHIO_UPTIMEBOT"]),
    ],
)
def test_the_bot_of_the_service_still_is(agent: str, expected: list[str]) -> None:
    """And is nobody else."""
    assert ids(agent) == expected


def test_bots_have_other_names() -> None:
    """An id or another name is taken in any case; what is none gives nothing."""
    assert INDEX.bot("googlebot") is INDEX.bot("GOOGLE_CRAWLER")
    assert INDEX.bot("no such bot") is None


@pytest.mark.parametrize("category", CATEGORIES)
def test_categories_list_their_bots(category: str) -> None:
    """Each category gives exactly the bots that are in it, and only that of botnets has none."""
    listed = {bot.id for bot in INDEX.by_category(category)}
    assert listed == {bot_id for bot_id in INDEX.ids() if category in INDEX.bot(bot_id).categories}
    assert bool(listed) is (category != "BOTNET")


def test_no_category_has_no_bots() -> None:
    """A name that is no category lists nothing."""
    assert INDEX.by_category("GREMLINS") == ()


def test_every_way_to_verify_is_named_as_the_range_files_name_it() -> None:
    """A set that a bot names and that the wheel holds is found in it under that name."""
    from doorward.intelligence.ranges import RangeTable

    held = {label.removeprefix("crawler:") for label in RangeTable.open(wheel_folder() / "crawlers.dwd").every_label()}
    named = {name for bot_id in INDEX.ids() for name in INDEX.bot(bot_id).ranges}
    assert {"google-googlebot", "bing-bingbot", "static:oncrawl"} <= named & held
    assert {name for name in named if name.startswith("static:")} <= held


def test_long_agents_are_cut() -> None:
    """What stands after the bound is not looked at, and 64 KiB of anything is answered."""
    assert ids("x" * LONGEST + " Googlebot/2.1") == []
    assert ids("Googlebot/2.1 " + "x" * 65_536) == ["GOOGLE_CRAWLER"]


def test_answers_are_remembered() -> None:
    """The same agent is searched once; the memory of answers is bounded."""
    index = BotIndex.open(wheel_folder() / FILE)
    assert index.find("curl/8") is index.find("curl/8")
    for number in range(3_000):
        index.find(f"agent {number}")
    assert index._remembered.cache_info().currsize <= 1_024


_PIECES = st.sampled_from(
    [
        "Googlebot",
        "/",
        "curl/8",
        "like ",
        "bingbot",
        "-Image",
        "; ",
        "Mozilla/5.0 (",
        ")",
        "AhrefsSiteAudit",
        "Twitterbot/1",
    ]
)
_AGENTS = st.one_of(st.text(max_size=80), st.lists(_PIECES, max_size=8).map("".join), st.binary(max_size=60).map(str))


@given(_AGENTS)
def test_the_index_finds_what_asking_every_bot_finds(agent: str) -> None:
    """Any text is answered, with exactly the bots that a search through all evidence gives, in the registry's order."""
    framed = frame(agent)
    found = {
        bot
        for bot, _, all_of, none_of in INDEX._claims
        if all(parse(one).matches(agent, framed) for one in all_of)
        and not any(parse(one).matches(agent, framed) for one in none_of)
    }
    assert [INDEX._bots[number] for number in sorted(found)] == list(INDEX.find(agent))


@given(st.text(st.characters(min_codepoint=0, max_codepoint=0xD900), max_size=300))
def test_no_text_is_an_error(agent: str) -> None:
    """Control characters, lone surrogates and letters that change their length in lower case are texts like others."""
    assert isinstance(INDEX.find(agent), tuple)


def written(folder: Path, **sections: object) -> Path:
    path = folder / "bots.dwd"
    container.write(path, KIND, VERSION, MADE, {name: json.dumps(value).encode() for name, value in sections.items()})
    return path


def test_small_registries_work(tmp_path: Path) -> None:
    """Evidence too short for a 4-gram is looked for in every agent; a bot with "not" steps back from it."""
    bots = {
        "categories": [["TOOL"]],
        "bots": [["AB", 0, "", [], []], ["LONG", 0, "L", ["@.x.example"], ["x"], "OTHER"]],
    }
    claims = [[0, "", ["ab/"], []], [1, "long", ["longbot"], ["kind"]]]
    index = BotIndex.open(written(tmp_path, bots=bots, claims=claims))
    assert [bot.id for bot in index.find("ab/1 longbot")] == ["AB", "LONG"]
    assert [bot.id for bot in index.find("a kind longbot")] == []
    assert index.bot("other").masks == ("@.x.example",)


@pytest.mark.parametrize(
    "sections",
    [
        {},
        {"bots": {"categories": [], "bots": []}},
        {"bots": [], "claims": []},
        {"bots": {"categories": [], "bots": [["A", 3, "", [], []]]}, "claims": []},
        {"bots": {"categories": [], "bots": []}, "claims": [[1]]},
        {"bots": "nonsense", "claims": 7},
    ],
)
def test_a_damaged_registry_is_a_clear_error(tmp_path: Path, sections: dict[str, object]) -> None:
    """What is missing or makes no sense is a DataError that names the file."""
    path = written(tmp_path, **sections)
    with pytest.raises(DataError, match=re.escape(str(path))):
        BotIndex.open(path)


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:200])


def of_another_version(path: Path) -> None:
    container.write(path, KIND, VERSION + 1, MADE, {"bots": b"", "claims": b""})


@pytest.mark.parametrize("damage", [Path.unlink, truncated, of_another_version], ids=lambda damage: damage.__name__)
def test_an_unreadable_registry_is_a_clear_error(tmp_path: Path, damage: Callable[[Path], object]) -> None:
    """A file that is missing, truncated or of another version is a DataError that says what brings a good one."""
    path = written(tmp_path, bots={"categories": [], "bots": []}, claims=[])
    damage(path)
    with pytest.raises(DataError, match="install doorward again"):
        BotIndex.open(path)


def test_agents_that_a_wsgi_server_has_joined_are_all_looked_at() -> None:
    """PEP 3333 has one value for several lines; what stands in a comment is no agent of its own."""
    firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
    assert ids(f"{firefox},curl/8.5") == ids(f"{firefox}, curl/8.5") == ["CURL"]
    assert ids("Mozilla/5.0 (X11, curl/8.5) Gecko/20100101 Firefox/128.0") == []
    assert ids("MyApp/1.0, iOS 17") == []
