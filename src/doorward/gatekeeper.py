"""A client's :class:`~doorward.challenges.gate.Gate`, made when somebody is first challenged: few clients are."""

from __future__ import annotations

from secrets import token_bytes
from typing import TYPE_CHECKING

from doorward.lazily import lazily
from doorward.locks import lock_over_forks

if TYPE_CHECKING:
    from doorward.challenges.gate import Gate
    from doorward.challenges.skin import Skin
    from doorward.cleared import Clearance
    from doorward.context import RequestContext
    from doorward.journal import Journal
    from doorward.levels import Level
    from doorward.settings import Settings

CHANCE_SECRET_BYTES = 32


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
        self._secret = bytes(settings.secret) or token_bytes(CHANCE_SECRET_BYTES)
        self._lock = lock_over_forks()
        self._gate: Gate | None = None

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
            return self.gate.held(request, ip, now_ns)
        except Exception as error:
            self._journal.swallowed("clearance", error)
            return None

    def level_for(self, weight: float) -> Level:
        """What a sum of weights asks for."""
        return self._settings.challenges.level_for(weight)

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
                self._gate = Gate(settings.challenges, [self._secret], settings.name, settings.clock, self._journal)
            return self._gate
