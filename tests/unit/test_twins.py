"""Twins: the rules of a client in other surroundings, which share nothing with it."""

from __future__ import annotations

import pytest

from doorward import (
    AsyncDoorward,
    ConfigurationError,
    Doorward,
    RequestContext,
    deny,
    fixed_window,
    sliding_window,
    validate_email,
)
from doorward.testing import FakeClock
from doorward.twins import twin

REQUEST = {"peer": "203.0.113.9", "path": "/c"}


def client(**options) -> Doorward:
    rules = [sliding_window(max=1, interval="1m"), deny(paths=["/no"], mode="DRY_RUN")]
    return Doorward(rules, limits={"/a": "5/minute"}, name="shop", **options)


def told(aj: Doorward) -> list[tuple[str, str, str]]:
    decision = aj.protect(RequestContext(**REQUEST))
    return [(result.rule, result.rule_id, result.conclusion) for result in decision.results]


def test_a_twin_has_the_same_rules_by_the_same_names() -> None:
    own = client()
    added = own.with_rule(fixed_window(max=3, window="1m", name="more"))
    assert [rule for rule, _, _ in told(twin(added))] == [rule for rule, _, _ in told(added)]
    assert told(twin(added)) == told(twin(added))
    assert "more" not in [rule for rule, _, _ in told(twin(own))]


def test_a_twin_has_counters_of_its_own() -> None:
    aj = client(clock=FakeClock())
    other = twin(aj)
    assert aj.protect(RequestContext(peer="203.0.113.9", path="/b")).is_allowed()
    assert other.protect(RequestContext(peer="203.0.113.9", path="/b")).is_allowed()
    assert aj.protect(RequestContext(peer="203.0.113.9", path="/b")).is_denied()
    assert other.protect(RequestContext(peer="203.0.113.9", path="/b")).is_denied()


def test_a_twin_calls_nothing_of_the_application(caplog: pytest.LogCaptureFixture) -> None:
    decisions: list[object] = []
    aj = client(on_decision=lambda decision, _: decisions.append(decision))
    with caplog.at_level("DEBUG"):
        told(twin(aj))
    assert not decisions
    assert not caplog.records


def test_a_twin_asks_nobody() -> None:
    rules = [validate_email(deny=["NO_MX_RECORDS"])]
    aj = Doorward(rules, resolver="127.0.0.1:1", service="http://127.0.0.1:1", key="key")
    decision = twin(aj).protect(RequestContext(**REQUEST), email="a@company.example")
    assert "offline" in decision.results[0].reason.explain()
    aj.close()


def test_a_twin_of_a_client_that_awaits_blocks() -> None:
    aj = AsyncDoorward([sliding_window(max=1, interval="1m")])
    assert twin(aj).protect(RequestContext(**REQUEST)).is_allowed()


def test_a_twin_has_another_clock_where_it_is_given_one() -> None:
    clock = FakeClock()
    other = twin(client(), clock=clock)
    assert told(other)[0][2] == "ALLOW"
    assert told(other)[0][2] == "DENY"
    clock.advance(61)
    assert told(other)[0][2] == "ALLOW"


def test_what_is_no_option_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="colour"):
        twin(client(), colour="red")
