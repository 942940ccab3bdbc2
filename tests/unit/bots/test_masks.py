"""Masks of host names, against regular expressions as an oracle."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.rules.verification import mask_matches

MASKS = st.text("ab.*@-", max_size=10)
HOSTS = st.text("ab.-", max_size=10)


def oracle(mask: str, host: str) -> bool:
    pattern = "".join({"*": ".?", "@": ".*"}.get(character, re.escape(character)) for character in mask)
    return re.fullmatch(pattern, host, re.DOTALL) is not None


@given(MASKS, HOSTS)
def test_masks_match_what_the_oracle_does(mask: str, host: str) -> None:
    """``*`` is one character or none, ``@`` any run, all else itself; the whole name counts."""
    bare = host.removesuffix(".")
    assert mask_matches(mask, host) is oracle(mask, bare)


@given(st.lists(st.sampled_from(["a", "b", ".", "*", "@"]), max_size=12), st.data())
def test_masks_match_names_that_were_made_from_them(mask: list[str], data: st.DataObject) -> None:
    """The other way round: random names seldom fit."""
    parts = {"*": st.text("ab", max_size=1), "@": st.text("ab.", max_size=5)}
    host = "".join(data.draw(parts[sign]) if sign in parts else sign for sign in mask)
    assert mask_matches("".join(mask), f"{host}.")


@given(MASKS, HOSTS)
def test_case_says_nothing(mask: str, host: str) -> None:
    """RFC 4343, in the mask and in the name."""
    assert mask_matches(mask.upper(), host) is mask_matches(mask, host.upper())


@pytest.mark.parametrize(
    ("mask", "host", "matches"),
    [
        ("crawl-***-***-***-***.googlebot.com", "crawl-66-249-66-1.googlebot.com", True),
        ("crawl-***-***-***-***.googlebot.com", "crawl-203-113-100-255.googlebot.com", True),
        ("crawl-***-***-***-***.googlebot.com", "crawl-1234-1-1-1.googlebot.com", False),
        ("crawl-***-***-***-***.googlebot.com", "crawl-66-249-66-1.googlebot.com.evil.example", False),
        ("@.search.msn.com", "msnbot-157-55-39-1.search.msn.com", True),
        ("@.search.msn.com", "search.msn.com", False),
        ("@.search.msn.com", "evil-search.msn.com", False),
        ("ip.uptimerobot.com", "ip.uptimerobot.com", True),
        ("ip.uptimerobot.com", "xip.uptimerobot.com", False),
    ],
)
def test_masks_of_real_operators(mask: str, host: str, matches: bool) -> None:
    """As arcjet/well-known-bots has them."""
    assert mask_matches(mask, host) is matches


def test_no_mask_takes_long() -> None:
    """What makes a backtracking matcher take for ever is followed in one pass: this ends."""
    assert not mask_matches("@a" * 60, "a" * 250 + "b")
    assert not mask_matches("*" * 120 + "b", "a" * 250)
