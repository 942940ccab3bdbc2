"""Short words for what tests of stores say all the time."""

from __future__ import annotations

from doorward.clock import NANOSECONDS
from doorward.effects import Algorithm, Hit
from doorward.stores.base import Store
from doorward.stores.memory import MemoryStore

FIXED, BUCKET, SLIDING, BAN = (
    Algorithm.FIXED_WINDOW,
    Algorithm.TOKEN_BUCKET,
    Algorithm.SLIDING_WINDOW,
    Algorithm.BAN,
)
MINUTE = 60 * NANOSECONDS
HOUR = 60 * MINUTE


def limit(key: str, most: int = 3, interval: int = MINUTE, **options) -> Hit:
    return Hit(key, options.pop("algorithm", SLIDING), most, interval, **options)


def admitted(store: Store, *hits: Hit) -> list[bool]:
    return [verdict.admitted for verdict in store.count(hits)]


def refuse(store: Store, key: str, most: int = 1, interval: int = HOUR) -> None:
    while admitted(store, limit(key, most, interval)) == [True]:
        continue


def keys_of(store: MemoryStore) -> tuple[set[str], set[str]]:
    """Of the counters, and of those set aside."""
    counted = {key for shard in store._counters.shards for key in shard.entries}
    return counted, {key for shard in store._refused.shards for key in shard}
