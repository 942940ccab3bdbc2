"""Several workers, each with a memory of its own: a challenge is redeemed in each, and that has to be said."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable
from typing import Any

import pytest
from tests.challenges.clearing import SECRET, Site, application

from doorward import Doorward, challenge, deny, weigh
from doorward.routes import RoutePolicy
from doorward.stores.memory import MemoryStore
from doorward.wsgi import DoorwardMiddleware


@pytest.fixture(autouse=True)
def _four(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["app.py"])
    monkeypatch.setenv("WEB_CONCURRENCY", "4")


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if "memory://" in record.getMessage()]


MAKERS: dict[str, Callable[[], Any]] = {
    "rule": lambda: Doorward([challenge("wait", paths=["/x"])], secret=SECRET),
    "weights": lambda: Doorward([weigh(5, paths=["/x"])], secret=SECRET, thresholds={"challenge": 5}),
}


@pytest.mark.parametrize("name", MAKERS)
def test_challenges_alone_are_reason_enough_to_warn(name: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="doorward"):
        MAKERS[name]()
    assert len(said(caplog)) == 1
    assert "a challenge is passed once in each" in said(caplog)[0]


def test_a_challenge_of_a_route_is_reason_enough(caplog: pytest.LogCaptureFixture) -> None:
    """Known with its first request."""
    aj = Doorward([deny(ip=["192.0.2.1"])], secret=SECRET)
    policy = RoutePolicy(aj, rules=[challenge("wait")])
    site = Site()
    site.app = DoorwardMiddleware(application, aj, policy_for=lambda _: policy)
    caplog.clear()
    with caplog.at_level(logging.WARNING, logger="doorward"):
        assert [site.get().status for _ in range(3)] == [403] * 3
    assert len(said(caplog)) == 1


def test_nothing_is_said_where_nothing_is_remembered(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="doorward"):
        Doorward([deny(ip=["192.0.2.1"])], secret=SECRET)
        Doorward([challenge("wait")], secret=SECRET, store=MemoryStore())
    assert not said(caplog)


def test_what_is_warned_of_is_so() -> None:
    """One token, two memories: both redeem it. The clearances are one, though: of one id, for one quota."""
    first = Site()
    second = Site(clock=first.clock)
    token = re.search(rb'name="token" value="([^"]+)"', first.get().body)
    assert token is not None
    first.clock.advance(3)
    replies = [site.call("POST", "/.doorward/verify", body=b"token=" + token[1]) for site in (first, second)]
    assert [reply.status for reply in replies] == [303, 303]
