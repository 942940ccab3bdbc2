"""Attack tools in agents, and hosts that listen for them."""

from __future__ import annotations

import pytest
from tests.attacks.asking import weight

from doorward.attacks.evidence import Place

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


@pytest.mark.parametrize(
    "agent",
    ["sqlmap/1.8.2#stable (https://sqlmap.org)", f"{BROWSER} Nikto/2.5", "Nuclei - Open-source project", "nessus"],
)
def test_tools_are_denied_by_what_they_call_themselves(agent: str) -> None:
    """Alone, or added to a browser's agent."""
    assert weight("scanner", agent, Place.HEADER, "user-agent") >= 1


def test_their_names_are_nothing_elsewhere() -> None:
    """In a search, or in the address of the page before."""
    assert weight("scanner", "sqlmap tutorial", Place.QUERY) == 0
    assert weight("scanner", "https://search.example/?q=nikto", Place.HEADER, "referer") == 0


@pytest.mark.parametrize("agent", [BROWSER, "curl/8.5.0", "python-requests/2.32", "Dalvik/2.1.0", "Hydrawise/2.0", ""])
def test_browsers_and_libraries_pass(agent: str) -> None:
    """Whether they are wanted is the bot rule's business."""
    assert weight("scanner", agent, Place.HEADER, "user-agent") == 0


def test_listening_hosts_are_denied() -> None:
    """With a label of their own, which tells the attacker which probe it was."""
    assert weight("scanner", "http://a1b2c3.oastify.com/x") >= 1
    assert weight("scanner", "ping -c 1 a1b2c3.interact.sh") >= 1
    assert weight("scanner", "oastify.com") == 0
    assert weight("scanner", "a.interact.shop") == 0
