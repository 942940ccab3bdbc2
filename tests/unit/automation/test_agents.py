"""What the examiner makes of user agents alone. The agents in the text files were written for these tests."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from doorward.automation import AUTOMATED, Examination, Examiner
from doorward.automation.agent import ORDINARY, Agent
from doorward.automation.names import named
from doorward.automation.shape import built
from doorward.context import RequestContext

HERE = Path(__file__).parent
USUAL = (("Accept", "*/*"), ("Accept-Language", "en"), ("Accept-Encoding", "gzip"))
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
)
EXAMINER = Examiner()


def agents(name):
    return (HERE / f"{name}.txt").read_text("utf-8").splitlines()


def examined(*texts) -> Examination:
    return EXAMINER.examine(RequestContext(headers=[*USUAL, *[("User-Agent", text) for text in texts]]))


def reasons(*texts):
    return [finding.reason for finding in examined(*texts).findings]


@pytest.mark.parametrize("agent", agents("browsers"))
def test_browsers_are_not_automated(agent):
    """Browsers of thirty years pass, from Mosaic to those in televisions."""
    assert not examined(agent).automated


@pytest.mark.parametrize("agent", agents("apps"))
def test_apps_are_not_automated(agent):
    """Apps, players, mail and office programs pass."""
    assert not examined(agent).automated


@pytest.mark.parametrize("agent", agents("robots"))
def test_robots_are_automated(agent):
    """Programs without people are found, though none of them is on any list."""
    assert examined(agent).automated


@pytest.mark.parametrize(
    ("agent", "reason"),
    [
        ("curl/8.5.0", "names an HTTP library or tool"),
        (CHROME.replace("Chrome/", "HeadlessChrome/"), "names software that drives browsers"),
        ("WobbleBot", "calls itself a robot"),
        ("WobbleFetcher", "says that it does a robot's work"),
        ("Wobble/3.4.5 (+https://wobble.example)", "gives a web address, as robots do"),
        ("Wobble/3.4.5 https://wobble.example", "gives a web address"),
        ("Wobble/3.4.5 me@wobble.example", "gives an e-mail address"),
        ("wobble.org", "gives the name of a web site"),
        ("Mozilla/5.0 (compatible; Wobble)", "says it is compatible, but is none of the browsers that said so"),
        ("Wobble/%s", "sends a placeholder or code as its agent"),
        ("Wobble\x00", "sends control characters in its agent"),
        ("Mozilla/5.0", "begins like a browser, but names no system"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64)", "begins like a browser, but names no engine"),
        (CHROME.replace("like Gecko", "like Gecko; Wobble"), "has a name of its own inside 'KHTML, like Gecko'"),
        (CHROME + "; Wobble", "adds a name behind a semicolon"),
        (CHROME + " (Wobble)", "adds a comment to a browser's agent"),
        (CHROME + " WobbleTest", "adds the name of a service to a browser's agent"),
        (CHROME.replace("x64)", "x64; Wobble)"), "adds a name to a browser's system"),
        ("Wobble " + CHROME, "puts a name before a browser's agent"),
        (f"{CHROME},{CHROME}", "holds the agents of two browsers"),
        (CHROME.replace("131.0.0.0", "W.X.Y.Z"), "has letters for a browser's version"),
        (CHROME.replace("131", "999"), "has a version that no browser has reached"),
        (
            "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 6.1) Firefox/3.6",
            "says it is Internet Explorer and Firefox",
        ),
    ],
)
def test_reasons(agent, reason):
    """Each kind of evidence says what it is, and is enough by itself."""
    assert reason in reasons(agent)
    assert examined(agent).automated


def test_no_agent():
    """A request without an agent is automated, and so is one with an empty agent."""
    assert reasons() == ["sends no user agent"]
    assert reasons("") == reasons(" \t") == ["sends an empty user agent"]
    assert examined().automated


def test_several_agents():
    """Two different agents are one too many; the same twice, as some proxies send it, is one."""
    assert reasons(CHROME, CHROME) == []
    assert "sends several user agents" in reasons(CHROME, CHROME.replace("131", "130"))


def test_weak_evidence_adds_up():
    """An app's plain name is not enough; with the word of a service or a first version it is."""
    assert examined("Wobble/3.4.5").weight == 0.6
    assert examined("WobbleApi/3.4.5").automated
    assert examined("Wobble/0.4.5").automated
    assert not examined("Wobble").automated


def test_another_program_in_a_browser():
    """Browsers made of Chrome have too many names for an unknown one to be enough."""
    assert reasons(CHROME + " Wobble/1.2.3") == ["adds the name of another program to a browser's agent"]
    assert not examined(CHROME + " Wobble/1.2.3").automated
    assert reasons(CHROME + " Wobble/131.0.2.3") == []


def test_embedded_library():
    """A library counts when it speaks for itself, not when an app names what it is made with."""
    assert examined("okhttp/4.12.0").automated
    assert examined("MyBank/4.1 okhttp/4.12.0").findings == ()
    assert examined("MyBank/1.0 (iOS 17.1) python-requests/2.31").automated


@pytest.mark.parametrize("model", ["CUBOT X18", "ROBOT 3", "Scanner Pro", "moto bot (2021)", "curl"])
def test_phones_have_any_name(model):
    """The model of a phone is not taken for what the program is."""
    agent = (
        "Mozilla/5.0 (Linux; Android 9; {}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/99.0.1.2 Mobile Safari/537.36"
    )
    assert examined(agent.format(model)).findings == ()


def test_robot_words_have_boundaries():
    """Words that hold "bot" without meaning a robot do not count."""
    for name in ("Botany", "Bottles", "Abbot", "Sabotage", "Robotics"):
        assert "calls itself a robot" not in reasons(f"{name}/3.4.5 (iPhone; iOS 17.1)")


def test_weight_is_capped():
    """The weight is at most 1, whatever is found."""
    many = examined("python-requests/2.31 WobbleBot (+https://wobble.example; compatible; x) %s")
    assert sum(finding.weight for finding in many.findings) > AUTOMATED
    assert many.weight == AUTOMATED


@pytest.mark.parametrize("agent", [agent for agent in [*agents("browsers"), CHROME] if ORDINARY.fullmatch(agent)])
def test_short_cut_hides_nothing(agent):
    """Agents that are passed over as ordinary have no evidence in them."""
    assert [*named(Agent(agent)), *built(Agent(agent))] == []


def test_long_agent():
    """An agent longer than any program's is evidence in itself; what is behind the limit is not examined."""
    assert reasons(CHROME + " " * 100) == []
    assert "sends an agent longer than any program's" in reasons(CHROME + " x" * 1000)
    assert not any("robot" in reason for reason in reasons(CHROME + " x" * 1000 + " WobbleBot"))


def test_reasons_hold_nothing_of_the_client():
    """No text of the client gets into a reason."""
    for agent in agents("robots"):
        for reason in reasons(agent.replace("Wobble", "Zqxj").replace("wobble", "zqxj")):
            assert not re.search("zqxj|<|http:", reason, re.IGNORECASE)
