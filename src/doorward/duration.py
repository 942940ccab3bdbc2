"""Lengths of time as people write them: 600, ``"10m"``, ``"1h30m"``, ``timedelta(minutes=10)``."""

from __future__ import annotations

import re
from datetime import timedelta

from doorward.clock import NANOSECONDS
from doorward.errors import ConfigurationError

Duration = int | float | str | timedelta
"""Seconds, text such as ``"1h30m"``, or a timedelta."""

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
LONGEST = 366 * 86400
ACCEPTED = 'seconds, a timedelta, or text such as "30s", "10m", "1h30m", "1d"'

_TEXT = re.compile(r"(?:[0-9]{1,10}[smhdw])+|0")
_PART = re.compile(r"([0-9]+)([smhdw])")


def nanoseconds(value: object, field: str) -> int:
    """A duration in nanoseconds.

    Raises:
        ConfigurationError: It is not a length of time from a millisecond to 366 days.
    """
    length = _seconds(value, field)
    if not 0.001 <= length <= LONGEST:
        raise ConfigurationError(field, f"must be from one millisecond to 366 days, not {value!r}")
    return round(length * NANOSECONDS)


def seconds(value: object, field: str) -> float:
    """A duration in seconds; zero is accepted.

    Raises:
        ConfigurationError: It is not a length of time up to 366 days.
    """
    length = _seconds(value, field)
    if not 0 <= length <= LONGEST:
        raise ConfigurationError(field, f"must be from 0 to 366 days, not {value!r}")
    return length


def _seconds(value: object, field: str) -> float:
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _TEXT.fullmatch(value):
        return sum(int(count) * UNITS[unit] for count, unit in _PART.findall(value))
    raise ConfigurationError(field, f"must be {ACCEPTED}, not {value!r}")
