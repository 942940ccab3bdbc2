"""doorward as a candidate of an outside benchmark: the work that its peers are given there, refusing nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import doorward
import doorward.asgi
import doorward.wsgi
from doorward.clock import NANOSECONDS
from doorward.effects import Algorithm, Hit
from doorward.stores import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from doorward.rules.base import Rule

NEVER = 1_000_000_000
"""A limit a minute that nobody reaches."""
MOST_KEYS = 1 << 22


def fixed() -> list[Rule]:
    """One limit of each client in clock-aligned minutes, as most peers count by default."""
    return [doorward.fixed_window(max=NEVER, window=60)]


def sliding() -> list[Rule]:
    """One limit of each client in any minute."""
    return [doorward.sliding_window(max=NEVER, interval=60)]


def bucket() -> list[Rule]:
    """One bucket of each client."""
    return [doorward.token_bucket(refill_rate=NEVER, interval=60, capacity=NEVER)]


def limit_and_bots() -> list[Rule]:
    """One limit of each client, and no automated clients."""
    return [*sliding(), doorward.detect_bot(allow=[])]


def limit_bots_and_shield() -> list[Rule]:
    """The same, and attack detection."""
    return [*limit_and_bots(), doorward.shield()]


def make_asgi_app(inner: Any) -> Any:
    """An ASGI application that protects ``inner``."""
    return _asgi(fixed)(inner)


def make_wsgi_app(inner: Any) -> Any:
    """A WSGI application that protects ``inner``."""
    return _wsgi(fixed)(inner)


def make_limiter(limit: int, window: float, max_keys: int = MOST_KEYS, redis_url: str | None = None) -> Any:
    """``hit(key)`` answers whether the key is admitted; None where Redis is asked for."""
    return _limiter(Algorithm.FIXED_WINDOW)(limit, window, max_keys, redis_url)


def _asgi(rules: Callable[[], list[Rule]]) -> Callable[[Any], Any]:
    def build(inner: Any) -> Any:
        return doorward.asgi.DoorwardMiddleware(inner, doorward.AsyncDoorward(rules()))

    return build


def _wsgi(rules: Callable[[], list[Rule]]) -> Callable[[Any], Any]:
    def build(inner: Any) -> Any:
        return doorward.wsgi.DoorwardMiddleware(inner, doorward.Doorward(rules()))

    return build


def _limiter(algorithm: Algorithm) -> Callable[..., Any]:
    def build(limit: int = 100, window: float = 60, max_keys: int = MOST_KEYS, redis_url: str | None = None) -> Any:
        if redis_url:
            return None
        count = MemoryStore(max_keys=max_keys).count
        interval = round(window * NANOSECONDS)

        def hit(key: str) -> bool:
            return count((Hit(key, algorithm, limit, interval, 1, 0, False),))[0].admitted

        return hit

    return build


def starlette_middleware(inner: Any) -> Any:
    """A Starlette application protected as its documentation adds middleware."""
    from doorward_starlette import DoorwardMiddleware

    inner.add_middleware(DoorwardMiddleware, aj=doorward.AsyncDoorward(sliding()))
    return inner


def flask_extension(inner: Any) -> Any:
    """A Flask application protected by the extension."""
    from doorward_flask import DoorwardFlask

    DoorwardFlask(inner, rules=sliding())
    return inner


VARIANTS: dict[str, dict[str, Callable[..., Any]]] = {
    "sliding window": {
        "asgi": _asgi(sliding),
        "wsgi": _wsgi(sliding),
        "limiter": _limiter(Algorithm.SLIDING_WINDOW),
    },
    "token bucket": {
        "asgi": _asgi(bucket),
        "wsgi": _wsgi(bucket),
        "limiter": _limiter(Algorithm.TOKEN_BUCKET),
    },
    "limit and bots": {"asgi": _asgi(limit_and_bots), "wsgi": _wsgi(limit_and_bots)},
    "limit, bots and shield": {"asgi": _asgi(limit_bots_and_shield), "wsgi": _wsgi(limit_bots_and_shield)},
    "adapters": {"asgi": starlette_middleware, "wsgi": flask_extension},
}
"""More rows of the outside benchmark."""
