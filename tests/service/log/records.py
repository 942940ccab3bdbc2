"""Decisions to log, and ways to wait for them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from doorward.service.server.ports import LogRecord

NOON = 1_800_000_000 * 10**9
SECOND = 10**9
HOUR = 3_600 * SECOND
DEADLINE = 20.0


def record(number: int = 0, **fields: Any) -> LogRecord:
    """A denial, a second after that of the number before."""
    values: dict[str, Any] = {
        "id": f"req_{number:026d}",
        "at_ns": NOON + number * SECOND,
        "site": "shop",
        "conclusion": "DENY",
        "reason": "RATE_LIMIT",
        "why": "5 of 5 requests are used, 12 s left",
        "rule": "signup",
        "ip": "203.0.113.9",
        "method": "POST",
        "host": "shop.example",
        "path": "/signup",
        "agent": "Mozilla/5.0",
        "country": "FR",
        "client": "PYTHON 1.4.0",
        "took_us": 120,
        "results": [{"ruleId": "ab" * 32, "state": "RULE_STATE_RUN", "conclusion": "CONCLUSION_DENY", "tookUs": 40}],
        "ip_details": {"country": "FR", "isVpn": False},
    }
    return LogRecord(**{**values, **fields})


def until(true: Callable[[], object]) -> None:
    """Wait for a state."""
    ends = time.monotonic() + DEADLINE
    while not true():
        assert time.monotonic() < ends, "it did not come to that"
        time.sleep(0.02)
