"""Each assertion, with the test clients of all four frameworks: passes where it should, and fails with what was so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.pytest_plugin.applications import EVERY, TEAPOT, Application

from doorward import ConfigurationError, Doorward, RequestContext, sliding_window, validate_email
from doorward.testing import (
    Harness,
    MissingInput,
    assert_allowed,
    assert_challenged,
    assert_denied,
    assert_would_deny,
)

MakeApp = Callable[..., Application]
TWICE = sliding_window(max=2, interval="10m", name="twice")


@pytest.fixture(params=EVERY, ids=lambda each: each.name)
def make_app(request: pytest.FixtureRequest) -> Iterator[MakeApp]:
    """Makes the application of a framework around a new client, before anybody speaks of a test."""
    made: list[Application] = []

    def make(*rules: Any, **options: Any) -> Application:
        made.append(request.param(Doorward(rules, **options)))
        return made[-1]

    yield make
    for each in reversed(made):
        each.close()


def failure(assertion: Callable[..., Any], *arguments: Any, **named: Any) -> str:
    """What a failed assertion says."""
    with pytest.raises(AssertionError) as caught:
        assertion(*arguments, **named)
    return str(caught.value)


def test_each_response_is_matched_to_its_own_decision(make_app: MakeApp) -> None:
    """Asked in any order, and after all of them were sent."""
    app = make_app(TWICE)
    with Harness(app.app) as doorward:
        responses = [app.get("/") for _ in range(4)]
        decisions = [
            doorward.assert_denied(each, by="RATE_LIMIT", rule="twice", status=429) for each in responses[:1:-1]
        ]
        decisions += [assert_allowed(each, status=200) for each in responses[1::-1]]
    assert len({decision.id for decision in decisions}) == 4


def test_requests_under_way_together_are_told_apart(make_app: MakeApp) -> None:
    """Equal requests at once: those that were answered 429 are those that were denied."""
    app = make_app(TWICE)
    with Harness(app.app):
        for response in app.at_once(*["/"] * 6):
            (assert_denied if response.status_code == 429 else assert_allowed)(response)


def test_a_denial_that_was_expected_and_did_not_come(make_app: MakeApp) -> None:
    """The failure says what was expected, what came, and what every rule said."""
    app = make_app(TWICE)
    with Harness(app.app):
        told = failure(assert_denied, app.get("/"), by="rate_limit", rule="twice", status=429)
    first, second, third, fourth = told.splitlines()
    assert first == "expected GET / to be denied by RATE_LIMIT by rule 'twice' with status 429,"
    assert second == "but it was allowed and answered 200"
    assert third.endswith("ALLOW: 1 of 2 left in 600 s, reset in 600 s")
    assert fourth == "    twice: ALLOW (RUN) 1 of 2 left in 600 s, reset in 600 s"


def test_a_denial_that_nobody_expected(make_app: MakeApp) -> None:
    """assert_allowed fails with the reason."""
    app = make_app(TWICE)
    with Harness(app.app):
        told = failure(assert_allowed, [app.get("/") for _ in range(3)][-1])
    assert told.startswith("expected GET / to be allowed,\nbut it was denied by RATE_LIMIT and answered 429\n")
    assert "twice: DENY (RUN)" in told


def test_a_denial_by_something_else(make_app: MakeApp) -> None:
    """The reason, the rule and the status are each compared."""
    app = make_app(TWICE)
    with Harness(app.app):
        denied = [app.get("/") for _ in range(3)][-1]
        for wrong in ({"by": "BOT"}, {"rule": "thrice"}, {"status": 403}, {"by": "RATE_LIMIT", "rule": "thrice"}):
            assert "denied by RATE_LIMIT and answered 429" in failure(assert_denied, denied, **wrong)
        assert "to be challenged," in failure(assert_challenged, denied)
        assert "if that were no dry run" in failure(assert_would_deny, denied)


def test_what_the_handler_decides(make_app: MakeApp) -> None:
    """protect in a handler, after middleware: its decision counts, whatever status the handler chose."""
    app = make_app(TWICE, validate_email(deny=["NO_MX_RECORDS"]))
    with Harness(app.app) as doorward:
        doorward.dns.mx("example.com", "mx.example.com")
        allowed, denied = app.get("/sign-up?email=a@example.com"), app.get("/sign-up?email=a@nowhere.example")
        assert_allowed(allowed)
        assert_denied(denied, by="EMAIL", status=TEAPOT)
        assert [each.sent.path for each in doorward.decisions] == ["/sign-up"] * 4


def test_a_handler_that_goes_on_whatever_was_decided(make_app: MakeApp) -> None:
    """A denial that nobody acts upon is no denial, unless the test says that the status is meant so."""
    app = make_app(validate_email(deny=["NO_MX_RECORDS"]))
    with Harness(app.app):
        careless = app.get("/careless?email=a@nowhere.example")
        told = failure(assert_denied, careless)
        assert "but it was denied by EMAIL and answered 200" in told
        assert "a handler that goes on whatever protect says" in told
        assert "nowhere.example MX, of which the test says nothing" in told
        assert_denied(careless, status=200)


def test_a_missing_input_raises(make_app: MakeApp) -> None:
    """protect without the e-mail address: the handler does not get a decision, and the test fails."""
    app = make_app(validate_email(deny=["NO_MX_RECORDS"]))
    with Harness(app.app), pytest.raises(MissingInput, match="email= was not given to protect"):
        app.get("/sign-up")
    with Harness(app.app, missing_raises=False):
        assert assert_allowed(app.get("/sign-up")).is_errored()


def test_redirects(make_app: MakeApp) -> None:
    """Each response on the way has the decision about its own request."""
    app = make_app(sliding_window(max=1, interval="10m", paths=["/"]))
    with Harness(app.app):
        assert_allowed(app.get("/again"))
        followed = [app.get("/again", follow=True) for _ in range(2)]
        assert_allowed(followed[0])
        assert_denied(followed[1])
        before = app.first_of(followed[1])
        if before is not None:
            assert_allowed(before, status=before.status_code)
            assert before.status_code in (302, 307)


def test_exempt_routes(make_app: MakeApp) -> None:
    """A request that no rule is asked about is allowed, and a failure says why nobody was asked."""
    app = make_app(TWICE)
    with Harness(app.app):
        response = [app.get("/exempt") for _ in range(3)][-1]
        assert_allowed(response)
        assert "exempt: the route is exempt" in failure(assert_denied, response)


def test_dry_runs(make_app: MakeApp) -> None:
    """assert_would_deny sees what a rule in dry run would have done, and the others say that it is one."""
    app = make_app(sliding_window(max=1, interval="10m", name="trial", mode="DRY_RUN"))
    with Harness(app.app):
        first, second = app.get("/"), app.get("/")
        assert_would_deny(second, by="RATE_LIMIT", rule="trial", status=200)
        assert_allowed(second)
        assert "to be denied, if that were no dry run, by RATE_LIMIT" in failure(
            assert_would_deny, first, by="RATE_LIMIT"
        )
        assert "by trial, in dry run: assert_would_deny asserts that" in failure(assert_denied, second)


@pytest.mark.parametrize(
    ("mode", "hint"),
    [("OFF", "DOORWARD_MODE is OFF: no rule is asked"), ("DRY_RUN", "DOORWARD_MODE is DRY_RUN: every rule is in dry")],
)
def test_the_environment_decides(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, mode: str, hint: str) -> None:
    """Under DOORWARD_MODE nothing is denied, and the failure says that this is why."""
    monkeypatch.setenv("DOORWARD_MODE", mode)
    app = make_app(TWICE)
    with Harness(app.app):
        last = [app.get("/") for _ in range(3)][-1]
        assert_allowed(last)
        told = failure(assert_denied, last)
    assert hint in told
    assert ("would have been refused by twice" in told) == (mode == "DRY_RUN")


# --- without an application


def asked() -> RequestContext:
    return RequestContext(
        method="GET", scheme="http", host="example.com", path="/", query="", headers=[], peer="192.0.2.1"
    )


def test_decisions_are_asserted_about_as_responses_are() -> None:
    """A plain function that calls protect has no response."""
    with Harness() as doorward:
        aj = doorward.client(TWICE)
        decisions = [aj.protect(asked()) for _ in range(3)]
        assert_allowed(decisions[1])
        assert assert_denied(decisions[2], by="RATE_LIMIT") is decisions[2]
        assert failure(assert_allowed, decisions[2]).startswith(
            "expected the request to be allowed,\nbut it was denied"
        )


def test_a_response_of_another_client_is_matched_by_its_request() -> None:
    """A live server and a client that nobody watches: the latest request that looks the same."""

    class Foreign:
        status_code = 429

        class request:  # noqa: N801
            method, path_url = "GET", "/x?y=1"

    with Harness() as doorward:
        aj = doorward.client(TWICE)
        for path, query in (("/x", "y=1"), ("/x", "y=1"), ("/x", "y=1"), ("/y", "")):
            context = asked()
            context.path, context.query = path, query
            aj.protect(context)
        assert_denied(Foreign(), by="RATE_LIMIT")
        Foreign.request.path_url = "/z"
        assert "Decisions so far: GET /x?y=1: ALLOW" in failure(assert_denied, Foreign())


def test_a_reason_that_does_not_exist() -> None:
    """It would never be found: a mistake in the test."""
    with Harness() as doorward, pytest.raises(ConfigurationError, match="by: must be one of RATE_LIMIT, BOT"):
        doorward.assert_denied(doorward.client().protect(asked()), by="RATELIMIT")


def test_nobody_is_under_test() -> None:
    """The functions say what they need."""
    assert "use the fixture `doorward`" in failure(assert_denied, object())
    with Harness():
        assert "call doorward.use(aj) before the request" in failure(assert_denied, object())
