"""Where counters live."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

from doorward.errors import ConfigurationError
from doorward.stores.base import AsyncStore, Store
from doorward.stores.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from doorward.clock import Clock

ACCEPTED = (
    '"memory://", "shared:///path/of/a/file", "redis://host" (rediss, valkey, valkeys; +cluster, +sentinel), '
    "or an object with the methods of doorward.stores.base.Store"
)

_MODULES = {
    "shared": ("doorward.stores.shared", "open_shared"),
    **dict.fromkeys(("redis", "rediss", "valkey", "valkeys"), ("doorward.stores.redis", "open_redis")),
}
"""What opens a URL, by its scheme up to a ``+``; imported when used."""

_METHODS = (
    "count", "peek", "refund", "tally", "add_if_absent", "get", "put", "delete", "reset", "stats", "ban", "unban",
    "bans", "close",
)  # fmt: skip

__all__ = ["AsyncStore", "MemoryStore", "Store", "open_store"]


def open_store(store: object, clock: Clock, timeout: float) -> Store | AsyncStore:
    """The store that a client's ``store`` argument names.

    Args:
        store: A URL, or a store.
        clock: Where time comes from, for a store that does not go by a server's.
        timeout: Seconds that one call may take.

    Raises:
        ConfigurationError: It names none, or one that cannot be used here.
    """
    if store == "memory://":
        return MemoryStore(clock=clock)
    if isinstance(store, str):
        return _open_url(store, clock, timeout)
    missing = [name for name in _METHODS if not callable(getattr(store, name, None))]
    if missing:
        raise ConfigurationError("store", f"must be {ACCEPTED}; {store!r} has no {', '.join(missing)}")
    if not isinstance(getattr(store, "blocking", None), bool):
        raise ConfigurationError("store", f"{store!r} must say in blocking (a bool) whether its calls can wait")
    return cast("Store | AsyncStore", store)


def _open_url(url: str, clock: Clock, timeout: float) -> Store | AsyncStore:
    # What follows the scheme is left out of messages: it may hold a password.
    scheme, colon, _ = url.partition("://")
    module, opener = _MODULES.get(scheme.partition("+")[0], ("", ""))
    if not module:
        known = scheme.isalnum() or "@" not in url  # what stands before a colon may be a password
        named = f"a URL of the scheme {scheme!r}" if colon and known else repr(url) if "@" not in url else "that text"
        raise ConfigurationError("store", f"must be {ACCEPTED}, not {named}")
    open_: Callable[[str, Clock, float], Store | AsyncStore] = getattr(import_module(module), opener)
    return open_(url, clock, timeout)
