"""Cookies that somebody else has put beside ours: a page of another host below the same domain."""

from __future__ import annotations

import pytest
from tests.challenges.clearing import Site

SPACES = ["\xa0", "\x85", "\x1c", "\x1d", "\x1e", "\x1f", "\x0b", "\x0c"]
"""What Python takes for white space and HTTP does not; browsers guard "__Host-" only where a name begins with it."""


@pytest.mark.parametrize("space", SPACES)
def test_a_name_with_foreign_white_space_in_front_is_not_a_guarded_one(space: str) -> None:
    """Four of them in front, by a longer path, would hide the clearance that was paid for."""
    site = Site()
    cookie = site.passed()
    planted = "; ".join([f"{space}__Host-doorward=junk{n}" for n in range(4)])
    assert site.get(cookie=f"{planted}; {cookie}").status == 200


@pytest.mark.parametrize("space", SPACES)
def test_a_clearance_is_not_taken_from_a_name_that_anybody_may_set(space: str) -> None:
    site = Site()
    name, _, token = site.passed().partition("=")
    assert site.get(cookie=f"{name}={token}").status == 200
    assert site.get(cookie=f"{space}{name}={token}").status == 403
    assert site.get(cookie=f"{name}{space}={token}").status == 403
