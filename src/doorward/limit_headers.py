"""RateLimit headers on allowed answers, in the style that an application's clients understand, written once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.errors import ConfigurationError
from doorward.reason import whole_seconds

if TYPE_CHECKING:
    from collections.abc import Callable

    from doorward.decision import Decision
    from doorward.reason import RateLimitReason

Lines = list[tuple[str, str]]


def parse_style(value: object) -> Callable[[Decision], Lines] | None:
    """How ``rate_limit_headers=`` asks for headers, or None for none.

    Raises:
        ConfigurationError: It is none of the accepted styles.
    """
    if value is False or value is None:
        return None
    style = _STYLES.get("draft-10" if value is True else str(value))
    if style is None:
        raise ConfigurationError(
            "rate_limit_headers", f"must be True, False or one of {', '.join(_STYLES)}, not {value!r}"
        )
    return style


def structured(decision: Decision) -> Lines:
    """``RateLimit-Policy`` and ``RateLimit`` as draft-ietf-httpapi-ratelimit-headers-10 has them."""
    return [(name, value) for name, value in decision.headers.items() if name != "Retry-After"]


def separate(decision: Decision) -> Lines:
    """``RateLimit-Limit``, ``-Remaining`` and ``-Reset`` (seconds) as the drafts up to 06 have them."""
    return _three("RateLimit", decision)


def conventional(decision: Decision) -> Lines:
    """``X-RateLimit-Limit``, ``-Remaining`` and ``-Reset`` (seconds)."""
    return _three("X-RateLimit", decision)


def names_of(lines: Lines) -> frozenset[str]:
    """Lower-case names of ``lines``, which take the place of what the application wrote under them."""
    return frozenset([name.lower() for name, _ in lines])


_STYLES = {"draft-10": structured, "draft-6": separate, "x": conventional}


def _three(prefix: str, decision: Decision) -> Lines:
    tightest = tightest_of(decision)
    if tightest is None:
        return []
    reset = whole_seconds(tightest.reset_seconds)
    return [
        (f"{prefix}-Limit", str(tightest.max)),
        (f"{prefix}-Remaining", str(tightest.remaining)),
        (f"{prefix}-Reset", str(reset)),
    ]


def tightest_of(decision: Decision) -> RateLimitReason | None:
    """The limit that has the least room left, for styles that can speak of one only."""
    limits = [limit for _, limit in decision.limits()]
    return min(limits, key=lambda limit: (limit.remaining, -limit.reset_seconds), default=None)
