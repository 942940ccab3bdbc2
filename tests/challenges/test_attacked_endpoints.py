"""The endpoints: neighbours that use up what a network may ask, challenges of a configuration that is gone, weights."""

from __future__ import annotations

import re
from typing import Any

import flask
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.behaviour.clients.drivers import call_wsgi, environ_of
from tests.challenges.clearing import SECRET, Site, kept
from werkzeug.routing import Rule

from doorward import challenge, weigh
from doorward.challenges.issue import Issue
from doorward.challenges.verifying import MOST_ANSWERS
from doorward.challenges.waiting import LONGEST_SECONDS, SHORTEST_SECONDS, Wait
from doorward.levels import Level
from doorward_flask import DoorwardFlask


def token_in(body: bytes) -> str:
    found = re.search(rb'name="token" value="([^"]+)"', body)
    assert found is not None
    return found[1].decode()


def test_who_has_passed_lands_whatever_the_neighbours_ask() -> None:
    """Behind one address somebody may use up all that its network may answer; the last step is not an answer."""
    site = Site()
    token = token_in(site.get().body)
    site.clock.advance(3)
    answer = site.call("POST", "/.doorward/verify", body=f"token={token}".encode())
    location = dict(answer.headers)["Location"]
    junk = [site.call("POST", "/.doorward/verify", body=b"token=x", ip="203.0.113.99") for _ in range(MOST_ANSWERS + 1)]
    assert [reply.status for reply in junk][-1] == 429
    assert b'id="onward"' in site.get(location, cookie=kept(answer.cookies[0])).body


@pytest.mark.parametrize("path", ["verify", "next", "other", "landed"])
@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_a_challenge_of_a_kind_that_is_gone_leads_to_another(path: str, accept: str) -> None:
    """While a new configuration is rolled out, challenges come back that the old one has posed."""
    before = Site([challenge("wait", paths=["/x"])], challenges={"kinds": ["work"]})
    after = Site([challenge("wait", paths=["/x"])], challenges={"kinds": ["wait"]}, clock=before.clock)
    token = token_in(before.get().body)
    body = f"token={token}&why=wrong".encode()
    reply = after.call("POST", f"/.doorward/{path}", body=body, HTTP_ACCEPT=accept)
    assert reply.status < 500
    assert b"unavailable" not in reply.body
    if accept == "text/html" and path != "landed":
        after.clock.advance(10)
        passed = after.call("POST", "/.doorward/verify", body=f"token={token_in(reply.body)}".encode())
        assert passed.status == 303


@given(st.floats(allow_nan=False))
def test_a_wait_is_neither_nothing_nor_for_ever(weight: float) -> None:
    seconds = Wait().pose(Issue("i", "wait", Level.WAIT, weight), "", {"wait": ""}).refresh_seconds
    assert SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS


def test_rules_that_weigh_as_much_as_there_is_are_challenged_all_the_same() -> None:
    site = Site([weigh(1e9, paths=["/x"], name="one"), weigh(1e9, paths=["/*"], name="other")],
                thresholds={"challenge": 1.0}, challenges={"kinds": ["wait"]})  # fmt: skip
    assert token_in(site.get().body)


def test_methods_that_nobody_has_heard_of_leave_nothing_behind() -> None:
    """A rule of Werkzeug's own takes any method; what is known of a route was kept for each."""
    app = flask.Flask("shop")
    guard = DoorwardFlask(app, rules=[], secret=SECRET, challenges={"kinds": ["wait"]})
    app.url_map.add(Rule("/x", endpoint="x"))
    view: Any = guard.challenge("wait")(lambda: "in")
    app.view_functions["x"] = view
    for number in range(50):
        assert call_wsgi(app, environ_of("/x", method=f"M{number}")).status == 403
    assert len(app.extensions["doorward"]._routes._read) == 1
