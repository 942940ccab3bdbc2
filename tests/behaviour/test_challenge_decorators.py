"""What decorators say about challenges, on blocking and awaiting views: each does what it says, on its route alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from tests.behaviour.challenged import FORM, JSON, PAGE, Visitor, token_of
from tests.behaviour.clients.base import MakeApp
from tests.behaviour.doubles import Refuser

from doorward import allow, challenge, sliding_window, weigh

WAIT: dict[str, Any] = {"challenges": {"kinds": ["wait"]}, "secret": "a secret that nobody knows, of tests"}
BOT = [("Accept", "text/html"), ("User-Agent", "sqlmap/1.8")]
Said = Mapping[str, Callable[[Any], Callable[[Any], Any]]]

STEP_UPS: Mapping[str, Callable[[Any], Callable[[Any], Any]]] = {
    "challenge": lambda guard: guard.challenge,
    "challenge()": lambda guard: guard.challenge(),
    "challenge(level)": lambda guard: guard.challenge("wait"),
    "always_challenge": lambda guard: guard.always_challenge,
    "require_human": lambda guard: guard.require_human,
    "require_human(level)": lambda guard: guard.require_human(level="wait"),
    "when holds": lambda guard: guard.challenge(when='http.request.method eq "GET"'),
    "when, a function": lambda guard: guard.challenge(when=lambda request: request.path == "/guarded"),
}


@pytest.mark.parametrize("name", STEP_UPS)
def test_a_stepped_up_route_is_challenged_and_reached(make_decorated: MakeApp, name: str) -> None:
    """Regression (NoBot's @challenge): the route is challenged, and after a pass it is reachable and stays so."""
    app = make_decorated(said={"/guarded": STEP_UPS[name]}, **WAIT)
    visitor = Visitor(app)
    assert visitor.pass_challenge("/guarded").status == 200
    assert visitor.go("/guarded").status == 200


@pytest.mark.parametrize("name", STEP_UPS)
def test_vouch_7_one_routes_option_changes_no_other(make_decorated: MakeApp, name: str) -> None:
    """Regression (tollbooth): one hit on a @challenge route turned the whole site to always-challenge."""
    app = make_decorated(said={"/guarded": STEP_UPS[name]}, **WAIT)
    assert app.get("/echo", headers=PAGE).status == 200
    assert app.get("/guarded", headers=PAGE).status == 403
    assert app.get("/echo", headers=PAGE).status == 200


def test_when_it_does_not_hold_nobody_is_asked(make_decorated: MakeApp) -> None:
    """``when``: requests for which it does not hold go on."""
    says = {"/guarded": lambda guard: guard.challenge(when='http.request.method eq "POST"')}
    app = make_decorated(said=says, **WAIT)
    assert app.get("/guarded", headers=PAGE).status == 200
    assert app.post("/guarded", headers=PAGE).status == 403


@pytest.mark.swallows_errors
def test_a_condition_that_raises_follows_on_error(make_decorated: MakeApp) -> None:
    """A function of the application's that fails is an ERROR of that rule, never a 500."""

    def broken(request: object) -> bool:
        raise RuntimeError("a bug of the application's")

    open_, closed = (
        {"/guarded": lambda guard, o=o: guard.challenge(when=broken, on_error=o)} for o in ("allow", "deny")
    )
    assert make_decorated(said=open_, **WAIT).get("/guarded", headers=PAGE).status == 200
    assert make_decorated(said=closed, **WAIT).get("/guarded", headers=PAGE).status == 503


def test_an_old_clearance_is_not_enough_where_a_fresh_one_is_asked_for(make_decorated: MakeApp) -> None:
    """``max_age`` on a route: passed again, it is reachable again."""
    app = make_decorated(said={"/guarded": lambda guard: guard.challenge("wait", max_age="1m")}, **WAIT)
    visitor = Visitor(app)
    visitor.pass_challenge("/guarded")
    app.clock.advance(120.0)
    assert visitor.pass_challenge("/guarded").status == 200


def test_a_clearance_is_good_for_all_routes(make_decorated: MakeApp) -> None:
    """Who has passed at one route is not asked at another."""
    said = {"/guarded": lambda guard: guard.challenge("wait"), "/beside": lambda guard: guard.challenge("wait")}
    visitor = Visitor(make_decorated(said=said, **WAIT))
    visitor.pass_challenge("/guarded")
    assert visitor.go("/beside").status == 200


BLOCK: Said = {"/guarded": lambda guard: guard.block}


def test_block_denies_who_would_have_been_challenged(make_decorated: MakeApp) -> None:
    """No page, no challenge: a plain refusal, of pages and programs alike."""
    app = make_decorated(challenge("wait"), said=BLOCK, **WAIT)
    for headers in (PAGE, JSON):
        refused = app.get("/guarded", headers=headers)
        assert refused.status == 403
        assert b"token" not in refused.body
    assert b"token" in app.get("/echo", headers=PAGE).body


def test_block_lets_in_who_has_a_clearance(make_decorated: MakeApp) -> None:
    """Regression (Vouch): with the default rules every browser without a cookie got 403, and none could get one."""
    visitor = Visitor(make_decorated(challenge("wait"), said=BLOCK, **WAIT))
    visitor.pass_challenge("/echo")
    assert visitor.go("/guarded").status == 200


def test_block_denies_nobody_whom_no_rule_doubts(make_decorated: MakeApp) -> None:
    """Where nothing asks for a challenge there is nothing to deny."""
    assert make_decorated(challenge("wait", paths=["/echo"]), said=BLOCK, **WAIT).get("/guarded").status == 200


def test_block_denies_for_the_sum_of_weights(make_decorated: MakeApp) -> None:
    """A threshold that leads to a challenge denies here."""
    app = make_decorated(weigh(5, methods=["GET"]), thresholds={"CHALLENGE": 5}, said=BLOCK, **WAIT)
    refused = app.get("/guarded", headers=JSON)
    assert refused.status == 403
    assert "challenge" not in refused.json()


def test_block_is_ended_by_allow(make_decorated: MakeApp) -> None:
    """Who is let in by name is neither challenged nor denied in the place of a challenge."""
    app = make_decorated(allow(ip="203.0.113.9"), challenge("wait"), said=BLOCK, **WAIT)
    assert app.get("/guarded", headers=PAGE).status == 200


def test_block_on_trial_says_so(make_decorated: MakeApp) -> None:
    """In a dry-run client nobody is denied; the counters say who would have been."""
    app = make_decorated(challenge("wait", name="doubt"), said=BLOCK, mode="DRY_RUN", **WAIT)
    assert app.get("/guarded", headers=PAGE).status == 200
    assert app.counts()["dry_run.block"] == 1


def test_block_bots_denies_them_with_a_clearance_too(make_decorated: MakeApp) -> None:
    """A clearance says that somebody paid, not that it is no bot."""
    app = make_decorated(challenge("wait", paths=["/echo"]), said={"/guarded": lambda guard: guard.block_bots}, **WAIT)
    bot = Visitor(app)
    page = bot.go("/echo", headers=BOT)
    bot.wait()
    body = f"token={token_of(page)}".encode()
    assert bot.go("/.doorward/verify", method="POST", headers=[*BOT, FORM], body=body).status == 303
    assert bot.go("/echo", headers=BOT).status == 200
    assert bot.go("/guarded", headers=BOT).status == 403
    assert app.get("/guarded", headers=PAGE).status == 200


def test_block_bots_lets_in_whom_it_names(make_decorated: MakeApp) -> None:
    """``allow``: as of detect_bot."""
    said = {"/guarded": lambda guard: guard.block_bots(allow=["CURL"])}
    app = make_decorated(said=said, **WAIT)
    assert app.get("/guarded", headers=[("User-Agent", "curl/8.9"), ("Accept", "*/*")]).status == 200
    assert app.get("/guarded", headers=BOT).status == 403


def test_skip_asks_nothing(make_decorated: MakeApp) -> None:
    """``skip`` is ``exempt``: no rule, no charge."""
    app = make_decorated(challenge("wait"), Refuser(), said={"/guarded": lambda guard: guard.skip}, **WAIT)
    assert app.get("/guarded?attack", headers=PAGE).status == 200


@pytest.mark.parametrize("first", ["exempt", "step-up"])
def test_humanify_exempt_goes_before_what_is_said_about_the_route(make_decorated: MakeApp, first: str) -> None:
    """Regression (Humanify): exempt had no effect. It has, in whatever order the decorators stand."""

    def both(guard: Any) -> Callable[[Any], Any]:
        if first == "exempt":
            return lambda view: guard.challenge("wait")(guard.exempt(view))
        return lambda view: guard.skip(guard.challenge("wait")(view))

    app = make_decorated(challenge("wait"), said={"/guarded": both}, **WAIT)
    assert app.get("/guarded", headers=PAGE).status == 200


@pytest.mark.parametrize("layer", [{"include": ["/echo"]}, {"exclude": ["/guarded"]}])
def test_what_a_route_says_goes_before_what_middleware_leaves_alone(
    make_decorated: MakeApp, layer: dict[str, Any]
) -> None:
    """A step-up on a path that ``include`` or ``exclude`` leave alone holds; the application's rules do not."""
    one = sliding_window(max=1, interval="1h")
    app = make_decorated(one, said={"/guarded": lambda guard: guard.challenge("wait")}, layer=layer, **WAIT)
    assert app.statuses(2, "/guarded", headers=PAGE) == [403, 403]
    visitor = Visitor(app)
    assert visitor.pass_challenge("/guarded").status == 200
    assert visitor.go("/guarded").status == 200


PROTECT: Said = {"/guarded": lambda guard: guard.protect}


@pytest.mark.parametrize("layer", [{"include": ["/echo"]}, {"exclude": ["/guarded"]}, {}])
def test_protect_has_all_rules_in_force(make_decorated: MakeApp, layer: dict[str, Any]) -> None:
    """Whatever the middleware leaves alone: on this route all rules hold."""
    app = make_decorated(sliding_window(max=1, interval="1h"), said=PROTECT, layer=layer, **WAIT)
    assert app.statuses(2, "/guarded", headers=PAGE) == [200, 429]


def test_protect_goes_before_a_default_exemption(make_decorated: MakeApp) -> None:
    """A health check that says so is protected as any route."""
    app = make_decorated(challenge("wait"), said={"/health": lambda guard: guard.protect}, **WAIT)
    assert app.get("/health", headers=PAGE).status == 403
    assert make_decorated(challenge("wait"), **WAIT).get("/health", headers=PAGE).status == 200


def test_protect_is_live_in_a_dry_client(make_decorated: MakeApp) -> None:
    """``mode="DRY_RUN"`` of the client: rules are live on this route, and dry on all others."""
    app = make_decorated(challenge("wait"), said=PROTECT, mode="DRY_RUN", **WAIT)
    assert app.get("/echo", headers=PAGE).status == 200
    assert Visitor(app).pass_challenge("/guarded").status == 200


def test_protect_leaves_rules_dry_that_say_so(make_decorated: MakeApp) -> None:
    """A rule on trial is on trial everywhere."""
    app = make_decorated(challenge("wait", mode="DRY_RUN"), said=PROTECT, **WAIT)
    assert app.get("/guarded", headers=PAGE).status == 200


@pytest.mark.parametrize("override", ["OFF", "DRY_RUN"])
def test_the_environment_goes_before_protect(
    make_decorated: MakeApp, monkeypatch: pytest.MonkeyPatch, override: str
) -> None:
    """DOORWARD_MODE is the operator's last word."""
    monkeypatch.setenv("DOORWARD_MODE", override)
    said = {"/guarded": lambda guard: guard.protect, "/beside": lambda guard: guard.require_human}
    app = make_decorated(challenge("wait"), said=said, **WAIT)
    assert [app.get(path, headers=PAGE).status for path in ("/guarded", "/beside")] == [200, 200]


def test_decorators_add_up(make_decorated: MakeApp) -> None:
    """A limit and a step-up on one route: both hold."""
    said = {"/guarded": lambda guard: lambda view: guard.limit("2/minute")(guard.challenge("wait")(view))}
    app = make_decorated(said=said, **WAIT)
    assert app.statuses(3, "/guarded", headers=PAGE) == [403, 403, 429]


def test_preflights_are_left_alone(make_decorated: MakeApp) -> None:
    """OPTIONS carries no credentials (Fetch): a challenge in its place would break every request of another origin.

    Not where the view itself would answer it, as functions of Django do: whoever asked so would have the page.
    """
    preflight = [("Origin", "https://a.example"), ("Access-Control-Request-Method", "POST")]
    said = {"/guarded": lambda guard: lambda view: guard.protect(guard.challenge("wait")(view))}
    for headers in ([], preflight):
        unguarded = make_decorated(**WAIT).request("/guarded", method="OPTIONS", headers=headers)
        view_answers = unguarded.status == 200 and unguarded.body != b""
        status = make_decorated(said=said, **WAIT).request("/guarded", method="OPTIONS", headers=headers).status
        assert (status == 403) is view_answers
