"""A honeypot bans who looks for holes, and nobody whose browser a page has sent there."""

from __future__ import annotations

import pytest

from doorward import ConfigurationError, Doorward, RequestContext, honeypot
from doorward.rules.honeypots import HoneypotRule
from doorward.testing import FakeClock

RULES = [honeypot("/.env"), honeypot("/.env", hits=2), honeypot("/.env", weight=20)]
LURED = [
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"},
    {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"},
    {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
    {"Sec-Purpose": "prefetch;prerender", "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "document"},
    {"Purpose": "prefetch"},
    {"X-Moz": "prefetch"},
]
"""A picture of another site, a link there, one of a sibling's, a picture in a post of ours, and links fetched ahead."""


def visit(aj: Doorward, path: str, headers: dict[str, str]) -> bool:
    lines = [("User-Agent", "Mozilla/5.0"), *headers.items()]
    return aj.protect(RequestContext(path=path, headers=lines, peer="203.0.113.5")).is_allowed()


@pytest.mark.parametrize("rule", RULES, ids=["ban", "hits", "weight"])
@pytest.mark.parametrize("headers", LURED, ids=lambda headers: ",".join(headers.values()))
def test_a_visitor_of_somebody_elses_page_is_not_banned(rule: HoneypotRule, headers: dict[str, str]) -> None:
    """The request for the trap is refused each time, and the next for a page is let in."""
    aj = Doorward([rule], clock=FakeClock(), thresholds={"DENY": 5})
    assert [visit(aj, "/.env", headers) for _ in range(3)] == [False] * 3
    assert visit(aj, "/", {})


@pytest.mark.parametrize("rule", RULES, ids=["ban", "hits", "weight"])
@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "none", "Sec-Fetch-Dest": "document"}])
def test_who_asks_by_himself_is(rule: HoneypotRule, headers: dict[str, str]) -> None:
    """A scanner, and a browser in which the address was typed."""
    aj = Doorward([rule], clock=FakeClock(), thresholds={"DENY": 5})
    assert [visit(aj, "/.env", headers) for _ in range(2)] == [False] * 2
    assert not visit(aj, "/", {})


@pytest.mark.parametrize("trap", ["/*", "**", "/", "*", "re:/.*"])
def test_a_trap_for_everybody_is_an_error(trap: str) -> None:
    """Whoever opened the site was banned."""
    with pytest.raises(ConfigurationError, match="which everybody asks for"):
        honeypot(trap)
