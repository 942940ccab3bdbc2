"""Challenges that are pictures and sounds, in every framework."""

from __future__ import annotations

import pytest
from tests.behaviour.clients.base import AppUnderTest, MakeApp
from tests.challenges.pictures.visitor import HTML_OF_FORM, SECRET, answer_of, fields_of, issue_of

from doorward import challenge
from doorward.challenges.pictures import Pictures
from doorward.stores.memory import MemoryStore

BROWSER = ("Accept", "text/html")
FORM = ("Content-Type", "application/x-www-form-urlencoded")


def asking(make: MakeApp, name: str) -> tuple[AppUnderTest, MemoryStore, Pictures]:
    """A site whose page asks for a person."""
    store, kind = MemoryStore(), Pictures(name)
    options = {"kinds": ["wait", kind]}
    return make(challenge("human", paths=["/echo"]), secret=SECRET, store=store, challenges=options), store, kind


@pytest.mark.parametrize("name", ["letters", "shapes", "odd", "audio"])
def test_a_person_passes(make: MakeApp, name: str) -> None:
    """The page, the picture, the sound, the answer, and what was asked for: each from its own place."""
    app, store, kind = asking(make, name)
    page = app.get("/echo?n=1", headers=[BROWSER])
    assert page.status == 403
    token = HTML_OF_FORM.search(page.body.decode())[1]
    issue = issue_of(token)
    shown = kind.shown(issue)
    media = [app.get(f"/.doorward/{form.path}?t={token}") for form in (shown.main, shown.other)]
    assert [reply.status for reply in media] == [200, 200]
    assert {reply.header("Content-Type") for reply in media} == {"image/png", "audio/wav"}
    app.clock.advance(5)
    fields = {"token": token, **fields_of(shown.main, answer_of(store, kind, issue, shown.main))}
    body = "&".join(f"{name}={value}" for name, value in fields.items()).encode()
    passed = app.post("/.doorward/verify", headers=[BROWSER, FORM], body=body)
    assert (passed.status, app.post("/.doorward/verify", headers=[BROWSER, FORM], body=body).status) == (303, 403)
    cookie = passed.header("Set-Cookie").partition(";")[0]
    landed = app.get(passed.header("Location"), headers=[BROWSER, ("Cookie", cookie)])
    assert (landed.status, "/echo?n=1" in landed.body.decode()) == (200, True)
    assert app.get("/echo?n=1", headers=[BROWSER, ("Cookie", cookie)]).status == 200
