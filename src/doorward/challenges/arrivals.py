"""What a request is to its browser: a page that a person will see, a part of one, or a call of a script.

Browsers say it (Fetch Metadata: ``Sec-Fetch-Dest``, ``-Mode``, ``-Site``); older ones and programs are known by
``Accept`` and ``X-Requested-With``.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from doorward.answers import HTML, negotiated
from doorward.challenges.issue import LONGEST_TARGET
from doorward.challenges.targets import safe_target

if TYPE_CHECKING:
    from doorward.context import RequestContext


class Arrival(Enum):
    """What is to become of the answer.

    ``PAGE`` is shown to a person, ``CALL`` is read by a program, ``PART`` is put into a page by the browser.
    """

    PAGE = 1
    CALL = 2
    PART = 3


def arrival(request: RequestContext) -> Arrival:
    """What the answer to ``request`` is for."""
    get = request.headers.get
    destination, mode = get("sec-fetch-dest"), get("sec-fetch-mode")
    if request.scheme in ("ws", "wss") or get("upgrade").strip().lower() == "websocket":
        return Arrival.CALL
    if destination not in ("", "document", "empty") or _is_ahead_of_time(request):
        return Arrival.PART
    if destination == "empty" or mode not in ("", "navigate") or get("x-requested-with").lower() == "xmlhttprequest":
        return Arrival.CALL
    return Arrival.PAGE if negotiated(request.headers.values("accept")) is HTML else Arrival.CALL


def _is_ahead_of_time(request: RequestContext) -> bool:
    """Whether nobody has asked for it yet: a challenge would be worked on, or count down, for nobody."""
    get = request.headers.get
    return "prefetch" in get("sec-purpose") or get("purpose") == "prefetch" or get("x-moz") == "prefetch"


def from_here(request: RequestContext) -> bool:
    """Whether a page of this site, to the letter, sent a request; False where that is not known.

    A sibling domain is another site here: what it can have its visitors send is not ours to send again.
    """
    get = request.headers.get
    site = get("sec-fetch-site")
    if site:
        return site in ("same-origin", "none")
    # Before Fetch Metadata: Origin (RFC 6454), and Referer from browsers that send no Origin with forms.
    return _host_of(get("origin") or get("referer")) == request.host.lower() != ""


def from_elsewhere(request: RequestContext) -> bool:
    """Whether a page of another site is known to have sent a request: nobody else's form passes challenges.

    By Fetch Metadata, or Origin. Programs send neither, and are told apart by what their challenges are bound to.
    """
    told = request.headers.get("sec-fetch-site") or request.headers.get("origin") not in ("", "null")
    return bool(told) and not from_here(request)


def _host_of(url: str) -> str:
    try:
        parts = urlsplit(url[:2000])
    except ValueError:
        return ""
    return parts.netloc.lower() if parts.scheme in ("http", "https") else ""


def form_page(request: RequestContext) -> str:
    """The page that a form was sent from, with its query, where it is of this site; else the front page."""
    referrer = request.headers.get("referer")
    path = "/" + referrer.partition("://")[2].partition("/")[2].partition("#")[0]
    return (
        safe_target(path, LONGEST_TARGET) if from_here(request) and _host_of(referrer) == request.host.lower() else "/"
    )
