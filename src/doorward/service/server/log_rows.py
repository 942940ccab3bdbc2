"""A decision as a row of the log, and back: of bounded length, and free of what could confuse a reader."""

from __future__ import annotations

import json
import math
import re
import zlib
from itertools import islice
from typing import TYPE_CHECKING, Any

from doorward.service.server.ports import LogRecord

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST = {
    "id": 64,
    "site": 64,
    "conclusion": 16,
    "reason": 32,
    "why": 500,
    "rule": 100,
    "dry_run": 100,
    "ip": 64,
    "method": 32,
    "host": 255,
    "path": 512,
    "agent": 300,
    "country": 8,
    "client": 100,
}
"""Characters that are kept of each text."""

MOST_BYTES = 64 << 10
"""Of JSON that is kept of the results, and of what is known about the address."""

COLUMNS = ("at_ns", "site", "conclusion", "reason", "rule", "dry_run", "ip", "country", "method", "path")
"""What decisions are looked for by. Everything else is in one compressed value, so that a scan reads little."""

_TEXTS = slice(LogRecord._fields.index("site"), LogRecord._fields.index("country") + 1)
_USUAL = 2_000
_REST = ("why", "host", "agent", "client")
_MOST_RESULTS = 200
_MOST_ITEMS = 1_000
_DEEPEST = 12
_LONGEST_TEXT = 8_192
_LARGEST = 2**63 - 2  # before the end of any question
_FASTEST = 1  # zlib's level: half the size for a tenth of the time of its default
_REPLACED = "\N{REPLACEMENT CHARACTER}"
# Controls, lone surrogates, and what turns the direction of a line or breaks it.
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")

_dumped = json.JSONEncoder(separators=(",", ":"), allow_nan=False, ensure_ascii=False).encode
Row = tuple[Any, ...]


def clipped(record: LogRecord) -> LogRecord:
    """The record without what is too long of its texts, so that a queue of records is bounded in bytes, too."""
    # Added up, since this is on the way of each decision; each text is looked at when the row is made.
    values: tuple[Any, ...] = tuple(record)
    if sum(map(len, values[_TEXTS]), len(record.id) + len(record.client)) <= _USUAL:
        return record
    long = {name: getattr(record, name)[:most] for name, most in LONGEST.items() if len(getattr(record, name)) > most}
    return record._replace(**long) if long else record


def clean(text: str, longest: int = _LONGEST_TEXT) -> str:
    """Text without control characters, of bounded length."""
    text = str(text)[:longest]
    return text if text.isascii() and text.isprintable() else _UNFIT.sub(_REPLACED, text)


def rows_of(record: LogRecord) -> tuple[Row, Row]:
    """What is looked for (:data:`COLUMNS`), and the rest: the id, the site and the compressed value.

    Raises:
        Exception: The record holds what no record can hold.
    """
    texts = {name: clean(getattr(record, name), most) for name, most in LONGEST.items()}
    columns = (_bounded(record.at_ns), *(texts[name] for name in COLUMNS[1:]))
    rest = {name: texts[name] for name in _REST if texts[name]}
    flags = {**rest, "reported": bool(record.reported), "took_us": _bounded(record.took_us)}
    results, details = ",".join(_fitting(record.results)), _kept(record.ip_details)
    document = f'{_dumped(flags)[:-1]},"results":[{results}],"ip_details":{details}}}'
    return columns, (texts["id"], texts["site"], zlib.compress(document.encode(), _FASTEST))


def record_of(decision: str, columns: Sequence[Any], rest: bytes) -> LogRecord:
    """The record of a row. Of a value that cannot be read, what is found by is still there."""
    try:
        document = json.loads(zlib.decompress(rest))
    except (zlib.error, ValueError, TypeError):
        document = {}
    return LogRecord(id=decision, **dict(zip(COLUMNS, columns, strict=True)), **document)


def _bounded(number: int) -> int:
    return min(max(int(number), 0), _LARGEST)


def _fitting(results: Sequence[dict[str, Any]]) -> list[str]:
    """JSON of the first of the results, as many as there is room for."""
    kept, room = [], MOST_BYTES
    for result in list(results)[:_MOST_RESULTS]:
        text = _dumped(_tidied(result, 0))
        room -= len(text.encode())
        if room < 0:
            break
        kept.append(text)
    return kept


def _kept(details: dict[str, Any] | None) -> str:
    """JSON of what is known about an address; of nothing, where that is too much to keep."""
    text = _dumped(_tidied(details, 0))
    return text if len(text.encode()) <= MOST_BYTES else "null"


def _tidied(value: Any, depth: int) -> Any:
    """JSON of bounded depth and breadth, its texts clean; None for what is too deep, or no JSON."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict) and depth < _DEEPEST:
        return {clean(name, 256): _tidied(item, depth + 1) for name, item in islice(value.items(), _MOST_ITEMS)}
    if isinstance(value, list | tuple) and depth < _DEEPEST:
        return [_tidied(item, depth + 1) for item in value[:_MOST_ITEMS]]
    return _number(value) if isinstance(value, int | float) else None


def _number(value: float) -> float | None:
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return min(max(value, -_LARGEST), _LARGEST)
    return value if math.isfinite(value) else None  # JSON has neither infinities nor NaN


__all__ = ["COLUMNS", "LONGEST", "MOST_BYTES", "clean", "clipped", "record_of", "rows_of"]
