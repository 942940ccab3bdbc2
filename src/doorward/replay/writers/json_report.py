"""The report for programs. docs/replay-report.schema.json says what is in it."""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import TYPE_CHECKING, Any

from doorward import __version__
from doorward.replay.writers.figures import iso

if TYPE_CHECKING:
    from doorward.replay.report import Report

VERSION = 1
"""Goes up when a program that reads the report would read it wrong; new names alone do not count."""
LONGEST = 2_048
_COUNTS = ("denied_by", "allowed_by", "denied_routes", "skipped")
_SKIPPED = ("file", "line", "why", "text")
_TIMES = {"at_ns": "at", "began_ns": "began", "ended_ns": "ended", "made_ns": "made"}


def write(report: Report) -> str:
    """The report as JSON in ASCII. Of longer texts the first :data:`LONGEST` characters are kept."""
    document = {"version": VERSION, "doorward": __version__, **_plain(report.to_dict())}
    document["skipped_samples"] = [dict(zip(_SKIPPED, line, strict=True)) for line in document["skipped_samples"]]
    # 0x7f is the one control character that JSON lets through.
    return json.dumps(document, indent=1, allow_nan=False).replace("\x7f", "\\u007f") + "\n"


def _plain(value: Any) -> Any:
    match value:
        case str():
            return _text(value)
        case dict():
            return _object(value)
        case list() | tuple():
            return [_plain(item) for item in value]
        case float() if not math.isfinite(value):
            return 0.0
        case _:
            return value


def _object(members: dict[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for name, member in members.items():
        plain[name] = _counts(member) if name in _COUNTS else _plain(member)
        if name in _TIMES:
            # As text too: a program of JavaScript reads whole numbers of this size by the nearest 256 ns.
            plain[_TIMES[name]] = iso(member)
    return plain


def _counts(counts: dict[str, int]) -> dict[str, int]:
    """Names that are the same once they are cut are counted as one."""
    plain: Counter[str] = Counter()
    for name, count in counts.items():
        plain[_text(name)] += count
    return dict(plain)


def _text(value: str) -> str:
    """Without lone surrogates, which are no text to most programs that read JSON."""
    return value[:LONGEST].encode("utf-8", "backslashreplace").decode()
