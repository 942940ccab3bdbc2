"""Reads doorward's own decisions: log records, what ``doorward tail --json`` prints, the log of a service.

They hold neither queries nor headers (but for the ``User-Agent`` in the service's log): that is where secrets are.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from doorward.errors import DataError
from doorward.ids import made_at_ns
from doorward.log_fields import CONCLUSIONS, DECISION, TIMES, fields_of
from doorward.replay.readers.building import addresses, request_of
from doorward.replay.readers.json_values import text_of
from doorward.replay.readers.problems import NO_PATH, NO_TIME, NOT_A_DECISION, NoRequest
from doorward.replay.readers.request_lines import Asked
from doorward.replay.readers.times import moment_ns
from doorward.replay.records import Recorded, Source, Told

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from doorward.replay.reading import Reading
    from doorward.service.server.ports import LogRecord

_LONGEST_FIELDS = 4_096
_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|(.))")
_STAMP = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?(?:Z|[+-]\d\d:?\d\d))?"
    r"|\d\d?/[A-Z][a-z]{2}/\d{4}:[\d:]{8} [+-]\d{4}"
)
_LONGEST_PREFIX = 1_000
_ROWS = 500
_SECONDS = 60.0
_NOTHING: frozenset[str] = frozenset()
_OF_SERVICE = frozenset({"host", "user-agent"})


class DecisionLines:
    """Reads decisions in the lines of an application's log, whatever is before them."""

    name = "doorward's decision log"

    def parse(self, text: str, source: Source) -> Recorded:
        """The request that a line tells the decision of.

        Raises:
            NoRequest: There is none.
        """
        begin = text.find(DECISION)
        if begin < 0:
            raise NoRequest(NOT_A_DECISION)
        fields = fields_of(text[begin + len(DECISION) :][:_LONGEST_FIELDS])
        return _recorded(fields, _stamp(text[max(0, begin - _LONGEST_PREFIX) : begin]), source)


def decision_in(data: Mapping[str, Any], source: Source) -> Recorded | None:
    """The request that an object of JSON tells the decision of; None where it is something else.

    Raises:
        NoRequest: It does not say enough.
    """
    fields = data.get("doorward")
    if isinstance(fields, dict) and "conclusion" in fields:
        return _recorded({key: text_of(value) or "" for key, value in fields.items()}, _time_in(data), source)
    if text_of(data.get("conclusion")) in CONCLUSIONS and ("dryRun" in data or "id" in data):
        return of_service(data, source)
    message = next((data[key] for key in ("message", "msg", "event", "log") if isinstance(data.get(key), str)), "")
    if DECISION in message:
        text = message[message.find(DECISION) + len(DECISION) :]
        return _recorded(fields_of(text[:_LONGEST_FIELDS]), _time_in(data), source)
    return None


def of_service(data: Mapping[str, Any], source: Source) -> Recorded:
    """The request of a decision as the service tells it (``/v1/decisions``, ``doorward tail --json``).

    Raises:
        NoRequest: It does not say enough.
    """
    said = {key: text_of(value) or "" for key, value in data.items()}
    at_ns = moment_ns(said["at"]) if said.get("at") else _made(said.get("id", ""))
    told = Told(
        said["conclusion"], said.get("rule", ""), said.get("dryRun", ""), said.get("why", ""), said.get("id", "")
    )
    lines = [(name, said[key]) for name, key in (("host", "host"), ("user-agent", "agent")) if said.get(key)]
    known = frozenset([name for name, _ in lines]) if data.get("reported") else _OF_SERVICE
    return _told(at_ns, said, lines, known, source, told)


def of_database(path: Path, name: str, reading: Reading) -> Iterator[list[Recorded]]:
    """The decisions in the file of a service's log; where it is another database, or a damaged one, a note says so."""
    from doorward.service.server.log_json import summary

    for records in _rows(path, reading):
        found = []
        for record in records:
            reading.lines += 1
            try:
                found.append(of_service(summary(record), Source(name, reading.lines)))
            except NoRequest as problem:
                reading.skip(name, reading.lines, problem.why, record.id)
        yield found
    reading.bytes += path.stat().st_size


def _rows(path: Path, reading: Reading) -> Iterator[list[LogRecord]]:
    """The rows of the log, the oldest first."""
    from doorward.service.server.log_reader import LogFileReader
    from doorward.service.server.ports import LogQuery

    reader, every = LogFileReader(path, seconds=_SECONDS), LogQuery()
    try:
        # An empty log has no first row to begin with, and begins at a number that nobody reaches in steps.
        cursor, following = (0, 1) if reader.latest(every, 1) else (0, 0)
        while cursor != following:
            cursor = following
            records, following = reader.after(every, cursor, _ROWS)
            yield records
    except DataError as error:
        reading.notes.append(str(error))


def _recorded(fields: Mapping[str, str], stamp: str, source: Source) -> Recorded:
    conclusion = fields.get("conclusion", "")
    if conclusion not in CONCLUSIONS:
        raise NoRequest(NOT_A_DECISION)
    decision = fields.get("id", "")
    at_ns = made_at_ns(decision)
    told = Told(conclusion, "", fields.get("dry_run", ""), fields.get("why", ""), decision)
    # An id tells the time to the millisecond, and in no zone but UTC.
    when = moment_ns(stamp) if at_ns is None and stamp else _made(decision)
    return _told(when, fields, [], _NOTHING, source, told)


def _told(
    at_ns: int,
    said: Mapping[str, str],
    lines: list[tuple[str, str]],
    known: frozenset[str],
    source: Source,
    told: Told,
) -> Recorded:
    path = plain(said.get("path", ""))
    if not path:
        raise NoRequest(NO_PATH)
    what = Asked(plain(said.get("method", "")) or "GET", path, "")
    request = request_of(what, [(name, plain(value)) for name, value in lines], addresses[said.get("ip", "")])
    refused = said.get("status", "") if told.conclusion == "DENY" else ""
    status = int(refused) if len(refused) == 3 and refused.isdecimal() else None
    return Recorded(at_ns, request, known, source, status, told=told)


def plain(text: str) -> str:
    """Undo :func:`doorward.printable.printable`, but for what that cut off."""
    return _ESCAPE.sub(_character, text) if "\\" in text else text


def _character(found: re.Match[str]) -> str:
    code = found[1] or found[2] or found[3]
    if code is None:
        return found[4]
    return chr(min(int(code, 16), 0x10FFFF))


def _made(decision: str) -> int:
    at_ns = made_at_ns(decision)
    if at_ns is None:
        raise NoRequest(NO_TIME)
    return at_ns


def _time_in(data: Mapping[str, Any]) -> str:
    return next((text_of(data[key]) or "" for key in TIMES if key in data), "")


def _stamp(prefix: str) -> str:
    """The last time before a record."""
    stamps = _STAMP.findall(prefix)
    return stamps[-1].replace(",", ".") if stamps else ""


__all__ = ["DecisionLines", "decision_in", "of_database", "of_service", "plain"]
