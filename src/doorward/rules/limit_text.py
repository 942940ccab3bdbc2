"""Limits as people write them: ``"5/minute"``, ``"100 per 10 minutes"``, ``"5/minute; 100/day"``."""

from __future__ import annotations

import re
from typing import NamedTuple

from doorward.clock import NANOSECONDS
from doorward.duration import LONGEST, UNITS
from doorward.errors import ConfigurationError
from doorward.rules.base import LARGEST

ACCEPTED = '"5/minute", "100 per 10 minutes", "5/30s" or several with ";" between them'

_SECONDS = {
    **UNITS,
    "sec": 1,
    "second": 1,
    "min": 60,
    "minute": 60,
    "hr": 3600,
    "hour": 3600,
    "day": 86400,
    "week": 604800,
}
_LIMIT = re.compile(r"([0-9]{1,18})\s*(?:/|\bper\b)\s*(?:([0-9]{1,9})\s*)?([A-Za-z]+)", re.IGNORECASE)
_MOST_LIMITS = 16
_LONGEST_TEXT = 500


class Rate(NamedTuple):
    """``max`` units in each ``interval`` (nanoseconds)."""

    max: int
    interval: int


def parse_limits(limits: object, field: str = "limit") -> tuple[Rate, ...]:
    """The rates in a limit string.

    Raises:
        ConfigurationError: It does not parse, a unit is unknown, or a number is out of range.
    """
    if not isinstance(limits, str) or len(limits) > _LONGEST_TEXT:
        raise ConfigurationError(field, f"must be text such as {ACCEPTED}, not {limits!r:.80}")
    parts = [part.strip() for part in limits.split(";")]
    rates = tuple(_rate(part, field) for part in parts if part)
    if not 1 <= len(rates) <= _MOST_LIMITS:
        raise ConfigurationError(field, f"must hold 1 to {_MOST_LIMITS} limits such as {ACCEPTED}, not {limits!r}")
    return rates


def _rate(part: str, field: str) -> Rate:
    match = _LIMIT.fullmatch(part)
    if match is None:
        raise ConfigurationError(field, f"{part!r} is no limit; accepted: {ACCEPTED}")
    maximum, count, unit = int(match[1]), int(match[2] or 1), _unit(match[3], field)
    if not 1 <= maximum <= LARGEST or not 1 <= count * unit <= LONGEST:
        raise ConfigurationError(field, f"{part!r} must admit 1 to {LARGEST} in a span from 1 second to 366 days")
    return Rate(maximum, count * unit * NANOSECONDS)


def _unit(word: str, field: str) -> int:
    name = word.lower()
    unit = _SECONDS.get(name) or (_SECONDS.get(name[:-1]) if name.endswith("s") and len(name) > 2 else None)
    if unit is None:
        from difflib import get_close_matches  # imported where a mistake was made

        near = get_close_matches(name, _SECONDS, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise ConfigurationError(field, f"unknown unit {word!r}.{hint} Accepted: second, minute, hour, day, week")
    return unit
