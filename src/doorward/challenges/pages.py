"""What a challenged client sees: a page in the place of what it asked for, or a short answer where it is no browser."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING

from doorward.answers import HTML, Answer, negotiated
from doorward.challenges.assets import url_of
from doorward.challenges.onward import next_of
from doorward.challenges.replies import JSON, PROBLEM, SAFETY, as_json, plain
from doorward.markup import Markup, fill, join

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doorward.challenges.gate import Gate
    from doorward.challenges.issue import Issue
    from doorward.challenges.kinds import Checked, Posed
    from doorward.context import RequestContext
    from doorward.decision import Decision

WORDS: Mapping[str, str] = {
    "title": "One moment",
    "wait": "This takes {seconds} seconds. You will be let in by itself.",
    "go_on": "Continue",
    "given_up": "This could not be confirmed in {attempts} attempts. Nothing is held against you:",
    "anew": "begin anew",
    "cookies_off": "Your browser does not send back cookies, so that you would be asked again and again.",
}

WEIGHT_OF_UNKNOWN = 10.0
"""Of the challenge that somebody is given who has answered none that is known."""

_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; media-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>{title}</title>{refresh}
<link rel="stylesheet" href="{style}">{scripts}</head>
<body><main><h1>{title}</h1><p id="status" role="status"></p>
<script type="application/json" id="challenge">{told}</script>
<form id="answer" method="post" action="{action}"><input type="hidden" name="token" value="{token}">
{parts}<button>{go_on}</button></form></main></body></html>
"""

_GIVEN_UP = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>{title}</title></head>
<body><main><h1>{title}</h1><p role="status">{text} <a href="{target}">{anew}</a>.</p></main></body></html>
"""


def answer_in_place(gate: Gate, request: RequestContext, decision: Decision, issue: Issue) -> Answer:
    """The challenge, in the place of what was asked for."""
    headers = decision.headers.items()
    if not _shows_pages(request):
        return _problem(gate, request, decision, issue)
    return _page(gate, request, issue, gate.settings.status, [*headers])


def again(
    gate: Gate,
    request: RequestContext,
    ip: str,
    now_ms: int,
    why: str,
    issue: Issue | None = None,
    checked: Checked | None = None,
) -> Answer:
    """The answer to an answer that was not accepted: what is wrong, and another challenge."""
    if issue is None:
        # Whose challenge is unknown is given a hard one: nobody gets an easier one by a wrong answer.
        unknown = gate.pose(request, ip, gate.level_for(0.0), now_ms, weight=WEIGHT_OF_UNKNOWN)
        posed: Issue | None = gate.moved(unknown, "/", request, ip, now_ms)
    else:
        posed = next_of(gate, issue, checked, request, ip, now_ms)
    if not _wants_page(request):
        content: dict[str, object] = {"type": "about:blank", "title": "Forbidden", "status": 403, "code": why}
        if posed is not None:
            content["challenge"] = _challenge(gate, request, posed)
        return as_json(403, content, kind=PROBLEM)
    return _page(gate, request, posed, 403, []) if posed is not None else _given_up(issue)


def _given_up(issue: Issue | None) -> Answer:
    """An end, and the way to a new beginning."""
    attempts, target = (issue.attempt, issue.target) if issue is not None else (0, "/")
    text = WORDS["given_up"].replace("{attempts}", str(attempts))
    body = fill(_GIVEN_UP, title=WORDS["title"], text=text, target=target, anew=WORDS["anew"])
    return Answer(403, [("Content-Type", HTML), *SAFETY, ("Content-Security-Policy", _POLICY)], body.encode())


def passed(gate: Gate, request: RequestContext, ip: str, now_ms: int, issue: Issue) -> Answer:
    """The clearance, and the way back to where the client wanted to go."""
    cookie = ("Set-Cookie", gate.cookies.written(gate.clearance(issue, request, ip, now_ms), request))
    if not _wants_page(request):
        return as_json(200, {"passed": True, "level": issue.level.word, "target": issue.target}, [cookie])
    # By way of a page of ours that sees whether the cookie has come back: else the client would go round in circles.
    location = f"{request.root_path}{gate.settings.prefix}/landed?t={issue.token}"
    return Answer(HTTPStatus.SEE_OTHER, [("Location", location), cookie, *SAFETY], b"")


def landed(gate: Gate, request: RequestContext, ip: str, now_ms: int) -> Answer:
    """On to where the client wanted to go; or that its browser does not send back cookies."""
    from doorward.challenges.tokens import Refused

    try:
        issue = gate.opened((request.query_values("t") or [""])[0], request, ip, now_ms)
    except Refused as refused:
        return plain(403, refused.why)
    if gate.held(request, ip, now_ms * 1_000_000) is None:
        return Answer(403, [("Content-Type", HTML), *SAFETY], WORDS["cookies_off"].encode())
    return Answer(HTTPStatus.SEE_OTHER, [("Location", issue.target), *SAFETY], b"")


def _page(gate: Gate, request: RequestContext, issue: Issue, status: int, headers: list[tuple[str, str]]) -> Answer:
    posed = _posed(gate, issue)
    refresh, prefix = Markup(""), f"{request.root_path}{gate.settings.prefix}"
    body = fill(
        _PAGE,
        title=WORDS["title"],
        go_on=WORDS["go_on"],
        refresh=refresh,
        style=url_of("page.css", prefix),
        scripts=join([fill('<script defer src="{url}"></script>', url=url_of(n, prefix)) for n in _scripts(posed)]),
        told=as_data({**posed.data, "token": issue.token, "verify": f"{prefix}/verify"}),
        action=f"{request.root_path}{gate.settings.prefix}/verify",
        token=issue.token,
        parts=posed.parts,
    )
    lines = [("Content-Type", HTML), *SAFETY, *headers, ("Content-Security-Policy", _POLICY)]
    return Answer(status, lines, body.encode())


def _scripts(posed: Posed) -> list[str]:
    return ["page.js", *posed.scripts] if posed.scripts else []


def as_data(content: Mapping[str, object]) -> Markup:
    """JSON as the text of a script element, which ends at no text of its own (HTML: "restrictions for scripts")."""
    return Markup(json.dumps(content).replace("<", "\\u003c"))


def _posed(gate: Gate, issue: Issue) -> Posed:
    return gate.offer.by_name[issue.kind].pose(issue, gate.settings.prefix, WORDS)


def _problem(gate: Gate, request: RequestContext, decision: Decision, issue: Issue) -> Answer:
    content: dict[str, object] = {
        "type": "about:blank",
        "title": "Forbidden",
        "status": 403,
        "detail": "A challenge has to be passed first.",
        "code": "challenge",
        "id": decision.id,
        "challenge": _challenge(gate, request, issue),
    }
    return as_json(403, content, [*decision.headers.items()], PROBLEM)


def _challenge(gate: Gate, request: RequestContext, issue: Issue) -> dict[str, object]:
    """A challenge, for who has no page."""
    return {
        "kind": issue.kind,
        "level": issue.level.word,
        "token": issue.token,
        "verify": f"{request.root_path}{gate.settings.prefix}/verify",
        **_posed(gate, issue).data,
    }


def _shows_pages(request: RequestContext) -> bool:
    """Whether a person will see the answer: not for pictures and scripts of a page, nor for what a script fetches."""
    destination = request.headers.get("sec-fetch-dest")
    return destination in ("", "document", "iframe", "frame") and _wants_page(request)


def _wants_page(request: RequestContext) -> bool:
    return negotiated(request.headers.values("accept")) is HTML


__all__ = ["JSON", "again", "answer_in_place", "landed", "passed"]
