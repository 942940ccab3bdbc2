"""What a challenged client sees: a page in the place of what it asked for, or a short answer where it is no browser."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from doorward.answers import HTML, Answer, negotiated
from doorward.challenges.arrivals import Arrival, arrival
from doorward.challenges.assets import url_of
from doorward.challenges.csp import policy
from doorward.challenges.following import ANOTHER, MOST_IN_A_ROW, following, kept_text, late
from doorward.challenges.problems import asked_for_more, not_passed, problem
from doorward.challenges.replies import JSON, SAFETY, as_json
from doorward.challenges.resuming import FIELD, Kept, hidden_input, kind_of, restored
from doorward.challenges.skin import quoted_url
from doorward.challenges.targets import mounted
from doorward.challenges.tokens import Refused
from doorward.markup import Markup, fill, join

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from doorward.challenges.gate import Gate
    from doorward.challenges.issue import Issue
    from doorward.challenges.kinds import Checked, Posed
    from doorward.challenges.languages import Language
    from doorward.context import RequestContext
    from doorward.decision import Decision

MOST_ATTEMPTS = 2
"""Challenges in a row that are posed to who has passed the last one; then a page says that it does not help."""
PROBE = "doorward-probe"
"""A cookie that says nothing: when it comes back with an answer, the clearance will come back too."""

_SAID = {"wrong": "wrong", "too_early": "too_early", "expired": "expired", "spent": "expired", "doubtful": "doubtful"}
"""Key of the words for why an answer was not accepted; of all others it is said that it did not work."""
_TOLD_WORDS = ("working", "passed", "failed", "try_again", "cookies_off")

_CHALLENGE = """<p class="why">{why}</p>
{notes}
<p id="status" role="status"></p>
{no_script}
<script type="application/json" id="challenge">{told}</script>
<form id="answer" method="post" action="{verify}">
{hidden}
{parts}
<div class="buttons"><button id="go"{at_first}>{go_on}</button>{other}</div>
</form>"""


class Visit(NamedTuple):
    """Who sees a page: what all the functions here have to know.

    Attributes:
        gate: Of the client.
        request: What is answered.
        ip: Where it came from.
        now_ms: The time, in milliseconds since the Unix epoch.
    """

    gate: Gate
    request: RequestContext
    ip: str
    now_ms: int

    @property
    def prefix(self) -> str:
        """Of the endpoints, with the path that the application is mounted at."""
        return f"{mounted(self.request.root_path)}{self.gate.settings.prefix}"

    @property
    def language(self) -> Language:
        """Of the reader."""
        return self.gate.skin.language(self.request.headers.values("accept-language"))


def answer_in_place(
    gate: Gate, request: RequestContext, decision: Decision, issue: Issue, kept: Kept | None = None
) -> Answer:
    """The challenge, in the place of what was asked for."""
    visit = Visit(gate, request, decision.ip.address, decision.now_ns // 1_000_000)
    headers, posed = [*decision.headers.items()], posed_of(visit, issue)
    if arrival(request) is Arrival.CALL:
        return problem(visit, decision.id, issue, posed)
    if issue.attempt > MOST_ATTEMPTS:
        return _message(visit, issue, 403, "stuck", "attempts", headers)
    lost = kept is None and request.method not in ("GET", "HEAD")
    notes = ["kept"] if kept is not None else ["not_kept"] if lost else []
    page = _challenge(visit, issue, posed, kept.text if kept is not None else "", notes, here=True, lost=lost)
    if kept is not None:
        headers.append(("Set-Cookie", f"{PROBE}=1; Path={visit.prefix}; Max-Age=1800; HttpOnly; SameSite=Lax"))
    return page._replace(status=gate.settings.status, headers=[*page.headers, *headers, *_for(gate, posed)])


def again(
    gate: Gate,
    request: RequestContext,
    ip: str,
    now_ms: int,
    why: str,
    fields: Mapping[str, object],
    checked: Checked | None = None,
) -> Answer:
    """The answer to an answer that was not accepted: what is wrong, and another challenge."""
    found = checked.weight if checked is not None else 0.0
    visit = Visit(gate, request, ip, now_ms)
    before = late(visit, fields)
    if (before is None or why == "spent") and not wants_page(request):
        return not_passed(why)
    if before is not None and before.attempt >= MOST_IN_A_ROW and why != ANOTHER:
        return _message(visit, before, 403, "failed", "attempts", []) if wants_page(request) else not_passed(why)
    text = kept_text(before, fields) if before is not None else ""
    issue = following(visit, before, found, why=why)
    note = _SAID.get(why, "failed")
    if not wants_page(request):
        return asked_for_more(visit, why, visit.language.words[note], issue, posed_of(visit, issue))
    if why == ANOTHER:  # who asks for another picture has done nothing wrong
        return _challenge(visit, issue, posed_of(visit, issue), text, [])
    return _challenge(visit, issue, posed_of(visit, issue), text, [note], alert=True)


def other(gate: Gate, request: RequestContext, ip: str, now_ms: int, fields: Mapping[str, object]) -> Answer:
    """Another kind of challenge in the place of one that the client cannot pass."""
    visit = Visit(gate, request, ip, now_ms)
    before = late(visit, fields)
    kind = gate.other(before) if before is not None else None
    if before is None or kind is None:
        return again(gate, request, ip, now_ms, "expired", fields)
    issue = gate.pose(
        request,
        ip,
        before.level,
        now_ms,
        weight=before.weight,
        doubt=before.doubt,
        attempt=before.attempt,
        keeps=before.keeps,
        reference=before.reference,
        kind=kind,
    )
    issue = gate.moved(issue, before.target, request, ip, now_ms)
    return _challenge(visit, issue, posed_of(visit, issue), kept_text(before, fields), [])


def shown(gate: Gate, request: RequestContext, ip: str, now_ms: int, fields: Mapping[str, object]) -> Answer:
    """The page of a challenge that a script was told of as the next."""
    visit = Visit(gate, request, ip, now_ms)
    try:
        issue = gate.opened(str(fields.get("token", "")), request, ip, now_ms)
    except Refused:
        return again(gate, request, ip, now_ms, "expired", fields)
    if issue.kind not in gate.offer.by_name:  # it was offered before the application's configuration changed
        return again(gate, request, ip, now_ms, "expired", fields)
    # What the script was told of the answer before, which a page says as it does without script.
    note = _SAID.get(str(fields.get("why", "")), "failed")
    posed = posed_of(visit, issue)
    return _challenge(visit, issue, posed, kept_text(issue, fields), [note], alert=note != "doubtful")


def passed(
    gate: Gate, request: RequestContext, ip: str, now_ms: int, issue: Issue, fields: Mapping[str, object]
) -> Answer:
    """The clearance, and the way back to where the client wanted to go."""
    visit = Visit(gate, request, ip, now_ms)
    cookie = ("Set-Cookie", gate.cookies.written(gate.clearance(issue, request, ip, now_ms), request))
    landing = f"{visit.prefix}/landed?t={issue.token}"
    if not wants_page(request):
        content = {"passed": True, "level": issue.level.word, "target": issue.target, "landed": landing}
        return as_json(200, content, [cookie])
    kept = restored(kept_text(issue, fields))
    if kept is None:
        # By way of a page of ours that sees whether the cookie has come back: else the client would go in circles.
        return Answer(HTTPStatus.SEE_OTHER, [("Location", landing), cookie, *SAFETY], b"")
    if not request.cookies(PROBE):
        return _message(visit, issue, 403, "cookies_off", "cookies", [])
    return _form_again(visit, issue, kept, [cookie])


def landed(gate: Gate, request: RequestContext, ip: str, now_ms: int) -> Answer:
    """On to where the client wanted to go; or that its browser does not send back cookies.

    A script is told whether a clearance for what was asked has come (``cookie``), and whether it is from ``since`` the
    challenge was posed: only that lets a client go on whose own answer was not accepted.
    """
    visit = Visit(gate, request, ip, now_ms)
    issue = late(visit, {"token": (request.query_values("t") or [""])[0]})
    held = gate.held(request, ip, now_ms * 1_000_000)
    has_come = held is not None and (issue is None or held.level >= issue.level)
    if not wants_page(request):
        since = held is not None and issue is not None and has_come and held.issued_ms >= issue.issued_ms
        return as_json(200, {"cookie": has_come, "since": since})
    if issue is None:
        return _message(visit, None, 403, "expired", "token", [])
    return _onward(visit, issue) if has_come else _message(visit, issue, 403, "cookies_off", "cookies", [])


# --- pages


def _challenge(
    visit: Visit,
    issue: Issue,
    posed: Posed,
    kept: str,
    notes: Sequence[str],
    *,
    alert: bool = False,
    here: bool = False,
    lost: bool = False,
) -> Answer:
    words, prefix = visit.language.words, visit.prefix
    told = {
        **posed.data,
        "token": issue.token,
        "verify": f"{prefix}/verify",
        "target": issue.target,
        # Whether this page stands in the place of what was asked for, which comes by loading it again.
        "here": here and not kept and not lost,
        "lost": lost,
        "form": {"field": FIELD, "kind": kind_of(kept)} if kept else None,
        "words": {**{key: words[key] for key in _TOLD_WORDS}, **posed.words()},
    }
    role = Markup(' role="alert"' if alert else "")
    content = fill(
        _CHALLENGE,
        why=words["why"],
        notes=join([fill('<p class="note"{role}>{text}</p>', role=role, text=words[note]) for note in notes]),
        # Taken away by the script: where an extension or a proxy blocks it, browsers show no noscript.
        no_script=fill('<p class="note" id="no-script">{text}</p>', text=words["no_script"])
        if not posed.without_script
        else Markup(""),
        told=as_data(told),
        verify=_url(f"{prefix}/verify"),
        hidden=join([hidden_input("token", issue.token), *([hidden_input(FIELD, kept)] if kept else [])]),
        parts=posed.parts,
        # Where it is for the script to send the answer, a button before that would only get in its way.
        at_first=Markup("" if posed.without_script else " hidden"),
        go_on=words["go_on"],
        other=_other_way(visit, issue),
    )
    head = _head(visit, _scripts(posed), _refresh(visit, issue, posed, kept))
    title, reason = words["title"], notes[0] if alert else "challenge"
    return _page(visit, 403, ("challenge",), title, content, head, _lines(issue, reason), _sources(visit, posed, kept))


def _form_again(visit: Visit, issue: Issue, kept: Kept, headers: Sequence[tuple[str, str]]) -> Answer:
    words = visit.language.words
    content = fill(
        '<p role="status">{ready}</p><form id="again" method="post" action="{target}" enctype="{kind}">{inputs}'
        '<div class="buttons"><button>{send}</button></div></form>',
        ready=words["ready"],
        target=_url(issue.target),
        kind=kept.kind,
        inputs=kept.inputs(),
        send=words["send_form"],
    )
    head, sources = _head(visit, ["page.js"]), _sources(visit, None, "kept")
    page = _page(visit, 200, ("message",), words["title"], content, head, {}, sources)
    return page._replace(headers=[*page.headers, *headers])


def _onward(visit: Visit, issue: Issue) -> Answer:
    # A page, and no redirect: what it leads to may redirect to another site, which the form's policy would not allow.
    words, target = visit.language.words, _url(issue.target)
    content = fill(
        '<p role="status">{passed}</p><p><a id="onward" href="{target}">{go_on}</a></p>',
        passed=words["passed"],
        target=target,
        go_on=words["go_on"],
    )
    refresh = fill('<noscript><meta http-equiv="refresh" content="0;url={target}"></noscript>', target=target)
    page = _page(visit, 200, ("message",), words["title"], content, _head(visit, ["page.js"], refresh), {}, {})
    # Its address has a token in it, which is spent by now, and still nobody's business.
    return page._replace(headers=[*[line for line in page.headers if line[0] != "Referrer-Policy"], _NO_REFERRER])


_NO_REFERRER = ("Referrer-Policy", "no-referrer")


def _message(
    visit: Visit, issue: Issue | None, status: int, key: str, reason: str, headers: Sequence[tuple[str, str]]
) -> Answer:
    words = visit.language.words
    content = fill(
        '<p>{text}</p><p><a class="button" href="{target}">{try_again}</a></p>',
        text=words[key],
        target=_url(issue.target if issue is not None else "/"),
        try_again=words["try_again"],
    )
    page = _page(visit, status, ("message",), words["title"], content, _head(visit, ()), _lines(issue, reason), {})
    return page._replace(headers=[*page.headers, *headers])


def _page(
    visit: Visit,
    status: int,
    names: Sequence[str],
    title: str,
    content: Markup,
    head: Markup,
    lines: Mapping[str, str],
    sources: Mapping[str, Sequence[str]],
) -> Answer:
    skin, language = visit.gate.skin, visit.language
    logo = visit.gate.files.logo_url(visit.prefix)
    body = skin.page(names, language, title, content, head=head, logo=logo, footer=lines, code=str(status))
    headers = [
        ("Content-Type", HTML),
        ("Content-Language", language.tag),
        *SAFETY,
        ("X-Frame-Options", "DENY"),
        ("Content-Security-Policy", policy(visit.gate.files.sources(sources))),
    ]
    return Answer(status, headers, body.encode())


# --- parts of pages


def _head(visit: Visit, scripts: Sequence[str], more: Markup | None = None) -> Markup:
    own = visit.gate.files.style_url(visit.prefix)
    styles = [url_of("page.css", visit.prefix), *([own] if own else [])]
    parts = [fill('<link rel="stylesheet" href="{url}">', url=_url(url)) for url in styles]
    parts += [fill('<script defer src="{url}"></script>', url=_url(url_of(name, visit.prefix))) for name in scripts]
    return join([*parts, *([more] if more else [])])


def _scripts(posed: Posed) -> list[str]:
    return ["page.js", *posed.scripts]


def _refresh(visit: Visit, issue: Issue, posed: Posed, kept: str) -> Markup:
    """Without JavaScript the browser comes back by itself: not with a form, and not for ever."""
    if not posed.refresh_seconds or kept or issue.attempt > MOST_ATTEMPTS:
        return Markup("")
    url = _url(f"{visit.prefix}/waited?t={issue.token}")
    line = '<noscript><meta http-equiv="refresh" content="{seconds};url={url}"></noscript>'
    return fill(line, seconds=posed.refresh_seconds, url=url)


def _other_way(visit: Visit, issue: Issue) -> Markup:
    if visit.gate.other(issue) is None:
        return Markup("")
    button = '<button class="second" formaction="{url}" formnovalidate>{text}</button>'
    return fill(button, url=_url(f"{visit.prefix}/other"), text=visit.language.words["other_way"])


def _lines(issue: Issue | None, reason: str) -> dict[str, str]:
    return {"reason": reason, "reference": (issue.reference or issue.id) if issue is not None else ""}


def _sources(visit: Visit, posed: Posed | None, kept: str) -> Mapping[str, Sequence[str]]:
    sources = dict(posed.sources) if posed is not None else {}
    if kept:
        # A form may be answered with a redirect to another site, as a shop does to who is paid: browsers ask the policy
        # of the page that sent the form about that too.
        schemes = ["https:"] if visit.request.scheme == "https" else ["https:", "http:"]
        sources["form-action"] = [*sources.get("form-action", ()), *schemes]
    return sources


def _for(gate: Gate, posed: Posed) -> list[tuple[str, str]]:
    """Headers that the configured status asks for (RFC 9110 sections 10.2.3 and 11.6.1, RFC 6585 section 4)."""
    if gate.settings.status == HTTPStatus.UNAUTHORIZED:
        return [("WWW-Authenticate", 'Doorward realm="challenge"')]
    waits = gate.settings.status in (429, 503) and posed.refresh_seconds
    return [("Retry-After", str(posed.refresh_seconds))] if waits else []


def as_data(content: Mapping[str, object]) -> Markup:
    """JSON as the text of a script element, which ends at no text of its own (HTML: "restrictions for scripts")."""
    return Markup(json.dumps(content).replace("<", "\\u003c"))


def posed_of(visit: Visit, issue: Issue) -> Posed:
    """The challenge, as its kind poses it to this reader."""
    return visit.gate.offer.by_name[issue.kind].pose(issue, visit.prefix, visit.language.words)


def wants_page(request: RequestContext) -> bool:
    """Whether an answer of the endpoints is to be a page."""
    return negotiated(request.headers.values("accept")) is HTML


def _url(url: str) -> Markup:
    # As it is, and not as visible text, which would be cut off.
    return Markup(quoted_url(url))


__all__ = ["JSON", "again", "answer_in_place", "landed", "other", "passed"]
