"""Findings in signals against the request that brought them: what the server saw itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from doorward.automation.headers import BRAND
from doorward.challenges.signals.known import same_but_system
from doorward.challenges.signals.reading import LONGEST_AGENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from doorward.challenges.signals.reading import Hints, Signals
    from doorward.context import RequestContext

QUICKEST_MS = 100
"""Milliseconds in which no browser has fetched a page with its scripts, run them and sent a form: on loopback it takes
Chromium about 300."""
_LONGEST_HEADER = 512
_MADE_UP = re.compile(r"not.{1,3}a.{1,3}brand", re.IGNORECASE)
"""GREASE (UA Client Hints section 6.2): "Not(A:Brand", " Not A;Brand", and with quotes and backslashes in Chrome 90."""


def secure_by(request: RequestContext) -> bool:
    """Whether the page is a secure one by its scheme, or by what browsers send to such pages alone.

    These are fetch metadata (Fetch Metadata section 2) and client hints (UA Client Hints section 3).
    """
    headers = request.headers
    return request.scheme == "https" or "sec-fetch-site" in headers or "sec-ch-ua" in headers


def against_request(signals: Signals, request: RequestContext, answered_ms: int) -> Iterator[str]:
    """Codes of what is found.

    Args:
        signals: What the page's script read.
        request: The request that brought it.
        answered_ms: Milliseconds since the challenge was posed, by the server's clock.
    """
    agent = request.headers.get("user-agent")[:LONGEST_AGENT]
    if signals.face.agent != agent:
        yield "system" if same_but_system(signals.face.agent or "", agent) else "agent"
    if signals.secure is not True and secure_by(request):
        yield "insecure"
    if answered_ms < QUICKEST_MS:
        yield "quick"
    yield from _hints(signals.face.hints, request)
    yield from _languages(signals.face.languages or [], request.headers.get("accept-language"))


def _hints(hints: Hints | None, request: RequestContext) -> Iterator[str]:
    headers = request.headers
    sent = headers.get("sec-ch-ua")[:_LONGEST_HEADER]
    if not sent:
        return
    # A browser that sends hints shows them to its pages too: those that show none differ from what was sent.
    hints = hints or {"brands": [], "mobile": None, "platform": None}
    if _brands(hints["brands"]) != _brands(BRAND.findall(sent)):
        yield "brands"
    mobile = headers.get("sec-ch-ua-mobile").strip()
    platform = headers.get("sec-ch-ua-platform").strip(' "')
    if (mobile and (mobile == "?1") != hints["mobile"]) or (platform and platform != hints["platform"]):
        yield "hints"


def _brands(listed: Iterable[Sequence[str]]) -> set[tuple[str, str]]:
    """Brands with the first numbers of their versions, but for the one that is made up and has odd characters in it."""
    return {(name, version.partition(".")[0]) for name, version in listed if not _MADE_UP.search(name)}


def _languages(preferred: Sequence[str], header: str) -> Iterator[str]:
    # Only the first is compared: Chrome sends no more than that to come, and Safari adds what is not in its list.
    sent = header[:_LONGEST_HEADER].partition(",")[0].partition(";")[0].strip().lower()
    first = preferred[0].lower() if preferred else ""
    if not sent or sent == first:
        return  # That there is no header is found by the examination of the request.
    yield "region" if first and sent.partition("-")[0] == first.partition("-")[0] else "language"
