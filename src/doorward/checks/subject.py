"""What checks look at: one client, and the surroundings that it is to run in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from doorward.bound import Ban, Bound
from doorward.checks.path_sets import Region, region
from doorward.clock import NANOSECONDS
from doorward.decision import Mode
from doorward.rules.base import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from doorward.facade import Facade
    from doorward.known_addresses import KnownAddresses
    from doorward.settings import Settings


class Subject(NamedTuple):
    """A client under check.

    Attributes:
        client: The client.
        environ: The environment variables that it runs with.
        command: The command line of its process.
        today: The day.
        addresses: What is known about addresses.
        exempts: Whether middleware leaves OPTIONS, health checks and static files alone.
    """

    client: Facade
    environ: Mapping[str, str]
    command: Sequence[str]
    today: date
    addresses: KnownAddresses
    exempts: bool = True

    @property
    def settings(self) -> Settings:
        """Its checked options."""
        return self.client.runtime.settings

    @property
    def rules(self) -> list[Bound]:
        """Its rules in the order in which they are asked."""
        return [bound for bound in self.client.engine.in_turn if not isinstance(bound.rule, Ban)]

    def is_live(self, bound: Bound) -> bool:
        """Whether the rule was declared live: what DOORWARD_MODE makes of it here says nothing about elsewhere."""
        return (bound.rule.mode or self.settings.mode) is Mode.LIVE

    def live(self) -> list[Bound]:
        """The live rules in the order in which they are asked."""
        return [bound for bound in self.rules if self.is_live(bound)]

    def pairs(self) -> Iterator[tuple[Bound, Bound]]:
        """Each live rule with each live rule that is asked later."""
        live = self.live()
        for position, later in enumerate(live):
            for earlier in live[:position]:
                yield earlier, later


def subject_of(
    client: Facade,
    environ: Mapping[str, str],
    command: Sequence[str],
    *,
    data: Path | None = None,
    exempts: bool = True,
) -> Subject:
    """A client under check, at its own time.

    Args:
        client: The client.
        environ: The environment.
        command: The command line.
        data: Another folder of data than the client's.
        exempts: See :class:`Subject`.
    """
    addresses = client.runtime.addresses if data is None else _addresses(client, data)
    return Subject(client, environ, command, _today(client), addresses, exempts)


def _today(client: Facade) -> date:
    """The client's day; the system's where the application's clock is broken."""
    try:
        return datetime.fromtimestamp(client.runtime.clock.now_ns() // NANOSECONDS, UTC).date()
    except Exception:
        return datetime.now(UTC).date()


def _addresses(client: Facade, folder: Path) -> KnownAddresses:
    from doorward.intelligence.address_book import AddressBook
    from doorward.intelligence.library import Library
    from doorward.known_addresses import KnownAddresses

    geo = client.runtime.settings.geo

    def ignored(problem: object) -> None:
        """What cannot be read shows as missing."""

    return KnownAddresses(lambda: AddressBook(Library(folder), geo=geo, report=ignored), ignored)


def region_of(bound: Bound) -> Region | None:
    """The requests that a rule is for; None where its class has its own way to say so."""
    rule = bound.rule
    return region(tuple(rule.paths), tuple(rule.methods)) if type(rule).applies_to is Rule.applies_to else None


def is_within(inner: Bound, outer: Bound) -> bool:
    """Whether each request that ``inner`` is for is certainly one that ``outer`` is for."""
    small, large = region_of(inner), region_of(outer)
    return small is not None and large is not None and large.covers(small)


def for_everything(bound: Bound) -> bool:
    """Whether a rule is certainly for each request."""
    found = region_of(bound)
    return found is not None and found.is_everything()
