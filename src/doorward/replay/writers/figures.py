"""Figures as people read them."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from doorward.clock import NANOSECONDS

LATEST_NS = 253_402_300_799 * NANOSECONDS
"""The end of the year 9999: Python's calendar knows no later time."""
_UNITS = ((10**12, "tn"), (10**9, "bn"), (10**6, "M"), (10**3, "k"))
_BYTES = ("B", "kB", "MB", "GB", "TB")
UNKNOWN = "-"


def number(value: int) -> str:
    """``12,345``."""
    return f"{value:,}"


def counted(value: int, one: str, many: str = "") -> str:
    """``1 request``, ``12 requests``."""
    return f"{value:,} {one if value == 1 else many or f'{one}s'}"


def short_number(value: int) -> str:
    """Four characters or so, for an axis: ``950``, ``1.5k``, ``40M``, ``4bn``."""
    for size, unit in _UNITS:
        if abs(value) >= size:
            return f"{value / size:.3g}{unit}" if value / size < 1000 else f"{value / size:,.0f}{unit}"
    return str(value)


def share(part: int, whole: int) -> str:
    """``12.3%``. What is not nothing is never shown as nothing, and what is not all never as all."""
    if whole <= 0 or part <= 0:
        return "0%"
    if part >= whole:
        return "100%"
    per_cent = 100 * part / whole
    if per_cent < 0.1:
        return f"{per_cent:.2f}%" if per_cent >= 0.01 else "<0.01%"
    return f"{per_cent:.1f}%" if per_cent < 99.95 else ">99.9%"


def when(at_ns: int, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    """A time in UTC; ``-`` where it is not known."""
    if at_ns <= 0:
        return UNKNOWN
    return datetime.fromtimestamp(min(at_ns, LATEST_NS) // NANOSECONDS, UTC).strftime(form)


def iso(at_ns: int) -> str:
    """A time as ISO 8601 in UTC, by the second; empty where it is not known."""
    return "" if at_ns <= 0 else when(at_ns, "%Y-%m-%dT%H:%M:%SZ")


def duration(seconds: float) -> str:
    """``0.3 s``, ``45 s``, ``12 min``, ``3 h 20 min``, ``6 d 4 h``."""
    if not math.isfinite(seconds) or seconds <= 0:
        return UNKNOWN
    if seconds < 120:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 120 and minutes != 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days:,} d {hours} h" if hours else f"{days:,} d"


def size(count: int) -> str:
    """Bytes: ``312 B``, ``4.5 MB``."""
    value, unit = float(max(count, 0)), 0
    while value >= 1000 and unit < len(_BYTES) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:.3g} {_BYTES[unit]}" if value < 1000 else f"{value:,.0f} {_BYTES[unit]}"


def rate(count: int, seconds: float) -> str:
    """``48,000 requests a second``, by two digits; empty where the time is not known."""
    # No clock measures less than this; dividing by it could overflow.
    if not math.isfinite(seconds) or seconds < 1e-6 or count <= 0:
        return ""
    each = count / seconds
    digits = max(0, int(math.log10(each)) - 1) if each >= 1 else 0
    return f"{round(each, -digits):,.0f} requests a second"
