"""What guards the endpoints that answers are sent to: whose page sends them, how, and how many in a minute."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.challenges.clearing import Reply, Site

from doorward.challenges.verifying import MOST_OF_NETWORK

ELSEWHERE: list[dict[str, Any]] = [
    {"HTTP_SEC_FETCH_SITE": "cross-site"},
    {"HTTP_SEC_FETCH_SITE": "same-site"},
    {"HTTP_ORIGIN": "https://evil.example"},
    {"HTTP_ORIGIN": "http://shop.example.evil.example"},
]
HERE: list[dict[str, Any]] = [
    {"HTTP_SEC_FETCH_SITE": "same-origin"},
    {"HTTP_ORIGIN": "https://shop.example"},
    {},  # a program
]


def posed(site: Site) -> bytes:
    """The token of a challenge whose waiting time is over."""
    found = re.search(rb'name="token" value="([^"]+)"', site.get().body)
    assert found is not None
    site.clock.advance(3)
    return found[1]


def verify(site: Site, token: bytes, **more: Any) -> Reply:
    return site.call("POST", "/.doorward/verify", body=b"token=" + token, **more)


@pytest.mark.parametrize("elsewhere", ELSEWHERE, ids=str)
def test_an_answer_that_another_sites_page_sends_does_not_count(elsewhere: dict[str, Any]) -> None:
    """Nor does it spend the challenge: else any page could take it from a visitor."""
    site = Site()
    token = posed(site)
    refused = verify(site, token, **elsewhere)
    assert (refused.status, refused.body, refused.cookies) == (403, b"cross_site\n", [])
    assert verify(site, token).status == 303


@pytest.mark.parametrize("here", HERE, ids=str)
def test_an_answer_of_our_own_page_counts(here: dict[str, Any]) -> None:
    site = Site()
    assert verify(site, posed(site), **here).status == 303


@pytest.mark.parametrize("elsewhere", ELSEWHERE, ids=str)
def test_another_sites_page_cannot_come_back_for_a_visitor(elsewhere: dict[str, Any]) -> None:
    """Without JavaScript a browser comes back by a GET, which any page could have it send."""
    site = Site()
    token = posed(site).decode()
    refused = site.get(f"/.doorward/waited?t={token}", **elsewhere)
    assert (refused.status, refused.body, refused.cookies) == (403, b"cross_site\n", [])
    assert site.get(f"/.doorward/waited?t={token}").status == 303


@pytest.mark.parametrize("name", ["verify", "other", "next"])
def test_answers_are_posted(name: str) -> None:
    reply = Site().get(f"/.doorward/{name}")
    assert reply.status == 405
    assert ("Allow", "POST") in reply.headers


def test_a_network_may_answer_so_often_in_a_minute() -> None:
    """Whatever it sends, and from whichever of its addresses; files of pages are not counted."""
    site = Site()
    token = posed(site)
    page = site.get().body.decode()
    for number in range(MOST_OF_NETWORK):
        assert verify(site, b"nonsense", ip=f"203.0.113.{number % 256}").status == 403
    refused = verify(site, token)
    assert refused.status == 429
    assert 1 <= int(dict(refused.headers)["Retry-After"]) <= 60
    style = re.search(r'href="(/\.doorward/static/[^"]+)"', page)
    assert style is not None
    assert site.get(style[1]).status == 200
    assert verify(site, b"nonsense", ip="198.51.100.1").status == 403
    site.clock.advance(60)
    assert verify(site, token).status == 303


def test_one_address_does_not_keep_its_neighbours_from_passing() -> None:
    """It took all that its network, a /24, may ask for."""
    site = Site()
    token = posed(site)
    for _ in range(2 * MOST_OF_NETWORK):
        refused = site.call("POST", "/.doorward/verify", body=b"token=x", ip="203.0.113.99")
    assert refused.status == 429
    assert verify(site, token).status == 303
