"""Values as people read them. What comes from visitors is made visible and bounded here; templates escape it."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote, urlencode

from doorward.clock import NANOSECONDS
from doorward.printable import printable

LATEST_NS = 253_402_300_799 * NANOSECONDS
"""The end of the year 9999: Python's calendar knows no later time."""
LONGEST_VALUE = 2_048
"""Characters of a value in a URL."""


def shown(value: object, longest: int = 200) -> str:
    """Any value as one visible line: no control characters, no bidirectional marks, bounded."""
    return printable(value if isinstance(value, str) else str(value), longest)


def moment(at_ns: int) -> datetime:
    """When, in UTC; a time that no calendar has is put at its end."""
    return datetime.fromtimestamp(min(max(at_ns, 0), LATEST_NS) / NANOSECONDS, UTC)


def clock_time(at_ns: int) -> str:
    """``14:03:07.250``."""
    return moment(at_ns).strftime("%H:%M:%S.%f")[:-3]


def day(at_ns: int) -> str:
    """``2026-08-12``."""
    return moment(at_ns).strftime("%Y-%m-%d")


def minute(at_ns: int) -> str:
    """``2026-08-12 14:03``."""
    return moment(at_ns).strftime("%Y-%m-%d %H:%M")


def short_time(at_ns: int, step: int) -> str:
    """A time on an axis whose bars are ``step`` seconds apart: ``14:03:15``, ``14:03``, ``12 Aug 14:00``."""
    form = "%H:%M:%S" if step < 60 else "%H:%M" if step < 3600 else "%d %b %H:%M"
    return moment(at_ns).strftime(form)


def number(value: float) -> str:
    """``12,345``; ``0.4`` below ten."""
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"


def per_cent(part: int, whole: int) -> str:
    """``12.3 %``; a share that is not nothing is never shown as nothing."""
    if not whole or not part:
        return "0 %"
    share = 100 * part / whole
    return "< 0.1 %" if share < 0.1 else f"{share:.1f} %"


def cost(microseconds: float) -> str:
    """``85 µs``, ``1.2 ms``; empty where it is not known."""
    if microseconds <= 0:
        return ""
    return f"{microseconds:,.0f} µs" if microseconds < 1000 else f"{microseconds / 1000:,.1f} ms"


def span(seconds: float) -> str:
    """``45 s``, ``12 min``, ``3 h 20 min``, ``6 d``."""
    if seconds < 120:
        return f"{max(seconds, 0):.0f} s"
    if seconds < 2 * 3600:
        return f"{seconds / 60:.0f} min"
    if seconds < 2 * 86400:
        hours, minutes = divmod(round(seconds / 60), 60)
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{seconds / 86400:.0f} d"


def link(path: str, /, **query: object) -> str:
    """A path of ours with a query; what is empty is left out."""
    given = {name: str(value)[:LONGEST_VALUE] for name, value in query.items() if value}
    return f"{path}?{urlencode(given, errors='replace')}" if given else path


def decision_link(decision: str) -> str:
    """Where a decision is shown in full."""
    return f"/decisions/{quote(decision[:LONGEST_VALUE], safe='', errors='replace')}"
