"""What a client knows about addresses: opened when first asked, and never a reason for a request to fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.address_facts import NOTHING_KNOWN
from doorward.locks import lock_over_forks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from doorward.address_facts import AddressFacts
    from doorward.intelligence.address_book import AddressBook

_UPDATED = frozenset({"hosting", "vpn", "proxy", "tor", "relay", "abuse", "country", "asn", "asn_name"})
"""What ``doorward data update`` brings."""


class KnownAddresses:
    """Tells about addresses.

    Args:
        open_book: Opens the data files.
        failed: Told once when that fails and no rule depends on them; nothing is known then.
    """

    def __init__(self, open_book: Callable[[], AddressBook], failed: Callable[[Exception], None]) -> None:
        self._open_book = open_book
        self._failed = failed
        self._lock = lock_over_forks()
        self._book: AddressBook | None = None
        self._broken = False

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
            if self._broken:
                return NOTHING_KNOWN
            try:
                book = self.open()
            except Exception as error:
                self._broken = True
                self._failed(error)
                return NOTHING_KNOWN
        return book.about(address)

    def missing(self, wanted: Iterable[str]) -> str:
        """What to say when there is no data for something that a rule reads; empty when there is for all."""
        lacking = sorted(set(wanted) - self.open().known())
        if not lacking:
            return ""
        update = "run `doorward data update`"
        updated = all([name in _UPDATED or name.startswith("crawler:") for name in lacking])
        remedy = update if updated else f"{update}, or give MMDB files of your own: geo=[…]"
        return f"there is no data about {', '.join(lacking)}: {remedy}"


__all__ = ["KnownAddresses"]
