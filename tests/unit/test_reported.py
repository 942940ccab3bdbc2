"""Small things that a review found, each with the test that holds it."""

from __future__ import annotations

import pytest
from tests.behaviour.doubles import FailingStore

from doorward import ConfigurationError, Doorward, RequestContext, sliding_window, token_bucket

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
