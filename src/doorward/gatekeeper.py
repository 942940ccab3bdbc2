"""A client's :class:`~doorward.challenges.gate.Gate`, made when somebody is first challenged: few clients are."""

from __future__ import annotations

from secrets import token_bytes
from typing import TYPE_CHECKING

from doorward.challenges.options import DEFAULT_KINDS, DEFAULT_MOST, SHOWN_BY
from doorward.errors import ConfigurationError
from doorward.lazily import lazily
from doorward.levels import DEFAULT_LEVEL
from doorward.locks import lock_over_forks
from doorward.printable import describe
from doorward.rules.access import ChallengeRule

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from doorward.bound import Bound
    from doorward.challenges.gate import Gate
    from doorward.challenges.skin import Skin
    from doorward.cleared import Clearance
    from doorward.context import RequestContext
    from doorward.journal import Journal
    from doorward.levels import Level
    from doorward.progress import Progress
    from doorward.reason import ChallengeReason
    from doorward.settings import Settings

CHANCE_SECRET_BYTES = 32
EPOCH_BELIEF_NS = 5 * 1_000_000_000
"""How long a process believes what it knows about revocations before it asks the store again."""
MILLISECOND = 1_000_000


class Gatekeeper:
    """Reads clearances for the engine, and has the gate for middleware.

    Args:
        settings: The client's.
        journal: Counts and logs.
    """

    def __init__(self, settings: Settings, journal: Journal) -> None:
        self._settings = settings
        self._journal = journal
        # Made before any fork, so that the workers of one server share it at least.
        self._secrets = [bytes(settings.secret) or token_bytes(CHANCE_SECRET_BYTES), *settings.former_secrets]
        self._epoch_key = f"gate:epoch:{settings.name}"
        self._epoch_asked_ns = -EPOCH_BELIEF_NS
        self._lock = lock_over_forks()
        self._gate: Gate | None = None
        self._short_of: set[Level] = set()
        if settings.challenges.kinds != DEFAULT_KINDS:
            self._made()  # what is wrong with them is found when the client is built

    @property
    def gate(self) -> Gate:
        """What poses and checks challenges."""
        return self._gate or self._made()

    @lazily
    def skin(self) -> Skin | None:
        """The looks of pages, also of those that need no gate; None for doorward's own."""
        from doorward.challenges.appearance import Appearance
        from doorward.challenges.skin import Skin

        look = self._settings.challenges.look
        return Skin(look) if look != Appearance() else None

    def held(self, request: RequestContext, ip: str, now_ns: int) -> Clearance | None:
        """The clearance that a request brings, if it is valid."""
        try:
            return (self._gate or self._made()).passes.held(request, ip, now_ns // MILLISECOND)
        except Exception as error:
            self._journal.swallowed("clearance", error)
            return None

    def level_for(self, weight: float, otherwise: Level = DEFAULT_LEVEL) -> Level:
        """What a sum of weights asks for; ``otherwise`` where the application says nothing of it."""
        return self._settings.challenges.level_for(weight, otherwise)

    def client_id(self, request: RequestContext, now_ns: int) -> str:
        """The signed id that a client brings back; empty without a valid one."""
        try:
            return self.gate.passes.client_id(request, now_ns // MILLISECOND)
        except Exception as error:
            self._journal.swallowed("client id", error)
            return ""

    def new_cookies(self, progress: Progress) -> Sequence[str]:
        """Values of Set-Cookie for the response to a request that was let in. Never raises.

        They hold its clearance where that is to be renewed, and an id where the client is new.
        """
        clearance = progress.clearance if self._settings.challenges.renew_for else None
        if clearance is None and not progress.is_new_client:
            return ()
        try:
            passes, now_ms = self.gate.passes, self._settings.clock.now_ns() // MILLISECOND
            request, ip = progress.request, progress.client_ip.address if progress.client_ip is not None else ""
            renewed = passes.renewed(clearance, request, ip, now_ms) if clearance is not None else None
            new = passes.new_client(request, now_ms) if progress.is_new_client else None
            return [cookie for cookie in (renewed, new) if cookie is not None]
        except Exception as error:
            self._journal.swallowed("cookies", error)
            return ()

    # --- the revocation epoch, as all processes share it

    @property
    def epoch_key(self) -> str:
        """Where the store keeps it."""
        return self._epoch_key

    def epoch_is_due(self, now_ns: int) -> bool:
        """Whether it is time to ask the store; a clock that was set back makes it so."""
        return not 0 <= now_ns - self._epoch_asked_ns < EPOCH_BELIEF_NS

    def epoch_due(self, now_ns: int) -> str | None:
        """The key of the revocation epoch, where the store has not been asked for a while."""
        if not self.epoch_is_due(now_ns):
            return None
        # Set before the answer is there, so that of many requests at once one asks.
        self._epoch_asked_ns = now_ns
        return self._epoch_key

    def learn_epoch(self, found: object, now_ns: int) -> None:
        """Take over what the store has answered; while it fails, what was known still holds."""
        if isinstance(found, Exception):
            self._journal.warn("revocation", f"the store cannot tell of revocations: {describe(found)}")
        elif isinstance(found, bytes) and found.isdigit() and len(found) < 20:
            self.revoke(int(found))

    def revoke(self, before_ms: int) -> None:
        """Refuse in this process what was issued before; what was revoked already stays so."""
        signer = self.gate.signer
        signer.not_before_ms = max(signer.not_before_ms, before_ms)

    def revoked(self, clearance: Clearance) -> bool:
        """Whether a clearance was issued before the revocation epoch."""
        return clearance.issued_ms < self.gate.signer.not_before_ms

    def take_over(self, former: Gatekeeper) -> None:
        """Go on with what the one before has learnt, whose settings were others: what was handed out holds as it did.

        Raises:
            ConfigurationError: These cannot be taken over while the application runs.
        """
        before, now = former._settings.challenges, self._settings.challenges
        if now.prefix != before.prefix:
            problem = f"is {before.prefix!r} as long as the application runs: middleware and routes have it"
            raise ConfigurationError("challenges.prefix", problem)
        self._secrets = former._secrets
        if former._gate is not None or now.kinds != DEFAULT_KINDS:
            # What is revoked while this is being made is asked of the store again, at the first clearance.
            self._gate = None
            self._made().take_over(former.gate)

    # --- what can be asked for

    def within_reach(self, wanted: ChallengeReason) -> ChallengeReason:
        """What is wanted; the most that is on offer where that is less, since nobody can show more."""
        most = self._most
        if wanted.level <= most:
            return wanted
        self._warn_of(wanted.level, wanted.rule)
        return wanted._replace(level=most)

    def look_at(self, bounds: Iterable[Bound]) -> None:
        """Say which rules of routes and handlers ask for more than is on offer, before anybody is asked by them."""
        for bound in bounds:
            if isinstance(bound.rule, ChallengeRule) and bound.rule.level > self._most:
                self._warn_of(bound.rule.level, bound.name)

    def _warn_of(self, level: Level, rule: str) -> None:
        if level in self._short_of:
            return
        self._short_of.add(level)
        most = self._most
        why = (
            f"{rule} asks for {level.word!r}, but challenges.kinds has nothing above {most.word!r}, which will do: "
            f"add {SHOWN_BY[level]} to challenges.kinds"
        )
        self._journal.warn("challenges.kinds", why)

    def check_levels(self) -> None:
        """Whether all that sums of weights ask for can be shown.

        Raises:
            ConfigurationError: Something cannot, by any kind that is on offer.
        """
        for _, level in self._settings.challenges.levels:
            if level > self._most:
                raise ConfigurationError("challenges.levels", f"names {level.word!r}, {self._out_of_reach(level)}")

    def check_rules(self, bounds: Iterable[Bound]) -> None:
        """Whether all that rules ask for can be shown.

        Raises:
            ConfigurationError: Something cannot, by any kind that is on offer.
        """
        for bound in bounds:
            if isinstance(bound.rule, ChallengeRule) and bound.rule.level > self._most:
                level = bound.rule.level
                raise ConfigurationError(
                    "rules", f"{bound.name!r} asks for {level.word!r}, {self._out_of_reach(level)}"
                )

    @property
    def _most(self) -> Level:
        """The most that clients are offered; of the kinds by default it is known without making them."""
        return DEFAULT_MOST if self._settings.challenges.kinds == DEFAULT_KINDS else self.gate.offer.most

    def _out_of_reach(self, level: Level) -> str:
        return (
            f"but challenges.kinds has nothing above {self._most.word!r}, so nobody could show it: "
            f"add {SHOWN_BY[level]} to challenges.kinds"
        )

    def _made(self) -> Gate:
        from doorward.challenges.gate import Gate

        with self._lock:
            if self._gate is None:
                settings = self._settings
                if not settings.secret:
                    why = (
                        "clearances end with this process, and are nothing to others: give secret=, or DOORWARD_SECRET"
                    )
                    self._journal.warn("secret", why)
                self._gate = Gate(
                    settings.challenges, self._secrets, settings.name, settings.clock, self._journal, settings.ips
                )
            return self._gate
