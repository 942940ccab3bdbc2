"""A decision of the log as JSON: what ``/v1/decisions`` answers, and ``doorward tail`` reads."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from doorward.clock import NANOSECONDS

if TYPE_CHECKING:
    from doorward.service.server.ports import LogRecord

_LATEST = 253_402_300_799  # the end of the year 9999, where calendars end


def summary(record: LogRecord) -> dict[str, Any]:
    """What a list shows of a decision."""
    return {
        "id": record.id,
        "at": _time(record.at_ns),
        "site": record.site,
        "conclusion": record.conclusion,
        "reason": record.reason,
        "why": record.why,
        "rule": record.rule,
        "dryRun": record.dry_run,
        "ip": record.ip,
        "country": record.country,
        "method": record.method,
        "host": record.host,
        "path": record.path,
        "agent": record.agent,
        "reported": record.reported,
        "client": record.client,
        "tookUs": record.took_us,
    }


def document(record: LogRecord) -> dict[str, Any]:
    """All that is known of a decision."""
    return {**summary(record), "results": list(record.results), "ipDetails": record.ip_details}


def _time(at_ns: int) -> str:
    """RFC 3339, with milliseconds."""
    seconds, rest = divmod(at_ns, NANOSECONDS)
    if seconds > _LATEST:
        return ""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1_000_000:03d}Z"


__all__ = ["document", "summary"]
