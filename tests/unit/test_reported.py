"""Small things that reviews found, each with the test that holds it."""

from __future__ import annotations

from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from tests.behaviour.doubles import FailingStore

from doorward import (
    ConfigurationError,
    Doorward,
    RequestContext,
    fixed_window,
    rate_limit,
    sliding_window,
    token_bucket,
)
from doorward.answers import detail_of
from doorward.progress import NO_INPUTS, Inputs
from doorward.routes import RoutePolicy
from doorward.rules.base import Rule
from doorward.stores import MemoryStore
from doorward.testing import FakeClock
from doorward.wsgi import DoorwardMiddleware

PEER = "203.0.113.9"


def test_a_client_that_fails_closed_denies_when_bans_cannot_be_asked() -> None:
    """Whether somebody is banned is unknown then: on_error says what follows."""
    aj = Doorward([], store=FailingStore(), on_error="deny")
    decision = aj.protect(RequestContext(peer=PEER))
    assert decision.is_denied()
    assert decision.reason.is_error()


def test_a_long_scope_makes_a_short_key() -> None:
    """A store's keys have at most 512 characters, whatever views are called."""
    aj = Doorward([sliding_window(max=1, interval=1, scope="x" * 1000)])
    assert len(aj.engine.limits[0].prefix) < 200


def test_a_bucket_that_takes_centuries_to_fill_is_a_mistake() -> None:
    """Its reset could not even be written down as a date."""
    with pytest.raises(ConfigurationError, match="capacity"):
        token_bucket(refill_rate=1, interval="366d", capacity=10**6)


PLANS = {"free": "1/minute", "paid": "100/minute"}


def by_plan(_request: RequestContext, given: dict[str, str]) -> str:
    """The limit of a plan."""
    return PLANS[given["plan"]]


def statuses(aj: Doorward, times: int, **request: str) -> list[int]:
    """What so many requests come to."""
    return [aj.protect(RequestContext(peer=PEER, **request)).status for _ in range(times)]


def test_retry_after_is_right_however_often_a_refused_client_asks() -> None:
    """Where a refusal is believed for a second only, its end is still its own."""
    clock = FakeClock()
    aj = Doorward([fixed_window(max=1, window="10m")], store=MemoryStore(clock=clock), clock=clock)
    statuses(aj, 1)
    for passed in range(4):
        assert aj.protect(RequestContext(peer=PEER)).headers["Retry-After"] == str(600 - passed)
        clock.advance(1)


def routed(aj: Doorward, policy: RoutePolicy) -> list[int]:
    """What three requests to a route come to, through middleware."""
    middleware = DoorwardMiddleware(lambda _e, start: start("200 OK", []) or [], aj, policy_for=lambda _: policy)
    seen: list[str] = []
    for _ in range(3):
        environ: dict[str, Any] = {}
        setup_testing_defaults(environ)
        environ["REMOTE_ADDR"] = PEER
        list(middleware(environ, lambda status, *_: seen.append(status)))
    return [int(status[:3]) for status in seen]


@pytest.mark.parametrize(
    "rule",
    [
        sliding_window(max=100, interval="1m", mode="DRY_RUN"),
        sliding_window(max=100, interval="1m", characteristics=["userId"]),
        *rate_limit(lambda _: 1 / 0, name="broken"),
    ],
    ids=["dry", "deferred", "broken"],
)
def test_a_route_limit_that_is_not_in_force_leaves_the_application_limit_alone(rule: Rule) -> None:
    """Trying a limit dry must not take protection away, nor must one that waits or fails."""
    aj = Doorward([sliding_window(max=2, interval="1m")])
    assert routed(aj, RoutePolicy(None, rules=[rule])) == [200, 200, 429]


def test_a_rule_that_is_added_counts_whatever_the_path_says() -> None:
    """``with_rule`` adds; a limit by path takes the place of the application's only."""
    aj = Doorward(limits={"/login": "100/minute"}).with_rule(sliding_window(max=1, interval="1m"))
    assert statuses(aj, 2, path="/login") == [200, 429]


def test_p19_a_set_of_dry_limits_is_charged_all_or_none_as_if_live() -> None:
    """The wide limit has as much left under DRY_RUN as it has live."""
    left = []
    for mode in ("LIVE", "DRY_RUN"):
        tight = sliding_window(max=2, interval="1m", name="tight")
        wide = sliding_window(max=10, interval="1h", name="wide")
        aj = Doorward([tight, wide], mode=mode)
        statuses(aj, 8)
        left.append(aj.peek(PEER).limits["wide"].remaining)
    assert left == [8, 8]


def test_head_does_not_escape_a_limit_for_get() -> None:
    """Frameworks route HEAD to the view for GET."""
    assert statuses(Doorward(limits={"GET /x": "1/minute"}), 1, path="/x") == [200]
    for aj in (
        Doorward(limits={"GET /x": "1/minute"}),
        Doorward([sliding_window(max=1, interval=60, methods=["GET"])]),
    ):
        assert statuses(aj, 1, path="/x") == [200]
        assert statuses(aj, 1, path="/x", method="HEAD") == [429]


def test_a_limit_that_fails_closed_charges_no_other() -> None:
    """A request that is refused anyway takes nothing."""
    broken = rate_limit(lambda _: 1 / 0, on_error="deny", name="broken")
    aj = Doorward([*broken, sliding_window(max=3, interval="1m", name="window")])
    assert statuses(aj, 3) == [503] * 3
    assert aj.peek(PEER).limits["window"].remaining == 3


def test_a_limit_by_plan_waits_for_the_handler_to_say_the_plan() -> None:
    """In middleware nothing is given yet; it is not an error, and not forgotten."""
    aj = Doorward(rate_limit(by_plan))
    progress = aj.runtime.open(RequestContext(peer=PEER), aj.engine)
    assert not aj.decide(progress, NO_INPUTS, deferring=True).results[0].decides
    decision = aj.decide(progress, Inputs({}, {"plan": "free"}))
    assert decision.reason.max == 1


def test_a_ban_can_be_shortened() -> None:
    """A later ban takes the place of the former, also where that is remembered."""
    clock = FakeClock()
    aj = Doorward([sliding_window(max=9, interval="1m")], clock=clock)
    aj.ban(PEER, "1d")
    assert statuses(aj, 1) == [403]
    aj.ban(PEER, 60)
    clock.advance(61)
    assert statuses(aj, 1) == [200]


def test_equal_limits_do_not_share_a_counter() -> None:
    """They may differ in what they charge, or in what counts."""
    twice = sliding_window(max=4, interval="1m"), sliding_window(max=4, interval="1m", cost=2)
    assert statuses(Doorward(twice), 3) == [200, 200, 429]


def test_a_broken_clock_breaks_nothing() -> None:
    """A clock of the application's own that raises is an error of doorward's, not of the application's."""

    class Broken(FakeClock):
        def now_ns(self) -> int:
            raise OSError("no clock")

    aj = Doorward([], clock=Broken())
    aj.runtime.journal.swallowed = lambda *_: None  # type: ignore[method-assign]  # it needs the clock, too
    assert aj.protect(RequestContext(peer=PEER)).is_errored()


def test_after_an_unban_requests_take_the_straight_way_again() -> None:
    """One ban in a process's life must not slow it for ever."""
    aj = Doorward([sliding_window(max=9, interval="1m")])
    aj.ban(PEER)
    aj.unban(PEER)
    assert not aj.engine.bans


@pytest.mark.parametrize(
    ("characteristic", "request_"),
    [
        ('http.request.headers["x-api-key"]', {"headers": [("X-Api-Key", "GOOD"), ("X-Api-Key", "{}")]}),
        ('http.request.cookie["session"]', {"headers": [("Cookie", "session={}; session=GOOD")]}),
        ('http.request.uri.args["token"]', {"query": "token=GOOD&token={}"}),
    ],
    ids=["header", "cookie", "argument"],
)
def test_a_second_value_beside_the_one_that_counts_makes_no_new_client(
    characteristic: str, request_: dict[str, Any]
) -> None:
    """Frameworks read the first or the last; the request is charged as each."""
    aj = Doorward([sliding_window(max=2, interval="1m", characteristics=[characteristic])])

    def status(junk: str) -> int:
        query = request_.get("query", "").format(junk)
        headers = [(name, value.format(junk)) for name, value in request_.get("headers", [])]
        return aj.protect(RequestContext(peer=PEER, query=query, headers=headers)).status

    assert [status(f"junk{number}") for number in range(4)] == [200, 200, 429, 429]


@pytest.mark.parametrize(
    ("build", "field"),
    [
        (lambda: sliding_window(max=1, interval=1, characteristics=["ip"]), "characteristics"),
        (lambda: sliding_window(max=1, interval=1, methods=["PSOT"]), "methods"),
        (lambda: sliding_window(max=3, interval=1, cost=6), "cost"),
        (lambda: Doorward(limits={"POST /login ": "1/minute"}), "limits"),
    ],
)
def test_plausible_mistakes_are_errors(build: Any, field: str) -> None:
    """Each would have switched a limit off, or refused everybody, without a word."""
    with pytest.raises(ConfigurationError) as caught:
        build()
    assert caught.value.field.startswith(field)


def test_a_request_for_more_than_there_ever_is_is_told_so() -> None:
    """No wait helps, so none is named."""
    decision = Doorward([sliding_window(max=5, interval="1m")]).protect(RequestContext(peer=PEER), requested=6)
    assert decision.is_denied()
    assert "Retry-After" not in decision.headers
    assert detail_of(decision) == "This request asks for more than is ever admitted at once."
