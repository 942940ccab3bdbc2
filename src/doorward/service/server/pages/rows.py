"""One decision as a line of the table: the same for the page and for what its script asks for."""

from __future__ import annotations

from doorward.service.server.pages.texts import clock_time, cost, day, decision_link, link, moment, shown
from doorward.service.server.ports import LogRecord

LONGEST = 120


def row(record: LogRecord, today: str = "") -> dict[str, str]:
    """Its fields, visible and bounded; those that end in ``href`` are links within these pages.

    Args:
        record: The decision.
        today: The day, as :func:`day` has it, that goes without saying.
    """
    its_day = day(record.at_ns)
    return {
        "id": shown(record.id, LONGEST),
        "href": decision_link(record.id),
        "at": moment(record.at_ns).isoformat(timespec="milliseconds"),
        "day": "" if its_day == today else its_day,
        "time": clock_time(record.at_ns),
        "conclusion": shown(record.conclusion, 20),
        "reason": shown(record.reason, 40),
        "rule": shown(record.rule, LONGEST),
        "rule_href": link("/decisions", rule=record.rule),
        "why": shown(record.why, 200),
        "dry": shown(record.dry_run, LONGEST),
        "dry_href": link("/decisions", dry=record.dry_run),
        "ip": shown(record.ip, 64),
        "ip_href": link("/decisions", ip=record.ip),
        "country": shown(record.country, 8),
        "method": shown(record.method, 16),
        "path": shown(record.path, LONGEST),
        "site": shown(record.site, 64),
        "how": "reported" if record.reported else "",
        "took": cost(record.took_us),
    }


BLANK = dict.fromkeys(row(LogRecord("", 0, "", "")), "")
"""The line that the script fills."""
