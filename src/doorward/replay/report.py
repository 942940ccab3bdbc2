"""What came of a replay: figures, and samples of them. Writers show it as text, JSON, JUnit, SARIF, Markdown, HTML.

Everything that a client sent is in here as it came: writers escape it (``doorward.printable`` for terminals).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple


class Sample(NamedTuple):
    """One request that a figure counts.

    Attributes:
        at_ns: When it came, in nanoseconds since the Unix epoch.
        file: Where it was recorded.
        line: Line from 1.
        ip: The client's address as the rules saw it.
        method: Of the request.
        path: Of the request, with its query.
        agent: Its ``User-Agent``; empty where none was recorded.
        rule: The rule that refuses it.
        why: Its reason.
        status: What the application answered then; None where that was not recorded.
    """

    at_ns: int
    file: str
    line: int
    ip: str
    method: str
    path: str
    agent: str
    rule: str
    why: str
    status: int | None = None


@dataclass
class RuleTally:
    """What one rule came to.

    Attributes:
        name: As in results.
        kind: Such as ``RATE_LIMIT``.
        mode: LIVE or DRY_RUN.
        asked: Requests that it was asked about.
        denied: Requests that it refused, being live.
        would_deny: Requests that it would have refused, were it live.
        challenged: Requests to which it came to CHALLENGE, in either mode.
        errors: Requests that it failed on.
        left_out: Why it was not asked, or only in part: what the recording does not have. Empty as a rule.
        samples: The first few that it refuses, or would.
        file: Where it stands, for rules of a policy file; empty for rules in code.
        line: Line from 1 in that file; 0 where it is not known.
    """

    name: str
    kind: str
    mode: str
    asked: int = 0
    denied: int = 0
    would_deny: int = 0
    challenged: int = 0
    errors: int = 0
    left_out: str = ""
    samples: list[Sample] = field(default_factory=list)
    file: str = ""
    line: int = 0


@dataclass
class Tally:
    """Requests of one route, client or reason.

    Attributes:
        name: ``GET /users/{id}``; an address; ``rule: reason``.
        requests: All of them.
        denied: Refused by live rules.
        would_deny: Let pass, and a dry-run rule would have refused them.
        at_most_over: By how much the figures may be too high, since not all names fit into memory; 0 for exact.
    """

    name: str
    requests: int = 0
    denied: int = 0
    would_deny: int = 0
    at_most_over: int = 0


@dataclass
class Span:
    """Requests of one stretch of time.

    Attributes:
        began_ns: Its beginning, in nanoseconds since the Unix epoch; all stretches of a report are equally long.
        allowed: Requests that passed.
        denied: Refused by live rules.
        would_deny: Those of ``allowed`` that a dry-run rule would have refused.
    """

    began_ns: int
    allowed: int = 0
    denied: int = 0
    would_deny: int = 0


@dataclass
class Differences:
    """What the policy decides otherwise than the one it is held against.

    Attributes:
        base: What it is held against, as the user named it.
        newly_denied: Requests that only the new policy refuses.
        newly_allowed: Requests that only the old one refuses.
        denied_by: Newly denied, by the new policy's rule.
        allowed_by: Newly allowed, by the old policy's rule.
        denied_routes: Newly denied, by route; the most frequent.
        newly_denied_samples: The first few.
        newly_allowed_samples: The first few; ``rule`` and ``why`` are the old policy's.
    """

    base: str
    newly_denied: int = 0
    newly_allowed: int = 0
    denied_by: dict[str, int] = field(default_factory=dict)
    allowed_by: dict[str, int] = field(default_factory=dict)
    denied_routes: dict[str, int] = field(default_factory=dict)
    newly_denied_samples: list[Sample] = field(default_factory=list)
    newly_allowed_samples: list[Sample] = field(default_factory=list)


@dataclass
class Threshold:
    """A condition on which the exit status depends.

    Attributes:
        name: As on the command line: ``--max-denied``.
        asked: What was asked for: ``0.1%``.
        found: What came of it: ``0.31% (3,100 of 1,000,000)``.
        met: Whether it holds.
        samples: Requests that show why not, the first few.
    """

    name: str
    asked: str
    found: str
    met: bool
    samples: list[Sample] = field(default_factory=list)


@dataclass
class Report:
    """All that came of a replay.

    Attributes:
        policy: What decided, as the user named it: a file of rules, or ``module:name``.
        files: What was read.
        requests: Requests that were decided about.
        allowed: Those that passed.
        denied: Those that live rules refused.
        challenged: Those that a live rule would have asked for a challenge.
        would_deny: Those of the passed that a dry-run rule would have refused.
        errors: Those where a rule failed, which let them pass or not as its ``on_error`` says.
        began_ns: Time of the first request, in nanoseconds since the Unix epoch; 0 without one.
        ended_ns: Time of the last.
        rules: Each rule, in the order of declaration.
        routes: The most frequent first among those where something is refused.
        clients: The same, by client address.
        reasons: The same, by rule and reason.
        spans: How it went over time.
        against: What another policy would have decided otherwise; None where none was given.
        thresholds: Conditions on which the exit status depends.
        skipped: Lines that are no request, by what is wrong with them.
        skipped_samples: The first few of them, as (file, line, what is wrong, the text, cut).
        notes: What else a reader should know: rules that were left out, clocks that went backwards.
        lines: Lines read, those skipped included.
        bytes: Bytes read, before decompression.
        seconds: How long it took.
        peak_memory: Bytes of resident memory at most; 0 where the system does not tell.
        made_ns: When the report was made, in nanoseconds since the Unix epoch; 0 where nobody said.
    """

    policy: str
    files: list[str] = field(default_factory=list)
    requests: int = 0
    allowed: int = 0
    denied: int = 0
    challenged: int = 0
    would_deny: int = 0
    errors: int = 0
    began_ns: int = 0
    ended_ns: int = 0
    rules: list[RuleTally] = field(default_factory=list)
    routes: list[Tally] = field(default_factory=list)
    clients: list[Tally] = field(default_factory=list)
    reasons: list[Tally] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    against: Differences | None = None
    thresholds: list[Threshold] = field(default_factory=list)
    skipped: dict[str, int] = field(default_factory=dict)
    skipped_samples: list[tuple[str, int, str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    lines: int = 0
    bytes: int = 0
    seconds: float = 0.0
    peak_memory: int = 0
    made_ns: int = 0

    @property
    def passed(self) -> bool:
        """Whether every threshold is met."""
        return all(threshold.met for threshold in self.thresholds)

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON; a sample is an object with the names of its fields."""
        plain: dict[str, Any] = asdict(self, dict_factory=_plain)
        return {**plain, "passed": self.passed}


def _plain(items: list[tuple[str, Any]]) -> dict[str, Any]:
    return {name: _objects(value) if name.endswith("samples") else value for name, value in items}


def _objects(samples: list[Any]) -> list[Any]:
    return [sample._asdict() if isinstance(sample, Sample) else sample for sample in samples]


__all__ = ["Differences", "Report", "RuleTally", "Sample", "Span", "Tally", "Threshold"]
