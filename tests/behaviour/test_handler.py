"""``protect`` in a handler, after the middleware: each rule once, and what was left open is asked then."""

from __future__ import annotations

from typing import Any

import pytest
from tests.behaviour.clients.base import MakeApp, Reply
from tests.behaviour.doubles import EmailSpy, Refuser, Spy

from doorward import sliding_window

BY_USER = sliding_window(max=2, interval="1m", name="by-user", characteristics=["userId"])


def results(reply: Reply) -> dict[str, tuple[str, str]]:
    """State and conclusion of each rule, by name."""
    return {
        result["rule"]: (result["state"].removeprefix("RULE_STATE_"), result["conclusion"].removeprefix("CONCLUSION_"))
        for result in reply.json()["ruleResults"]
    }


def remaining(reply: Reply, rule: str) -> Any:
    """Units left of a limit."""
    found = next(result for result in reply.json()["ruleResults"] if result["rule"] == rule)
    return found["reason"]["rateLimit"]["remaining"]


def test_each_rule_is_asked_once(make: MakeApp) -> None:
    """Middleware and handler together ask a rule one time, and charge a limit one time."""
    spy = Spy(name="spy")
    app = make(spy, sliding_window(max=5, interval="1m", name="limit"))
    reply = app.get("/handler")
    assert len(spy.seen) == 1
    assert remaining(reply, "limit") == 4


def test_the_handler_gets_the_decision_of_the_middleware(make: MakeApp) -> None:
    """With nothing left open, ``protect`` gives the same results, in the order of declaration."""
    reply = make(sliding_window(max=5, interval="1m", name="limit"), Spy(name="spy")).get("/handler")
    assert list(results(reply)) == ["limit", "spy"]
    assert set(results(reply).values()) == {("RUN", "ALLOW")}


def test_a_rule_that_needs_an_email_waits_for_the_handler(make: MakeApp) -> None:
    """The middleware leaves the rule open; the handler's ``email=`` lets it run, once."""
    spy = EmailSpy(name="email")
    app = make(spy)
    app.get()
    assert spy.seen == []
    assert results(app.get("/handler?email=a@b.example"))["email"] == ("RUN", "ALLOW")
    assert [view.inputs["email"] for view in spy.seen] == ["a@b.example"]


def test_an_email_that_is_never_given_is_an_error_that_names_it(make: MakeApp) -> None:
    """Without ``email=`` the handler's decision says which argument is missing, and lets in."""
    reply = make(EmailSpy(name="email")).get("/handler")
    assert reply.json()["conclusion"] == "CONCLUSION_ERROR"
    assert "email=" in reply.json()["ruleResults"][0]["reason"]["error"]["message"]


def test_a_limit_by_user_waits_for_the_handler(make: MakeApp) -> None:
    """A characteristic of the application's own is counted when the handler gives it, and only then."""
    app = make(BY_USER)
    assert app.statuses(4) == [200] * 4
    conclusions = [app.get("/handler?userId=42").json()["conclusion"] for _ in range(3)]
    assert conclusions == ["CONCLUSION_ALLOW", "CONCLUSION_ALLOW", "CONCLUSION_DENY"]
    assert app.get("/handler?userId=43").json()["conclusion"] == "CONCLUSION_ALLOW"


def test_a_user_is_counted_across_addresses(make: MakeApp) -> None:
    """A limit by user counts the user, wherever the requests come from."""
    app = make(BY_USER)
    peers = ["203.0.113.1", "203.0.113.2", "203.0.113.3"]
    conclusions = [app.get("/handler?userId=42", peer=peer).json()["conclusion"] for peer in peers]
    assert conclusions[-1] == "CONCLUSION_DENY"


def test_a_characteristic_that_is_never_given_falls_back_to_the_address(make: MakeApp) -> None:
    """``protect`` without the characteristic counts by address, and says so in the result."""
    app = make(BY_USER)
    notes = [app.get("/handler").json()["ruleResults"][0].get("note", "") for _ in range(2)]
    assert all("userId not given" in note for note in notes)
    assert app.get("/handler").json()["conclusion"] == "CONCLUSION_DENY"


def test_it_is_charged_again_only_with_an_explicit_requested(make: MakeApp) -> None:
    """``requested=3`` in the handler takes three units more; without it nothing more is taken."""
    app = make(sliding_window(max=10, interval="1m", name="limit"))
    assert remaining(app.get("/handler"), "limit") == 9
    assert remaining(app.get("/handler?requested=3"), "limit") == 5


def test_requested_that_does_not_fit_is_refused(make: MakeApp) -> None:
    """A request for more units than are left is refused, and takes none."""
    app = make(sliding_window(max=10, interval="1m", name="limit"))
    assert app.get("/handler?requested=11").json()["conclusion"] == "CONCLUSION_DENY"
    assert remaining(app.get("/handler"), "limit") == 8


@pytest.mark.parametrize(("requested", "left"), [("0", 8), ("-1", 8), ("99999999999999999999", 9)])
def test_a_requested_out_of_range_is_charged_all_the_same(make: MakeApp, requested: str, left: int) -> None:
    """A wish that makes no sense never raises into the handler, and never lets it in uncharged."""
    reply = make(sliding_window(max=10, interval="1m", name="limit")).get(f"/handler?requested={requested}")
    assert reply.json()["reason"]["rateLimit"]["remaining"] == left
    assert (reply.json()["conclusion"] == "CONCLUSION_DENY") is (left == 9)


def test_a_refund_gives_the_charge_back(make: MakeApp) -> None:
    """A handler that refunds its request can be called for ever."""
    assert make(sliding_window(max=1, interval="1m")).statuses(4, "/refund") == [200] * 4


def test_protect_in_a_handler_of_an_exempt_free_route_decides_alone(make: MakeApp) -> None:
    """Where the middleware leaves the decision to the handler (``enforce=False``), a refusal reaches it."""
    app = make(Refuser(), layer={"enforce": False})
    reply = app.get("/handler?attack=1")
    assert (reply.status, reply.json()["conclusion"]) == (200, "CONCLUSION_DENY")


def test_one_request_is_one_log_record_when_nothing_was_open(make: MakeApp, caplog: pytest.LogCaptureFixture) -> None:
    """The handler's ``protect`` that finds nothing to do logs nothing."""
    caplog.set_level("INFO", logger="doorward")
    make(Spy()).get("/handler")
    assert len([record for record in caplog.records if record.name == "doorward"]) == 1
