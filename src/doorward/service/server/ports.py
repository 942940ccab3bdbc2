"""What the parts of the service know of each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doorward.service.messages import DecideRequest, ReportRequest


class Site(NamedTuple):
    """Whose a key is.

    Attributes:
        name: Of the application; what belongs to it bears this name, and no other application gets to see it.
        key_id: Which of its keys was used; no secret.
        quota: Decisions that the key may ask for, as text that ``rate_limit`` takes; empty for no end.
    """

    name: str
    key_id: str
    quota: str = ""


class LogRecord(NamedTuple):
    """One decision, as it is kept.

    Attributes:
        id: ``req_…``, or ``lreq_…`` of one that was reported.
        at_ns: When the service made it or heard of it, in nanoseconds since the Unix epoch.
        site: Whose application asked.
        conclusion: ``ALLOW``, ``DENY``, ``CHALLENGE`` or ``ERROR``.
        reason: The reason's type, such as ``RATE_LIMIT``.
        why: The reason in English, free of the visitor's own bytes.
        rule: Name of the rule that decided; empty for an ALLOW.
        dry_run: Name of the dry-run rule that would have decided; empty for none.
        ip: The visitor's address.
        method: Of the request.
        host: Of the request.
        path: Of the request, without the query.
        agent: Its ``User-Agent``.
        country: ISO 3166-1 code of the address; empty where that is not known.
        reported: Whether the application decided by itself, and told.
        client: Name and version of the SDK that asked.
        took_us: Microseconds that it took here.
        results: What each rule came to, as the wire has it (RuleResult), with ``tookUs`` where that is known.
        ip_details: What is known about the address, as the wire has it (IpDetails).
    """

    id: str
    at_ns: int
    site: str
    conclusion: str
    reason: str = ""
    why: str = ""
    rule: str = ""
    dry_run: str = ""
    ip: str = ""
    method: str = ""
    host: str = ""
    path: str = ""
    agent: str = ""
    country: str = ""
    reported: bool = False
    client: str = ""
    took_us: int = 0
    results: Sequence[dict[str, Any]] = ()
    ip_details: dict[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class LogQuery:
    """Which decisions are wanted: those that match all that is given.

    Attributes:
        site: Of this application.
        conclusion: With this conclusion.
        reason: With a reason of this type.
        rule: That this rule decided.
        dry_run: That this dry-run rule would have decided; ``"*"`` for any.
        ip: Of this visitor.
        path: On paths that begin with this.
        since_ns: From then on.
        before_ns: Before then.
    """

    site: str = ""
    conclusion: str = ""
    reason: str = ""
    rule: str = ""
    dry_run: str = ""
    ip: str = ""
    path: str = ""
    since_ns: int = 0
    before_ns: int = 0


class Rate(NamedTuple):
    """Decisions of one stretch of time, by conclusion, and how many of them a dry-run rule would have refused."""

    at_ns: int
    counts: dict[str, int]
    dry: int


class Share(NamedTuple):
    """How often one value of a field occurs, and how often with a denial."""

    value: str
    times: int
    denied: int


class DecisionLog(Protocol):
    """Takes decisions, off the way of the request."""

    def append(self, record: LogRecord) -> None:
        """Keep it, soon. Never blocks and never raises: what there is no room for is dropped, and counted."""
        ...


class LogReader(Protocol):
    """Looks decisions up. Each call blocks: for a thread. Raises ``DataError`` where the log cannot be read."""

    def find(self, decision: str, site: str = "") -> LogRecord | None:
        """The decision with an id; of ``site`` only, where that is given."""
        ...

    def latest(self, query: LogQuery, limit: int) -> list[LogRecord]:
        """The newest first."""
        ...

    def after(self, query: LogQuery, cursor: int, limit: int) -> tuple[list[LogRecord], int]:
        """What has come since ``cursor`` (0 for the newest few), the oldest first; and the next cursor."""
        ...

    def rates(self, query: LogQuery, seconds: int) -> list[Rate]:
        """Decisions for each ``seconds``, the oldest first, without gaps."""
        ...

    def top(self, query: LogQuery, field: str, limit: int) -> list[Share]:
        """The most frequent values of ``site``, ``rule``, ``reason``, ``dry_run``, ``ip``, ``path`` or ``country``."""
        ...


class Evaluates(Protocol):
    """Decides about requests that were sent by applications."""

    async def decide(self, site: Site, request: DecideRequest, seconds: float | None) -> dict[str, Any]:
        """``DecideResponse`` in the proto3 JSON mapping, within ``seconds`` where they are given. Never raises."""
        ...

    async def report(self, site: Site, request: ReportRequest) -> dict[str, Any]:
        """``ReportResponse``, once what was reported has been looked at. Never raises."""
        ...


class ServiceBan(NamedTuple):
    """A visitor that is refused whatever rules a request carries.

    Attributes:
        ip: The address, or the network of an IPv6 one.
        seconds: Left.
        why: Who found it suspicious, or who banned it.
    """

    ip: str
    seconds: float
    why: str


__all__ = [
    "DecisionLog",
    "Evaluates",
    "LogQuery",
    "LogReader",
    "LogRecord",
    "Rate",
    "ServiceBan",
    "Share",
    "Site",
]
