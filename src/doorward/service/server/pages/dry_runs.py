"""What a dry-run rule would have done: before somebody sets it live."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from doorward.promotion.writers import facts, sentence
from doorward.service.server.pages import filters
from doorward.service.server.pages.charts import STEPS, chart
from doorward.service.server.pages.reading import TopLine, lines
from doorward.service.server.pages.texts import decision_link, number, shown
from doorward.service.server.promoting import Asked, rates, report_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.responses import Response

    from doorward.clock import Clock
    from doorward.promotion.report import Count, Promotion
    from doorward.service.server.pages.filters import Filters
    from doorward.service.server.pages.guard import Visit
    from doorward.service.server.pages.render import Renderer
    from doorward.service.server.pages.threads import Threads
    from doorward.service.server.ports import LogReader

DEFAULT_RANGE = "7d"
MOST_RULES = 100
TOP = 10


class SampleLine(NamedTuple):
    """A request that the rule would have refused."""

    at: str
    href: str
    ip: str
    ip_href: str
    what: str
    why: str
    conclusion: str


class DryRuns:
    """The view of dry-run rules: which there are, and one of them in figures.

    Args:
        reader: The log.
        threads: Where it is read.
        renderer: Draws.
        clock: The time.
    """

    def __init__(self, reader: LogReader, threads: Threads, renderer: Renderer, clock: Clock) -> None:
        self._reader = reader
        self._threads = threads
        self._renderer = renderer
        self._clock = clock

    async def show(self, visit: Visit) -> Response:
        """One rule, or which there are."""
        read, _ = filters.read({"range": DEFAULT_RANGE, **visit.query})
        chosen = filters.Filters(range=read.range or DEFAULT_RANGE, site=read.site, dry=read.dry)
        return await self._threads.run(self._show, visit, chosen)

    def _show(self, visit: Visit, chosen: Filters) -> Response:
        query = chosen.query(self._clock.now_ns())
        ranges = [(name, chosen.url("/dry-runs", range=name)) for name in filters.RANGES]
        values: dict[str, Any]
        if chosen.dry in {"", "*"}:
            every = filters.Filters(range=chosen.range, site=chosen.site, dry="*").query(self._clock.now_ns())
            found = self._reader.top(every, "dry_run", MOST_RULES)
            values = {"rules": lines(found, chosen, "dry", at="/dry-runs"), "rule": ""}
        else:
            until_ns = query.before_ns or self._clock.now_ns() + 1
            values = self._of_rule(chosen, Asked(chosen.dry, chosen.site, query.since_ns, until_ns))
        return self._renderer.response(
            "dry_runs.html",
            token=visit.token,
            chosen=chosen,
            ranges=ranges,
            every=chosen.url("/dry-runs", dry=""),
            **values,
        )

    def _of_rule(self, chosen: Filters, asked: Asked) -> dict[str, Any]:
        report = report_of(self._reader, asked)
        rule = report.rules[0]
        over_time = rates(self._reader, asked, STEPS[chosen.range])
        return {
            "rule": shown(rule.rule, 100),
            "found": rule.would_refuse,
            "lead": sentence(rule, report),
            "facts": list(facts(rule)),
            "sites": [shown(site, 64) for site in over_time.sites],
            "chart": chart(over_time.every, chosen),
            "tables": [
                ("Routes", _counts(rule.routes, chosen, "")),
                ("Clients", _counts(rule.clients, chosen, "ip")),
                ("Reasons", _counts(rule.reasons, chosen, "")),
            ],
            "samples": _samples(rule),
            "notes": [shown(note, 400) for note in report.notes],
            "decisions": chosen.url(),
        }


def _counts(counts: Sequence[Count], chosen: Filters, name: str) -> list[TopLine]:
    most = max((count.times for count in counts), default=1)
    return [
        TopLine(
            shown(count.name, 100),
            chosen.url(**{name: count.name}) if name else "",
            number(count.times),
            max(1, round(100 * count.times / most)),
        )
        for count in counts[:TOP]
    ]


def _samples(rule: Promotion) -> list[SampleLine]:
    """The newest first, as all tables of decisions."""
    return [
        SampleLine(
            sample.at[:19].replace("T", " "),
            decision_link(sample.decision),
            shown(sample.ip, 64),
            filters.Filters(ip=sample.ip, dry=rule.rule).url(),
            shown(f"{sample.method} {sample.path}", 120),
            shown(sample.why, 200),
            shown(sample.conclusion, 20),
        )
        for sample in reversed(rule.samples)
    ]
