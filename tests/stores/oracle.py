"""Brute-force limiters: they keep every admission, use exact fractions, and are meant to be obviously right."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Protocol

SOAK = os.environ.get("DOORWARD_SOAK") == "1"
SEQUENCES = 100_000 if SOAK else 2_000


class Oracle(Protocol):
    def room(self, now: int) -> int: ...

    def admit(self, cost: int, now: int) -> None: ...


@dataclass
class FixedOracle:
    """Adds up what was admitted in the clock-aligned window of ``now``."""

    max: int
    interval: int
    log: list[tuple[int, int]] = field(default_factory=list)

    def room(self, now: int) -> int:
        window = now // self.interval
        return self.max - sum(cost for at, cost in self.log if at // self.interval == window)

    def admit(self, cost: int, now: int) -> None:
        self.log.append((now, cost))


@dataclass
class SlidingOracle:
    """An exact log: adds up what was admitted in ``(now - interval, now]``."""

    max: int
    interval: int
    log: list[tuple[int, int]] = field(default_factory=list)

    def room(self, now: int) -> int:
        return self.max - sum(cost for at, cost in self.log if now - self.interval < at <= now)

    def admit(self, cost: int, now: int) -> None:
        self.log.append((now, cost))


@dataclass
class BucketOracle:
    """A bucket whose level is an exact fraction."""

    max: int
    interval: int
    level: Fraction = Fraction(0)
    seen: int | None = None

    def room(self, now: int) -> int:
        if self.seen is None:
            self.level = Fraction(self.max)
        else:
            self.level = min(Fraction(self.max), self.level + Fraction((now - self.seen) * self.max, self.interval))
        self.seen = now
        return self.level.__floor__()

    def admit(self, cost: int, now: int) -> None:
        self.level -= cost


def window_excess(algorithm: str, limit: int, interval: int, log: list[tuple[int, int]]) -> Fraction:
    """By how much the promise of ``algorithm`` is broken by the admissions ``(at, cost)``; at most 0 if it is kept.

    A window that is fullest ends with an admission, and begins with one where it has no length of its own.
    """
    if algorithm == "FIXED_WINDOW":
        sums: dict[int, int] = {}
        for at, cost in log:
            sums[at // interval] = sums.get(at // interval, 0) + cost
        return Fraction(max(sums.values(), default=0) - limit)
    if algorithm == "SLIDING_WINDOW":
        return Fraction(max((sum(c for t, c in log if end - interval < t <= end) for end, _ in log), default=0) - limit)
    return max(
        (
            sum(c for t, c in log if start <= t <= end) - limit - Fraction((end - start) * limit, interval)
            for start, _ in log
            for end, _ in log
            if start <= end
        ),
        default=Fraction(-limit),
    )


def steps(rng: random.Random, interval: int) -> int:
    """A pause that likes the edges of windows."""
    parts = (interval // 10, interval // 3, interval // 2)
    edges = (0, 0, 0, 1, *parts, interval - 1, interval, interval + 1, 2 * interval)
    return rng.choice(edges) if rng.random() < 0.7 else rng.randrange(interval)


def plan(rng: random.Random, max_limit: int = 12) -> tuple[int, int]:
    """A limit, and an interval that it often does not divide."""
    return rng.randint(1, max_limit), rng.choice((7, 60, 1_000, 1_001, 60_000_000_000))


def cost_of(rng: random.Random, limit: int) -> int:
    """Mostly 1, sometimes several, rarely more than can ever be admitted."""
    return 1 if rng.random() < 0.6 else rng.randint(1, limit + 1)
