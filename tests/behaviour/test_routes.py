"""What routes say about themselves: exempt goes before the route's own limits, and those before the application's."""

from __future__ import annotations

import pytest
from tests.behaviour.clients.base import MakeApp
from tests.behaviour.doubles import Refuser

from doorward import sliding_window

THREE = sliding_window(max=3, interval="1m", name="application")


def test_an_exempt_route_is_never_refused(make: MakeApp) -> None:
    """Regression (guard-core): ``exempt`` had no effect. An exempt route passes a used-up limit."""
    app = make(sliding_window(max=1, interval="1m"), Refuser())
    assert app.statuses(2) == [200, 429]
    assert app.statuses(3, "/exempt?attack") == [200] * 3


def test_an_exempt_route_uses_nothing(make: MakeApp) -> None:
    """Requests to an exempt route are not charged on the application's limit."""
    app = make(sliding_window(max=1, interval="1m"))
    app.statuses(3, "/exempt")
    assert app.get().status == 200


def test_a_route_limit_is_enforced(make: MakeApp) -> None:
    """A route's own limit refuses, with its own numbers."""
    app = make(limited="2/minute")
    assert app.statuses(3, "/limited") == [200, 200, 429]
    assert app.get("/limited").header("Retry-After") == "60"


def test_a_route_limit_takes_the_place_of_the_application_limit(make: MakeApp) -> None:
    """A route may admit more than the application's limit does, and the application's limit is left alone."""
    app = make(sliding_window(max=1, interval="1m"), limited="4/minute")
    assert app.statuses(5, "/limited") == [200] * 4 + [429]
    assert app.statuses(2) == [200, 429]


def test_a_route_limit_is_counted_once(make: MakeApp) -> None:
    """Regression (flask-Humanify): a route's limit was charged by the middleware and again by the decorator."""
    app = make(THREE, limited="10/minute", layer={"rate_limit_headers": True})
    reply = app.get("/limited")
    assert reply.header("RateLimit") is not None
    assert ";r=9;" in str(reply.header("RateLimit"))


def test_exempt_goes_before_the_route_limit(make: MakeApp) -> None:
    """A route that is both limited and exempt is exempt."""
    assert (
        make(sliding_window(max=1, interval="1m"), limited="1/minute").statuses(3, "/limited-and-exempt") == [200] * 3
    )


def test_other_rules_still_hold_on_a_limited_route(make: MakeApp) -> None:
    """A route's limits replace limits only: other rules refuse there as everywhere."""
    assert make(Refuser(), limited="10/minute").get("/limited?attack").status == 403


def test_a_limit_beside_counts_with_the_application_limit(make_decorated: MakeApp) -> None:
    """With ``replace=False`` a route has its limit and the application's: the tighter decides."""
    app = make_decorated(THREE, beside="2/minute")
    assert app.statuses(3, "/beside") == [200, 200, 429]
    assert app.statuses(2) == [200, 429]


def test_guard_asks_more_rules_on_its_route_only(make_decorated: MakeApp) -> None:
    """Rules of ``guard`` refuse on their route and nowhere else."""
    app = make_decorated(guards=[Refuser()])
    assert app.get("/guarded?attack").status == 403
    assert app.get("/echo?attack").status == 200


def test_routes_with_equal_limits_count_apart(make_decorated: MakeApp) -> None:
    """Two routes limited alike have a counter each."""
    app = make_decorated(limited="2/minute", beside="2/minute")
    assert app.statuses(3, "/limited") == [200, 200, 429]
    assert app.get("/beside").status == 200


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_route_limit_counts_all_methods_together(make: MakeApp, method: str) -> None:
    """Changing the method gives no second allowance."""
    app = make(limited="1/minute")
    app.request("/limited", method="POST" if method == "GET" else "GET")
    assert app.request("/limited", method=method).status == 429
