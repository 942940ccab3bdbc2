"""How a refusal is put: as the client's Accept header asks, or as ``on_denied`` says."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest
from tests.behaviour.clients.base import AppUnderTest, MakeApp, Reply
from tests.behaviour.doubles import Refuser

from doorward import Decision, RequestContext, sliding_window
from doorward.answers import Answer

PROBLEM, HTML, TEXT = "application/problem+json", "text/html; charset=utf-8", "text/plain; charset=utf-8"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


def refused(app: AppUnderTest, accept: str | None) -> Reply:
    """The second answer under a limit of one."""
    headers = [("Accept", accept)] if accept is not None else []
    app.get()
    return app.get(headers=headers)


def one(make: MakeApp, **more: object) -> AppUnderTest:
    """A limit of one a minute."""
    return make(sliding_window(max=1, interval="1m"), **more)


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (None, PROBLEM),
        ("*/*", PROBLEM),
        ("application/json", PROBLEM),
        ("application/problem+json", PROBLEM),
        (BROWSER, HTML),
        ("text/html", HTML),
        ("text/*", HTML),
        ("text/plain", TEXT),
        ("text/plain;q=0.9, text/html;q=0.1", TEXT),
        ("image/png", PROBLEM),
        ("", PROBLEM),
        ("text/html;q=nan, text/plain;q=1e9", PROBLEM),
        ("\x80\xff;;;q=,,=", PROBLEM),
        ("text/html;q=0," * 5000, PROBLEM),
    ],
)
def test_the_answer_is_what_accept_asks_for(make: MakeApp, accept: str | None, kind: str) -> None:
    """HTML for browsers, text for who asks for it, problem+json for all others."""
    reply = refused(one(make), accept)
    assert (reply.status, reply.header("Content-Type")) == (429, kind)


def test_the_problem_is_rfc_9457(make: MakeApp) -> None:
    """The JSON answer has the members of RFC 9457, the wait, and an id to ask about."""
    problem = json.loads(refused(one(make), "application/json").body)
    assert problem.pop("id").startswith("lreq_")
    assert problem == {
        "type": "about:blank",
        "title": "Too Many Requests",
        "status": 429,
        "detail": "Too many requests. Try again in 60 seconds.",
        "retry_after": 60,
    }


def test_the_page_is_whole_html_without_scripts(make: MakeApp) -> None:
    """The page parses, says the wait, and runs nothing."""
    page = refused(one(make), BROWSER)
    tags: list[str] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, _: tags.append(tag)  # type: ignore[method-assign, assignment]
    parser.feed(page.body.decode())
    assert "script" not in tags
    assert "h1" in tags
    assert b"Try again in 60 s." in page.body
    assert "default-src 'none'" in str(page.header("Content-Security-Policy"))


@pytest.mark.parametrize("accept", ["application/json", "text/html", "text/plain"])
def test_every_refusal_is_complete(make: MakeApp, accept: str) -> None:
    """Length, caching and sniffing are settled by headers, each written once."""
    reply = refused(one(make), accept)
    assert reply.header("Content-Length") == str(len(reply.body))
    assert reply.header("Cache-Control") == "no-store"
    assert reply.header("X-Content-Type-Options") == "nosniff"
    assert "accept" in str(reply.header("Vary")).lower()


@pytest.mark.parametrize("accept", ["application/json", "text/html", "text/plain"])
def test_a_refusal_never_says_what_it_tripped_over(make: MakeApp, accept: str) -> None:
    """Neither the rule's name nor its reason is told to the client."""
    reply = make(Refuser(name="secret-rule")).get("/echo?attack=<script>", headers=[("Accept", accept)])
    assert reply.status == 403
    assert b"secret-rule" not in reply.body
    assert b"marker" not in reply.body
    assert b"<script>" not in reply.body


def test_on_denied_replaces_the_answer(make: MakeApp) -> None:
    """A response of the framework's own, made by ``on_denied``, is what the client gets."""
    seen: list[tuple[RequestContext, Decision]] = []
    made: list[AppUnderTest] = []

    def on_denied(request: RequestContext, decision: Decision) -> object:
        seen.append((request, decision))
        return made[0].own_answer(418, "no tea")

    made.append(make(Refuser(), layer={"on_denied": on_denied}))
    reply = made[0].get("/echo?attack")
    assert (reply.status, reply.body, reply.error) == (418, b"no tea", None)
    assert seen[0][0].path == "/echo"
    assert seen[0][1].is_denied()


def test_on_denied_may_leave_it_to_the_built_in_answer(make: MakeApp) -> None:
    """None from ``on_denied`` means the answer that there would have been without it."""
    reply = make(Refuser(), layer={"on_denied": lambda *_: None}).get("/echo?attack")
    assert (reply.status, reply.header("Content-Type")) == (403, PROBLEM)


def test_on_denied_is_not_asked_about_what_is_allowed(make: MakeApp) -> None:
    """An allowed request never reaches ``on_denied``."""
    called: list[object] = []
    make(Refuser(), layer={"on_denied": lambda *a: called.append(a)}).get()
    assert called == []


def test_without_enforcement_nothing_is_answered(make: MakeApp) -> None:
    """``enforce=False`` decides, counts and attaches, and lets everything in."""
    app = one(make, layer={"enforce": False})
    assert app.statuses(3) == [200] * 3
    assert app.counts()["decision.DENY"] == 2


def answering(make: MakeApp, answer: object) -> AppUnderTest:
    """Refuses /echo?attack with ``answer``."""
    return make(Refuser(), layer={"on_denied": lambda *_: answer})


UNUSABLE: dict[str, object] = {
    "a line break in a value": Answer(429, [("X-Own", "a\r\nSet-Cookie: b=1")], b""),
    "a line break in a name": Answer(429, [("X\n-Own", "a")], b""),
    "no name": Answer(429, [("", "a")], b""),
    "no latin-1": Answer(429, [("X-Own", "\u65e5")], b""),
    "a control character": Answer(429, [("X-Own", "a\0b")], b""),
    "a number as a value": Answer(429, [("X-Own", 5)], b""),  # type: ignore[list-item]
    "no pairs": Answer(429, [("X-Own",)], b""),  # type: ignore[list-item]
    "a status in words": Answer("429", [], b""),  # type: ignore[arg-type]
    "a status of no answer": Answer(101, [], b""),
    "a status out of range": Answer(1000, [], b""),
    "no body": Answer(429, [], None),  # type: ignore[arg-type]
    "half a character": Answer(429, [], "\ud800"),  # type: ignore[arg-type]
    "nonsense": object(),
}


@pytest.mark.swallows_errors
@pytest.mark.parametrize("answer", UNUSABLE.values(), ids=UNUSABLE)
def test_an_answer_that_cannot_be_sent_is_replaced_by_the_built_in_one(make: MakeApp, answer: object) -> None:
    """Whatever ``on_denied`` answers, the request is refused, and the mistake counted."""
    app = answering(make, answer)
    reply = app.get("/echo?attack")
    assert (reply.status, reply.header("Content-Type"), reply.error) == (403, PROBLEM, None)
    assert [name for name in app.counts() if name.startswith("error.on_denied: ")]


@pytest.mark.parametrize("body", ["caf\u00e9", bytearray("caf\u00e9".encode())], ids=["text", "bytearray"])
def test_an_answer_may_have_text_for_a_body(make: MakeApp, body: object) -> None:
    """Text is sent as UTF-8, with its length in bytes, once."""
    lines = [("Content-Type", "text/plain"), ("X-Own", "\u00e9"), ("Content-Length", "1")]
    reply = answering(make, Answer(429, lines, body)).get("/echo?attack")  # type: ignore[arg-type]
    assert (reply.status, reply.body) == (429, "caf\u00e9".encode())
    assert reply.header("Content-Length") == "5"
