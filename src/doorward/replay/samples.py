"""Samples of requests, and reasons under names that can be counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.reason import BotReason, EmailReason, RateLimitReason, ShieldReason
from doorward.replay.report import Sample

if TYPE_CHECKING:
    from doorward.reason import Reason
    from doorward.replay.decider import Decided
    from doorward.replay.records import Recorded

LONGEST = 200
"""Characters of a text in a sample: requests may hold megabytes."""
_MOST_IDS = 4


def sample(recorded: Recorded, at_ns: int, ip: str, rule: str, why: str) -> Sample:
    """A request that a figure counts."""
    request = recorded.request
    path = f"{request.path}?{request.query}" if request.query else request.path
    agent = request.headers.get("user-agent")
    return Sample(
        at_ns,
        recorded.source.file,
        recorded.source.line,
        ip,
        _cut(request.method),
        _cut(path),
        _cut(agent),
        rule,
        _cut(why),
        recorded.status,
    )


def kind_of_reason(rule: str, reason: Reason) -> str:
    """``rule: reason`` without what differs from request to request."""
    return f"{rule}: {_cut(_kind(reason))}"


def address_of(decided: Decided) -> str:
    """The client's address as the rules see it; empty for none."""
    progress = decided.progress
    if progress.client_ip is None:  # no rule was asked
        request = progress.request
        progress.client_ip = progress.engine.ips.resolve(request.peer, request.header_values)
    return progress.client_ip.address


def _kind(reason: Reason) -> str:
    match reason:
        case RateLimitReason():
            return f"more than {reason.max} in {reason.window_seconds:g} s"
        case BotReason():
            more = " …" if len(reason.denied) > _MOST_IDS else ""
            spoofed = " (spoofed)" if reason.spoofed else ""
            return f"{', '.join(reason.denied[:_MOST_IDS])}{more}{spoofed}"
        case ShieldReason() if reason.retry_seconds:
            return "suspicious requests add up"
        case ShieldReason() if reason.findings:
            return f"{reason.findings[0].family} in {reason.findings[0].place}"
        case EmailReason():
            return ", ".join(reason.email_types)
    return reason.explain()


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


__all__ = ["LONGEST", "address_of", "kind_of_reason", "sample"]
