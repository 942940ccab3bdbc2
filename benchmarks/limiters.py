"""The limiters alone: ``hit(key)`` answers whether the key is admitted. In memory, without a web application."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any

from doorward.clock import NANOSECONDS
from doorward.effects import Algorithm, Hit
from doorward.stores import MemoryStore

if TYPE_CHECKING:
    from doorward.clock import Clock

HitKey = Callable[[str], bool]
MOST_KEYS = 1 << 20
"""The bound given to those that have one: room for a million keys."""


class HandClock:
    """A clock moved by hand; also stands in for the ``time`` module's clocks, for peers that cannot be given one."""

    def __init__(self, start: float = 1_800_000_000.0) -> None:
        self.seconds = start

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch."""
        return round(self.seconds * NANOSECONDS)

    def now(self) -> float:
        """Seconds since the Unix epoch."""
        return self.seconds

    def replace_time(self) -> None:
        """Let everything in this process that asks the ``time`` module be told this clock's time."""
        time.time = time.monotonic = self.now  # type: ignore[assignment]
        time.time_ns = time.monotonic_ns = self.now_ns  # type: ignore[assignment]


def floor(limit: int, window: float, clock: Clock | None = None) -> HitKey:
    """The least that a limiter can do: count in a dict under a lock, for ever."""
    del window, clock
    counts: dict[str, int] = {}
    lock = Lock()

    def hit(key: str) -> bool:
        with lock:
            count = counts.get(key, 0)
            if count >= limit:
                return False
            counts[key] = count + 1
            return True

    return hit


def _doorward(algorithm: Algorithm) -> Callable[..., HitKey]:
    def build(limit: int, window: float, clock: Clock | None = None) -> HitKey:
        count = MemoryStore(max_keys=MOST_KEYS, clock=clock).count
        interval = round(window * NANOSECONDS)

        def hit(key: str) -> bool:
            return count((Hit(key, algorithm, limit, interval, 1, 0, False),))[0].admitted

        return hit

    return build


def _limits(strategy: str) -> Callable[..., HitKey]:
    def build(limit: int, window: float, clock: Clock | None = None) -> HitKey:
        from limits import RateLimitItemPerSecond, strategies
        from limits.storage import MemoryStorage

        del clock
        limiter: Any = getattr(strategies, strategy)(MemoryStorage())
        item = RateLimitItemPerSecond(limit, int(window))
        return lambda key: bool(limiter.hit(item, key))

    return build


def _throttled(algorithm: str) -> Callable[..., HitKey]:
    def build(limit: int, window: float, clock: Clock | None = None) -> HitKey:
        from throttled import Throttled, rate_limiter, store

        del clock
        quota = rate_limiter.per_duration(timedelta(seconds=window), limit, burst=limit)
        limiter = Throttled(using=algorithm, quota=quota, store=store.MemoryStore(options={"MAX_SIZE": MOST_KEYS}))
        return lambda key: not limiter.limit(key).limited

    return build


SLIDING = "doorward, sliding window"
LIMITERS: dict[str, Callable[..., HitKey]] = {
    "doorward, fixed window": _doorward(Algorithm.FIXED_WINDOW),
    SLIDING: _doorward(Algorithm.SLIDING_WINDOW),
    "doorward, token bucket": _doorward(Algorithm.TOKEN_BUCKET),
    "limits, fixed window": _limits("FixedWindowRateLimiter"),
    "limits, moving window": _limits("MovingWindowRateLimiter"),
    "limits, two counters": _limits("SlidingWindowCounterRateLimiter"),
    "throttled-py, fixed window": _throttled("fixed_window"),
    "throttled-py, two counters": _throttled("sliding_window"),
    "throttled-py, token bucket": _throttled("token_bucket"),
    "throttled-py, GCRA": _throttled("gcra"),
}
