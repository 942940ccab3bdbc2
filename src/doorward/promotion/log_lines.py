"""Reads doorward's own log: decisions and summaries, as text (``key=value``) or JSON, whatever stands around them.

Taken are the lines of :mod:`doorward.journal` behind any prefix of a formatter's, the same as JSON with the record's
``doorward`` fields as an object or beside others, and what ``doorward tail --json`` prints.
"""

from __future__ import annotations

import json
import re
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from doorward.ids import made_at_ns
from doorward.log_fields import CONCLUSIONS, DECISION, SUMMARY, TIMES, fields_of
from doorward.replay.readers.problems import NoRequest
from doorward.replay.readers.times import moment_ns

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from doorward.replay.reading import Reading

LONGEST_LINE = 64 << 10
_MARK = re.compile(f"{DECISION}|{SUMMARY}")
_LONGEST_TEXT = 600


class Line(NamedTuple):
    """One decision of a log. Everything that a client sent may be in its texts.

    Attributes:
        at_ns: When, in nanoseconds since the Unix epoch.
        decision: Its id.
        conclusion: ALLOW, DENY, CHALLENGE or ERROR.
        rule: Who decided; empty for nobody, or where the log does not say.
        would: The dry-run rules that would have refused, and why, as far as the log says.
        ip: The client's address, or its network.
        method: Of the request.
        path: Of the request.
        partial: Whether ``would`` may lack rules: such a line names the first of them only.
    """

    at_ns: int
    decision: str
    conclusion: str
    rule: str
    would: Mapping[str, str]
    ip: str
    method: str
    path: str
    partial: bool = False


class Summary(NamedTuple):
    """What a process had decided in all at one time.

    Attributes:
        process: Which process of which client it was: equal for all summaries of one.
        since_ns: When it began to count.
        until_ns: When it said so.
        counts: ``decision.<conclusion>``, ``rule.<name>.<what>``.
    """

    process: tuple[str, str, int]
    since_ns: int
    until_ns: int
    counts: Mapping[str, int]


def read(lines: Iterable[bytes], file: str, reading: Reading) -> Iterator[Line | Summary]:
    """Decisions and summaries in the order of the file; other lines are counted, and lines that make no sense.

    Args:
        lines: Of the file, each at most :data:`LONGEST_LINE` bytes: longer ones are cut, and make no sense.
        file: Its name, for samples of what was left out.
        reading: Takes the figures.
    """
    for number, raw in enumerate(lines, 1):
        reading.lines += 1
        reading.bytes += len(raw)
        found = parse(raw.decode("utf-8", "replace"))
        if isinstance(found, str):
            reading.skip(file, number, found, raw[:400].decode("utf-8", "replace").rstrip())
        else:
            yield found


def parse(text: str) -> Line | Summary | str:
    """What a line says; as text, why it says nothing."""
    if text.lstrip()[:1] == "{":
        return _of_json(text)
    found = _MARK.search(text)
    if found is None:
        return "no decision of doorward's"
    return _of_fields(fields_of(text[found.end() :]), {})


def _of_json(text: str) -> Line | Summary | str:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return "no JSON"
    if not isinstance(document, dict):
        return "no decision of doorward's"
    fields = document.get("doorward")
    if isinstance(fields, dict):
        return _of_fields(fields, document)
    message = document.get("message", document.get("msg"))
    if isinstance(message, str) and _MARK.search(message[:200]):
        return parse(message)
    return _of_fields(document, document)


def _of_fields(fields: Mapping[str, Any], around: Mapping[str, Any]) -> Line | Summary | str:
    if "process" in fields and "until" in fields:
        return _summary(fields)
    conclusion, decision = fields.get("conclusion"), _text(fields, "id")
    if not isinstance(conclusion, str) or conclusion not in CONCLUSIONS:
        return "no decision of doorward's"
    at_ns = made_at_ns(decision) or next((at for name in TIMES if (at := _time({**around, **fields}.get(name)))), 0)
    if not at_ns:
        return "a decision without a time"
    would, partial = _would(fields)
    texts = [_text(fields, name) for name in ("rule", "ip", "method", "path")]
    rule, ip, method, path = texts
    return Line(at_ns, decision, conclusion, rule, would, ip, method, path, partial)


def _would(fields: Mapping[str, Any]) -> tuple[dict[str, str], bool]:
    """Dry-run rules that would have refused, and why; and whether there may have been more."""
    told = fields.get("would_deny")
    if isinstance(told, str):
        parts = [part.partition(": ") for part in told.split(" | ") if part]
        return {_plain(name): _plain(why) for name, _, why in parts[:100]}, False
    results = fields.get("results")
    if isinstance(results, list):
        return would_of(results), False
    first = _text(fields, "dry_run") or _text(fields, "dryRun")
    return ({first: ""} if first else {}), True


def would_of(results: Iterable[Any]) -> dict[str, str]:
    """The dry-run rules that would have refused, and why, of the rules' results in the wire's JSON."""
    from doorward.service.server.pages.reasons import explain

    return {
        _text(result, "rule"): explain(result.get("reason"))[1][:_LONGEST_TEXT]
        for result in islice(results, 200)
        if isinstance(result, dict)
        and result.get("state") == "RULE_STATE_DRY_RUN"
        and result.get("conclusion") in ("CONCLUSION_DENY", "CONCLUSION_CHALLENGE")
    }


def _summary(fields: Mapping[str, Any]) -> Summary | str:
    since_ns, until_ns = _time(fields.get("since")), _time(fields["until"])
    if not since_ns or not until_ns:
        return "a summary without a time"
    process = (_text(fields, "client"), str(fields["process"])[:20], since_ns)
    counts = {
        name: number
        for name, value in fields.items()
        if name.startswith(("decision.", "rule.")) and (number := _number(value)) is not None
    }
    return Summary(process, since_ns, until_ns, counts)


def _number(value: object) -> int | None:
    text = str(value)
    fits = not isinstance(value, bool) and text.isascii() and text.isdecimal() and len(text) < 19
    return int(text) if fits else None


def _time(value: object) -> int:
    """Nanoseconds since the Unix epoch of a time as logs write it; 0 for none."""
    try:
        return moment_ns(value)
    except NoRequest:
        return 0


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    return value[:_LONGEST_TEXT] if isinstance(value, str) else ""


def _plain(text: str) -> str:
    """Undo what keeps the parts of ``would_deny`` apart."""
    return text.replace("\\x3a", ":").replace("\\x7c", "|")


__all__ = ["LONGEST_LINE", "Line", "Summary", "parse", "read", "would_of"]
