"""What a client asks beyond its own memory, as it is built: the decision service, a store that blocks, address data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.drivers import keeps_deadline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from doorward.bound import Bound
    from doorward.journal import Journal
    from doorward.known_addresses import KnownAddresses
    from doorward.offload import Offload
    from doorward.service.client.remote import RemoteService
    from doorward.settings import Settings
    from doorward.silence import Silence
    from doorward.stores import AsyncStore, Store


def reach_service(settings: Settings, journal: Journal) -> RemoteService | None:
    """The decision service, if there is one; made before any fork, and connected to after it."""
    if settings.service is None:
        return None
    from doorward.service.client.remote import RemoteService  # brings pydantic and httpcore

    return RemoteService(settings, journal)


def listening(store: Store | AsyncStore, offload: Callable[[], Offload], timeout: float) -> Silence | None:
    """What knows whether a store that blocks is silent; None where it keeps deadlines by itself."""
    if keeps_deadline(store, timeout):
        return None
    from doorward.silence import Silence

    return Silence(store, offload, timeout)


def warn_of_gaps(bounds: Iterable[Bound], addresses: KnownAddresses, journal: Journal) -> None:
    """Say which rules read something about addresses that there is no data for."""
    for each in bounds:
        if (wanted := each.rule.reads()) and (missing := addresses.missing(wanted)):
            journal.warn(f"data.{each.name}", f"rule {each.name}: {missing}")
