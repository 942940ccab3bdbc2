"""Where counters live."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from doorward.errors import ConfigurationError
from doorward.stores.base import AsyncStore, Store
from doorward.stores.memory import MemoryStore

if TYPE_CHECKING:
    from doorward.clock import Clock

ACCEPTED = '"memory://" or an object with the methods of doorward.stores.base.Store'

__all__ = ["AsyncStore", "MemoryStore", "Store", "open_store"]


def open_store(store: object, clock: Clock) -> Store | AsyncStore:
    """The store that a client's ``store`` argument names.

    Raises:
        ConfigurationError: It names none.
    """
    if store == "memory://":
        return MemoryStore(clock=clock)
    if isinstance(store, str):
        raise ConfigurationError("store", f"must be {ACCEPTED}, not {store!r}")
    missing = [name for name in _METHODS if not callable(getattr(store, name, None))]
    if missing:
        raise ConfigurationError("store", f"must be {ACCEPTED}; {store!r} has no {', '.join(missing)}")
    if not isinstance(getattr(store, "blocking", None), bool):
        raise ConfigurationError("store", f"{store!r} must say in blocking (a bool) whether its calls can wait")
    return cast("Store | AsyncStore", store)


_METHODS = (
    "count", "peek", "refund", "tally", "add_if_absent", "get", "put", "delete", "reset", "stats", "ban", "unban",
    "bans", "close",
)  # fmt: skip
