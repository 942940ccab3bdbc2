"""The short answers to a challenged request that is no page: of a script's call, and of a part of a page."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from doorward.answers import PROBLEM, TEXT, Answer
from doorward.challenges.replies import SAFETY, as_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doorward.challenges.issue import Issue
    from doorward.challenges.kinds import Posed
    from doorward.challenges.pages import Visit

_FRAMES = ("iframe", "frame", "embed", "object", "fencedframe")


def problem(visit: Visit, reference: str, issue: Issue, posed: Posed) -> Answer:
    """What a program is told (RFC 9457): that it is challenged, how, and where the answer goes."""
    status = _refusing(visit)
    content: dict[str, object] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": "A challenge has to be passed first.",
        "code": "challenge",
        "id": reference,
        "challenge": _told(visit, issue, posed),
    }
    waits = status in (429, 503) and posed.refresh_seconds
    headers = [("Retry-After", str(posed.refresh_seconds))] if waits else []
    return as_json(status, content, [*headers, *_authenticate(status)], PROBLEM)


def part(visit: Visit, headers: Sequence[tuple[str, str]]) -> Answer:
    """What stands in the place of a picture, a script or a frame of a page: as little as there can be.

    No challenge: whoever shows the page cannot pass it there, and would not come back to the same place.
    """
    framed = visit.request.headers.get("sec-fetch-dest") in _FRAMES
    text = visit.language.words["frame"] if framed else "challenge"
    status = _refusing(visit)
    lines = [("Content-Type", TEXT), *SAFETY, *headers, *_authenticate(status)]
    return Answer(status, lines, f"{text}\n".encode())


def not_passed(why: str) -> Answer:
    """What a program is told whose answer was not accepted."""
    return as_json(403, _not_passed(why), kind=PROBLEM)


def asked_for_more(visit: Visit, why: str, said: str, issue: Issue, posed: Posed) -> Answer:
    """The same, in words too, with the challenge that comes next; ``next`` is where a page of ours shows it."""
    content = {
        **_not_passed(why),
        "detail": said,
        "next": f"{visit.prefix}/next",
        "challenge": _told(visit, issue, posed),
    }
    return as_json(403, content, kind=PROBLEM)


def _not_passed(why: str) -> dict[str, object]:
    return {"type": "about:blank", "title": "Forbidden", "status": 403, "code": why}


def _told(visit: Visit, issue: Issue, posed: Posed) -> dict[str, object]:
    said = {"kind": issue.kind, "level": issue.level.word, "token": issue.token, "verify": f"{visit.prefix}/verify"}
    return {**said, **posed.data}


def _refusing(visit: Visit) -> int:
    """The configured status; 403 where that would tell a program that all is well."""
    status = visit.gate.settings.status
    return status if status >= 400 else 403


def _authenticate(status: int) -> list[tuple[str, str]]:
    # RFC 9110 section 15.5.2: a 401 has to say by what scheme
    return [("WWW-Authenticate", 'Doorward realm="challenge"')] if status == HTTPStatus.UNAUTHORIZED else []
