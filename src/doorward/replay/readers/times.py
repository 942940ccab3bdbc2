"""Times as logs write them, in nanoseconds since the Unix epoch. A time without a zone is taken for UTC."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta

from doorward.clock import NANOSECONDS
from doorward.replay.readers.problems import TOO_EARLY, TOO_LATE, WRONG_TIME, NoRequest

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST = int((datetime(1995, 1, 1, tzinfo=UTC) - _EPOCH).total_seconds()) * NANOSECONDS
_LATEST = int((datetime(2101, 1, 1, tzinfo=UTC) - _EPOCH).total_seconds()) * NANOSECONDS
_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = {name: number for number, name in enumerate(_NAMES, 1)}
_CLF = re.compile(
    r"(\d\d?)/([A-Z][a-z]{2})/(\d{4}):(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9})\d*+)?(?: ?([+-])(\d\d):?(\d\d))?", re.ASCII
)
_NUMBER = re.compile(r"(\d{1,19})(?:\.(\d{1,9})\d*+)?", re.ASCII)
_LONGEST = 64
# Which unit a number since the epoch is in: no log is from before 1973, nor from after the year 5000.
_UNITS = ((10**11, NANOSECONDS), (10**14, 1_000_000), (10**17, 1_000), (10**20, 1))


def clf_ns(text: str) -> int:
    """``10/Oct/2000:13:55:36 -0700``, as of the Common Log Format.

    Raises:
        NoRequest: It is no such time.
    """
    found = _CLF.fullmatch(text)
    if found is None or found[2] not in _MONTHS:
        raise NoRequest(WRONG_TIME)
    day, _, year, hour, minute, second, fraction, sign, hours, minutes = found.groups()
    leap = second == "60"
    try:
        at = datetime(
            int(year), _MONTHS[found[2]], int(day), int(hour), int(minute), 59 if leap else int(second), tzinfo=UTC
        )
    except ValueError as error:
        raise NoRequest(WRONG_TIME) from error
    east = (int(hours) * 3600 + int(minutes) * 60) * (-1 if sign == "-" else 1) if sign else 0
    seconds = (at - _EPOCH) // timedelta(seconds=1) + leap - east
    return plausible(seconds * NANOSECONDS + _fraction(fraction))


def iso_ns(text: str) -> int:
    """ISO 8601, such as ``2000-10-10T13:55:36-07:00``; also with a blank, and with a decimal comma.

    Raises:
        NoRequest: It is no such time.
    """
    try:
        at = datetime.fromisoformat(text)
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
        return plausible((at - _EPOCH) // timedelta(microseconds=1) * 1_000)
    except (ValueError, OverflowError) as error:
        raise NoRequest(WRONG_TIME) from error


def epoch_ns(text: str) -> int:
    """A number of seconds, milliseconds, microseconds or nanoseconds since the epoch, such as ``1646861401.524``.

    Raises:
        NoRequest: It is no such time.
    """
    found = _NUMBER.fullmatch(text)
    if found is None:
        raise NoRequest(WRONG_TIME)
    number = int(found[1])
    unit = next((unit for most, unit in _UNITS if number < most), 1)
    return plausible(number * unit + _fraction(found[2]) * unit // NANOSECONDS)


def moment_ns(value: object) -> int:
    """A time in any of the forms above, as text or as a number of JSON.

    Raises:
        NoRequest: It is none.
    """
    if isinstance(value, str) and len(value) <= _LONGEST:
        text = value.strip().removeprefix("[").removesuffix("]")
        if _NUMBER.fullmatch(text):
            return epoch_ns(text)
        return clf_ns(text) if "/" in text else iso_ns(text)
    if isinstance(value, float) and math.isfinite(value):
        return epoch_ns(f"{value:.6f}")
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**19:
        return epoch_ns(str(value))
    raise NoRequest(WRONG_TIME)


def plausible(at_ns: int) -> int:
    """``at_ns``, unless the clock that it is from was wrong.

    Raises:
        NoRequest: There were no web servers yet, or it is far in the future.
    """
    if at_ns < _EARLIEST:
        raise NoRequest(TOO_EARLY)
    if at_ns >= _LATEST:
        raise NoRequest(TOO_LATE)
    return at_ns


def _fraction(digits: str | None) -> int:
    """Nanoseconds of the digits behind the point."""
    return int(digits.ljust(9, "0")) if digits else 0


__all__ = ["clf_ns", "epoch_ns", "iso_ns", "moment_ns", "plausible"]
