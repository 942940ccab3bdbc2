"""How well attack detection does on labelled requests: what ``doorward eval`` prints.

One labelled request is a JSON object::

    {"is_attack": true, "class": "sqli", "method": "GET", "path": "/search", "query": "q=1%27+OR+1%3D1--",
     "headers": {"Host": "shop.example"}, "body": "", "id": "17", "source": "pentest of March"}

``is_attack`` is required. ``headers`` may also be a list of pairs; ``body`` is text, or Base64 in ``body_base64``.
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from doorward.attacks.found import CONCLUSIVE
from doorward.context import RequestContext
from doorward.errors import DoorwardError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from doorward.attacks.evidence import Finding
    from doorward.attacks.scan import Scan, Scanner

UNNAMED = "-"
MOST_WRONG = 100
"""Misses, and false positives, that a report keeps with what was found; it counts all."""


class BadRow(DoorwardError):
    """A line of a labelled file is not what it should be."""


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled request.

    Attributes:
        name: Its ``id``, or the number of its line.
        kind: Its ``class``.
        source: Where it is from.
        is_attack: Its label.
        request: The request.
    """

    name: str
    kind: str
    source: str
    is_attack: bool
    request: RequestContext


@dataclass(slots=True)
class Tally:
    """Rows of one label and class."""

    rows: int = 0
    denied: int = 0
    suspicious: int = 0

    def add(self, scan: Scan) -> None:
        """Count what a row came to."""
        self.rows += 1
        self.denied += scan.weight >= CONCLUSIVE
        self.suspicious += 0.0 < scan.weight < CONCLUSIVE

    @property
    def share(self) -> float:
        """The part that is denied, 0..1."""
        return self.denied / self.rows if self.rows else 0.0


@dataclass(slots=True)
class Report:
    """What the rows of a file came to.

    Attributes:
        attacks: By class.
        benign: By class.
        rules: Rows in which each rule found something: of attacks, and of benign ones.
        wrong: The first attacks that were not denied and the first benign requests that were, with what was found.
        most_wrong: So many of each are kept.
        failures: What detectors raised.
    """

    attacks: dict[str, Tally] = field(default_factory=dict)
    benign: dict[str, Tally] = field(default_factory=dict)
    rules: dict[str, tuple[int, int]] = field(default_factory=dict)
    wrong: list[tuple[Row, tuple[Finding, ...]]] = field(default_factory=list)
    most_wrong: int = MOST_WRONG
    failures: Counter[str] = field(default_factory=Counter)

    def add(self, row: Row, scan: Scan) -> None:
        """Count one row."""
        tallies = self.attacks if row.is_attack else self.benign
        tallies.setdefault(row.kind, Tally()).add(scan)
        for rule in {finding.rule for finding in scan.findings}:
            hits, mistakes = self.rules.get(rule, (0, 0))
            self.rules[rule] = (hits + row.is_attack, mistakes + (not row.is_attack))
        if (scan.weight >= CONCLUSIVE) is not row.is_attack and self._kept(row.is_attack) < self.most_wrong:
            self.wrong.append((row, scan.findings))
        self.failures.update(scan.failures)

    def _kept(self, is_attack: bool) -> int:  # noqa: FBT001 (as in Row)
        return sum([row.is_attack is is_attack for row, _ in self.wrong])

    def recall(self) -> float:
        """The part of the attacks that is denied at once, 0..1."""
        return _whole(self.attacks).share

    def false_positives(self) -> float:
        """The part of the benign requests that is denied, 0..1."""
        return _whole(self.benign).share

    def to_dict(self) -> dict[str, object]:
        """The figures as JSON."""
        return {
            "recall": self.recall(),
            "false_positives": self.false_positives(),
            "attacks": {kind: [t.denied, t.rows, t.suspicious] for kind, t in sorted(self.attacks.items())},
            "benign": {kind: [t.denied, t.rows, t.suspicious] for kind, t in sorted(self.benign.items())},
            "rules": {rule: list(hits) for rule, hits in sorted(self.rules.items())},
            "failures": dict(self.failures),
        }


def evaluate(rows: Iterable[Row], scanner: Scanner, *, most_wrong: int = MOST_WRONG) -> Report:
    """Look at each row as at a request of its own, one after the other: memory does not grow with their number.

    Args:
        rows: The requests.
        scanner: Looks at them.
        most_wrong: Misses, and false positives, that the report keeps.
    """
    report = Report(most_wrong=most_wrong)
    for row in rows:
        report.add(row, scanner.scan_now(row.request, body=True))
    return report


def read(lines: Iterable[str]) -> Iterator[Row]:
    """The rows of a file in JSON lines; empty lines are left out.

    Raises:
        BadRow: A line is no labelled request; the text says which, and why.
    """
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                yield _row(number, json.loads(line))
            except (ValueError, TypeError, RecursionError) as error:
                raise BadRow(f"line {number}: {error}") from error


def _row(number: int, data: object) -> Row:
    if not isinstance(data, dict):
        raise TypeError("must be a JSON object")
    label = data.get("is_attack")
    if not isinstance(label, bool):
        raise TypeError("is_attack must be true or false")
    kind, source = str(data.get("class") or UNNAMED), str(data.get("source") or UNNAMED)
    return Row(str(data.get("id") or f"line {number}"), kind, source, label, request_of(data))


def request_of(data: Mapping[str, Any]) -> RequestContext:
    """The request that a JSON object describes.

    Raises:
        TypeError: A part of it has another type than it should.
        ValueError: A part of it cannot be decoded.
    """
    return RequestContext(
        method=str(data.get("method", "GET")),
        path=str(data.get("path", "/")),
        query=str(data.get("query", "")),
        headers=_headers(data.get("headers") or []),
        body=_body(data),
    )


def _headers(given: Any) -> list[tuple[str, str]]:
    pairs = list(given.items()) if isinstance(given, dict) else given
    if not isinstance(pairs, list) or not all([isinstance(pair, list | tuple) and len(pair) == 2 for pair in pairs]):
        raise TypeError("headers must be an object, or a list of [name, value]")
    return [(str(name), str(value)) for name, value in pairs]


def _body(data: Mapping[str, Any]) -> bytes:
    encoded = data.get("body_base64")
    if encoded is None:
        return str(data.get("body", "")).encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(encoded, validate=True)
    except (ValueError, TypeError) as error:
        raise ValueError("body_base64 is not Base64") from error


def _whole(tallies: Mapping[str, Tally]) -> Tally:
    return Tally(sum(t.rows for t in tallies.values()), sum(t.denied for t in tallies.values()))
