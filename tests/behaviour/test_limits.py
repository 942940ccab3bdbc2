"""Limits are counted and answered the same in every framework."""

from __future__ import annotations

import pytest
from tests.behaviour.clients.base import PEER, Lines, MakeApp
from tests.behaviour.doubles import Opener

from doorward import deny, fixed_window, sliding_window, token_bucket

PREFLIGHT = [("Origin", "https://a.example"), ("Access-Control-Request-Method", "POST")]
DRESSED_UP = ["/static/../echo", "/static/%2e%2e/echo", "/static//x", "/health/", "/healthz/../echo"]
FIVE = sliding_window(max=5, interval="10m", name="signup")


def test_the_limit_admits_what_it_says_and_refuses_the_next(make: MakeApp) -> None:
    """Five are let in, the sixth is not."""
    assert make(FIVE).statuses(6) == [200] * 5 + [429]


def test_a_refusal_names_the_second_at_which_to_come_back(make: MakeApp) -> None:
    """Retry-After is the whole second of the reset: a second earlier it refuses still, then it admits."""
    app = make(FIVE)
    app.statuses(5)
    app.clock.advance(100)
    assert app.get().header("Retry-After") == "500"
    app.clock.advance(499)
    assert app.get().header("Retry-After") == "1"
    app.clock.advance(1)
    assert app.get().status == 200


def test_a_refusal_carries_rate_limit_headers(make: MakeApp) -> None:
    """A refusal has RateLimit and RateLimit-Policy, right to the second, without having been asked for them."""
    app = make(FIVE)
    app.statuses(5)
    app.clock.advance(188)
    refused = app.get()
    assert refused.header("RateLimit-Policy") == '"signup";q=5;w=600'
    assert refused.header("RateLimit") == '"signup";r=0;t=412'


@pytest.mark.parametrize(
    "rule",
    [
        fixed_window(max=3, window="1h", name="x"),
        sliding_window(max=3, interval="1h", name="x"),
        token_bucket(capacity=3, refill_rate=3, interval="1h", name="x"),
    ],
    ids=["fixed", "sliding", "bucket"],
)
def test_every_algorithm_admits_its_maximum(make: MakeApp, rule: object) -> None:
    """Whatever counts, three are let in at once and the fourth is not."""
    assert make(rule).statuses(4) == [200, 200, 200, 429]


def test_clients_are_counted_apart(make: MakeApp) -> None:
    """One client's refusal does not touch another."""
    app = make(FIVE)
    app.statuses(6)
    assert app.get(peer="198.51.100.7").status == 200


def test_the_forwarded_address_counts_behind_a_private_proxy(make: MakeApp) -> None:
    """Behind a trusted hop, clients are told apart by X-Forwarded-For; left-prepending to it changes nothing."""
    app = make(sliding_window(max=1, interval="1m"))
    forwarded = [("X-Forwarded-For", "203.0.113.1")]
    assert app.get(peer="10.0.0.1", headers=forwarded).status == 200
    assert app.get(peer="10.0.0.1", headers=[("X-Forwarded-For", "8.8.8.8, 203.0.113.1")]).status == 429
    assert app.get(peer="10.0.0.1", headers=[("X-Forwarded-For", "203.0.113.2")]).status == 200


def test_unknown_paths_are_limited_too(make: MakeApp) -> None:
    """A scan for paths that do not exist uses up the limit."""
    assert make(sliding_window(max=2, interval="1m")).statuses(3, "/no/such/page") == [404, 404, 429]


def test_head_is_counted_with_get_and_refused_without_a_body(make: MakeApp) -> None:
    """A refused HEAD has the headers of the refusal and nothing after them."""
    app = make(sliding_window(max=1, interval="1m"))
    assert app.get("/login").status == 200
    refused = app.request("/login", method="HEAD")
    assert (refused.status, refused.body, refused.header("Retry-After")) == (429, b"", "60")


@pytest.mark.parametrize(("method", "target"), [("OPTIONS", "/echo"), ("GET", "/health"), ("GET", "/static/x.js")])
def test_what_is_exempt_by_default_is_never_counted(make: MakeApp, method: str, target: str) -> None:
    """Preflights, health checks and static files pass a used-up limit, and use nothing."""
    app = make(sliding_window(max=1, interval="1m"))
    first = app.request(target, method=method, headers=PREFLIGHT).status
    assert app.statuses(3, target, method=method, headers=PREFLIGHT) == [first] * 3
    assert first != 429
    assert app.statuses(2) == [200, 429]
    assert app.request(target, method=method, headers=PREFLIGHT).status == first


@pytest.mark.parametrize("headers", [(), PREFLIGHT[:1], PREFLIGHT[1:]])
def test_an_options_that_is_no_preflight_passes_no_rule(make: MakeApp, headers: Lines) -> None:
    """Django's functions and plain applications answer it with what a GET gets: nobody may read a site by it."""
    app = make(deny(paths=["/anything/*"]))
    assert app.request("/anything/secret", method="OPTIONS", headers=headers).status == 403
    assert app.request("/anything/secret", method="OPTIONS", headers=PREFLIGHT).status != 403


def test_default_exemptions_can_be_switched_off(make: MakeApp) -> None:
    """With ``default_exemptions=False`` a health check is counted as any other request."""
    app = make(sliding_window(max=1, interval="1m"), layer={"default_exemptions": False})
    assert app.statuses(2, "/health") == [200, 429]


@pytest.mark.parametrize("target", DRESSED_UP)
def test_exemptions_cannot_be_dressed_up_as(make: MakeApp, target: str) -> None:
    """A path that only looks like an exempt one is counted."""
    app = make(sliding_window(max=1, interval="1m"))
    app.get(target)
    assert app.get(target).status == 429


def test_include_and_exclude(make_undecorated: MakeApp) -> None:
    """Only what is included and not excluded is looked at."""
    layer = {"include": ["/anything/*"], "exclude": ["/anything/free"]}
    app = make_undecorated(sliding_window(max=1, interval="1m"), layer=layer)
    assert app.statuses(3, "/echo") == [200] * 3
    assert app.statuses(3, "/anything/free") == [200] * 3
    assert app.statuses(2, "/anything/paid") == [200, 429]


def test_several_limits_are_charged_all_or_none(make: MakeApp) -> None:
    """What one limit refuses is not charged on the other."""
    app = make(
        sliding_window(max=1, interval="1m", name="tight"),
        sliding_window(max=3, interval="1h", name="wide"),
        layer={"rate_limit_headers": True},
    )
    app.statuses(4)
    app.clock.advance(60)
    assert app.get().header("RateLimit") == '"tight";r=0;t=60, "wide";r=1;t=3600'


def test_an_allow_rule_that_ends_limits_does_so_also_while_others_are_refused(make: MakeApp) -> None:
    """What one client's refusal leaves behind changes nothing for a client that an ``allow`` rule lets in."""
    opener = Opener(path="/echo", ends=frozenset({"RATE_LIMIT"}))
    app = make(opener, sliding_window(max=1, interval="1m", name="limit"), layer={"rate_limit_headers": True})
    assert app.statuses(3, "/login", peer="198.51.100.7") == [200, 429, 429]
    replies = [app.get() for _ in range(3)]
    assert [reply.status for reply in replies] == [200] * 3
    assert all(reply.header("RateLimit") is None for reply in replies)
    assert app.get("/login").status == 200


def test_a_ban_refuses_whatever_the_rules_say(make: MakeApp) -> None:
    """A banned client gets 403 until it is unbanned."""
    app = make(FIVE)
    app.settle(app.aj.ban(PEER, "1h"))
    assert app.get().status == 403
    app.settle(app.aj.unban(PEER))
    assert app.get().status == 200


@pytest.mark.parametrize("peer", ["2001:db8::1", "::ffff:203.0.113.9", None, "not an address", "unix:"])
def test_any_peer_is_answered(make: MakeApp, peer: str | None) -> None:
    """Whatever the server says that the other end is, requests are counted and answered."""
    app = make(sliding_window(max=1, interval="1m"))
    assert app.statuses(2, peer=peer) == [200, 429]


def test_a_line_break_after_the_path_escapes_no_limit(make: MakeApp) -> None:
    """Routers whose expressions end in ``$`` route "/login%0a" to "/login"."""
    app = make(limits={"/echo": "1/minute"})
    assert app.get("/echo").status == 200
    assert app.get("/echo%0a").status == 429


def test_a_limit_by_name_goes_before_a_default_exemption(make: MakeApp) -> None:
    """What the application limits by name is limited, health check or file."""
    app = make(limits={"/health": "1/minute", "/static/*": "1/minute"})
    for path in ("/health", "/static/x.js"):
        assert app.statuses(2, path) == [200, 429]


def test_head_does_not_escape_a_limit_for_get_in_any_framework(make: MakeApp) -> None:
    """It comes to the same view."""
    app = make(limits={"GET /echo": "1/minute"})
    assert app.get("/echo").status == 200
    assert app.request("/echo", method="HEAD").status == 429
