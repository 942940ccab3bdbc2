"""A made-up DNS, so that the demonstration works without a network: see ``DOORWARD_DEMO_DNS``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from doorward.effects import DnsAnswer, DnsKind

if TYPE_CHECKING:
    from doorward.network import AsyncResolver

VARIABLE = "DOORWARD_DEMO_DNS"
WITHOUT_MAIL = "nomail.example"


def resolver() -> AsyncResolver | None:
    """The made-up one; None, which is the system's, where the variable says ``system``.

    Raises:
        ValueError: It says something else.
    """
    wanted = os.environ.get(VARIABLE, "made-up")
    if wanted not in ("made-up", "system"):
        raise ValueError(f"{VARIABLE} must be made-up or system, not {wanted!r}")
    return None if wanted == "system" else MadeUpDns()


class MadeUpDns:
    """Every domain has mail, but for ``nomail.example``; no address has a name."""

    async def resolve(self, name: str, kind: DnsKind, timeout: float) -> DnsAnswer:  # noqa: ASYNC109  (the protocol's)
        """What the demonstration pretends."""
        del timeout
        return pretended(name, kind)


def pretended(name: str, kind: DnsKind) -> DnsAnswer:
    """What there is at a name."""
    if kind is DnsKind.PTR:
        return DnsAnswer(exists=False)
    if kind is not DnsKind.MX or name == WITHOUT_MAIL or name.endswith(f".{WITHOUT_MAIL}"):
        return DnsAnswer(exists=True)
    return DnsAnswer(exists=True, records=(f"mail.{name}",))
