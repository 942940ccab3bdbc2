"""What a dry-run rule would have done to the traffic of some days: what a team looks at before it sets the rule live.

Made of doorward's own log (:mod:`doorward.promotion.log_lines`), or of a decision service's. How many requests there
were is said only where the log tells: because it holds every decision, or by the summaries that a client logs. What it
does not hold is said in the notes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from doorward.chance import chance
from doorward.clock import NANOSECONDS
from doorward.promotion.log_lines import Line, Summary
from doorward.replay.frequent import Frequent
from doorward.replay.routes import RouteNames
from doorward.tallies import iso

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MOST_NAMES = 10_000
MOST_RULES = 200
MOST_DAYS = 1_000
MOST_PROCESSES = 10_000
TOP = 20
_WAIT = re.compile(r"reset in [0-9.]+ s\b")
"""What is different in each refusal of a limit."""
_DAY_NS = 86_400 * NANOSECONDS


class Sample(NamedTuple):
    """A request that the rule would have refused."""

    at: str
    decision: str
    ip: str
    method: str
    path: str
    why: str
    conclusion: str


class Count(NamedTuple):
    """How often a name came; it may be too high by ``over``, since not all names fit into memory."""

    name: str
    times: int
    over: int = 0


@dataclass
class Promotion:
    """What one rule would have done.

    Attributes:
        rule: Its name.
        would_refuse: Requests that it would have refused.
        requests: Decisions in that time, of all kinds; None where the log does not tell.
        asked: Those that the rule was asked about; None where the log does not tell.
        logged: Those of ``would_refuse`` that are in the log, one by one: what follows is of these.
        refused_anyway: Those that live rules refused as well: the rule would have changed nothing.
        errors: Requests that it failed on; None where the log does not tell.
        first: Time of the first, in RFC 3339; empty for none.
        last: Time of the last.
        days: How many on each day of UTC.
        routes: The most frequent.
        clients: The same.
        reasons: The same.
        samples: Drawn by chance, the oldest first.
    """

    rule: str
    would_refuse: int = 0
    requests: int | None = None
    asked: int | None = None
    logged: int = 0
    refused_anyway: int = 0
    errors: int | None = None
    first: str = ""
    last: str = ""
    days: dict[str, int] = field(default_factory=dict)
    routes: list[Count] = field(default_factory=list)
    clients: list[Count] = field(default_factory=list)
    reasons: list[Count] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)

    @property
    def share(self) -> float | None:
        """The part of all requests, 0..1; None where their number is not known."""
        return self.would_refuse / self.requests if self.requests else None


@dataclass
class PromotionReport:
    """What the dry-run rules of a log would have done.

    Attributes:
        sources: What was read, as the user named it.
        since: Time of the first decision that counts, or of what was asked for; RFC 3339, empty where there is none.
        until: Time of the last.
        decisions: Decisions that the log holds, one by one.
        requests: Decisions that were made; None where the log does not tell.
        rules: Each dry-run rule, those that would have refused most first.
        notes: What the log does not hold, and what follows from that.
        skipped: Lines that are none of these, by what they are.
    """

    sources: list[str] = field(default_factory=list)
    since: str = ""
    until: str = ""
    decisions: int = 0
    requests: int | None = None
    rules: list[Promotion] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    skipped: dict[str, int] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        rules = [
            {
                **vars(rule),
                "share": rule.share,
                **{name: [each._asdict() for each in getattr(rule, name)] for name in _LISTS},
            }
            for rule in self.rules
        ]
        return {**vars(self), "rules": rules}


_LISTS = ("routes", "clients", "reasons", "samples")


class _Rule:
    """One rule while the log is read."""

    def __init__(self) -> None:
        self.logged = self.anyway = self.first_ns = self.last_ns = 0
        self.days: dict[int, int] = {}
        self.routes, self.clients, self.reasons = (Frequent(MOST_NAMES) for _ in range(3))
        self.samples: dict[int, tuple[int, Sample]] = {}

    def add(self, line: Line, why: str, route: str, most: int) -> None:
        at_ns = line.at_ns
        self.logged += 1
        self.anyway += line.conclusion in ("DENY", "CHALLENGE")
        self.first_ns, self.last_ns = min(self.first_ns or at_ns, at_ns), max(self.last_ns, at_ns)
        day = at_ns // _DAY_NS
        if day in self.days or len(self.days) < MOST_DAYS:
            self.days[day] = self.days.get(day, 0) + 1
        self.routes.add(route)
        self.clients.add(line.ip or "(unknown)")
        self.reasons.add(_WAIT.sub("reset in ... s", why) if why else "(the log does not say)")
        # Reservoir sampling, as in doorward.tallies.
        place = self.logged - 1 if self.logged <= most else int(chance() * self.logged)
        if place < most:
            sample = Sample(iso(at_ns), line.decision, line.ip, line.method, line.path, why, line.conclusion)
            self.samples[place] = at_ns, sample


class _Process:
    """What one process had counted: before the time that is asked for, at the beginning of it, and at its end."""

    def __init__(self) -> None:
        self.before: Summary | None = None
        self.first: Summary | None = None
        self.last: Summary | None = None

    def add(self, summary: Summary, since_ns: int) -> None:
        if summary.until_ns < since_ns:
            if self.before is None or summary.until_ns > self.before.until_ns:
                self.before = summary
            return
        if self.first is None or summary.until_ns < self.first.until_ns:
            self.first = summary
        if self.last is None or summary.until_ns >= self.last.until_ns:
            self.last = summary

    def is_open(self, since_ns: int) -> bool:
        """Whether what was counted at the beginning of the time is not known."""
        return self.before is None and self.first is not None and self.first.since_ns < since_ns

    def counts(self, since_ns: int, *, at_least: bool) -> dict[str, int]:
        """What was counted in the time: a minute too much of it, or too little where ``at_least`` is asked for."""
        if self.last is None or self.first is None:
            return {}
        base: Mapping[str, int] = {} if self.before is None else self.before.counts
        if self.first.since_ns < since_ns and (at_least or self.before is None):
            base = self.first.counts
        return {name: max(0, count - base.get(name, 0)) for name, count in self.last.counts.items()}


class Promoting:
    """Makes a report of a log, line by line, in bounded memory.

    Args:
        rule: The rule that is asked about; empty for all.
        since_ns: What is earlier does not count, in nanoseconds since the Unix epoch; 0 for no beginning.
        until_ns: What is later does not count; 0 for no end.
        samples: Samples of each rule.
    """

    def __init__(self, rule: str = "", *, since_ns: int = 0, until_ns: int = 0, samples: int = 20) -> None:
        self._wanted, self._since, self._until, self._samples = rule, since_ns, until_ns, samples
        self._rules: dict[str, _Rule] = {}
        self._processes: dict[tuple[str, str, int], _Process] = {}
        self._routes = RouteNames()
        self._decisions = self._quiet = self._partial = self._left = 0
        self._first = self._last = 0

    def add(self, found: Line | Summary) -> None:
        """Take one line."""
        if isinstance(found, Summary):
            if not self._until or found.until_ns < self._until:
                self._add_summary(found)
        elif found.at_ns >= self._since and not (self._until and found.at_ns >= self._until):
            self._add_line(found)

    def _add_summary(self, summary: Summary) -> None:
        if summary.process not in self._processes and len(self._processes) >= MOST_PROCESSES:
            self._left += 1
            return
        self._processes.setdefault(summary.process, _Process()).add(summary, self._since)

    def _add_line(self, line: Line) -> None:
        self._decisions += 1
        self._first, self._last = min(self._first or line.at_ns, line.at_ns), max(self._last, line.at_ns)
        self._quiet += line.conclusion == "ALLOW" and not line.would
        self._partial += line.partial and bool(line.would)
        for name, why in line.would.items():
            if self._wanted and name != self._wanted:
                continue
            if name not in self._rules and len(self._rules) >= MOST_RULES:
                self._left += 1
                continue
            route = self._routes.name(line.method, line.path)
            self._rules.setdefault(name, _Rule()).add(line, why, route, self._samples)

    def report(self, sources: Iterable[str] = (), skipped: Mapping[str, int] | None = None) -> PromotionReport:
        """What has come of it."""
        # Of a log that holds each decision, summaries only tell whether some are missing; they are a minute apart.
        counts = self._counted(at_least=bool(self._quiet))
        summed = sum([count for name, count in counts.items() if name.startswith("decision.")])
        report = PromotionReport(list(sources), decisions=self._decisions, skipped=dict(skipped or {}))
        summaries = [process.last.until_ns for process in self._processes.values() if process.last]
        began = [max(process.first.since_ns, self._since) for process in self._processes.values() if process.first]
        first = min([at for at in (self._first, *began) if at], default=self._since)
        last = max([self._last, *summaries])
        report.since, report.until = iso(first) if first else "", iso(last) if last else ""
        # Where decisions that nobody objected to are in the log, all are.
        report.requests = max(self._decisions, summed) if self._quiet else summed if summaries else None
        names = {name.split(".", 1)[1].rpartition(".")[0] for name in counts if name.endswith(".asked")}
        wanted = [self._wanted] if self._wanted else sorted({*self._rules, *names})
        report.rules = [self._rule(name, counts, report.requests) for name in wanted]
        report.rules.sort(key=lambda rule: -rule.would_refuse)
        unknown = any([process.is_open(self._since) for process in self._processes.values()])
        report.notes = self._notes(report, counts, summed, unknown=unknown and not self._quiet)
        return report

    def _counted(self, *, at_least: bool) -> dict[str, int]:
        total: dict[str, int] = {}
        for process in self._processes.values():
            for name, count in process.counts(self._since, at_least=at_least).items():
                total[name] = total.get(name, 0) + count
        return total

    def _rule(self, name: str, counts: Mapping[str, int], requests: int | None) -> Promotion:
        found = self._rules.get(name) or _Rule()
        said = sum([counts.get(f"rule.{name}.{what}", 0) for what in ("would_deny", "would_challenge")])
        anyway = counts.get(f"rule.{name}.refused_anyway", 0)
        return Promotion(
            name,
            would_refuse=max(found.logged, said),
            requests=requests,
            asked=max(counts[asked], found.logged) if (asked := f"rule.{name}.asked") in counts else None,
            logged=found.logged,
            refused_anyway=max(found.anyway, anyway),
            errors=counts.get(f"rule.{name}.would_err", 0) if asked in counts else None,
            first=iso(found.first_ns) if found.first_ns else "",
            last=iso(found.last_ns) if found.last_ns else "",
            days=dict(_days(found.days)),
            routes=_top(found.routes),
            clients=_top(found.clients),
            reasons=_top(found.reasons),
            samples=[sample for _, sample in sorted(found.samples.values())],
        )

    def _notes(self, report: PromotionReport, counts: Mapping[str, int], summed: int, *, unknown: bool) -> list[str]:
        """What the log does not hold, and what follows from that."""
        notes = []
        if report.requests is None:
            notes.append(
                "How many requests there were is not in the log: it holds neither allowed decisions nor summaries. "
                "Log the level INFO, or the summaries of doorward's own logger at WARNING."
            )
        elif not self._quiet and summed:
            notes.append("Allowed decisions are not in the log one by one: how many there were is from its summaries.")
        elif not summed:
            notes.append("The log has no summaries: whether decisions are missing in it cannot be told.")
        if self._quiet and summed > self._decisions:
            notes.append(f"The log lacks {summed - self._decisions:,} of {summed:,} decisions that summaries tell of.")
        if unknown:
            notes.append("What was decided before the first summary in this time is not in the numbers of requests.")
        notes += [
            f"{rule.rule}: the log holds {rule.logged:,} of {rule.would_refuse:,} would-be refusals: at the level "
            "WARNING up to ten a minute. Routes, clients, reasons and days are of those."
            for rule in report.rules
            if rule.would_refuse > rule.logged
        ]
        if self._partial:
            notes.append("Where several dry-run rules would have refused a request, the log names the first of them.")
        if self._left:
            notes.append(f"{self._left:,} lines are of more rules or processes than are kept apart, and left out.")
        if not report.rules and not counts:
            notes.append("No dry-run rule would have refused anything that is in the log.")
        return notes


def _days(days: Mapping[int, int]) -> Iterable[tuple[str, int]]:
    """The days from the first to the last, those without any, too."""
    if not days:
        return
    first, last = min(days), max(days)
    for day in range(first, last + 1) if last - first < MOST_DAYS else sorted(days):
        yield iso(day * _DAY_NS)[:10], days.get(day, 0)


def _top(names: Frequent) -> list[Count]:
    return [Count(name, estimate.times, estimate.over) for name, estimate in names.top(TOP)]


__all__ = ["Count", "Promoting", "Promotion", "PromotionReport", "Sample"]
