"""Which decisions a page shows, as its URL says: a view can be shared, and found again."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from doorward.clock import NANOSECONDS
from doorward.service.server.pages.texts import LATEST_NS, LONGEST_VALUE, link, shown
from doorward.service.server.ports import LogQuery

if TYPE_CHECKING:
    from collections.abc import Mapping

CONCLUSIONS = ("ALLOW", "DENY", "CHALLENGE", "ERROR")
RANGES = {"15m": 15 * 60, "1h": 3600, "24h": 86400, "7d": 7 * 86400}
"""Seconds of the stretches of time that a page can show."""
_LABELS = {
    "reason": "reason",
    "rule": "rule",
    "ip": "client",
    "path": "path",
    "site": "site",
    "dry": "dry-run rule",
    "range": "last",
    "since": "from",
    "until": "to",
}


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What is in the URL, as text; empty for no filter.

    Attributes:
        conclusion: One of :data:`CONCLUSIONS`.
        reason: Type of the reason.
        rule: That decided.
        site: Whose application.
        ip: The visitor.
        path: Beginning of the path.
        dry: The dry-run rule that would have decided; ``*`` for any.
        range: One of :data:`RANGES`.
        since: Not before this time of UTC, in ISO 8601.
        until: Before this time.
        before: Nanoseconds since the Unix epoch: a page of older decisions.
    """

    conclusion: str = ""
    reason: str = ""
    rule: str = ""
    site: str = ""
    ip: str = ""
    path: str = ""
    dry: str = ""
    range: str = ""
    since: str = ""
    until: str = ""
    before: str = ""

    @property
    def is_live(self) -> bool:
        """Whether decisions that are still to come belong here."""
        return not (self.before or self.until)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is filtered."""
        return self == Filters()

    def url(self, at: str = "/decisions", /, **changes: str) -> str:
        """The same view, or one with ``changes``."""
        changed = replace(self, **changes)
        return link(at, **{field.name: getattr(changed, field.name) for field in fields(changed)})

    def switch(self) -> list[tuple[str, str, bool]]:
        """(name, link, whether it is chosen) of each conclusion, and of all."""
        every = [("All", self.url(conclusion="", dry="", before=""), not (self.conclusion or self.dry))]
        one = [(name, self.url(conclusion=name, dry="", before=""), name == self.conclusion) for name in CONCLUSIONS]
        dry = ("DRY RUN", self.url(conclusion="", dry="*", before=""), bool(self.dry))
        return [*every, *one, dry]

    def chips(self) -> list[tuple[str, str, str]]:
        """(name, value, link without it) of each filter that is set, but those of :meth:`switch`."""
        given = [(name, label, str(getattr(self, name))) for name, label in _LABELS.items()]
        return [(label, shown(value, 60), self.url(**{name: "", "before": ""})) for name, label, value in given
                if value not in {"", "*"}]  # fmt: skip

    def query(self, now_ns: int) -> LogQuery:
        """What to ask the log for."""
        since = time_of(self.since) or 0
        if self.range:
            since = max(since, now_ns - RANGES[self.range] * NANOSECONDS)
        ends = [end for end in (int(self.before or 0), time_of(self.until)) if end]
        return LogQuery(
            site=self.site,
            conclusion=self.conclusion,
            reason=self.reason,
            rule=self.rule,
            dry_run=self.dry,
            ip=self.ip,
            path=self.path,
            since_ns=since,
            before_ns=min(ends, default=0),
        )


def read(parameters: Mapping[str, str]) -> tuple[Filters, list[str]]:
    """The filters of a URL, and the names of those that make no sense and are left out."""
    values = {f.name: parameters.get(f.name, "").strip()[:LONGEST_VALUE] for f in fields(Filters)}
    values["conclusion"], values["reason"] = values["conclusion"].upper(), values["reason"].upper()
    wrong = [name for name, value in values.items() if value and not _makes_sense(name, value)]
    return Filters(**{name: "" if name in wrong else value for name, value in values.items()}), wrong


def _makes_sense(name: str, value: str) -> bool:
    if name == "conclusion":
        return value in CONCLUSIONS
    if name == "range":
        return value in RANGES
    if name in {"since", "until"}:
        return time_of(value) is not None
    if name == "before":
        return value.isascii() and value.isdigit() and len(value) < 20 and int(value) <= LATEST_NS
    return True


def time_of(text: str) -> int | None:
    """Nanoseconds since the Unix epoch of a time in ISO 8601, which is of UTC unless it says otherwise."""
    try:
        time = datetime.fromisoformat(text)
        seconds = (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
    at_ns = round(seconds * NANOSECONDS)
    return at_ns if 0 < at_ns <= LATEST_NS else None


def iso(at_ns: int) -> str:
    """A time as :func:`time_of` reads it, to the second."""
    return datetime.fromtimestamp(at_ns // NANOSECONDS, UTC).strftime("%Y-%m-%dT%H:%M:%S")
