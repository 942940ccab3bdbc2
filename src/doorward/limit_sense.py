"""What limits come to beside each other: which of them can refuse at all, and how much one admits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.clock import NANOSECONDS
from doorward.effects import Algorithm

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from doorward.rules.limits import Quota

_UNITS = ((604800, "week"), (86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def idle_quotas(quotas: Sequence[Quota]) -> Iterator[tuple[Quota, Quota]]:
    """Limits that another one makes unnecessary, each with that other."""
    for quota in quotas:
        for other in quotas:
            if other is not quota and makes_idle(other, quota):
                yield quota, other
                break


def makes_idle(other: Quota, quota: Quota) -> bool:
    """Whether a limit admits so little over a longer interval that one of that interval can never refuse."""
    return other.interval < quota.interval and most_admitted(other, quota.interval) <= quota.max


def most_admitted(quota: Quota, interval: int) -> float:
    """The most that a limit can admit within ``interval`` nanoseconds; infinite where that is not simply known."""
    spans, rest = divmod(interval, quota.interval)
    if quota.algorithm is Algorithm.SLIDING_WINDOW:
        return quota.max * (spans + (rest > 0))
    return quota.max * spans if quota.algorithm is Algorithm.FIXED_WINDOW and not rest else float("inf")


def in_words(quota: Quota) -> str:
    """``5 in 10 minutes``."""
    return f"{quota.max} in {span(quota.interval)}"


def span(interval: int) -> str:
    """``90 minutes``: in the largest unit that divides it."""
    for seconds, name in _UNITS:
        count, rest = divmod(interval, seconds * NANOSECONDS)
        if count and not rest:
            return f"{count} {name}{'' if count == 1 else 's'}"
    return f"{interval / NANOSECONDS:.3g} seconds"
