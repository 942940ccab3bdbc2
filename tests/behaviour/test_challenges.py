"""Challenges, in every framework: the page in place, the answer, the clearance, and the page that was wanted."""

from __future__ import annotations

import json

import pytest
from tests.behaviour.challenged import JSON, LONG_ENOUGH, PAGE, Visitor
from tests.behaviour.clients.base import MakeApp
from tests.behaviour.doubles import FailingStore, Refuser

from doorward import allow, challenge, sliding_window, weigh

SECRET = {"secret": "a secret that nobody knows, of tests"}

WAIT = {"challenges": {"kinds": ["wait"]}, **SECRET}


def test_a_challenged_page_is_reached_by_passing(make: MakeApp) -> None:
    """The whole way: page in place, answer, landed, and what was asked for, with its query."""
    app = make(challenge("wait", paths=["/echo"]), **WAIT)
    reply = Visitor(app).pass_challenge("/echo?a=1")
    assert reply.status == 200
    assert reply.json()["path"] == "/echo"


def test_nobot_3_after_a_pass_the_page_stays_reachable(make: MakeApp) -> None:
    """Regression (NoBot): a challenged route was challenged again for ever."""
    app = make(challenge("wait", paths=["/echo"]), **WAIT)
    visitor = Visitor(app)
    visitor.pass_challenge("/echo")
    assert [visitor.go("/echo").status for _ in range(3)] == [200] * 3


def test_too_early_is_no_pass(make: MakeApp) -> None:
    """The wait is counted by the server."""
    visitor = Visitor(make(challenge("wait", paths=["/echo"]), **WAIT))
    page = visitor.go("/echo")
    assert visitor.answer(page).status == 403
    assert visitor.go("/echo").status == 403


def test_others_are_not_challenged(make: MakeApp) -> None:
    """A rule for one path is nothing to another."""
    assert make(challenge("wait", paths=["/echo"]), **WAIT).get("/limited", headers=PAGE).status == 200


def test_a_program_gets_a_problem_and_a_cookie(make: MakeApp) -> None:
    """A JSON client: problem+json with all that it needs, no redirect, and the same clearance."""
    app = make(challenge("wait", paths=["/echo"]), **WAIT)
    visitor = Visitor(app)
    asked = visitor.go("/echo", headers=JSON)
    assert (asked.status, asked.header("content-type")) == (403, "application/problem+json")
    posed = asked.json()["challenge"]
    visitor.wait()
    body = json.dumps({"token": posed["token"]}).encode()
    headers = [*JSON, ("Content-Type", "application/json")]
    passed = visitor.go(posed["verify"], method="POST", headers=headers, body=body)
    assert (passed.status, passed.json()["passed"]) == (200, True)
    assert visitor.go("/echo", headers=JSON).status == 200


def test_a_post_is_challenged_too(make: MakeApp) -> None:
    """Whatever the method, the view does not run before the challenge is passed."""
    visitor = Visitor(make(challenge("wait", paths=["/echo"]), **WAIT))
    assert visitor.go("/echo", method="POST", body=b"a=1").status == 403


@pytest.mark.swallows_errors
def test_vouch_9_a_store_that_fails_is_no_500_and_challenges_go_on(make: MakeApp) -> None:
    """With the store down, single use is watched by this process: the challenge can still be passed, once."""

    class Down(FailingStore):
        def add_if_absent(self, key: str, ttl: float) -> bool:
            raise self.error

    visitor = Visitor(app := make(challenge("wait", paths=["/echo"]), store=Down(), **WAIT))
    page = visitor.go("/echo")
    visitor.wait()
    assert visitor.answer(page).status == 303
    assert visitor.go("/echo").status == 200
    assert Visitor(app).answer(page).status == 403


@pytest.mark.swallows_errors
def test_a_store_that_fails_denies_where_that_was_asked_for(make: MakeApp) -> None:
    """``on_store_error="deny"``: nobody passes while the store is down, and nothing is a 5xx."""

    class Down(FailingStore):
        def add_if_absent(self, key: str, ttl: float) -> bool:
            raise self.error

    options = {"challenges": {"kinds": ["wait"], "on_store_error": "deny"}, **SECRET}
    visitor = Visitor(make(challenge("wait", paths=["/echo"]), store=Down(), **options))
    page = visitor.go("/echo")
    visitor.wait()
    assert visitor.answer(page).status == 403


def test_a_clearance_of_another_secret_is_none(make: MakeApp) -> None:
    """Who passed at an application with another secret is challenged here."""
    elsewhere = Visitor(
        make(challenge("wait"), challenges={"kinds": ["wait"]}, secret="another secret, of another site")
    )
    elsewhere.pass_challenge("/echo")
    here = Visitor(make(challenge("wait"), **WAIT))
    here.cookies = elsewhere.cookies
    assert here.go("/echo").status == 403


def test_a_dry_challenge_asks_nobody(make: MakeApp) -> None:
    """A challenge on trial lets through, and is counted as what would have been."""
    app = make(challenge("wait", paths=["/echo"], name="doubt", mode="DRY_RUN"), **WAIT)
    reply = app.get("/echo", headers=PAGE)
    assert reply.status == 200
    assert not reply.values("set-cookie")
    assert app.counts()["dry_run.doubt"] == 1


def test_a_dry_challenge_counts_nobody_who_has_passed(make: MakeApp) -> None:
    """Who holds a clearance would not have been challenged by the rule on trial."""
    live, dry = challenge("wait", paths=["/limited"]), challenge("wait", paths=["/echo"], name="dry", mode="DRY_RUN")
    app = make(live, dry, **WAIT)
    visitor = Visitor(app)
    visitor.pass_challenge("/limited")
    before = app.counts().get("dry_run.dry", 0)
    assert visitor.go("/echo").status == 200
    assert app.counts().get("dry_run.dry", 0) == before


def test_without_enforcing_nothing_is_answered(make: MakeApp) -> None:
    """``enforce=False`` decides, and never answers."""
    app = make(challenge("wait"), layer={"enforce": False}, **WAIT)
    assert app.get("/echo", headers=PAGE).status == 200
    assert app.counts()["decision.CHALLENGE"] == 1


def test_the_kill_switch_ends_challenges(make: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """DOORWARD_MODE=OFF challenges nobody, and the endpoints are the application's own paths again."""
    monkeypatch.setenv("DOORWARD_MODE", "OFF")
    app = make(challenge("wait"), **WAIT)
    assert app.get("/echo", headers=PAGE).status == 200
    assert app.get("/step-up", headers=PAGE).status == 200
    assert app.get("/.doorward/verify").status == 404


def test_allow_ends_challenges_but_not_limits(make: MakeApp) -> None:
    """Who is let in by name is not challenged, but limited as all are."""
    one = sliding_window(max=1, interval="1m")
    app = make(allow(ip="203.0.113.9"), challenge("wait"), one, **WAIT)
    assert app.statuses(2, headers=PAGE) == [200, 429]
    assert app.get("/echo", headers=PAGE, peer="198.51.100.7").status == 403


def test_a_denial_goes_before_a_challenge_and_before_a_clearance(make: MakeApp) -> None:
    """Regression (NoBot, Vouch): a valid cookie was looked at before the rules that deny."""
    app = make(challenge("wait"), Refuser(), **WAIT)
    visitor = Visitor(app)
    visitor.pass_challenge("/echo")
    refused = visitor.go("/echo?attack")
    assert refused.status == 403
    assert b'name="token"' not in refused.body


def test_weights_that_ask_for_a_challenge_are_covered_by_a_clearance(make: MakeApp) -> None:
    """The sum of weights leads to a challenge; who has passed it is not asked again."""
    app = make(weigh(5, paths=["/echo"]), thresholds={"CHALLENGE": 5}, **WAIT)
    assert Visitor(app).pass_challenge("/echo").status == 200


@pytest.mark.parametrize(
    "layer", [{"include": ["/echo"]}, {"exclude": ["/.doorward/*"]}, {"default_exemptions": False}, {"include": []}]
)
def test_patterns_never_hide_the_endpoints(make: MakeApp, layer: dict[str, object]) -> None:
    """Whatever the middleware looks at: what it has posed can be passed."""
    app = make(challenge("wait", paths=["/echo"]), layer=layer, **WAIT)
    assert Visitor(app).pass_challenge("/echo").status == 200


def test_a_limit_that_is_used_up_does_not_close_the_endpoints(make: MakeApp) -> None:
    """The application's limits count its own pages: a challenge is passed however many were asked for."""
    app = make(challenge("wait", paths=["/echo"]), sliding_window(max=2, interval="1h"), **WAIT)
    visitor = Visitor(app)
    page = visitor.go("/echo")
    visitor.wait()
    app.statuses(3, "/limited", headers=PAGE)
    assert visitor.answer(page).status == 303


def test_another_prefix(make: MakeApp) -> None:
    """The endpoints are where the option says."""
    app = make(challenge("wait"), challenges={"kinds": ["wait"], "prefix": "/of-the-door"}, **SECRET)
    assert Visitor(app, "/of-the-door").pass_challenge("/echo").status == 200


def test_a_level_that_no_kind_shows_is_no_endless_challenge(make: MakeApp) -> None:
    """Regression (NoBot's challenge): a view asked for what nobody was ever offered, so that no pass was enough."""
    app = make(**WAIT)
    assert Visitor(app).pass_challenge("/step-up?level=human").status == 200
    assert app.counts()["warning.challenges.kinds"] == 1


def test_step_up_in_a_handler(make: MakeApp) -> None:
    """``require`` answers by itself with the challenge, and lets in who has passed it."""
    app = make(**WAIT)
    visitor = Visitor(app)
    reply = visitor.pass_challenge("/step-up?level=wait")
    assert (reply.status, reply.body) == (200, b"stepped up")


def test_step_up_for_programs(make: MakeApp) -> None:
    """A program is told by problem+json."""
    asked = make(**WAIT).get("/step-up?level=wait", headers=JSON)
    assert (asked.status, asked.header("content-type")) == (403, "application/problem+json")
    assert asked.json()["challenge"]["kind"] == "wait"


def test_step_up_asks_for_something_fresh(make: MakeApp) -> None:
    """``max_age``: an old clearance is not enough; a new one is."""
    app = make(**WAIT)
    visitor = Visitor(app)
    visitor.pass_challenge("/step-up?level=wait&max_age=1m")
    assert visitor.go("/step-up?level=wait&max_age=1m").status == 200
    app.clock.advance(61.0)
    assert visitor.go("/step-up?level=wait&max_age=1m").status == 403
    assert visitor.go("/step-up?level=wait").status == 200
    assert visitor.pass_challenge("/step-up?level=wait&max_age=1m").status == 200


def test_step_up_leaves_other_routes_alone(make: MakeApp) -> None:
    """What one handler asks for is asked of nobody else."""
    app = make(**WAIT)
    app.get("/step-up", headers=PAGE)
    assert app.get("/echo", headers=PAGE).status == 200


def test_step_up_is_charged_once(make: MakeApp) -> None:
    """The rules that ran in the middleware are not run again by ``require``."""
    app = make(sliding_window(max=3, interval="1h"), **WAIT)
    statuses = [app.get("/step-up", headers=PAGE).status for _ in range(4)]
    assert statuses == [403, 403, 403, 429]


def test_step_up_of_a_dry_client_is_a_trial(make: MakeApp) -> None:
    """In a dry-run client ``require`` lets through, and says what it would have done."""
    app = make(mode="DRY_RUN", **WAIT)
    assert app.get("/step-up", headers=PAGE).status == 200
    assert app.counts()["dry_run.require"] == 1


def test_step_up_on_a_route_that_middleware_leaves_alone(make: MakeApp) -> None:
    """An excluded path is asked for what its handler asks for, and nothing else."""
    app = make(sliding_window(max=1, interval="1h"), layer={"exclude": ["/step-up"]}, **WAIT)
    visitor = Visitor(app)
    assert [app.get("/step-up", headers=PAGE).status for _ in range(3)] == [403] * 3
    assert visitor.pass_challenge("/step-up?level=wait").status == 200


def test_websockets_are_refused_before_they_are_accepted(make_socket: MakeApp) -> None:
    """A challenge cannot be posed to a websocket: it is refused, with the problem where the server can send it."""
    app = make_socket(challenge("wait"), **WAIT)
    assert not app.socket().accepted  # type: ignore[attr-defined]
    told = app.socket(extension=True).denial  # type: ignore[attr-defined]
    assert told is not None
    assert told.status == 403


def test_streams_and_bodies_pass_for_who_has_passed(make: MakeApp) -> None:
    """A clearance changes nothing about what the application receives and sends."""
    visitor = Visitor(make(challenge("wait"), **WAIT))
    visitor.pass_challenge("/echo")
    assert visitor.go("/stream").chunks == make(protected=False).get("/stream").chunks
    assert visitor.go("/echo", method="POST", body=b"a=1").json()["length"] == 3


def test_one_challenge_is_redeemed_once(make: MakeApp) -> None:
    """Two who send the same answer: one of them is let in."""
    app = make(challenge("wait"), **WAIT)
    page = Visitor(app).go("/echo")
    app.clock.advance(LONG_ENOUGH)
    assert [Visitor(app).answer(page).status for _ in range(3)] == [303, 403, 403]
