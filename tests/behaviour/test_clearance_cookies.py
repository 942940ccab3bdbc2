"""Cookies that doorward adds to allowed responses: ids of new clients, clearances renewed; in every framework."""

from __future__ import annotations

import pytest
from tests.behaviour.clients.base import AppUnderTest, MakeApp

from doorward import challenge, sliding_window
from doorward.challenges.issue import Issue
from doorward.levels import Level
from doorward.requests import from_environ

SECRET = "an-own-secret-of-forty-characters-0123456"
BY_ID = sliding_window(max=2, interval="1m", characteristics=["client.id"])


def cookies(app: AppUnderTest, target: str = "/echo", **headers: str) -> list[str]:
    return app.get(target, headers=list(headers.items())).values("set-cookie")


@pytest.mark.parametrize("target", ["/echo", "/own-headers"])
def test_a_new_client_is_given_an_id_beside_the_applications_own_cookies(make: MakeApp, target: str) -> None:
    """One more Set-Cookie, the application's as they were; none once the client brings it back."""
    bare = make(protected=False).get(target)
    app = make(BY_ID, secret=SECRET)
    reply = app.get(target)
    own = [value for value in reply.values("set-cookie") if "doorward" not in value]
    (ours,) = [value for value in reply.values("set-cookie") if "doorward" in value]
    assert own == bare.values("set-cookie")
    name, _, rest = ours.strip().partition("=")  # Django writes a blank in front
    assert name.removeprefix("__Host-") == "doorward-client"
    assert "HttpOnly" in rest
    assert "samesite=lax" in rest.lower()
    assert [line for line in reply.lines if line[0] != "set-cookie"] == [
        line for line in bare.lines if line[0] != "set-cookie"
    ]
    assert not [value for value in cookies(app, target, Cookie=ours.strip().partition(";")[0]) if "doorward" in value]
    assert app.get(target).status == 429


def test_a_clearance_is_renewed_on_the_way_out(make: MakeApp) -> None:
    """While it is in use, past its half."""
    app = make(challenge("wait"), secret=SECRET, challenges={"lifetime": "1h", "renew_for": "3h", "bind": []})
    gate = app.aj.runtime.gatekeeper.gate
    now_ms = gate.clock.now_ns() // 1_000_000
    asked = from_environ({"REQUEST_METHOD": "GET"})
    token = gate.clearance(Issue("x" * 22, "wait", Level.WAIT), asked, "", now_ms - 1_900_000)
    (written,) = cookies(app, Cookie=f"doorward={token}")
    assert written.strip().startswith("doorward=")
    assert cookies(app, Cookie=written.strip().partition(";")[0]) == []
