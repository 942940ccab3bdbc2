"""``require`` asked again and again about one request, as handlers of websockets do: what was shown once grows old."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from tests.challenges.clearing import AGENT, IP, SECRET, Site

from doorward import ConfigurationError, Doorward, challenge, fixed_window
from doorward.levels import Level
from doorward.stores.memory import MemoryStore
from doorward.testing import FakeClock

OPEN = challenge("wait", paths=["/elsewhere"])


def carrier(token: str) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "GET", "PATH_INFO": "/p", "wsgi.url_scheme": "https", "HTTP_HOST": "shop.example",
        "HTTP_USER_AGENT": AGENT, "REMOTE_ADDR": IP, "HTTP_COOKIE": f"__Host-doorward={token}",
    }  # fmt: skip


def asking(site: Site, carrier: Mapping[str, Any], max_age: str | None = None) -> bool:
    return site.aj.require(carrier, "work", max_age=max_age).is_allowed()


def test_what_was_shown_is_too_old_for_a_request_that_goes_on() -> None:
    site = Site([OPEN])
    request = carrier(site.token(Level.WORK))
    assert asking(site, request, "5m")
    site.clock.advance(299)
    assert asking(site, request, "5m")
    site.clock.advance(2)
    assert not asking(site, request, "5m")


def test_a_clearance_ends_while_a_request_goes_on() -> None:
    site = Site([OPEN], challenges={"lifetime": "1h"})
    request = carrier(site.token(Level.WORK))
    assert asking(site, request)
    site.clock.advance(3601)
    assert not asking(site, request)


def test_a_clearance_is_revoked_while_a_request_goes_on() -> None:
    """By this process, or another one."""
    clock = FakeClock()
    store = MemoryStore(clock=clock)
    site = Site([OPEN], clock=clock, store=store)
    other = Doorward([OPEN], secret=SECRET, clock=clock, store=store)
    request = carrier(site.token(Level.WORK))
    assert asking(site, request)
    clock.advance(6)
    other.revoke_clearances()
    assert not asking(site, request)


def test_asking_again_counts_and_logs_nothing_again() -> None:
    site = Site([OPEN, fixed_window(max=2, window=3600)])
    request = carrier(site.token(Level.WORK))
    for _ in range(5):
        assert asking(site, request)
    assert site.aj.runtime.journal.counts()["decision.ALLOW"] == 1
    site.clock.advance(400)
    assert asking(site, request)
    assert asking(site, carrier(site.token(Level.WORK)))
    assert not asking(site, carrier(site.token(Level.WORK)))


@pytest.mark.parametrize("max_age", [0, 0.0, "0s", "0m"])
def test_no_age_at_all_is_no_age(max_age: Any) -> None:
    """It was taken for "as long as the clearance holds", the least that can be asked for."""
    with pytest.raises(ConfigurationError, match="max_age: must be over 0"):
        challenge("human", max_age=max_age)
    with pytest.raises(ConfigurationError, match="max_age: must be over 0"):
        Site([OPEN]).aj.require(carrier(""), "human", max_age=max_age)
