"""Which bots a user agent names: the reader of the compiled registry.

Each text that gives a bot away is filed under those of its 4-grams that browsers use least, and is looked for only in
agents which have that 4-gram: a browser's agent is cut into 4-grams, and next to none of them is a key.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from doorward.errors import DataError
from doorward.intelligence import container
from doorward.intelligence.agent_evidence import Evidence, frame, parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

FILE = "bots.dwd"
KIND = "bots"
VERSION = 1
GRAM = 4
LONGEST = 2_048
"""Characters of an agent that are looked at. Bots with a name give it in the first hundred or two."""
_MOST_PARTS = 8
_REMEMBERED = 1_024  # agents; with LONGEST this is 2 MB at most, and 150 kB with the agents of real clients

CATEGORIES = (
    "ACADEMIC", "ADVERTISING", "AI", "AMAZON", "APPLE", "ARCHIVE", "BOTNET", "FEEDFETCHER", "GOOGLE", "META",
    "MICROSOFT", "MONITOR", "OPTIMIZER", "PREVIEW", "PROGRAMMATIC", "SEARCH_ENGINE", "SLACK", "SOCIAL", "TOOL",
    "UNKNOWN", "VERCEL", "WEBHOOK", "YAHOO",
)  # fmt: skip
"""What a bot can be for, or whose; a bot can be in several. The names are Arcjet's."""


class Bot(NamedTuple):
    """A bot of the registry.

    Attributes:
        id: Such as ``GOOGLE_CRAWLER``.
        categories: Some of :data:`CATEGORIES`.
        masks: What the reverse DNS of its addresses looks like: ``*`` is one character or none, ``@`` any run.
        ranges: Names of the sets of addresses that its operator publishes, as the range files have them.
        token: What its operator calls it in robots.txt; empty where that is not known.
    """

    id: str
    categories: frozenset[str]
    masks: tuple[str, ...] = ()
    ranges: tuple[str, ...] = ()
    token: str = ""


class _Claim(NamedTuple):
    bot: int
    all_of: tuple[Evidence, ...]
    none_of: tuple[Evidence, ...]

    def is_made_by(self, agent: str, framed: str) -> bool:
        return all(one.matches(agent, framed) for one in self.all_of) and not any(
            one.matches(agent, framed) for one in self.none_of
        )


class BotIndex:
    """The bots that doorward knows, by their names in user agents. Safe to share between threads."""

    def __init__(self, data: container.DataFile) -> None:
        """Read a compiled registry; :meth:`open` is the usual way.

        Raises:
            DataError: What it holds is no registry.
        """
        self.meta = data.meta
        try:
            registry = json.loads(bytes(data.section("bots")))
            self._claims: Sequence[Sequence[Any]] = json.loads(bytes(data.section("claims")))
            self._bots = tuple(_bots(registry))
            self._names = {
                name: bot for bot, row in zip(self._bots, registry["bots"], strict=True) for name in _names(row)
            }
            self._index = _by_key(self._claims)
        except (ValueError, TypeError, KeyError, IndexError, RecursionError) as error:
            raise DataError(data.path, f"is damaged ({error!r}); install doorward again") from error
        self._always = self._index.pop("", ())
        self._keys = frozenset(self._index)
        self._parsed: dict[int, _Claim] = {}
        self._remembered = lru_cache(_REMEMBERED)(self._named)

    @classmethod
    def open(cls, path: Path) -> BotIndex:
        """The registry in a compiled file.

        Raises:
            DataError: It is missing, damaged, or of another version.
        """
        return cls(container.open_file(path, KIND, VERSION))

    def find(self, agent: str) -> tuple[Bot, ...]:
        """All bots that an agent names, the most telling first: crawlers with a name before the tools they are made of.

        Takes any text, in time linear in its length; of more than :data:`LONGEST` characters the first are looked at.
        """
        return self._remembered(agent[:LONGEST])

    def bot(self, name: str) -> Bot | None:
        """The bot of an id, or of another name that it goes by, in any case; None if there is none."""
        return self._names.get(name.upper())

    def ids(self) -> frozenset[str]:
        """All ids."""
        return frozenset(bot.id for bot in self._bots)

    def by_category(self, category: str) -> tuple[Bot, ...]:
        """The bots of one of :data:`CATEGORIES`; none for anything else."""
        return tuple(bot for bot in self._bots if category in bot.categories)

    def _named(self, agent: str) -> tuple[Bot, ...]:
        """The bots in an agent, or in each of several that a WSGI server has joined with commas (PEP 3333)."""
        found = self._search(agent)
        if not found and agent.count(",") > agent.count(", like Gecko"):
            found = {number for part in _outside_comments(agent) for number in self._search(part)}
        return tuple(self._bots[number] for number in sorted(found))

    def _search(self, agent: str) -> set[int]:
        framed = frame(agent)
        keys = {framed[at : at + GRAM] for at in range(len(framed) - GRAM + 1)} & self._keys
        return {self._claims[number][0] for number in self._candidates(keys) if self._is_made(number, agent, framed)}

    def _candidates(self, keys: set[str]) -> Iterator[int]:
        for key in keys:
            yield from self._index[key]
        yield from self._always

    def _is_made(self, number: int, agent: str, framed: str) -> bool:
        claim = self._parsed.get(number)
        if claim is None:
            claim = self._parsed[number] = _parsed(self._claims[number])
        return claim.is_made_by(agent, framed)


def _outside_comments(agent: str) -> list[str]:
    """The parts between commas that stand in no parentheses; a bounded number of them."""
    parts, depth = [""], 0
    for character in agent:
        depth = max(0, depth + (character == "(") - (character == ")"))
        if character == "," and not depth:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts[:_MOST_PARTS]]


def _bots(registry: Mapping[str, Any]) -> Iterator[Bot]:
    categories = [frozenset(names) for names in registry["categories"]]
    for name, category, token, masks, ranges, *_ in registry["bots"]:
        yield Bot(name, categories[category], tuple(masks), tuple(ranges), token)


def _names(row: Sequence[Any]) -> Iterator[str]:
    yield row[0]
    yield from row[5:]


def _by_key(claims: Sequence[Sequence[Any]]) -> dict[str, tuple[int, ...]]:
    """The numbers of the claims by the 4-gram that each is filed under; under "" those that have none."""
    index: dict[str, tuple[int, ...]] = {}
    for number, (_bot, key, *_) in enumerate(claims):
        index[key] = (*index.get(key, ()), number)
    return index


def _parsed(row: Sequence[Any]) -> _Claim:
    bot, _key, all_of, none_of = row
    return _Claim(bot, tuple(map(parse, all_of)), tuple(map(parse, none_of)))
