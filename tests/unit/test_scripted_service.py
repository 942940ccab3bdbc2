"""The public double of a decision service, in clients that block and that await."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from doorward import (
    AsyncDoorward,
    ConfigurationError,
    Decision,
    Doorward,
    RequestContext,
    filter_request,
    sliding_window,
    validate_email,
)
from doorward.testing import FakeClock, ScriptedService

SIGNUP = sliding_window(max=5, interval="10m", name="signup")
EMAIL = validate_email(deny=["NO_MX_RECORDS"], name="email")
REQUEST = RequestContext(method="POST", path="/signup", host="shop.example", peer="203.0.113.9")


class Using:
    """A client of the scripted service, of either kind."""

    def __init__(self, kind: type[Doorward | AsyncDoorward], rules: Any, service: ScriptedService, **more: Any):
        self.service = service
        self.clock = FakeClock()
        chosen = {"service": "https://service.example", "key": "test", "transport": service, "clock": self.clock}
        self._runner = asyncio.Runner()
        self.aj: Any = kind(list(rules), **{**chosen, **more})

    def settled(self, answer: Any) -> Any:
        async def awaited() -> Any:
            return await answer

        return self._runner.run(awaited()) if isinstance(self.aj, AsyncDoorward) else answer

    def protect(self, **given: Any) -> Decision:
        decision: Decision = self.settled(self.aj.protect(REQUEST, **given))
        return decision

    def close(self) -> None:
        self.settled(self.aj.aclose()) if isinstance(self.aj, AsyncDoorward) else self.aj.close()

    def end(self) -> None:
        self.close()
        self._runner.close()


Begin = Callable[..., Using]


@pytest.fixture(params=[Doorward, AsyncDoorward], ids=["blocking", "awaiting"])
def using(request: pytest.FixtureRequest) -> Iterator[Begin]:
    begun: list[Using] = []

    def begin(script: Any = None, rules: Any = (SIGNUP, EMAIL), refusing: float = 0.0, **more: Any) -> Using:
        begun.append(Using(request.param, rules, ScriptedService(script, refusing=refusing), **more))
        return begun[-1]

    yield begin
    for each in begun:
        each.end()


def test_what_the_script_does_not_name_is_allowed(using: Begin) -> None:
    """A limit has all but one of its units left."""
    decision = using().protect(email="a@shop.example")
    assert decision.is_allowed()
    assert decision.limits()[0][1].remaining == 4
    assert decision.id.startswith("req_")


def test_seconds_deny_for_so_long(using: Begin) -> None:
    """As Retry-After, and remembered, so that the service is not asked again."""
    mine = using({"signup": 30})
    decision = mine.protect(email="a@shop.example")
    assert (decision.status, decision.headers["Retry-After"]) == (429, "30")
    assert mine.protect(email="a@shop.example").is_denied()
    assert len(mine.service.asked) == 1
    mine.clock.advance(31)
    mine.service.say("signup", "allow")
    assert mine.protect(email="a@shop.example").is_allowed()


def test_a_rule_that_looks_up_is_denied(using: Begin) -> None:
    """With a reason of its kind."""
    decision = using({"email": "deny"}).protect(email="a@shop.example")
    assert (decision.status, decision.reason.type) == (400, "EMAIL")


@pytest.mark.parametrize(("on_error", "conclusion"), [("allow", "ERROR"), ("deny", "DENY")])
def test_an_error_follows_on_error(using: Begin, on_error: Any, conclusion: str) -> None:
    """The rule could not be evaluated; the others were."""
    rule = validate_email(deny=["NO_MX_RECORDS"], name="email", on_error=on_error)
    decision = using({"email": "error"}, (SIGNUP, rule)).protect(email="a@shop.example")
    assert decision.conclusion == conclusion
    assert "the script says so" in decision.reason.explain()
    assert decision.results[0].is_allowed()


@pytest.mark.parametrize("answer", ["away", "slow"])
def test_a_service_that_does_not_answer(using: Begin, answer: str) -> None:
    """Limits go on locally; after five in a row it is not asked any more."""
    mine = using({"signup": answer}, (SIGNUP,))
    assert [mine.protect().status for _ in range(7)] == [200] * 5 + [429] * 2
    assert len(mine.service.asked) == 5
    assert mine.aj.health()["service"]["state"] == "open"


def test_a_star_stands_for_all_others(using: Begin) -> None:
    """A name of its own goes before it."""
    mine = using({"*": "deny", "signup": "allow"})
    decision = mine.protect(email="a@shop.example")
    assert [result.conclusion.value for result in decision.results] == ["ALLOW", "DENY"]


def test_it_refuses_of_its_own_accord(using: Begin) -> None:
    """Whatever it is asked, and until that is ended."""
    mine = using(refusing=120)
    decision = mine.protect(email="a@shop.example")
    assert (decision.status, decision.headers["Retry-After"]) == (403, "120")
    mine.service.refuse(0)
    mine.clock.advance(121)
    assert mine.protect(email="a@shop.example").is_allowed()


def test_a_dry_rule_refuses_nothing(using: Begin) -> None:
    """It says what it would have done."""
    decision = using({"signup": 30}, (SIGNUP,), mode="DRY_RUN").protect()
    assert (decision.status, decision.dry_run) == (200, "signup")


def test_it_keeps_what_it_was_asked_and_told(using: Begin) -> None:
    """Questions, reports and refunds, as plain dictionaries."""
    refuser = filter_request(deny=['http.request.method eq "PUT"'], name="no-put")
    mine = using(rules=(refuser, SIGNUP))
    decision = mine.protect()
    mine.settled(decision.refund())
    mine.settled(mine.aj.protect(RequestContext(method="PUT", path="/signup", peer="203.0.113.9")))
    mine.close()
    (asked,) = mine.service.asked
    assert [rule["name"] for rule in asked["rules"]] == ["signup"]
    assert asked["details"]["path"] == "/signup"
    (reported,) = mine.service.reported
    assert reported["decision"]["conclusion"] == "CONCLUSION_DENY"
    assert mine.service.refunded == ["signup#1"]


@pytest.mark.parametrize("answer", ["", "DENY", 0, -1, True, None, 10**9, float("nan")])
def test_what_is_no_answer_is_refused(answer: Any) -> None:
    """In the script and afterwards."""
    with pytest.raises(ConfigurationError, match="script"):
        ScriptedService({"signup": answer})
    with pytest.raises(ConfigurationError, match="script"):
        ScriptedService().say("signup", answer)


@pytest.mark.parametrize("seconds", [-1, 10**9, float("nan")])
def test_what_is_no_time_is_refused(seconds: float) -> None:
    """Of a refusal."""
    with pytest.raises(ConfigurationError, match="refusing"):
        ScriptedService(refusing=seconds)
