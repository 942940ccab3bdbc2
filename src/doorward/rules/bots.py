"""The bot rule: automated clients by what they call themselves, by what gives them away, and by where they come from.

A client is a bot when its ``User-Agent`` names one, or when evidence of automation adds up; such a one is
``UNKNOWN_BOT``, of the category UNKNOWN. A name that an operator lets be verified is worth what the client's address
says about it: see :mod:`doorward.rules.verification`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

from doorward.decision import Conclusion, State
from doorward.errors import ResolverError
from doorward.reason import BotReason
from doorward.rules.base import Outcome, Phase, Rule
from doorward.rules.verification import Claimed, Standing, ask_dns, is_verifiable, share_proof, stands

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence

    from doorward.context import RequestContext
    from doorward.decision import Mode, RuleResult
    from doorward.effects import Effect
    from doorward.ids import Field
    from doorward.rules.base import Steps, View


class BotCategory(StrEnum):
    """What bots are for, or whose they are: the names of Arcjet's public list."""

    ACADEMIC = "CATEGORY:ACADEMIC"
    ADVERTISING = "CATEGORY:ADVERTISING"
    AI = "CATEGORY:AI"
    AMAZON = "CATEGORY:AMAZON"
    APPLE = "CATEGORY:APPLE"
    ARCHIVE = "CATEGORY:ARCHIVE"
    BOTNET = "CATEGORY:BOTNET"
    FEEDFETCHER = "CATEGORY:FEEDFETCHER"
    GOOGLE = "CATEGORY:GOOGLE"
    META = "CATEGORY:META"
    MICROSOFT = "CATEGORY:MICROSOFT"
    MONITOR = "CATEGORY:MONITOR"
    OPTIMIZER = "CATEGORY:OPTIMIZER"
    PREVIEW = "CATEGORY:PREVIEW"
    PROGRAMMATIC = "CATEGORY:PROGRAMMATIC"
    SEARCH_ENGINE = "CATEGORY:SEARCH_ENGINE"
    SLACK = "CATEGORY:SLACK"
    SOCIAL = "CATEGORY:SOCIAL"
    TOOL = "CATEGORY:TOOL"
    UNKNOWN = "CATEGORY:UNKNOWN"
    VERCEL = "CATEGORY:VERCEL"
    WEBHOOK = "CATEGORY:WEBHOOK"
    YAHOO = "CATEGORY:YAHOO"


UNKNOWN_BOT = "UNKNOWN_BOT"
"""The id of whatever is automated and has no name."""

CATEGORY = "CATEGORY:"
MISSING_USER_AGENT = "it sends no User-Agent"
TWO_USER_AGENTS = "it sends User-Agent lines that contradict each other"
NOT_VERIFIABLE = "its operator publishes nothing that could verify it"


class Bot(Claimed, Protocol):
    """What the rule has to know about a bot."""

    @property
    def categories(self) -> frozenset[str]:
        """Names of :class:`BotCategory`."""
        ...

    @property
    def token(self) -> str:
        """What it is called in robots.txt; empty when that is not known."""
        ...


class BotList(Protocol):
    """Bots by their names."""

    def find(self, agent: str) -> Sequence[Bot]:
        """The bots that a ``User-Agent`` names."""
        ...

    def ids(self) -> Iterable[str]:
        """The ids of all."""
        ...

    def by_category(self, category: str) -> Sequence[Bot]:
        """The bots of a category."""
        ...

    def bot(self, name: str) -> Bot | None:
        """The bot with an id."""
        ...


class Finding(Protocol):
    """One piece of evidence."""

    @property
    def weight(self) -> float:
        """How much it says."""
        ...

    @property
    def reason(self) -> str:
        """What it is, as an English sentence part free of the client's own bytes."""
        ...


class Examination(Protocol):
    """What evidence there is."""

    @property
    def findings(self) -> Sequence[Finding]:
        """Piece by piece."""
        ...

    @property
    def agents(self) -> Sequence[str]:
        """The client's different user agents, each bounded in length; none that is empty."""
        ...

    @property
    def automated(self) -> bool:
        """Whether it adds up."""
        ...


class Examines(Protocol):
    """Looks for evidence of automation."""

    def examine(self, request: RequestContext, *, ordered: bool = ...) -> Examination:
        """What gives a request away; ``ordered`` when the header lines are in the order in which they came."""
        ...


class CouldNotCheck(ResolverError):
    """Nobody could say whether an allowed bot is what it claims to be; ``on_error`` says what follows.

    Args:
        message: What could not be checked, and why.
        reason: What the rule found otherwise. The bots are allowed in it, and neither verified nor spoofed.
    """

    def __init__(self, message: str, reason: BotReason) -> None:
        super().__init__(message)
        self.reason = reason


class _Unnamed(NamedTuple):
    id: str = UNKNOWN_BOT
    categories: frozenset[str] = frozenset({BotCategory.UNKNOWN.name})
    masks: tuple[str, ...] = ()
    ranges: tuple[str, ...] = ()
    token: str = ""


class _Found(NamedTuple):
    bots: tuple[Bot, ...]
    evidence: tuple[str, ...]


_UNNAMED: Bot = _Unnamed()
_TOOLS = frozenset({BotCategory.PROGRAMMATIC.name, BotCategory.TOOL.name})
_PERSON = Outcome(Conclusion.ALLOW, BotReason())
_NO_ADDRESS = "the client's address is not known"
_NO_RANGES = "there is no data about its operator's ranges; what brings it: doorward data update"


@dataclass(frozen=True, kw_only=True)
class BotRule(Rule):
    """Lets listed bots pass, or keeps listed bots out. Made by :func:`doorward.detect_bot`, which checks the names.

    Attributes:
        allow: Ids and ``CATEGORY:…`` of the bots that pass; None for a rule that denies.
        deny: Ids and ``CATEGORY:…`` of those that do not; None for a rule that allows.
        verified_only: Whether only bots pass that can be verified.
        examiner: Looks for evidence.
        bots: Knows bots by name; None to go by evidence alone.
    """

    kind: ClassVar[str] = "BOT"
    phase: ClassVar[Phase] = Phase.LOCAL
    effort: ClassVar[int] = 20

    allow: tuple[str, ...] | None = None
    deny: tuple[str, ...] | None = None
    verified_only: bool = False
    examiner: Examines = field(repr=False, compare=False)
    bots: BotList | None = field(default=None, repr=False, compare=False)
    _listed: frozenset[str] = field(default=frozenset(), init=False, repr=False, compare=False)
    _categories: frozenset[str] = field(default=frozenset(), init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        listed = frozenset((self.deny if self.allow is None else self.allow) or ())
        categories = frozenset(name.removeprefix(CATEGORY) for name in listed if name.startswith(CATEGORY))
        object.__setattr__(self, "_listed", listed)
        object.__setattr__(self, "_categories", categories)

    def fields(self, mode: Mode) -> list[Field]:
        """As Arcjet's; ``lists`` and all after it are ours, and there only when they are not the default."""
        ours: list[Field] = [] if self.bots is not None else [("lists", False)]
        ours += [("verified_only", True)] if self.verified_only else []
        routes = [self.match_field()] if self.paths or self.methods else []
        return [*super().fields(mode), ("allow", self.allow or ()), ("deny", self.deny or ()), *ours, *routes]

    def usual(self) -> Outcome:
        """A person."""
        return _PERSON

    def reads(self) -> frozenset[str]:
        """Which addresses are crawlers', and the published sets that alone can verify a bot that may pass."""
        sets = {f"crawler:{name}" for bot in self.passing() if not bot.masks for name in bot.ranges}
        return frozenset(sets | {"crawler"} if self.bots is not None else sets)

    def passing(self) -> list[Bot]:
        """The bots that the rule lets pass by name; none for a rule that denies, which verifies nobody."""
        return self.listed_bots() if self.allow is not None else []

    def listed_bots(self) -> list[Bot]:
        """The bots that the rule's lists name, in the order of their ids."""
        bots = self.bots
        if bots is None:
            return []
        known = [bot for name in self._categories for bot in bots.by_category(name)]
        known += [bot for name in self._listed if (bot := bots.bot(name)) is not None]
        return sorted({bot.id: bot for bot in known}.values(), key=_id)

    def passes(self, bot: Bot) -> bool:
        """Whether the lists let a bot pass, if it is what it claims to be."""
        return self._lists(bot) is (self.allow is not None) and (not self.verified_only or is_verifiable(bot))

    def refused(self, bots: Sequence[Bot]) -> list[Bot]:
        """Of the bots that one agent names, those that the lists refuse if all are what they claim to be.

        With ``allow``, a bot that passes lets others in the same agent pass: the tools that it is made with, and bots
        that the same address proves, which are one crawler by several names. A liar gains nothing by it, who could
        as well leave the other names out.
        """
        refused = [bot for bot in bots if not self.passes(bot)]
        if self.allow is None:
            return refused
        passing = [bot for bot in bots if bot not in refused and bot is not _UNNAMED]
        return [bot for bot in refused if not any([_goes_with(bot, other) for other in passing])]

    def _lists(self, bot: Bot) -> bool:
        return bot.id in self._listed or not self._categories.isdisjoint(bot.categories)

    def evaluate(self, view: View) -> Outcome | Steps:
        """Find bots, and judge them; a client that shows no sign of automation passes."""
        request = view.request
        examined = self.examiner.examine(request, ordered=request.as_sent)
        agents = examined.agents
        if len(agents) != 1:
            return self._conclude(view, self._without_one_agent(agents))
        if self.bots is not None and (named := self.bots.find(agents[0])):
            return self._conclude(view, _called(named))
        if not examined.automated:
            return _PERSON
        return self._conclude(view, _Found((_UNNAMED,), tuple([finding.reason for finding in examined.findings])))

    def _without_one_agent(self, agents: Sequence[str]) -> _Found:
        """What is found in several different agents, or in none."""
        if not agents:
            return _Found((_UNNAMED,), (MISSING_USER_AGENT,))
        named = _called([bot for agent in agents for bot in self.bots.find(agent)] if self.bots is not None else ())
        return _Found((*named.bots, _UNNAMED), (*named.evidence, TWO_USER_AGENTS))

    def _conclude(self, view: View, found: _Found) -> Outcome | Steps:
        return self._outcome(view, found, self._standings(view, found))

    def _standings(self, view: View, found: _Found) -> dict[str, Standing]:
        """How each claim stands by what is known here."""
        claims = [bot for bot in found.bots if is_verifiable(bot)]
        if not claims:
            return {}
        facts = view.addresses.about(view.ip)
        return {bot.id: stands(bot, view.ip, facts) for bot in claims}

    def _denied(self, found: _Found, standings: dict[str, Standing]) -> list[Bot]:
        refused = self.refused(found.bots)
        if self.allow is None:
            return refused
        return [bot for bot in found.bots if bot in refused or standings.get(bot.id) is Standing.SPOOFED]

    def _outcome(self, view: View, found: _Found, standings: dict[str, Standing], failure: str = "") -> Outcome:
        """What the rule comes to.

        Raises:
            CouldNotCheck: All would pass, and nobody could say whether one of them is what it claims to be.
        """
        reason = self._reason(found, standings)
        if reason.denied:
            return Outcome(Conclusion.DENY, reason)
        unknown = sorted(name for name, standing in standings.items() if standing is Standing.UNKNOWN)
        if unknown and self.allow is not None:
            why = failure or (_NO_RANGES if view.ip else _NO_ADDRESS)
            raise CouldNotCheck(f"could not check {', '.join(unknown)}: {why}", reason)
        return Outcome(Conclusion.ALLOW, reason)

    def _reason(self, found: _Found, standings: dict[str, Standing]) -> BotReason:
        denied = self._denied(found, standings)
        allowed = [bot for bot in found.bots if bot not in denied]
        spoofed = sorted(name for name, standing in standings.items() if standing is Standing.SPOOFED)
        certain = {standing for standing in standings.values() if standing is not Standing.UNVERIFIABLE}
        return BotReason(
            allowed=self._names(allowed, listed=self.allow is not None),
            denied=self._names(denied, listed=self.allow is None),
            verified=certain == {Standing.VERIFIED},
            spoofed=bool(spoofed),
            evidence=(*found.evidence, *[f"its address is none of {name}'s" for name in spoofed], *self._why(denied)),
        )

    def _why(self, denied: Sequence[Bot]) -> tuple[str, ...]:
        listed = self.verified_only and any([self._lists(bot) and not is_verifiable(bot) for bot in denied])
        return (NOT_VERIFIABLE,) if listed else ()

    def _names(self, bots: Sequence[Bot], *, listed: bool) -> tuple[str, ...]:
        """Ids, and the categories that the rule lists and that matched: as Arcjet reports them, in a fixed order."""
        categories = {name for bot in bots for name in bot.categories & self._categories} if listed else set[str]()
        return (*[bot.id for bot in bots], *[CATEGORY + name for name in sorted(categories)])


@dataclass(frozen=True, kw_only=True)
class VerifyingBotRule(BotRule):
    """A bot rule that asks the DNS, where only that can tell whether a bot that may pass is what it claims to be.

    A class of its own, because other rules never wait: a client with such a rule takes a longer way to its decision.
    """

    waits: ClassVar[bool] = True
    looks_up: ClassVar[bool] = True
    remote: ClassVar[bool] = True

    def _conclude(self, view: View, found: _Found) -> Outcome | Steps:
        standings = self._standings(view, found)
        open_claim = self.allow is not None and Standing.ASK_DNS in standings.values()
        if not open_claim or self._denied(found, standings):
            return self._outcome(view, found, standings)
        return self._verified(view, found, standings)

    def _verified(self, view: View, found: _Found, standings: dict[str, Standing]) -> Generator[Effect, Any, Outcome]:
        asked = [bot for bot in found.bots if standings.get(bot.id) is Standing.ASK_DNS]
        checks = yield from ask_dns(asked, view.ip)
        return self._outcome(view, found, {**standings, **checks.standings}, checks.failure)


def is_spoofed_bot(result: RuleResult) -> bool:
    """Whether a live bot rule found that the client claims to be a bot that it is not."""
    return _ran(result) and isinstance(result.reason, BotReason) and result.reason.spoofed


def is_verified_bot(result: RuleResult) -> bool:
    """Whether a live bot rule found that the client is the bot that it claims to be."""
    return _ran(result) and isinstance(result.reason, BotReason) and result.reason.verified


def is_missing_user_agent(result: RuleResult) -> bool:
    """Whether a live bot rule found that the client sends no ``User-Agent``, or an empty one."""
    return _ran(result) and isinstance(result.reason, BotReason) and MISSING_USER_AGENT in result.reason.evidence


def _ran(result: RuleResult) -> bool:
    return result.state is not State.DRY_RUN


def _called(bots: Iterable[Bot]) -> _Found:
    named = tuple(sorted({bot.id: bot for bot in bots}.values(), key=_id))
    return _Found(named, (f"its User-Agent names {', '.join([bot.id for bot in named])}",) if named else ())


def _goes_with(bot: Bot, other: Bot) -> bool:
    return not _TOOLS.isdisjoint(bot.categories) or share_proof(bot, other)


def _id(bot: Bot) -> str:
    return bot.id
