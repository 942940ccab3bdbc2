"""A list of four bots, an examiner that is told what it finds, and bot rules that are driven by hand."""

from __future__ import annotations

import ipaddress
from collections.abc import Generator, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from doorward import RequestContext
from doorward.address_facts import AddressFacts
from doorward.effects import DnsAnswer, Effect
from doorward.rules.base import Outcome, View
from doorward.rules.bots import BotRule, VerifyingBotRule

HERE = "66.249.66.1"
CRAWL_HOST = "crawl-66-249-66-1.googlebot.com"
REVERSE = "1.66.249.66.in-addr.arpa"
NO_SUCH_NAME = DnsAnswer(False)


class Listed(NamedTuple):
    """A bot of the list."""

    id: str
    categories: frozenset[str] = frozenset()
    masks: tuple[str, ...] = ()
    ranges: tuple[str, ...] = ()
    token: str = ""


GOOGLE = Listed(
    "GOOGLE_CRAWLER",
    frozenset({"GOOGLE", "SEARCH_ENGINE"}),
    ("crawl-***-***-***-***.googlebot.com",),
    ("googlebot",),
    "Googlebot",
)
BING = Listed("BING_CRAWLER", frozenset({"MICROSOFT", "SEARCH_ENGINE"}), ("@.search.msn.com",), (), "bingbot")
GPT = Listed("OPENAI_CRAWLER", frozenset({"AI"}), (), ("gptbot",), "GPTBot")
CURL = Listed("CURL", frozenset({"PROGRAMMATIC"}), token="curl")
FOUR = (GOOGLE, BING, GPT, CURL)


class Names:
    """Finds a bot where its token is part of the agent."""

    def __init__(self, bots: Iterable[Listed] = FOUR) -> None:
        self.all = {bot.id: bot for bot in bots}

    def find(self, agent: str) -> Sequence[Listed]:
        return [bot for bot in self.all.values() if bot.token and bot.token.lower() in agent.lower()]

    def ids(self) -> Iterable[str]:
        return list(self.all)

    def by_category(self, category: str) -> Sequence[Listed]:
        return [bot for bot in self.all.values() if category in bot.categories]

    def bot(self, name: str) -> Listed | None:
        return self.all.get(name)


class Piece(NamedTuple):
    """A finding."""

    weight: float
    reason: str


class Report(NamedTuple):
    """An examination."""

    findings: tuple[Piece, ...] = ()
    agents: tuple[str, ...] = ()

    @property
    def automated(self) -> bool:
        return sum(piece.weight for piece in self.findings) >= 1


class Examiner:
    """Finds what it is told to, and remembers how it was asked."""

    def __init__(self, *reasons: str) -> None:
        self.report = Report(tuple(Piece(1.0, reason) for reason in reasons))
        self.ordered: list[bool] = []

    def examine(self, request: RequestContext, *, ordered: bool = False) -> Report:
        self.ordered.append(ordered)
        agents = [agent.strip() for agent in request.header_values("user-agent")]
        return self.report._replace(agents=tuple(dict.fromkeys([agent for agent in agents if agent])))


class Known:
    """Says the same of every address, but that it knows reserved ones."""

    def __init__(self, *ranges: str, data: Iterable[str] = ("googlebot", "gptbot")) -> None:
        names: Mapping[str, tuple[str, ...]] = {"crawler": ranges} if ranges else {}
        self.facts = AddressFacts(frozenset({"crawler", *[f"crawler:{name}" for name in data]}), names)

    def about(self, address: str) -> AddressFacts:
        if address and not ipaddress.ip_address(address).is_global:
            return self.facts._replace(names={**self.facts.names, "reserved": ("private-use",)})
        return self.facts


def rule(
    *,
    allow: Iterable[str] | None = None,
    deny: Iterable[str] | None = None,
    examiner: Examiner | None = None,
    bots: Names | None = None,
    verifying: bool = True,
    **options: Any,
) -> BotRule:
    return (VerifyingBotRule if verifying else BotRule)(
        allow=None if allow is None else tuple(allow),
        deny=None if deny is None else tuple(deny),
        examiner=examiner or Examiner(),
        bots=bots or Names(),
        **options,
    )


def view(*agents: str, ip: str = HERE, known: Known | None = None, **request: Any) -> View:
    lines = [("Host", "example.com"), *[("User-Agent", agent) for agent in agents]]
    return View(RequestContext(headers=lines, peer=ip, **request), ip, {}, {}, known or Known())


class Told(NamedTuple):
    """What a rule asked for, and what it came to."""

    asked: list[Effect]
    outcome: Outcome


def tell(rule: BotRule, view: View, *answers: Any) -> Told:
    """Evaluate a rule; answer what it asks, in turn. An exception among the answers is thrown in."""
    asked: list[Effect] = []
    steps = rule.evaluate(view)
    if not isinstance(steps, Generator):
        return Told(asked, steps)
    waiting = list(answers)
    try:
        asked.append(next(steps))
        while True:
            answer = waiting.pop(0)
            asked.append(steps.throw(answer) if isinstance(answer, Exception) else steps.send(answer))
    except StopIteration as stop:
        assert not waiting, f"never asked for {waiting}"
        return Told(asked, stop.value)
