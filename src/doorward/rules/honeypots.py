"""Honeypots: paths that nothing leads to, so that who asks for them is looking for holes.

A good crawler never falls in where robots.txt disallows them: :func:`doorward.robots.robots_txt` takes the rule.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, TypedDict, Unpack

from doorward.decision import Conclusion, Mode
from doorward.duration import seconds
from doorward.effects import AskStore
from doorward.errors import ConfigurationError
from doorward.ids import rule_id
from doorward.neighbours import network_of
from doorward.patterns import RouteMatcher
from doorward.reason import Reason, RuleReason
from doorward.rules.base import NO_PARTS, Outcome, Phase, Rule, number, positive

if TYPE_CHECKING:
    from collections.abc import Generator
    from datetime import date, timedelta

    from doorward.context import RequestContext
    from doorward.effects import Effect
    from doorward.ids import Field
    from doorward.rules.base import OnError, Steps, View

DEFAULT_FOR = "1h"
MOST_NEIGHBOURS = 64
"""Addresses that are remembered of one network."""
REGEX = ("re:", "regex:")
_KEY_DIGITS = 16


@dataclass(frozen=True, kw_only=True)
class HoneypotRule(Rule):
    """Denies requests for the traps, and what else their clients send, for a while.

    Attributes:
        traps: Patterns of paths, as in :mod:`doorward.patterns`; in any case.
        hits: Requests for traps that are enough.
        lasts: Seconds for which a client is refused.
    """

    kind: ClassVar[str] = "HONEYPOT"
    phase: ClassVar[Phase] = Phase.ACCESS
    sums_up: ClassVar[bool] = True

    traps: tuple[str, ...] = ()
    hits: int = 1
    lasts: float = 3600.0
    _trap: RouteMatcher = field(init=False, repr=False, compare=False)
    _idle: Outcome = field(init=False, repr=False, compare=False)
    _caught: Outcome = field(init=False, repr=False, compare=False)
    _lured: Outcome = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        # A regular expression is left as it is: \D in lower case is another one.
        lowered = [trap if trap.lower().startswith(REGEX) else trap.lower() for trap in self.traps]
        set_once = object.__setattr__
        set_once(
            self, "_trap", RouteMatcher(list(dict.fromkeys([*self.traps, *lowered])), field="traps", overlong=True)
        )
        set_once(self, "_idle", Outcome(Conclusion.ALLOW, RuleReason(self.name, "no trap")))
        if self.names("GET", "/"):
            raise ConfigurationError("honeypot", "has a trap that is for '/' too, which everybody asks for")
        caught = Outcome(Conclusion.DENY, RuleReason(self.name, "the path is a trap"))
        set_once(self, "_lured", caught)
        set_once(self, "_caught", caught._replace(suspicion=1.0))

    @property
    def threshold(self) -> float:
        """The sum at which the client is refused."""
        return float(self.hits)

    @property
    def window(self) -> float:
        """Seconds over which hits add up, and for which the client is then refused."""
        return self.lasts

    def usual(self) -> Outcome:
        """No trap."""
        return self._idle

    def parts(self) -> frozenset[str]:
        """The path alone."""
        return NO_PARTS

    def names(self, method: str, path: str) -> bool:
        """Whether the path is a trap: then no default exemption hides it."""
        return any([self._trap.match(method, each) is not None for each in {path, path.lower()}])

    def is_trap(self, request: RequestContext) -> bool:
        """Whether a request is for one of the traps."""
        return self.names(request.method, request.path)

    def evaluate(self, view: View) -> Outcome | Steps:
        """Whether the request is for a trap; without consequences, where a browser was made to send it."""
        if not self.is_trap(view.request):
            return self._idle
        return self._lured if nobody_asked_for(view.request) else self._caught

    def barred(self, seconds: float) -> Reason:
        """That it was in a trap."""
        return RuleReason(self.name, "the client asked for a trap before", 0.0, seconds)

    def rule_id(self, mode: Mode) -> str:
        """Of the traps, and what follows."""
        own: list[Field] = [("traps", sorted(self.traps)), ("hits", str(self.hits)), ("lasts", f"{self.lasts:g}")]
        return rule_id([*self.fields(mode), *own, *self.effect()])

    def effect(self) -> list[Field]:
        """What else follows, as fields of its id."""
        return []


@dataclass(frozen=True, kw_only=True)
class WeighingHoneypot(HoneypotRule):
    """Denies requests for the traps, and adds weight to what else their clients, and these' neighbours, send.

    Reads one value of the store for each request: who was caught in the client's network.

    Attributes:
        weight: Of a client that was caught.
        network_weight: Of others in its network.
    """

    sums_up: ClassVar[bool] = False
    waits: ClassVar[bool] = True

    weight: float = 0.0
    network_weight: float = 0.0

    def usual(self) -> Outcome | None:  # type: ignore[override]
        """None: it asks the store."""
        return None

    def evaluate(self, view: View) -> Outcome | Steps:
        """Look whether the client is known, or make it so."""
        return self._steps(view)

    def _steps(self, view: View) -> Generator[Effect, Any, Outcome]:
        network = network_of(view.ip)
        if self.is_trap(view.request) and nobody_asked_for(view.request):
            return self._lured
        if not network:
            return self._caught if self.is_trap(view.request) else self._idle
        key = f"honeypot:{self.rule_id(Mode.LIVE)[-_KEY_DIGITS:]}:{_short(network)}"
        held = yield AskStore("get", (key,))
        caught = held.split(b" ") if isinstance(held, bytes) else []
        own = _short(view.ip).encode()
        if self.is_trap(view.request):
            if caught.count(own) >= self.hits:  # more of its hits would only push its neighbours out
                caught.remove(own)
            yield AskStore("put", (key, b" ".join([*caught, own][-MOST_NEIGHBOURS:]), self.lasts))
            return self._caught
        if not caught:
            return self._idle
        of_client = caught.count(own) >= self.hits
        weight = self.weight if of_client else self.network_weight
        whose = "the client" if of_client else "a neighbour of the client"
        return Outcome(
            Conclusion.ALLOW, RuleReason(self.name, f"{whose} asked for a trap before", weight), weight=weight
        )

    def effect(self) -> list[Field]:
        """The weights."""
        return [("weight", f"{self.weight:g}"), ("network_weight", f"{self.network_weight:g}")]


class HoneypotOptions(TypedDict, total=False):
    """What a honeypot takes of what every rule takes: its paths are the traps, and its clients known by address."""

    mode: Mode | str | None
    name: str
    on_error: OnError | None
    dry_run_since: date | str | None


def honeypot(
    *traps: str,
    lasts: str | float | timedelta = DEFAULT_FOR,
    hits: int = 1,
    weight: float | None = None,
    network_weight: float | None = None,
    **options: Unpack[HoneypotOptions],
) -> HoneypotRule:
    """Lay traps: paths that no page leads to and no person asks for.

    A request for one is denied. Without ``weight`` the client is then refused everything for a while, as if banned;
    with it, its requests weigh more, and what follows is said by ``thresholds``.

    **Disallow the traps in robots.txt** (``robots_txt(…, honeypots=[rule])``), or good crawlers fall in; and link to
    none, since browsers fetch links ahead.

    Args:
        *traps: Patterns such as ``"/wp-admin/*"`` and ``"/.env"``, in any case; only paths that are not yours.
        lasts: For how long that is held against the client, from its last hit on.
        hits: Requests for traps that are enough.
        weight: What is added to the requests of a client that was caught, in the place of refusing it.
        network_weight: What is added to those of its network (its /24, or /48); a quarter of ``weight`` by default.
        **options: ``mode``, ``name``, ``on_error``, ``dry_run_since``, as of every rule.

    Raises:
        ConfigurationError: An argument is wrong.
    """
    if not traps or not all([isinstance(trap, str) for trap in traps]):
        raise ConfigurationError("traps", f"must be paths such as '/.env', not {traps!r}")
    positive(hits, "hits", MOST_NEIGHBOURS // 2)
    for each in ("paths", "methods", "characteristics"):
        if each in options:
            raise ConfigurationError(each, "is not for honeypots: a client that was caught is known by its address")
    duration = seconds(lasts, "lasts")
    if not 0 < duration <= 30 * 86400:
        raise ConfigurationError("lasts", f"must be over 0 and at most 30 days, not {lasts!r}")
    common: Any = {
        "name": "honeypot",
        **options,
        "characteristics": ("ip.src",),
        "traps": traps,
        "hits": hits,
        "lasts": duration,
    }
    if weight is None:
        if network_weight is not None:
            raise ConfigurationError("network_weight", "is for honeypots with weight")
        return HoneypotRule(**common)
    own = number(weight, "weight", "a number from 0")
    near = own / 4 if network_weight is None else number(network_weight, "network_weight", "a number from 0")
    return WeighingHoneypot(weight=own, network_weight=near, **common)


def nobody_asked_for(request: RequestContext) -> bool:
    """Whether a browser says that a page of another site, a part of any page, or its own foresight is behind a request.

    A picture, a link or a redirect of anybody's may have its visitors ask for a trap, and so may a picture in what
    somebody has written here: they are not to be banned for it. A program that sends these headers is refused each
    time, and no more (Fetch Metadata, W3C; ``Sec-Purpose`` of Fetch, and what browsers sent before it).
    """
    get = request.headers.get
    if get("sec-fetch-site") in ("cross-site", "same-site") or get("sec-fetch-dest") not in ("", "document", "empty"):
        return True
    return any(["prefetch" in get(name) for name in ("sec-purpose", "purpose", "x-moz")])


def _short(text: str) -> str:
    # Stores hold no addresses.
    return hashlib.sha256(text.encode()).hexdigest()[:_KEY_DIGITS]
