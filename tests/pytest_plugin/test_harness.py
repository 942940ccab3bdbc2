"""What a harness exchanges, and that it puts everything back."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta
from typing import Any

import flask
import httpx
import pytest
import werkzeug.test
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from doorward import (
    AsyncDoorward,
    ConfigurationError,
    Doorward,
    RequestContext,
    ResolverError,
    asgi,
    deny,
    detect_bot,
    fixed_window,
    shield,
    sliding_window,
    validate_email,
    wsgi,
)
from doorward.effects import DnsAnswer, DnsKind
from doorward.stores import MemoryStore
from doorward.testing import FakeClock, Harness, ScriptedResolver, ScriptedService, assert_denied
from doorward_fastapi import DoorwardFastAPI
from doorward_flask import DoorwardFlask
from doorward_starlette import DoorwardMiddleware, DoorwardStarlette

ONCE = sliding_window(max=1, interval="10m", name="once")


def asked(peer: str = "192.0.2.1", **headers: str) -> RequestContext:
    lines = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return RequestContext(method="GET", scheme="http", host="example.com", path="/", query="", headers=lines, peer=peer)


class RealResolver:
    """In the place of one that asks the network."""

    def resolve(self, name: str, kind: DnsKind, timeout: float) -> DnsAnswer:
        raise ResolverError("a test has asked the network")


def test_everything_is_put_back_also_after_a_failure() -> None:
    """Clock, store, engines and caches are the very objects that they were, and counters go on where they were."""
    aj = Doorward([ONCE, shield()], clock=FakeClock(), resolver=RealResolver())
    more, awaiting = aj.with_rule(fixed_window(max=5, window="1h")), aj.as_async()
    aj.protect(asked())
    assert aj.protect(asked()).is_denied()
    before = {**vars(aj.runtime), "routed": list(aj.runtime.routed)}
    engines = [facade.engine for facade in (aj, more, awaiting)]
    with pytest.raises(ZeroDivisionError), Harness(aj) as doorward:  # noqa: PT012  (the error is the last of it)
        assert aj.protect(asked()).is_allowed()
        assert vars(aj.runtime).keys() - before.keys() == {"finish", "exempted", "switched_off"}
        assert aj.runtime.clock is doorward.clock
        _ = 1 / 0
    assert vars(aj.runtime) == before
    assert [facade.engine for facade in (aj, more, awaiting)] == engines
    assert aj.protect(asked()).is_denied()


def test_each_harness_begins_anew() -> None:
    """No counter, ban or remembered refusal outlives it; one within another puts back what was there."""
    aj = Doorward([ONCE])
    with Harness(aj) as outer:
        aj.protect(asked())
        aj.ban("192.0.2.7")
        with Harness(aj) as inner:
            assert aj.bans() == {}
            inner.assert_allowed(aj.protect(asked()))
            inner.assert_denied(aj.protect(asked()))
        outer.assert_denied(aj.protect(asked()))
        assert len(aj.bans()) == 1
        assert len(outer.decisions) == 2
    with Harness(aj):
        assert aj.protect(asked()).is_allowed()


def test_every_facade_is_reached() -> None:
    """Those that middleware made long ago, those made meanwhile, and those that outlive the harness."""
    aj = Doorward([ONCE], store="redis://127.0.0.1:1", timeout=0.01, name="shop")
    more, awaiting = aj.with_rule(sliding_window(max=3, interval="10m", name="more")), aj.as_async()
    real = aj.runtime.store
    with Harness(more):
        assert [aj.protect(asked()).conclusion.value for _ in range(2)] == ["ALLOW", "DENY"]
        assert asyncio.run(awaiting.protect(asked())).is_denied()
        names = [limit[0] for limit in more.protect(asked("192.0.2.2")).limits()]
        assert names == ["once", "more"]
        late = aj.as_async()
        later = more.with_rule(fixed_window(max=9, window="1h", name="later"))
        assert asyncio.run(late.protect(asked())).is_denied()
        assert aj.runtime.store is not real
    for facade in (aj, more, awaiting, late, later):
        assert facade.engine.watch is aj.runtime.watch is not None
    assert late.engine is aj.engine
    assert [bound.name for bound in later.engine.bound] == ["once", "more", "later"]
    assert aj.protect(asked()).results[0].reason.degraded  # the real store, which is away


def test_middleware_that_is_made_under_test_works_after_it() -> None:
    """ASGI middleware that is made under test does not go on as if the store were in memory."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await PlainTextResponse("ok")(scope, receive, send)

    async def statuses(protected: Any) -> list[int]:
        store.loop = asyncio.get_running_loop()
        async with httpx.AsyncClient(transport=httpx.ASGITransport(protected), base_url="http://test") as client:
            return [(await client.get("/")).status_code for _ in range(2)]

    store = Waiting()
    aj = AsyncDoorward([ONCE], store=store, timeout=30)
    with Harness(aj):
        protected = asgi.DoorwardMiddleware(app, aj)
        assert asyncio.run(statuses(protected)) == [200, 429]
        assert store.free == []
    assert asyncio.run(statuses(protected)) == [200, 429]
    assert store.free == [True, True]
    aj.runtime.close()


class Waiting(MemoryStore):
    """A store that may block; notes whether the event loop goes on meanwhile."""

    blocking = True

    def __init__(self) -> None:
        super().__init__()
        self.free: list[bool] = []
        self.loop: Any = None

    def count(self, hits: Any) -> Any:
        went_on = threading.Event()
        self.loop.call_soon_threadsafe(went_on.set)
        self.free.append(went_on.wait(5))
        return super().count(hits)


def test_time() -> None:
    """The clock stands still, and is told in seconds, text or timedeltas."""
    with Harness(start=1_900_000_000) as doorward:
        aj = doorward.client(ONCE)
        aj.protect(asked())
        for length in ("9m59s", timedelta(seconds=0.5)):
            doorward.clock.advance(length)
            doorward.assert_denied(aj.protect(asked()), by="RATE_LIMIT")
        doorward.clock.advance(0.5)
        doorward.assert_allowed(aj.protect(asked()))
        assert doorward.clock.now() == 1_900_000_600
        with pytest.raises(ConfigurationError, match="seconds"):
            doorward.clock.advance("10 minutes")


def test_names_are_answered_by_the_script_alone() -> None:
    """Whatever resolver the client has; a name of which nothing was said does not exist."""
    aj = Doorward([validate_email(deny=["NO_MX_RECORDS", "NO_GRAVATAR"])], resolver=RealResolver())
    with Harness(aj) as doorward:
        doorward.assert_denied(aj.protect(asked(), email="a@example.com"), by="EMAIL")
        doorward.dns.mx("example.com", "mx.example.com")
        denied = doorward.assert_denied(aj.protect(asked(), email="a@example.com"))
        assert denied.reason.email_types == ("NO_GRAVATAR",)
        doorward.gravatar("A@example.com ")
        doorward.assert_allowed(aj.protect(asked(), email="a@example.com"))
        doorward.dns.mx("null.example")
        doorward.dns["down.example", "MX"] = ResolverError("SERVFAIL")
        assert "NO_MX_RECORDS" in aj.protect(asked(), email="a@null.example").reason.email_types
        doorward.gravatar("a@down.example")
        assert aj.protect(asked(), email="a@down.example").is_errored()
        assert doorward.dns.unknown[0] == ("example.com", "MX")
        assert len(doorward.web.asked) == 3


def test_addresses_are_what_the_test_says() -> None:
    """Of an address that was mentioned everything is known; of a crawler's what comes with doorward."""
    rules = [
        deny(where="ip.src.vpn", name="no-vpn"),
        deny(where='ip.src.country == "DE"', name="no-de"),
        detect_bot(allow=["GOOGLE_CRAWLER"]),
    ]
    with Harness() as doorward:
        aj = doorward.client(*rules)
        doorward.ip("203.0.113.0/24", country="DE", asn=64500)
        doorward.ip("203.0.113.9", vpn=True, tor=None, crawler="of-somebody")
        browser = {
            "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "accept": "*/*",
        }
        vpn = doorward.assert_denied(aj.protect(asked("203.0.113.9", **browser)), rule="no-vpn").ip
        assert (vpn.is_vpn(), vpn.is_proxy(), vpn.is_tor(), vpn.country) == (True, False, None, None)
        assert vpn.names("crawler") == ("of-somebody",)
        german = doorward.assert_denied(aj.protect(asked("203.0.113.8")), rule="no-de").ip
        assert (german.asn, german.is_vpn(), german.is_reserved()) == (64500, False, True)
        unknown = aj.protect(asked("198.51.100.1")).ip
        assert (unknown.is_vpn(), unknown.country, unknown.is_reserved()) == (None, None, True)
        with pytest.raises(ConfigurationError, match="contry"):
            doorward.ip("203.0.113.9", contry="DE")
        with pytest.raises(ConfigurationError, match="is no address, network"):
            doorward.ip("203.0.113.900", vpn=True)


def test_no_rule_is_warned_about_data_that_the_test_can_make_up(caplog: pytest.LogCaptureFixture) -> None:
    """What is installed on the machine makes no difference."""
    with Harness() as doorward:
        doorward.use(Doorward([deny(where="ip.src.vpn")], data="/no/such/folder"))
        caplog.clear()
        doorward.client(deny(where="ip.src.tor"), data="/no/such/folder")
    assert [record.message for record in caplog.records if "there is no data" in record.message][1:] == []


def test_the_service_answers_by_the_script() -> None:
    """A client that has one is answered; a client whose test has scripted one itself keeps that."""
    own = ScriptedService({"once": "deny"})
    scripted = Doorward([ONCE], service="https://service.example", key="k", transport=own)
    with Harness(scripted) as doorward:
        aj = doorward.client(ONCE, service="https://service.example")
        doorward.service.say("once", 30)
        assert assert_denied(aj.protect(asked())).headers["Retry-After"] == "30"
        assert doorward.service.asked[0]["rules"][0]["name"] == "once"
        doorward.assert_denied(scripted.protect(asked()))
        assert len(own.asked) == 1


def test_a_resolver_that_the_test_has_scripted_is_kept() -> None:
    """Whoever scripts a client by hand already need not do so twice."""
    aj = Doorward(
        [validate_email(deny=["NO_MX_RECORDS"])], resolver=ScriptedResolver({("example.com", "MX"): ["mx.example.com"]})
    )
    with Harness(aj) as doorward:
        doorward.assert_allowed(aj.protect(asked(), email="a@example.com"))


def test_the_applications_own_callback_and_log_are_kept(caplog: pytest.LogCaptureFixture) -> None:
    """Tests are about those too."""
    heard: list[str] = []
    aj = Doorward([ONCE], on_decision=lambda decision, request: heard.append(decision.id))
    with caplog.at_level("INFO", "doorward"), Harness(aj) as doorward:
        decision = aj.protect(asked())
    assert heard == [decision.id] == [each.decision.id for each in doorward.decisions]
    assert f"id={decision.id}" in caplog.text


def test_routes_limits_and_dependencies() -> None:
    """What decorators and paths added before is in force, on the harness's clock, also the second time."""
    guard = DoorwardStarlette(rules=[sliding_window(max=9, interval="10m")], limits={"/pattern": "1/10 minutes"})
    app = Starlette(routes=[Route("/marked", guard.limit("1/10 minutes")(_home)), Route("/pattern", _other)])
    guard.init_app(app)

    async def statuses(path: str) -> list[int]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            return [(await client.get(path)).status_code for _ in range(2)]

    assert asyncio.run(statuses("/marked")) == [200, 429]
    routed = len(guard.runtime.routed)
    for _ in range(2):
        with Harness(guard) as doorward:
            for path in ("/marked", "/pattern"):
                assert asyncio.run(statuses(path)) == [200, 429]
                doorward.clock.advance("10m")
                assert asyncio.run(statuses(path)) == [200, 429]
    assert len(guard.runtime.routed) == routed
    assert asyncio.run(statuses("/marked")) == [429, 429]


async def _home(request: Any) -> Any:
    return PlainTextResponse("home")


async def _other(request: Any) -> Any:
    return PlainTextResponse("other")


def test_a_missing_characteristic_raises() -> None:
    """Counting by address instead is for production."""
    with Harness() as doorward:
        aj = doorward.client(sliding_window(max=5, interval="1m", characteristics=["userId"], name="per-user"))
        with pytest.raises(AssertionError, match=r"per-user: .*userId not given to protect"):
            aj.protect(asked())
        doorward.assert_allowed(aj.protect(asked(), characteristics={"userId": 1}))


@pytest.mark.swallows_errors
def test_a_swallowed_error_fails_the_block_unless_it_is_asked_for() -> None:
    """An error of the block's own is not replaced."""

    def broken(*_: Any) -> None:
        raise ValueError("on purpose")

    with (
        pytest.raises(AssertionError, match="an internal error in on_decision: ValueError: on purpose"),
        Harness() as doorward,
    ):
        doorward.client(ONCE, on_decision=broken).protect(asked())
    with Harness() as doorward, doorward.swallowing() as errors:
        doorward.client(ONCE, on_decision=broken).protect(asked())
    assert [(where, str(error)) for where, error in errors] == [("on_decision", "on purpose")]


@pytest.mark.swallows_errors
def test_an_error_of_the_block_goes_before_a_swallowed_one() -> None:
    """What the test says itself says more."""
    with pytest.raises(KeyError), Harness() as doorward:  # noqa: PT012  (two errors, one after the other)
        doorward.client(ONCE, on_decision=lambda *_: 1 / 0).protect(asked())
        raise KeyError


def _flask_app(aj: Doorward) -> Any:
    app = flask.Flask("app")
    DoorwardFlask(app, aj)
    return app


def _wsgi_in_flask(aj: Doorward) -> Any:
    app = flask.Flask("app")
    app.wsgi_app = wsgi.DoorwardMiddleware(app.wsgi_app, aj)  # type: ignore[method-assign]
    return app


def _starlette_app(aj: Doorward) -> Any:
    app = Starlette()
    app.add_middleware(DoorwardMiddleware, aj=aj)
    return app


@pytest.mark.parametrize(
    "thing",
    [
        lambda aj: aj,
        lambda aj: aj.as_async(),
        lambda aj: DoorwardFlask(aj=aj, app=flask.Flask("other")) and _flask_app(aj),
        _wsgi_in_flask,
        lambda aj: DoorwardStarlette(aj=aj),
        lambda aj: DoorwardFastAPI(aj=aj),
        _starlette_app,
        lambda aj: asgi.DoorwardMiddleware(_starlette_app(Doorward()), aj),
        lambda aj: wsgi.DoorwardMiddleware(lambda environ, start: [], aj),
    ],
    ids=["sync", "async", "flask", "wsgi-in-flask", "starlette-guard", "fastapi-guard", "starlette", "asgi", "wsgi"],
)
def test_clients_are_found(thing: Any) -> None:
    """In whatever a test has at hand."""
    aj = Doorward([ONCE])
    with Harness() as doorward:
        doorward.use(thing(aj))
        assert aj.runtime in [client.runtime for client in doorward.clients]


@pytest.mark.parametrize(
    "nothing", [None, flask.Flask("bare"), Starlette(), "myapp:aj"], ids=["none", "flask", "starlette", "text"]
)
def test_where_no_client_is(nothing: object) -> None:
    """A test that protects nothing is not to pass: the error says what is accepted."""
    with Harness() as doorward, pytest.raises(ConfigurationError, match="use: takes a Doorward, an AsyncDoorward"):
        doorward.use(nothing)


def test_test_clients_are_left_as_they_were() -> None:
    """Their methods are the very functions, also after two harnesses one in the other."""
    before = (httpx.Client.send, httpx.AsyncClient.send, werkzeug.test.Client.open)
    aj = Doorward([ONCE])
    with Harness(aj), Harness(aj):
        assert httpx.Client.send is not before[0]
    assert (httpx.Client.send, httpx.AsyncClient.send, werkzeug.test.Client.open) == before


def test_no_thread_is_left_behind() -> None:
    """The exchanged parts are closed, not only dropped."""
    before = set(threading.enumerate())
    with Harness() as doorward:
        aj = doorward.client(ONCE, validate_email(deny=["NO_MX_RECORDS"]), service="https://service.example")
        aj.protect(asked(), email="a@example.com")
        doorward.client(deny(paths=["/"]), service="https://service.example").protect(asked())
    assert doorward.service.reported[-1]["decision"]["conclusion"] == "CONCLUSION_DENY"
    assert set(threading.enumerate()) <= before
