"""Requests that a policy must let pass, or must deny: files of ``--must-allow`` and ``--must-deny``.

A case is a line of JSON, a request as in ``doorward eval``::

    {"name": "a customer signs in", "method": "POST", "path": "/login", "headers": {"User-Agent": "…"}, "body": "a=b"}
    {"name": "guessing passwords", "method": "POST", "path": "/login", "ip": "203.0.113.9", "times": 6}

Beside ``method``, ``path``, ``query``, ``headers``, ``body`` and ``body_base64`` there are ``ip``, the client's
address; ``email``, as given to ``protect``; ``times``, how often it is sent in a row; ``at``, when; and ``name``.
Where ``headers`` is left out the case says nothing about them, and no rule is asked that reads them.

Each case begins with no counters. A case that must pass has to pass each time that it is sent; one that must be denied
has to be denied the last time.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from doorward.clock import NANOSECONDS
from doorward.errors import ConfigurationError
from doorward.evaluation import request_of
from doorward.forwarded import canonical
from doorward.printable import printable
from doorward.replay.clock import RecordingClock
from doorward.replay.decider import EMAIL, Decider
from doorward.replay.needs import ALL
from doorward.replay.records import NOTHING_SAID, Recorded, Source
from doorward.replay.report import Threshold
from doorward.replay.samples import address_of, sample

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from doorward.decision import Decision
    from doorward.facade import Facade
    from doorward.replay.report import Sample

LONGEST_LINE = 2**20
MOST_TIMES = 100_000
USUAL_TIME = datetime(2025, 1, 6, 12, tzinfo=UTC)
"""When cases are sent that do not say: a fixed time, so that they come to the same every day."""
_METHOD = re.compile(r"[A-Z][A-Z-]{0,19}")
_FIELDS = (
    "name", "method", "path", "query", "headers", "body", "body_base64", "ip", "email", "times", "at",
    "is_attack", "class", "id", "source",
)  # fmt: skip
_TEXTS = ("name", "method", "path", "query", "body", "body_base64", "ip", "email")


class Case(NamedTuple):
    """A request that has to come to something.

    Attributes:
        name: As its file calls it, or the number of its line.
        recorded: The request.
        times: How often it is sent.
        at_ns: When, in nanoseconds since the Unix epoch; None where it does not say.
    """

    name: str
    recorded: Recorded
    times: int = 1
    at_ns: int | None = None


def read_cases(file: str, field: str) -> Iterator[Case]:
    """The cases of a file.

    Args:
        file: Its path.
        field: The argument that errors name.

    Raises:
        ConfigurationError: It cannot be read, or a line is no case; the text says which, and what is accepted.
    """
    found = False
    try:
        with Path(file).open("rb") as lines:
            for number, line in enumerate(iter(lambda: lines.readline(LONGEST_LINE + 1), b""), 1):
                if line.strip():
                    found = True
                    yield _case(file, number, line, field)
    except OSError as error:
        raise ConfigurationError(field, f"{printable(file)} cannot be read: {error.strerror or error}") from error
    if not found:
        raise ConfigurationError(field, f"{printable(file)} holds no case")


class Cases:
    """Sends cases to a policy.

    Args:
        client: The policy; it is left alone.
        as_live: Take dry-run rules for live ones. Otherwise what they come to is no denial.
        exemptions: As of :class:`doorward.replay.player.Player`.
        samples: Cases to show of those that fail.
    """

    def __init__(self, client: Facade, *, as_live: bool = False, exemptions: bool = True, samples: int = 10) -> None:
        self._clock = RecordingClock(_nanoseconds(USUAL_TIME))
        self._decider = Decider(client, self._clock, as_live=as_live, exemptions=exemptions)
        self._samples = samples

    def must_allow(self, cases: Iterable[Case], name: str = "--must-allow") -> Threshold:
        """Whether each case passes each time that it is sent."""
        return self._judge(cases, name, "pass", denied=False)

    def must_deny(self, cases: Iterable[Case], name: str = "--must-deny") -> Threshold:
        """Whether each case is denied the last time that it is sent."""
        return self._judge(cases, name, "be denied", denied=True)

    def close(self) -> None:
        """Let go of what the twin holds."""
        self._decider.close()

    def _judge(self, cases: Iterable[Case], name: str, wanted: str, *, denied: bool) -> Threshold:
        total = failed = 0
        samples: list[Sample] = []
        for case in cases:
            total += 1
            wrong = self._not_denied(case) if denied else self._not_allowed(case)
            if wrong is not None:
                failed += 1
                if len(samples) < self._samples:
                    samples.append(wrong)
        found = f"{total - failed:,} of {total:,} do"
        return Threshold(name, f"each of {total:,} must {wanted}", found, not failed, samples)

    def _not_allowed(self, case: Case) -> Sample | None:
        for number, (decision, ip) in enumerate(self._sent(case), 1):
            if decision is not None and not decision.is_allowed():
                rule, _ = self._decider.why(decision)
                which = f", sent the {number:,}th time" if case.times > 1 else ""
                return self._sample(case, ip, rule, f"{case.name}{which}: {decision.reason.explain()}")
        return None

    def _not_denied(self, case: Case) -> Sample | None:
        last, ip = None, ""
        for last, ip in self._sent(case):  # noqa: B007  (the last one counts)
            pass
        if last is not None and last.is_denied():
            return None
        return self._sample(case, ip, "", f"{case.name}: {_why_not(last)}")

    def _sent(self, case: Case) -> Iterator[tuple[Decision | None, str]]:
        """The decisions about a case, each with the client's address, from no counters on."""
        self._decider.forget()
        self._clock.begin(_nanoseconds(USUAL_TIME) if case.at_ns is None else case.at_ns)
        for _ in range(case.times):
            decided = self._decider.decide(case.recorded)
            yield decided.decision, address_of(decided)

    def _sample(self, case: Case, ip: str, rule: str, why: str) -> Sample:
        return sample(case.recorded, self._clock.now_ns(), ip, rule, why)


def _why_not(decision: Decision | None) -> str:
    if decision is None:
        return "middleware leaves it alone by default"
    if decision.is_challenged():
        return "it is challenged, not denied"
    if decision.dry_run:
        return f"only the dry-run rule {decision.dry_run} would deny it"
    if decision.is_errored():
        return f"it passes, and a rule failed: {decision.reason.explain()}"
    return "it passes"


def _case(file: str, number: int, line: bytes, field: str) -> Case:
    try:
        return _parsed(Source(file, number), _object(line))
    except (ValueError, TypeError, RecursionError) as error:
        raise ConfigurationError(field, f"{printable(file)}:{number}: {printable(str(error))}") from error


def _object(line: bytes) -> dict[str, Any]:
    if len(line) > LONGEST_LINE:
        raise ValueError(f"a line has at most {LONGEST_LINE:,} bytes")
    data = json.loads(line)
    if not isinstance(data, dict):
        raise TypeError("must be a JSON object")
    for unknown in sorted(data.keys() - set(_FIELDS)):
        raise ValueError(f"{unknown!r} is no field of a case; there are {', '.join(_FIELDS[:-4])}")
    for name in _TEXTS:
        if not isinstance(data.get(name, ""), str):
            raise TypeError(f"{name} must be text")
    return data


def _parsed(source: Source, data: dict[str, Any]) -> Case:
    path, mark, query = data.get("path", "/").partition("?")
    if not path.startswith("/") and path != "*":
        raise ValueError(f"path must begin with '/', as applications see it, not {path[:60]!r}")
    if not _METHOD.fullmatch(data.get("method", "GET")):
        raise ValueError(f"method must be one such as POST, not {data['method'][:60]!r}")
    request = request_of({**data, "path": path, "query": data.get("query") or query if mark else data.get("query", "")})
    request.peer = _address(data.get("ip") or "")
    known = frozenset({ALL}) if "headers" in data else frozenset({"query", "body"})
    inputs = {EMAIL: data["email"]} if "email" in data else NOTHING_SAID
    name = data.get("name") or str(data.get("id") or f"line {source.line}")
    at_ns = None if data.get("at") is None else parse_time(data["at"])
    recorded = Recorded(at_ns or 0, request, known, source, inputs=inputs)
    return Case(name, recorded, _times(data.get("times", 1)), at_ns)


def _address(text: str) -> str | None:
    if text and canonical(text) is None:
        raise ValueError(f"ip must be an IP address, not {text[:60]!r}")
    return text or None


def _times(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_TIMES:
        raise ValueError(f"times must be a whole number from 1 to {MOST_TIMES:,}")
    return value


def parse_time(value: object) -> int:
    """Nanoseconds since the Unix epoch, of ISO 8601 (UTC where it names no zone) or seconds since then.

    Raises:
        ValueError: It is neither, or no time between the years 1970 and 9999.
    """
    accepted = "a time such as 2025-06-30T12:00:00Z, a date, or seconds since 1970"
    text = str(value).strip()
    try:
        seconds = float(text)
    except ValueError:
        seconds = None
    try:
        moment = datetime.fromisoformat(text) if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"must be {accepted}, not {text[:40]!r}") from None
    found = _nanoseconds(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    if found < 0 or isinstance(value, bool):
        raise ValueError(f"must be {accepted}, not {text[:40]!r}")
    return found


def _nanoseconds(moment: datetime) -> int:
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * NANOSECONDS + since.microseconds * 1_000


__all__ = ["Case", "Cases", "parse_time", "read_cases"]
