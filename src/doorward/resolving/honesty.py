"""Whether name servers may be believed that a name does not exist.

Captive portals, sandboxes and broken containers say NXDOMAIN to everything. The root of the DNS exists: who denies that
knows nothing about other names either. Before a server's NXDOMAIN is believed it is therefore asked for the root, now
and then. Only NXDOMAIN proves anything: there are honest servers that refuse this question, or fail to answer it.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from doorward.clock import NANOSECONDS

if TYPE_CHECKING:
    from doorward.clock import Clock
    from doorward.resolving.servers import Server


class Root(Enum):
    """What a server has said about the root of the DNS."""

    EXISTS = "exists"
    DENIED = "denied"
    UNKNOWN = "unknown"


KEPT = {Root.EXISTS: 300.0, Root.DENIED: 30.0, Root.UNKNOWN: 30.0}
"""Seconds until it is asked again: any resolver has the answer at hand, and a portal lets go once one has logged in."""


class Honesty:
    """What each server has said about the root lately. Thread safe: a dictionary's single steps are.

    Args:
        clock: The time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._said: dict[Server, tuple[int, Root]] = {}

    def said(self, server: Server) -> Root | None:
        """What ``server`` has said; None when it has to be asked."""
        ends, root = self._said.get(server, (0, None))
        return root if self._clock.now_ns() < ends else None

    def says(self, server: Server, root: Root) -> None:
        """``server`` has been asked."""
        self._said[server] = (self._clock.now_ns() + round(KEPT[root] * NANOSECONDS), root)
