"""What the pages want to know beside the log of decisions, and what they may do."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from doorward.service.server.ports import ServiceBan


class Bans(Protocol):
    """Refuses visitors whatever rules a request carries. Failures are raised as ``DoorwardError``."""

    async def ban(self, ip: str, seconds: float, why: str) -> None:
        """Refuse an address for a time."""
        ...

    async def unban(self, ip: str) -> bool:
        """Refuse it no longer; whether it was banned."""
        ...

    async def bans(self) -> list[ServiceBan]:
        """Who is banned."""
        ...


class KeyLine(NamedTuple):
    """A key of a site, without the secret.

    Attributes:
        site: Whose it is.
        key_id: Which it is.
        state: Such as ``active``, or ``revoked``.
        quota: Decisions that it may ask for, as text; empty for no end.
        created_ns: When it was made, in nanoseconds since the Unix epoch; 0 where that is not known.
        used_ns: When it was last used; 0 where that is not known.
    """

    site: str
    key_id: str
    state: str
    quota: str = ""
    created_ns: int = 0
    used_ns: int = 0


class LogState(NamedTuple):
    """How the log does.

    Attributes:
        kept: Decisions written by this process.
        dropped: Decisions that there was no room for, or that could not be written.
        waiting: Decisions that are about to be written.
        problem: What is wrong now, in English; empty for nothing.
    """

    kept: int
    dropped: int
    waiting: int = 0
    problem: str = ""


if TYPE_CHECKING:
    Keys = Callable[[], Sequence[KeyLine]]
    """Lists the keys. Called on a thread."""
    Figures = Callable[[], LogState]
    """Tells how the log does. Must not wait."""

__all__ = ["Bans", "KeyLine", "LogState"]
