"""Visitors that several applications find suspicious, and bans that hold for all applications.

**How it adds up.** What each decision and each report says about a visitor has a weight. An application whose weights
for one visitor (an address; of IPv6 a /64) come to ``threshold`` within ``window`` finds it suspicious. When ``sites``
different applications do within one window, the visitor is banned for ``ban``: the next Decide of any application is
refused, whatever rules it carries. A ban adds no weight to anything, so that it does not prolong itself.

**What an application can do to others.** A key is all that it takes to send decisions and reports about anybody, so:

- One application counts once, however much it sends, repeats or makes up: it alone never bans anybody. Two that lie
  together do; raise ``sites`` where keys are in the hands of people who do not trust each other.
- Limits, bot rules and e-mail rules are about what *that* application wants: a monitor that two applications refuse
  may be welcome at a third, and a limit may be set too low. Together they make up at most half of a threshold: nobody
  is banned without having attacked, or having claimed to be a crawler that it is not.
- Dry runs, remembered refusals and errors count for nothing.
- Loopback, private, link-local and carriers' shared addresses (RFC 6598) never count: behind them are everybody's
  visitors, as an application sees them whose proxies are not configured. Neither do published addresses of crawlers,
  which follow links to attacks that others have laid out, and of privacy relays, which stand for many people.
- What another web site made the visitor's browser send (``Sec-Fetch-Site: cross-site``, Fetch Metadata, W3C) says
  nothing about the visitor: or a page with pictures whose addresses are attacks would have its readers banned. Who
  attacks and sends that header by hand is refused by each application all the same.

Everything is in the shared store, under hashes of addresses but for the text that a page shows beside a ban.
"""

from __future__ import annotations

import hashlib
import json
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any, NamedTuple

from doorward import admin
from doorward.clock import NANOSECONDS
from doorward.decision import Conclusion, State
from doorward.effects import Algorithm, AskStore, CountHits, Failed, Gather, Hit
from doorward.errors import ConfigurationError
from doorward.fingerprint import IP, Fingerprint, Identity
from doorward.forwarded import canonical, network_prefix
from doorward.printable import printable
from doorward.reason import BotReason, EmailReason, RateLimitReason, ShieldReason
from doorward.service.server.ports import ServiceBan

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence

    from doorward.address_facts import AddressFacts
    from doorward.context import RequestContext
    from doorward.decision import RuleResult
    from doorward.effects import Effect
    from doorward.runtime import Runtime

SERVICE = "@service"
"""What the service's own keys in the store begin with; no site's name does."""

SHIELD_DENIES = SPOOFED = 1.0
BOT_DENIED, LIMIT_DENIES, EMAIL_DENIED = 0.5, 0.2, 0.1
SUSPICIOUS = 0.3
"""Of a report that says so and nothing more."""
_WEAK_SHARE = 0.5
_MOST_BANS = 1_000
_AT_ONCE = 100
_LONGEST_BAN = 366 * 86_400
_LONGEST_WHY = 200
_DIGITS = 6

_SHARED_ADDRESSES = tuple(
    ip_network(text)
    for text in (
        *("0.0.0.0/8", "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"),
        *("100.64.0.0/10", "224.0.0.0/3", "::/127", "fc00::/7", "fe80::/10", "ff00::/8"),
    )
)


class Reputation(NamedTuple):
    """How suspicion of several applications adds up.

    Attributes:
        on: Whether it bans anybody; False only leaves the bans of operators.
        sites: Different applications that have to find a visitor suspicious.
        threshold: Sum of weights at which one does.
        window: Seconds within which they have to.
        ban: Seconds for which the visitor is then refused.
    """

    on: bool = True
    sites: int = 2
    threshold: float = 3.0
    window: float = 600.0
    ban: float = 3600.0


class Weight(NamedTuple):
    """What one decision says about a visitor: attacks and lies, and all else."""

    strong: float = 0.0
    weak: float = 0.0

    def __bool__(self) -> bool:
        return self.strong > 0 or self.weak > 0


def weigh(results: Iterable[RuleResult]) -> Weight:
    """What the results of one request say about a visitor: the heaviest of each kind, at most 1 each."""
    strong = weak = 0.0
    for result in results:
        if result.state is not State.RUN:
            continue
        reason, denied = result.reason, result.conclusion is Conclusion.DENY
        if isinstance(reason, ShieldReason):
            strong = max(strong, _of_shield(reason, denied=denied))
        elif isinstance(reason, BotReason) and reason.spoofed:
            strong = max(strong, SPOOFED)
        elif denied:
            weak = max(weak, _WEAK.get(type(reason), 0.0))
    return Weight(min(strong, 1.0), min(weak, 1.0))


_WEAK: dict[type, float] = {BotReason: BOT_DENIED, RateLimitReason: LIMIT_DENIES, EmailReason: EMAIL_DENIED}


def _of_shield(reason: ShieldReason, *, denied: bool) -> float:
    if denied or reason.shield_triggered:
        return SHIELD_DENIES
    return (reason.weight or SUSPICIOUS) if reason.suspicious else 0.0


def may_count(request: RequestContext, ip: str, facts: AddressFacts) -> bool:
    """Whether an address can gain a reputation by a request: see the module's text."""
    if "cross-site" in request.header_values("sec-fetch-site"):
        return False
    if not ip or facts.is_kind("crawler") or facts.is_kind("relay"):
        return False
    address = ip_address(ip)
    return not any(address.version == network.version and address in network for network in _SHARED_ADDRESSES)


class Reputations:
    """Adds suspicion up, and bans. Its methods are flows of effects.

    Args:
        runtime: Store and clock; its own ban is the one that every engine asks about.
        settings: What leads to a ban.

    Raises:
        ConfigurationError: A setting is out of range.
    """

    def __init__(self, runtime: Runtime, settings: Reputation) -> None:
        self._runtime = runtime
        self.settings = _checked(settings)
        self._identity = Identity((IP,), ipv6_prefix=runtime.settings.ipv6_prefix)

    def note(self, site: str, ip: str, weight: Weight) -> Generator[Effect, Any, bool]:
        """An application has found something; whether that has led to a ban.

        Args:
            site: The beginning of its keys.
            ip: The visitor's address, canonical; one that :func:`may_count`.
            weight: Of what it found.

        Raises:
            StoreError: The store does not answer.
        """
        settings = self.settings
        if not (settings.on and weight):
            return False
        name = self._of(ip).short
        weak = yield from self._weak_part(site, name, weight.weak)
        if weight.strong + weak <= 0:
            return False
        key = f"{SERVICE}:seen:{name}:{site}"
        total: float = yield AskStore("tally", (key, weight.strong + weak, settings.window))
        if round(total, _DIGITS) < settings.threshold or not (yield from self._is_last(site, name)):
            return False
        why = f"{settings.sites} applications found it suspicious"
        yield from self.ban(ip, settings.ban, why)
        self._runtime.journal.count("reputation.ban")
        return True

    def _weak_part(self, site: str, name: str, weight: float) -> Generator[Effect, Any, float]:
        """How much of what speaks but weakly against a visitor still counts."""
        if weight <= 0:
            return 0.0
        most = self.settings.threshold * _WEAK_SHARE
        key = f"{SERVICE}:weak:{name}:{site}"
        total: float = yield AskStore("tally", (key, weight, self.settings.window))
        return min(weight, max(0.0, most - (total - weight)))

    def _is_last(self, site: str, name: str) -> Generator[Effect, Any, bool]:
        """Whether this application is the last of those that it takes."""
        settings = self.settings
        # The mark outlives the window in which it is counted, so that no application is counted twice in one.
        is_new = yield AskStore("add_if_absent", (f"{SERVICE}:mark:{name}:{site}", settings.window * 1.1 + 1))
        if not is_new:
            return False
        interval = int(settings.window * NANOSECONDS)
        hit = Hit(f"{SERVICE}:sites:{name}", Algorithm.SLIDING_WINDOW, settings.sites, interval)
        (verdict,) = yield CountHits([hit])
        return not verdict.admitted or verdict.remaining == 0

    # --- bans

    def ban(self, ip: str, seconds: float, why: str) -> Generator[Effect, Any, None]:
        """Refuse a visitor everywhere.

        Raises:
            ConfigurationError: ``ip`` is no address, or ``seconds`` out of range.
            StoreError: The store does not answer.
        """
        if not 0 < seconds <= _LONGEST_BAN:
            raise ConfigurationError("seconds", f"must be over 0 and at most {_LONGEST_BAN}, not {seconds!r}")
        address = _address(ip)
        shown = {"ip": network_prefix(address, self._runtime.settings.ipv6_prefix), "why": printable(why, _LONGEST_WHY)}
        yield AskStore("put", (self._shown(self._of(address).short), json.dumps(shown).encode(), seconds + 60))
        yield from admin.ban(self._runtime, self._runtime.engine, address, seconds)

    def unban(self, ip: str) -> Generator[Effect, Any, bool]:
        """Lift a ban, whoever made it; whether there was one. What was suspicious so far is forgotten.

        Raises:
            ConfigurationError: ``ip`` is no address.
            StoreError: The store does not answer.
        """
        address = _address(ip)
        name = self._of(address).short
        lifted: bool = yield from admin.unban(self._runtime, self._runtime.engine, address)
        yield AskStore("delete", (self._shown(name),))
        for kind in ("seen", "weak", "sites"):
            yield AskStore("reset", (f"{SERVICE}:{kind}:{name}",))
        return lifted

    def bans(self) -> Generator[Effect, Any, list[ServiceBan]]:
        """Who is banned, the longest first.

        Raises:
            StoreError: The store does not answer.
        """
        found: dict[str, float] = yield from admin.bans(self._runtime.engine)
        longest = sorted(found.items(), key=lambda item: -item[1])[:_MOST_BANS]
        bans: list[ServiceBan] = []
        for first in range(0, len(longest), _AT_ONCE):
            some = longest[first : first + _AT_ONCE]
            texts = yield Gather(tuple([AskStore("get", (self._shown(name),)) for name, _ in some]))
            bans += [_read(name, left, text) for (name, left), text in zip(some, texts, strict=True)]
        return bans

    def _of(self, ip: str) -> Fingerprint:
        found = self._identity.of_value(ip)
        assert found is not None
        return found

    @staticmethod
    def _shown(name: str) -> str:
        return f"{SERVICE}:banned:{name}"


def _address(ip: str) -> str:
    """An address, or the first one of an IPv6 network, as bans are shown."""
    found = canonical(ip.partition("/")[0])
    if found is None:
        raise ConfigurationError("ip", f"must be an address, not {printable(ip, 80)}")
    return found


def _read(name: str, left: float, text: object) -> ServiceBan:
    """A ban as it is shown; by its fingerprint where the store has lost whose it is."""
    try:
        shown = json.loads(text) if isinstance(text, bytes) and not isinstance(text, Failed) else {}
        return ServiceBan(str(shown.get("ip", name)), left, str(shown.get("why", "")))
    except (ValueError, AttributeError):
        return ServiceBan(name, left, "")


def _checked(settings: Reputation) -> Reputation:
    if not 1 <= settings.sites <= 32:
        raise ConfigurationError("sites", f"must be from 1 to 32, not {settings.sites!r}")
    if not 0 < settings.threshold <= 1_000_000:
        raise ConfigurationError("threshold", f"must be over 0, not {settings.threshold!r}")
    for name in ("window", "ban"):
        if not 1 <= getattr(settings, name) <= _LONGEST_BAN:
            raise ConfigurationError(name, f"must be from 1 to {_LONGEST_BAN} seconds")
    return settings


def together(weights: Sequence[Weight]) -> Weight:
    """Several requests of one visitor."""
    return Weight(sum(weight.strong for weight in weights), sum(weight.weak for weight in weights))


def short_name(text: str) -> str:
    """A name for a store key."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


__all__ = ["SERVICE", "Reputation", "Reputations", "Weight", "may_count", "short_name", "together", "weigh"]
