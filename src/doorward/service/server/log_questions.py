"""The parameters of ``GET /v1/decisions``, checked: each error names its parameter."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from doorward import duration
from doorward.clock import NANOSECONDS
from doorward.errors import ConfigurationError
from doorward.service.server.log_reader import CONCLUSIONS, MOST_ROWS
from doorward.service.server.ports import LogQuery

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

LONGEST = 512
LONGEST_WAIT = 20
_DEFAULT_LIMIT = 50
_LARGEST = 2**63 - 1
_REASON = re.compile(r"[A-Z_]{1,32}")
_TIMES = 'an RFC 3339 time such as "2027-01-15T08:00:00Z", seconds since 1970, or how long ago, such as "15m"'


class Question(NamedTuple):
    """What was asked for.

    Attributes:
        query: Which decisions.
        cursor: After which; None for the newest ones.
        limit: How many at most.
        wait: Seconds to wait for the first.
    """

    query: LogQuery
    cursor: int | None
    limit: int
    wait: int


def question(items: Iterable[tuple[str, str]], site: str, now_ns: int) -> Question:
    """Read the parameters.

    Args:
        items: Names and values.
        site: Whose decisions.
        now_ns: What "ago" is before.

    Raises:
        ConfigurationError: One of them is unknown, twice there or makes no sense.
    """
    given: dict[str, str] = {}
    for name, value in items:
        if name not in _READ:
            raise ConfigurationError(name[:40], f"is no parameter: there are {', '.join(_READ)}")
        if name in given:
            raise ConfigurationError(name, "is there more than once")
        given[name] = value
    texts: dict[str, Any] = {name: _READ[name](name, given[name]) for name in _TEXTS if name in given}
    times = {f"{name}_ns": _time(name, given[name], now_ns) for name in ("since", "before") if name in given}
    return Question(
        LogQuery(site=site, **{**texts, **times}),
        _whole("after", given["after"], 0, _LARGEST) if "after" in given else None,
        _whole("limit", given.get("limit", str(_DEFAULT_LIMIT)), 1, MOST_ROWS),
        _whole("wait", given.get("wait", "0"), 0, LONGEST_WAIT),
    )


def _text(name: str, value: str) -> str:
    if not value or len(value) > LONGEST or any(c < " " or c == "\x7f" for c in value):
        raise ConfigurationError(name, f"must be from 1 to {LONGEST} printable characters")
    return value


def _conclusion(name: str, value: str) -> str:
    if value.upper() not in CONCLUSIONS:
        raise ConfigurationError(name, f"must be one of {', '.join(CONCLUSIONS)}")
    return value.upper()


def _reason(name: str, value: str) -> str:
    if not _REASON.fullmatch(value):
        raise ConfigurationError(name, "must be a type of reason, such as RATE_LIMIT")
    return value


def _whole(name: str, value: str, least: int, most: int) -> int:
    if not (value.isascii() and value.isdecimal() and len(value) < 20 and least <= int(value) <= most):
        raise ConfigurationError(name, f"must be a whole number from {least} to {most}")
    return int(value)


def _time(name: str, value: str, now_ns: int) -> int:
    """Nanoseconds since the Unix epoch."""
    if value.isascii() and value.isdecimal() and len(value) <= 10:
        return int(value) * NANOSECONDS
    try:
        if value[:1].isdecimal() and value[-1:].isalpha() and "T" not in value.upper():
            return max(0, now_ns - duration.nanoseconds(value[:40], name))
        at = datetime.fromisoformat(value[:40])
        if at.tzinfo is not None:
            return max(0, round(at.timestamp() * NANOSECONDS))
    except (ValueError, OverflowError):
        pass
    raise ConfigurationError(name, f"must be {_TIMES}")


_TEXTS = ("conclusion", "reason", "rule", "dry_run", "ip", "path")
_READ: dict[str, Callable[[str, str], str]] = {
    **dict.fromkeys((*_TEXTS, "since", "before", "after", "limit", "wait"), _text),
    "conclusion": _conclusion,
    "reason": _reason,
}

__all__ = ["LONGEST_WAIT", "Question", "question"]
