"""The promotion report of a service's decision log: what a dry-run rule would have done to the sites that have it."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from doorward.clock import NANOSECONDS
from doorward.errors import DataError
from doorward.promotion.log_lines import Line, would_of
from doorward.promotion.report import Promoting
from doorward.service.server.folder import LOG, service_folder
from doorward.service.server.log_reader import MOST_ROWS, LogFileReader
from doorward.service.server.ports import LogQuery, Rate
from doorward.tallies import iso

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from doorward.promotion.report import PromotionReport
    from doorward.service.server.ports import LogReader, LogRecord

MOST_READ = 5_000
"""Would-be refusals that are looked at one by one, the newest ones; their number is exact however many there are."""
MOST_REFUSED = 2_000
"""Refused requests that are looked at for what the rule would have done to them as well."""
MOST_SITES = 20
DEFAULT_SECONDS = 7 * 86_400
_DAY = 86_400


class Asked(NamedTuple):
    """What a report is about.

    Attributes:
        rule: The dry-run rule.
        site: Of this application; empty for all that have such a rule.
        since_ns: From then on, in nanoseconds since the Unix epoch.
        until_ns: Before then.
    """

    rule: str
    site: str
    since_ns: int
    until_ns: int

    def query(self, **more: str) -> LogQuery:
        """Decisions in that time."""
        return LogQuery(site=self.site, since_ns=self.since_ns, before_ns=self.until_ns, **more)


class Rates(NamedTuple):
    """How a rule did over time.

    Attributes:
        sites: Applications that have the rule.
        every: All decisions of these; ``dry`` is the number of those that the rule would have refused.
    """

    sites: list[str]
    every: list[Rate]


def rates(reader: LogReader, asked: Asked, seconds: int) -> Rates:
    """Decisions of the sites that have the rule, and its would-be refusals, for each ``seconds``."""
    own = asked.query(dry_run=asked.rule)
    sites = [asked.site] if asked.site else [share.value for share in reader.top(own, "site", MOST_SITES)]
    all_sites = [reader.rates(replace(asked.query(), site=site), seconds) for site in sites]
    would = {rate.at_ns: sum(rate.counts.values()) for rate in reader.rates(own, seconds)}
    every = [_together(of_sites, would) for of_sites in zip(*all_sites, strict=True)]
    return Rates(sites, every)


def _together(of_sites: Sequence[Rate], would: dict[int, int]) -> Rate:
    at_ns = of_sites[0].at_ns
    names = {name for rate in of_sites for name in rate.counts}
    return Rate(at_ns, {name: sum(r.counts.get(name, 0) for r in of_sites) for name in names}, would.get(at_ns, 0))


def report_of(reader: LogReader, asked: Asked, *, samples: int = 20) -> PromotionReport:
    """The report of one rule.

    Raises:
        DataError: The log cannot be read, or not in time.
    """
    promoting = Promoting(asked.rule, since_ns=asked.since_ns, until_ns=asked.until_ns, samples=samples)
    would = list(_newest(reader, asked.query(dry_run=asked.rule), MOST_READ))
    refused = list(_newest(reader, asked.query(conclusion="DENY"), MOST_REFUSED))
    known = {record.id for record in would}
    for record in (*would, *[each for each in refused if each.id not in known]):
        line = _line(record, asked.rule)
        if asked.rule in line.would:
            promoting.add(line)
    report = promoting.report()
    found, over_time = report.rules[0], rates(reader, asked, _DAY)
    counted = sum(rate.dry for rate in over_time.every)
    found.requests = report.requests = sum(sum(rate.counts.values()) for rate in over_time.every)
    found.would_refuse = counted + found.logged - len(would)
    found.days = {iso(rate.at_ns)[:10]: rate.dry for rate in over_time.every}
    report.decisions = found.requests
    report.since, report.until = iso(asked.since_ns), iso(asked.until_ns)
    report.notes = _notes(over_time.sites, counted, len(would), len(refused))
    return report


def of_folder(
    folder: Path, *, rule: str = "", site: str = "", since_ns: int = 0, until_ns: int = 0, samples: int = 20
) -> PromotionReport:
    """The report of the log in a service's folder: of one rule, or of all.

    Raises:
        DataError: There is no log, or it cannot be read.
    """
    path = service_folder(folder) / LOG
    if not path.exists():
        raise DataError(path, "there is no decision log")
    reader, now_ns = LogFileReader(path), time.time_ns()
    until_ns = until_ns or now_ns + NANOSECONDS
    asked = Asked(rule, site, since_ns or until_ns - DEFAULT_SECONDS * NANOSECONDS, until_ns)
    names = [rule] if rule else [share.value for share in reader.top(asked.query(dry_run="*"), "dry_run", 50)]
    reports = [report_of(reader, asked._replace(rule=name), samples=samples) for name in names]
    if not reports:
        reports = [Promoting().report()]
    first = reports[0]
    first.sources = [str(path)]
    first.rules = [found for each in reports for found in each.rules]
    first.notes = list(dict.fromkeys(note for each in reports for note in each.notes))
    return first


def _newest(reader: LogReader, query: LogQuery, most: int) -> Iterator[LogRecord]:
    """The newest first, page by page: of those of one moment none is left out, and none comes twice."""
    seen: set[str] = set()
    count, before = 0, query.before_ns
    while count < most:
        found = reader.latest(replace(query, before_ns=before), MOST_ROWS)
        new = [record for record in found if record.id not in seen][: most - count]
        yield from new
        count += len(new)
        if len(found) < MOST_ROWS or not new:
            return
        oldest = found[-1].at_ns
        seen = {record.id for record in found if record.at_ns == oldest}
        before = oldest + 1


def _line(record: LogRecord, rule: str) -> Line:
    would = would_of(record.results)
    if record.dry_run == rule:
        would.setdefault(rule, "")
    return Line(record.at_ns, record.id, record.conclusion, record.rule, would, record.ip, record.method, record.path)


def _notes(sites: Sequence[str], counted: int, read: int, refused: int) -> list[str]:
    notes = ["Requests are all decisions of the applications that have the rule, also where it was not asked."]
    notes.append("Where several dry-run rules would have refused a request, it is counted for the first of them.")
    if len(sites) >= MOST_SITES:
        notes.append(f"Only {MOST_SITES} applications are taken into account.")
    if counted > read:
        notes.append(f"Routes, clients, reasons and samples are of the newest {read:,} of {counted:,}.")
    if refused >= MOST_REFUSED:
        notes.append(f"What live rules refused as well was looked for in the newest {refused:,} denials only.")
    return notes


__all__ = ["Asked", "Rates", "of_folder", "rates", "report_of"]
