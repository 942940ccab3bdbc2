"""With a decision service the applications do what they do without one; what it counts, it counts for all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.behaviour.clients.base import PEER, AppUnderTest, MakeApp, Reply
from tests.behaviour.clients.deciding import Site
from tests.behaviour.doubles import Refuser, Spy

from doorward import detect_bot, sliding_window, validate_email

FIVE = sliding_window(max=5, interval="10m", name="signup")
BY_USER = sliding_window(max=2, interval="1m", name="by-user", characteristics=["userId"])
ONE = sliding_window(max=1, interval="1m", name="one")
AWAY = "http://127.0.0.1:1"
"""Nobody listens there."""


def results(reply: Reply) -> dict[str, tuple[str, str]]:
    """State and conclusion of each rule, by name."""
    return {
        result["rule"]: (result["state"].removeprefix("RULE_STATE_"), result["conclusion"].removeprefix("CONCLUSION_"))
        for result in reply.json()["ruleResults"]
    }


def conclusion(reply: Reply) -> str:
    return str(reply.json()["conclusion"]).removeprefix("CONCLUSION_")


def remaining(reply: Reply, rule: str) -> Any:
    found = next(result for result in reply.json()["ruleResults"] if result["rule"] == rule)
    return found["reason"]["rateLimit"]["remaining"]


@contextmanager
def calls_of(site: Site) -> Iterator[list[int]]:
    """How many calls the service gets meanwhile, at the end."""
    counted: list[int] = []
    before = site.calls
    yield counted
    counted.append(site.calls - before)


# --- limits


def test_the_service_counts_and_its_refusal_is_answered_as_any_other(make: MakeApp, site: Site) -> None:
    """Five are let in; the sixth gets 429 with Retry-After and RateLimit headers, right to the second."""
    app = make(FIVE, **site.options)
    assert app.statuses(5) == [200] * 5
    site.service.clock.advance(188)
    refused = app.get()
    assert refused.status == 429
    assert refused.header("Retry-After") == "412"
    assert refused.header("RateLimit-Policy") == '"signup";q=5;w=600'
    assert refused.header("RateLimit") == '"signup";r=0;t=412'
    assert refused.json()["status"] == 429


def test_two_applications_of_one_site_share_their_limits(make: MakeApp, site: Site) -> None:
    """What one lets in counts for the other; clients are told apart."""
    here, there = make(FIVE, **site.options), make(FIVE, **site.options)
    assert [*here.statuses(3), *there.statuses(3)] == [200] * 5 + [429]
    assert there.get(peer="198.51.100.7").status == 200


def test_sites_do_not_share_limits(make: MakeApp, site: Site) -> None:
    """The same rule and client with another's key is counted apart."""
    other = site.service.for_application()
    assert make(ONE, **site.options).statuses(2) == [200, 429]
    assert make(ONE, **other.options).statuses(1) == [200]


def test_a_route_limit_is_counted_by_the_service(make: MakeApp, site: Site) -> None:
    """Also one that a decorator, or ``limits=``, puts on a route."""
    app = make(sliding_window(max=50, interval="1m"), limited="2/minute", **site.options)
    assert app.statuses(3, "/limited") == [200, 200, 429]
    assert site.known(1)[0].conclusion == "DENY"
    assert app.get("/echo").status == 200


def test_several_limits_are_charged_all_or_none_by_the_service(make: MakeApp, site: Site) -> None:
    """What one limit refuses is not charged on the other, and both are asked about in one call."""
    tight, wide = sliding_window(max=1, interval="1m", name="tight"), sliding_window(max=3, interval="1h", name="wide")
    app = make(tight, wide, layer={"rate_limit_headers": True}, **site.options)
    with calls_of(site) as calls:
        app.get()
    assert calls == [1]
    app.statuses(3)
    site.service.clock.advance(60)
    assert app.get().header("RateLimit") == '"tight";r=0;t=60, "wide";r=1;t=3600'


@pytest.mark.parametrize(
    ("characteristic", "one", "other"),
    [
        ('http.request.headers["x-key"]', ("X-Key", "first secret"), ("X-Key", "second secret")),
        ('http.request.cookie["session"]', ("Cookie", "session=first"), ("Cookie", "session=second")),
    ],
    ids=["header", "cookie"],
)
def test_clients_are_told_apart_by_what_the_service_never_sees(
    make: MakeApp, site: Site, characteristic: str, one: tuple[str, str], other: tuple[str, str]
) -> None:
    """A limit by header or cookie holds at the service, which knows fingerprints only."""
    app = make(sliding_window(max=1, interval="1m", name="own", characteristics=[characteristic]), **site.options)
    assert [app.get(headers=[one]).status, app.get(headers=[one], peer="198.51.100.7").status] == [200, 429]
    assert app.get(headers=[other]).status == 200
    kept = repr(site.known())
    assert not [value for _, value in (one, other) if value in kept or value.partition("=")[2] in kept.split()]


def test_a_ban_of_the_application_own_refuses_without_the_service(make: MakeApp, site: Site) -> None:
    """Bans stay in the application's own store."""
    app = make(FIVE, **site.options)
    app.settle(app.aj.ban(PEER, "1h"))
    assert app.get().status == 403
    app.settle(app.aj.unban(PEER))
    assert app.get().status == 200


# --- middleware, and then the handler


def test_the_handler_asks_only_for_what_is_open(make: MakeApp, site: Site) -> None:
    """The middleware's limit is charged once; the handler's limit by user is asked about when its user is known."""
    app = make(sliding_window(max=9, interval="1m", name="limit"), BY_USER, **site.options)
    with calls_of(site) as calls:
        reply = app.get("/handler?userId=42")
    assert calls == [2]
    assert (remaining(reply, "limit"), remaining(reply, "by-user")) == (8, 1)
    assert [conclusion(app.get("/handler?userId=42")) for _ in range(2)] == ["ALLOW", "DENY"]
    assert conclusion(app.get("/handler?userId=43", peer="198.51.100.7")) == "ALLOW"


def test_a_handler_with_nothing_open_asks_nothing(make: MakeApp, site: Site) -> None:
    """One request is one call, and the handler is given the middleware's decision, with the service's id."""
    app = make(FIVE, Spy(name="spy"), **site.options)
    with calls_of(site) as calls:
        reply = app.get("/handler")
    assert calls == [1]
    assert set(results(reply).values()) == {("RUN", "ALLOW")}
    assert reply.json()["id"] == site.known(1)[0].id


def test_an_email_is_looked_up_by_the_service_when_the_handler_gives_it(make: MakeApp, site: Site) -> None:
    """What needs the DNS goes to the service; what is wrong at sight is refused here, in no call but a report."""
    app = make(validate_email(deny=["NO_MX_RECORDS", "DISPOSABLE"], name="email"), **site.options)
    with calls_of(site) as calls:
        refused = app.get("/handler?email=a@mailinator.com")
        asked = app.get("/handler?email=a@nobody.invalid")
    assert results(refused)["email"] == results(asked)["email"] == ("RUN", "DENY")
    assert asked.json()["id"].startswith("req_")
    assert refused.json()["id"].startswith("lreq_")
    assert calls[0] >= 1
    assert refused.json()["reason"]["email"]["emailTypes"] == ["EMAIL_TYPE_DISPOSABLE"]
    assert asked.json()["reason"]["email"]["emailTypes"] == ["EMAIL_TYPE_NO_MX_RECORDS"]


def test_requested_is_charged_at_the_service(make: MakeApp, site: Site) -> None:
    """``requested=3`` in the handler takes three units more; more than there are is refused, and takes none."""
    app = make(sliding_window(max=10, interval="1m", name="limit"), **site.options)
    assert remaining(app.get("/handler?requested=3"), "limit") == 6
    assert conclusion(app.get("/handler?requested=6")) == "DENY"
    assert remaining(app.get("/handler"), "limit") == 4


def test_with_rule_asks_for_the_rule_that_was_added(make: MakeApp, site: Site) -> None:
    """A client with one more rule asks for both in one call, and shares the service, and its refusals."""
    app = make(FIVE, **site.options)
    app.aj = app.aj.with_rule(sliding_window(max=1, interval="1m", name="more"))
    with calls_of(site) as calls:
        reply = app.get("/handler")
    assert calls == [1]
    assert (remaining(reply, "signup"), remaining(reply, "more")) == (4, 0)
    assert app.get("/handler").status == 429


# --- refunds


def test_count_when_gives_back_at_the_service(make: MakeApp, site: Site) -> None:
    """``count_when=401``: log-ins that succeed use nothing, once the service has been told."""
    failed = sliding_window(max=2, interval="1m", name="failed-logins", count_when=401)
    app = make(failed, **site.options)
    for _ in range(5):
        assert app.get("/login?status=200").status == 200
        site.told(app)
    assert app.statuses(3, "/login?status=401") == [401, 401, 429]


def test_a_refund_gives_the_charge_back_at_the_service(make: MakeApp, site: Site) -> None:
    """A handler that refunds its request can be called for ever."""
    app = make(ONE, **site.options)
    for _ in range(3):
        assert app.get("/refund").status == 200
        site.told(app)
    assert app.counts().get("decision.DENY", 0) == 0


# --- modes


def test_a_dry_limit_is_counted_by_the_service_and_refuses_nothing(make: MakeApp, site: Site) -> None:
    """The service's log says what it would have refused."""
    app = make(sliding_window(max=1, interval="1m", name="one", mode="DRY_RUN"), **site.options)
    assert app.statuses(3) == [200] * 3
    assert app.counts()["dry_run.one"] == 2
    assert [record.dry_run for record in site.known()] == ["one", "one", ""]


def test_the_environment_makes_everything_dry(make: MakeApp, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """DOORWARD_MODE=DRY_RUN holds for what the service decides."""
    monkeypatch.setenv("DOORWARD_MODE", "DRY_RUN")
    app = make(sliding_window(max=1, interval="1m", mode="LIVE"), Refuser(mode="LIVE"), **site.options)
    assert app.statuses(3, "/echo?attack") == [200] * 3
    assert {record.conclusion for record in site.known()} == {"ALLOW"}


def test_the_kill_switch_asks_nobody(make: MakeApp, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """DOORWARD_MODE=OFF: no call, no report."""
    monkeypatch.setenv("DOORWARD_MODE", "OFF")
    app = make(ONE, Refuser(), **site.options)
    with calls_of(site) as calls:
        assert app.statuses(3, "/echo?attack") == [200] * 3
        site.told(app)
    assert calls == [0]


# --- what is decided here


def test_a_remembered_refusal_costs_no_call(make: MakeApp, site: Site) -> None:
    """The client that knocks again is refused here, with the time that is left; the service hears of it."""
    app = make(FIVE, **site.options)
    app.statuses(6)
    with calls_of(site) as calls:
        site.service.clock.advance(0.5)
        again = app.get("/echo", headers=[("X-Any", "thing")])
    assert calls == [0]
    assert (again.status, again.header("Retry-After")) == (429, "600")
    site.told(app)
    reported = [record for record in site.known() if record.reported]
    assert [record.conclusion for record in reported] == ["DENY"]
    assert reported[0].results[0]["state"].endswith("CACHED")


def test_what_a_local_rule_refuses_is_reported(make: MakeApp, site: Site) -> None:
    """A rule that needs nobody refuses before the service is asked; the decision arrives in its log, with its id."""
    ids: list[str] = []
    app = make(Refuser(name="refuser"), FIVE, on_decision=lambda decision, _: ids.append(decision.id), **site.options)
    assert app.get("/echo?attack=1&token=secret").status == 403
    site.told(app)
    (record,) = site.known()
    assert (record.id, record.conclusion, record.rule, record.path) == (ids[0], "DENY", "refuser", "/echo")
    assert record.reported
    assert record.id.startswith("lreq_")
    assert "secret" not in repr(record)


def test_a_bot_is_refused_here(make: MakeApp, site: Site) -> None:
    """A bot rule needs no service; the limit after it is not charged."""
    app = make(detect_bot(deny=["CURL"], name="bots"), ONE, **site.options)
    assert app.statuses(3, headers=[("User-Agent", "curl/8.5.0")]) == [403] * 3
    assert app.get(headers=[("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Firefox/128.0")]).status == 200


def test_the_log_record_has_the_id_that_the_service_keeps(
    make: MakeApp, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """What an application logs can be looked up at the service."""
    caplog.set_level("INFO", logger="doorward")
    make(FIVE, **site.options).get()
    logged = [record for record in caplog.records if hasattr(record, "doorward")]
    (kept,) = site.known()
    assert [record.doorward["id"] for record in logged if record.doorward["id"] == kept.id] == [kept.id]  # type: ignore[attr-defined]
    assert kept.id.startswith("req_")


# --- the service's own refusal


def test_the_service_refuses_of_its_own_accord(make: MakeApp, site: Site) -> None:
    """Whom the service bans is refused with whatever rules, remembered for a moment, and let in after it."""
    app = make(FIVE, Spy(name="spy"), **site.options)
    site.ban(PEER, 300)
    refused = app.get()
    assert (refused.status, refused.header("Retry-After")) == (403, "300")
    with calls_of(site) as calls:
        assert app.get().status == 403
    assert calls == [0]
    assert app.get(peer="198.51.100.7").status == 200
    site.unban(PEER)
    site.service.clock.advance(301)
    assert app.get().status == 200


def test_the_service_refuses_also_where_it_has_nothing_to_decide(make: MakeApp, site: Site) -> None:
    """A client with local rules only is told, too."""
    app = make(Refuser(name="refuser"), **site.options)
    site.ban(PEER, 60)
    assert app.get().status == 403
    site.unban(PEER)


def test_a_dry_client_is_not_refused_by_the_service(make: MakeApp, site: Site) -> None:
    """``mode="DRY_RUN"`` of the client holds for what the service thinks of its visitors."""
    app = make(FIVE, mode="DRY_RUN", **site.options)
    site.ban(PEER, 60)
    assert app.statuses(2) == [200, 200]
    site.unban(PEER)


# --- the service is away


@pytest.mark.parametrize(
    ("on_error", "statuses"), [("allow", [200] * 4), ("deny", [503] * 4), ("local", [200, 200, 429, 429])]
)
def test_without_the_service_each_limit_follows_its_on_error(make: MakeApp, on_error: Any, statuses: list[int]) -> None:
    """Let in, refused with 503, or counted here."""
    limit = sliding_window(max=2, interval="1m", name="limit", on_error=on_error)
    app = make(limit, service=AWAY, key="test", timeout=20.0)
    assert app.statuses(4) == statuses


def test_local_rules_decide_without_the_service(make: MakeApp) -> None:
    """A rule that needs nobody refuses while nobody is there."""
    app = make(Refuser(), ONE, service=AWAY, key="test", timeout=20.0)
    assert [app.get("/echo?attack").status, app.get().status, app.get().status] == [403, 200, 429]


def test_health_tells_of_the_service(make: MakeApp, site: Site) -> None:
    """Who it is, how often it was called, whether it answers; and of one that is away, that and why."""
    well = make(FIVE, **site.options)
    well.statuses(2)
    stands = service_health(well)
    assert stands["url"] == site.service.url
    assert (stands["calls"], stands["failures"], stands["state"]) == (2, 0, "closed")
    away = make(FIVE, service=AWAY, key="test", timeout=20.0)
    away.statuses(6)
    stands = service_health(away)
    assert (stands["failures"], stands["state"]) == (5, "open")
    assert "refuses connections" in str(stands["cause"])
    assert "test" not in json.dumps(stands)


def service_health(app: AppUnderTest) -> dict[str, Any]:
    stands: dict[str, Any] = app.aj.health()["service"]
    return stands


# --- websockets


def test_websockets_are_counted_by_the_service(make_socket: MakeApp, site: Site) -> None:
    """A client cannot get round its limit by opening a websocket; the denial has the service's times."""
    app: Any = make_socket(ONE, **site.options)
    assert app.get().status == 200
    denial = app.socket(extension=True).denial
    assert (denial.status, denial.header("Retry-After")) == (429, "60")
    assert app.socket(peer="198.51.100.7").accepted
