"""What a client knows about addresses: opened when first asked, and never a reason for a request to fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.address_facts import NOTHING_KNOWN
from doorward.clock import NANOSECONDS, SystemClock
from doorward.locks import lock_over_forks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from doorward.address_facts import AddressFacts
    from doorward.clock import Clock
    from doorward.intelligence.address_book import AddressBook

_UPDATED = frozenset({"hosting", "vpn", "proxy", "tor", "relay", "abuse", "country", "asn", "asn_name"})
"""What ``doorward data update`` brings."""
_BY_FILE = "an MMDB file of your own, in geo=[…]"

RETRY = 10
"""Seconds after which data that could not be opened is tried again: descriptors, memory or a mount may be back."""


class KnownAddresses:
    """Tells about addresses.

    Args:
        open_book: Opens the data files.
        failed: Told when that fails while a request is looked at; nothing is known then, until it is tried again.
        clock: The time by which it is.
    """

    def __init__(
        self,
        open_book: Callable[[], AddressBook],
        failed: Callable[[Exception], None],
        clock: Clock | None = None,
    ) -> None:
        self._open_book = open_book
        self._failed = failed
        self._lock = lock_over_forks()
        self._book: AddressBook | None = None
        self._clock = clock or SystemClock()
        self._not_before = 0

    def open(self) -> AddressBook:
        """The data.

        Raises:
            DataError: A file of doorward's own cannot be used.
            ConfigurationError: One of the user's cannot.
        """
        with self._lock:
            if self._book is None:
                self._book = self._open_book()
            return self._book

    def about(self, address: str) -> AddressFacts:
        """What is known about ``address``."""
        book = self._book
        if book is None:
            book = self._try_to_open()
        return NOTHING_KNOWN if book is None else book.about(address)

    def _try_to_open(self) -> AddressBook | None:
        if self._clock.now_ns() < self._not_before:
            return None
        try:
            return self.open()
        except Exception as error:  # nothing that happens to files may reach a request
            self._not_before = self._clock.now_ns() + RETRY * NANOSECONDS
            self._failed(error)
            return None

    def missing(self, wanted: Iterable[str]) -> str:
        """What to say when there is no data for something that a rule reads; empty when there is for all."""
        lacking = sorted(set(wanted) - self.open().known())
        if not lacking:
            return ""
        from doorward.intelligence.feeds import command_for  # only where something is missing

        remedies = {command_for(name.partition(":")[0]) if _is_fed(name) else _BY_FILE for name in lacking}
        return f"there is no data about {', '.join(lacking)}; what brings it: {', '.join(sorted(remedies))}"


def _is_fed(name: str) -> bool:
    return name in _UPDATED or name.startswith("crawler:")


__all__ = ["KnownAddresses"]
