"""How a refusal is put to the client: problem+json (RFC 9457), HTML or text, as its Accept header asks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from doorward.reason import RateLimitReason, whole_seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doorward.challenges.skin import Skin
    from doorward.context import RequestContext
    from doorward.decision import Decision


class Answer(NamedTuple):
    """A complete HTTP answer.

    Attributes:
        status: HTTP status.
        headers: Names and values, in order; Content-Length is added where it is sent.
        body: The content.
    """

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes


PROBLEM, HTML, TEXT = "application/problem+json", "text/html; charset=utf-8", "text/plain; charset=utf-8"

NOT_FOUND = Answer(404, (("Content-Type", TEXT), ("Cache-Control", "no-store")), b"Not Found\n")

_TITLES = {
    400: "Bad Request",
    403: "Forbidden",
    429: "Too Many Requests",
    503: "Service Unavailable",
}
_OFFERS = (
    ("application/problem+json", PROBLEM),
    ("application/json", PROBLEM),
    ("text/html", HTML),
    ("text/plain", TEXT),
)
_LONGEST_ACCEPT = 1000
SAFETY = (
    ("Cache-Control", "no-store"),
    ("Vary", "Accept"),
    ("X-Content-Type-Options", "nosniff"),
)


def refusal(request: RequestContext, decision: Decision, skin: Skin | None = None) -> Answer:
    """The answer to a request that was denied or has to be challenged.

    It says what the client may do about it, and an id to ask the operator about; never what it tripped over.

    Args:
        request: The request.
        decision: About it.
        skin: The looks of the application's pages; doorward's own when None.
    """
    kind = negotiated(request.headers.values("accept"))
    if kind is HTML:
        from doorward.challenges.refused import page  # programs are refused more often than people

        more, body = page(request, decision, skin)
        return Answer(decision.status, [("Content-Type", HTML), *SAFETY[:1], *more, *decision.headers.items()], body)
    body = (_text if kind is TEXT else _problem)(decision).encode()
    return Answer(decision.status, [("Content-Type", kind), *SAFETY, *decision.headers.items()], body)


def negotiated(accept: Sequence[str]) -> str:
    """The media type to answer with (RFC 9110 section 12.5.1): problem+json unless something else is wanted more."""
    wanted = _quality(",".join(accept)[:_LONGEST_ACCEPT].lower())
    best, best_quality = PROBLEM, 0.0
    for name, kind in _OFFERS:
        quality = wanted.get(name, wanted.get(name.partition("/")[0] + "/*", wanted.get("*/*", 0.0)))
        if quality > best_quality:
            best, best_quality = kind, quality
    return best


def _quality(accept: str) -> dict[str, float]:
    wanted: dict[str, float] = {}
    for item in accept.split(","):
        name, *parameters = item.split(";")
        quality = next((p.strip()[2:] for p in parameters if p.strip().startswith("q=")), "1")
        wanted[name.strip()] = _number(quality)
    return wanted


def _number(text: str) -> float:
    # qvalue of RFC 9110 section 12.4.2; float() would take "nan" and "1e9" as well
    digits = text.replace(".", "", 1)
    return min(1.0, float(text)) if digits.isascii() and digits.isdigit() and len(text) <= 5 else 0.0


def title_of(decision: Decision) -> str:
    """The status in words."""
    return _TITLES.get(decision.status, "Forbidden")


def detail_of(decision: Decision) -> str:
    """What the client may do about it."""
    if isinstance(decision.reason, RateLimitReason):
        if decision.reason.reset_seconds <= 0:
            return "This request asks for more than is ever admitted at once."
        seconds = whole_seconds(decision.reason.reset_seconds)
        return f"Too many requests. Try again in {seconds} second{'' if seconds == 1 else 's'}."
    if decision.status == 503:
        return "This request could not be checked. Try again later."
    return "This request was refused."


def _problem(decision: Decision) -> str:
    problem: dict[str, object] = {
        "type": "about:blank",
        "title": title_of(decision),
        "status": decision.status,
        "detail": detail_of(decision),
        "id": decision.id,
    }
    if isinstance(decision.reason, RateLimitReason) and decision.reason.reset_seconds > 0:
        problem["retry_after"] = whole_seconds(decision.reason.reset_seconds)
    return json.dumps(problem)


def _text(decision: Decision) -> str:
    return f"{title_of(decision)}\n{detail_of(decision)}\nReference: {decision.id}\n"
