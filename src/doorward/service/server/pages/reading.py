"""The pages that only look: the overview, the table of decisions, one decision in full, the keys."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response

from doorward.service.server.pages import detail, filters
from doorward.service.server.pages.charts import STEPS, chart
from doorward.service.server.pages.rows import row
from doorward.service.server.pages.texts import LONGEST_VALUE, day, decision_link, link, moment, number, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doorward.clock import Clock
    from doorward.service.server.pages.filters import Filters
    from doorward.service.server.pages.guard import Visit
    from doorward.service.server.pages.ports import Figures, Keys, LogState
    from doorward.service.server.pages.render import Renderer
    from doorward.service.server.pages.threads import Threads
    from doorward.service.server.ports import LogQuery, LogReader, Share

ROWS = 100
MOST_NEW = 200
TOP = 8
DEFAULT_RANGE = "1h"
_TOP_TABLES = (
    ("Clients", "ip", "ip"),
    ("Rules", "rule", "rule"),
    ("Paths", "path", "path"),
    ("Reasons", "reason", "reason"),
    ("Countries", "country", ""),
)
"""Title, field of the log, and the filter of the link."""


class TopLine(NamedTuple):
    """A frequent value. ``share`` is of the first of its table, in hundredths: the length of its bar."""

    value: str
    href: str
    times: str
    share: int


class TopTable(NamedTuple):
    """The most frequent values of a field."""

    title: str
    lines: list[TopLine]


class Reading:
    """The views.

    Args:
        reader: The log.
        threads: Where it is read.
        renderer: Draws.
        clock: The time.
        keys: Lists the keys, where there are any.
        figures: Tells how the log does.
        can_ban: Whether there is a page for bans.
    """

    def __init__(
        self,
        reader: LogReader,
        threads: Threads,
        renderer: Renderer,
        clock: Clock,
        *,
        keys: Keys | None,
        figures: Figures | None,
        can_ban: bool,
    ) -> None:
        self._reader = reader
        self._threads = threads
        self._renderer = renderer
        self._clock = clock
        self._keys = keys
        self._figures = figures
        self._can_ban = can_ban

    # --- overview

    async def overview(self, visit: Visit) -> Response:
        """Rates over time, and what is denied most."""
        chosen, _ = filters.read({"range": DEFAULT_RANGE, **visit.query})
        shown_filters = filters.Filters(range=chosen.range or DEFAULT_RANGE, site=chosen.site)
        return await self._threads.run(self._overview, visit, shown_filters)

    def _overview(self, visit: Visit, chosen: Filters) -> Response:
        now_ns = self._clock.now_ns()
        query = chosen.query(now_ns)
        drawn = chart(self._reader.rates(query, STEPS[chosen.range]), chosen)
        has_any = bool(drawn.total) or bool(self._reader.latest(filters.Filters().query(now_ns), 1))
        return self._page(
            visit,
            "overview.html" if has_any else "nothing_yet.html",
            chosen=chosen,
            ranges=[(name, chosen.url("/", range=name)) for name in filters.RANGES],
            sites=self._sites(query, chosen) if has_any else [],
            chart=drawn,
            tables=self._tops(query, chosen) if drawn.total else [],
            dry=self._dry(query, chosen) if drawn.total else [],
            at=moment(now_ns).strftime("%H:%M:%S"),
            log=self._log(),
            here=_base(visit),
        )

    def _sites(self, query: LogQuery, chosen: Filters) -> list[tuple[str, str, bool]]:
        """(name, link, whether it is chosen), for the choice of one of several."""
        names = [share.value for share in self._reader.top(replace(query, site=""), "site", 20)]
        if chosen.site and chosen.site not in names:
            names.append(chosen.site)
        one = [(shown(name, 40), chosen.url("/", site=name), name == chosen.site) for name in sorted(names)]
        return [("All sites", chosen.url("/", site=""), not chosen.site), *one] if len(one) > 1 or chosen.site else []

    def _tops(self, query: LogQuery, chosen: Filters) -> list[TopTable]:
        denied = replace(query, conclusion="DENY")
        return [
            TopTable(title, lines(self._reader.top(denied, field, TOP), chosen, name, conclusion="DENY"))
            for title, field, name in _TOP_TABLES
        ]

    def _dry(self, query: LogQuery, chosen: Filters) -> list[TopLine]:
        """What each dry-run rule would have refused."""
        return lines(self._reader.top(replace(query, dry_run="*"), "dry_run", TOP), chosen, "dry", at="/dry-runs")

    def _log(self) -> LogState | None:
        return self._figures() if self._figures is not None else None

    # --- decisions

    async def decisions(self, visit: Visit) -> Response:
        """The table; of a box with an id, the decision."""
        wanted = visit.query.get("id", "").strip()[:LONGEST_VALUE]
        if wanted:
            return RedirectResponse(decision_link(wanted), 303)
        return await self._threads.run(self._decisions, visit)

    def _decisions(self, visit: Visit) -> Response:
        chosen, wrong = filters.read(visit.query)
        now_ns = self._clock.now_ns()
        query = chosen.query(now_ns)
        # The cursor is from before the rows: what comes between the two is sent twice, and shown once.
        cursor = self._reader.after(query, 0, 1)[1] if chosen.is_live else 0
        found = self._reader.latest(query, ROWS + 1)
        older = chosen.url(before=str(found[ROWS].at_ns + 1)) if len(found) > ROWS else ""
        if not found and chosen.is_empty:
            return self._page(visit, "nothing_yet.html", here=_base(visit))
        return self._page(
            visit,
            "decisions.html",
            chosen=chosen,
            wrong=wrong,
            rows=[row(record, day(now_ns)) for record in found[:ROWS]],
            live=chosen.url("/decisions/live", range="", since="") if chosen.is_live else "",
            cursor=cursor,
            older=older,
            newest=chosen.url(before="") if chosen.before else "",
            switch=chosen.switch(),
            dry_href=link("/dry-runs", dry=chosen.dry, site=chosen.site) if chosen.dry else "",
            chips=chosen.chips(),
            ranges=list(filters.RANGES),
            ban_href=link("/bans", ip=chosen.ip) if self._can_ban and chosen.ip else "",
            most=ROWS,
        )

    async def live(self, visit: Visit) -> Response:
        """What has come since a cursor, for the script of the table."""
        return await self._threads.run(self._live, visit)

    def _live(self, visit: Visit) -> Response:
        chosen, _ = filters.read(visit.query)
        cursor = visit.query.get("cursor", "")
        if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 20):
            raise HTTPException(400, "cursor: must be a number")
        now_ns = self._clock.now_ns()
        found, after = self._reader.after(chosen.query(now_ns), int(cursor), MOST_NEW)
        return JSONResponse({"rows": [row(record, day(now_ns)) for record in found], "cursor": str(after)})

    async def decision(self, visit: Visit) -> Response:
        """One, in full."""
        return await self._threads.run(self._decision, visit)

    def _decision(self, visit: Visit) -> Response:
        wanted = visit.request.path_params["id"]
        record = self._reader.find(wanted[:LONGEST_VALUE])
        if record is None:
            return self._page(visit, "unknown.html", status=404, wanted=shown(wanted, 100))
        return self._page(
            visit,
            "decision.html",
            row=row(record),
            why=shown(record.why, 1_000),
            rules=detail.rule_lines(record),
            request_facts=detail.request_facts(record),
            address_facts=detail.address_facts(record),
            raw=detail.raw(record),
            ban_href=link("/bans", ip=record.ip) if self._can_ban and record.ip else "",
        )

    # --- keys

    async def keys(self, visit: Visit) -> Response:
        """Whose keys there are."""
        assert self._keys is not None
        found = await self._threads.run(self._keys)
        return self._page(visit, "keys.html", keys=found)

    def _page(self, visit: Visit, template: str, status: int = 200, **values: object) -> Response:
        return self._renderer.response(template, status, token=visit.token, **values)


def lines(shares: Sequence[Share], chosen: Filters, name: str, *, at: str = "/decisions", **more: str) -> list[TopLine]:
    """Frequent values as lines; ``name`` is the filter that each is linked by, empty for none; ``at`` the page."""
    found = [share for share in shares if share.value]
    most = max((share.times for share in found), default=1)
    return [
        TopLine(
            shown(share.value, 100),
            chosen.url(at, **more, **{name: share.value}) if name else "",
            number(share.times),
            max(1, round(100 * share.times / most)),
        )
        for share in found
    ]


def _base(visit: Visit) -> str:
    """What an application is given as ``service``."""
    return shown(str(visit.request.base_url).rstrip("/"), 200)
