"""Clearance, as the engine sees it: that a client has passed a challenge, and whether that is enough."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from doorward.levels import DEFAULT_LEVEL, Level

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from doorward.context import RequestContext
    from doorward.reason import ChallengeReason


class Clearance(NamedTuple):
    """What a client has shown, and has a valid token for.

    Attributes:
        id: Its own; the same for as long as the token is.
        level: How much it has shown.
        kind: Name of the challenge that it passed.
        issued_ms: When, in milliseconds since the Unix epoch.
        expires_ms: Until when that holds.
        attempt: How many challenges in a row it took, from 1.
    """

    id: str
    level: Level
    kind: str
    issued_ms: int
    expires_ms: int
    attempt: int = 1

    def covers(self, wanted: ChallengeReason, now_ns: int) -> bool:
        """Whether nothing more has to be asked of the client."""
        fresh = not wanted.max_age or now_ns // 1_000_000 - self.issued_ms <= wanted.max_age * 1000
        return fresh and self.level >= wanted.level


class Clearances(Protocol):
    """Reads what clients bring back."""

    def held(self, request: RequestContext, ip: str, now_ns: int) -> Clearance | None:
        """The clearance of a request, or None. Pure, and never raises."""
        ...

    def level_for(self, weight: float, otherwise: Level = DEFAULT_LEVEL) -> Level:
        """What a sum of weights asks for in a challenge; ``otherwise`` where the application says nothing of it."""
        ...

    def client_id(self, request: RequestContext, now_ns: int) -> str:
        """The signed id that a client brings back; empty without a valid one. Pure, and never raises."""
        ...

    def epoch_is_due(self, now_ns: int) -> bool:
        """Whether it is time to ask the store."""
        ...

    def epoch_due(self, now_ns: int) -> str | None:
        """The key under which a store knows since when clearances are revoked, where it is time to ask; else None."""
        ...

    def learn_epoch(self, found: object, now_ns: int) -> None:
        """Take over what the store has answered, or the error that it raised. Never raises."""
        ...

    def revoked(self, clearance: Clearance) -> bool:
        """Whether a clearance was issued before what is revoked ends."""
        ...

    def within_reach(self, wanted: ChallengeReason) -> ChallengeReason:
        """What is wanted; the most that clients are ever offered where that is less: nobody is asked for ever."""
        ...


class NoClearances:
    """Nobody has any: for engines that are not a client's."""

    def held(self, request: RequestContext, ip: str, now_ns: int) -> Clearance | None:
        """None."""
        return None

    def level_for(self, weight: float, otherwise: Level = DEFAULT_LEVEL) -> Level:
        """The same as otherwise."""
        return otherwise

    def client_id(self, request: RequestContext, now_ns: int) -> str:
        """None."""
        return ""

    def epoch_is_due(self, now_ns: int) -> bool:
        """Never."""
        return False

    def epoch_due(self, now_ns: int) -> str | None:
        """Never."""

    def learn_epoch(self, found: object, now_ns: int) -> None:
        """There is none."""

    def revoked(self, clearance: Clearance) -> bool:
        """No."""
        return False

    def within_reach(self, wanted: ChallengeReason) -> ChallengeReason:
        """What is wanted."""
        return wanted


NO_CLEARANCES = NoClearances()


def strongest(wanted: Iterable[ChallengeReason]) -> ChallengeReason | None:
    """What covers all that is ``wanted``: the highest level, the least age; the words are those of the first.

    The largest weight too: who is doubtful does not pay less where a rule asks for as much besides.
    """
    asked: Sequence[ChallengeReason] = list(wanted)
    if len(asked) < 2:
        return asked[0] if asked else None
    first = max(asked, key=lambda reason: reason.level)
    max_age = min([reason.max_age for reason in asked if reason.max_age], default=0.0)
    return first._replace(max_age=max_age, weight=max([reason.weight for reason in asked]))
