"""People whose browsers are old, hide something, or are in another language: none of them is found doubtful.

As of ``browsers.py``: written from what is documented of these browsers, and none is recorded from a person.
"""

from __future__ import annotations

from typing import Any

import pytest
from tests.challenges.signals.browsers import BY_NAME, CHROME, FIREFOX, SAFARI, Person, face, form_lines, signals

from doorward.automation import Examiner
from doorward.challenges.signals.known import same_but_system
from doorward.challenges.signals.score import scored
from doorward.challenges.signals.weights import DOUBTFUL, Score

_TOR = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
_TOR_MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:128.0) Gecko/20100101 Firefox/128.0"
_TOR_SENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0"
_IOS_12 = ("Mozilla/5.0 (iPhone; CPU iPhone OS 12_5_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
           "Version/12.1.2 Mobile/15E148 Safari/604.1")  # fmt: skip
_KITKAT = ("Mozilla/5.0 (Linux; Android 4.4.4; SM-G900F) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/81.0.4044.138 "
           "Mobile Safari/537.36")  # fmt: skip
_TV = ("Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/79.0.3945.79 Safari/537.36 "
       "WebAppManager")  # fmt: skip


def changed(person: Person, **others: Any) -> Person:
    """The same with other signals, in its page and where a worker shows them too."""
    own = {**person.signals, **others}
    shown = {name: own[name] for name in ("agent", "platform", "languages", "cores", "hints")}
    worker = others.get("worker", shown)
    return person._replace(signals={**own, "worker": worker})


def tor(agent: str, platform: str) -> Person:
    """As it comes, with its security at "standard"."""
    own = face(agent, platform, ["en-US", "en"], 4)
    said = {**FIREFOX.signals, **own, "worker": own, "language": "en-US", "zone": "Atlantic/Reykjavik",
            "offsets": [0, 0], "screen": [1400, 900, 1400, 900, 24], "window": [1400, 900, 1400, 900],
            "graphics": {"vendor": "Mozilla", "renderer": "Mozilla"}, "permission": None}  # fmt: skip
    return Person("Tor Browser", _TOR_SENT, form_lines("en-US,en;q=0.5"), said)


def old_chrome(agent: str, platform: str, **others: Any) -> Person:
    """Before client hints, and before ``navigator.webdriver`` was there for all."""
    lines = [line for line in form_lines("de-DE,de;q=0.9", encoding="gzip, deflate, br") if line[0] != "referer"]
    said = signals(face(agent, platform, ["de-DE", "de"], 4), webdriver=None, pdf=None, **others)
    return Person("old Chrome", agent, lines, said)


_PHONE = {name: BY_NAME["Chrome on Android"].signals[name] for name in ("touch", "coarse", "plugins", "mimes",
          "screen", "window")}  # fmt: skip
_IOS = {name: BY_NAME["Safari on an iPhone"].signals[name] for name in BY_NAME["Safari on an iPhone"].signals}


def in_language(person: Person, languages: list[str], header: str) -> Person:
    """Somebody who reads another language."""
    lines = [(name, header if name == "accept-language" else value) for name, value in person.lines]
    return changed(person, languages=languages, language=languages[0])._replace(lines=lines)


PEOPLE = {
    "Tor Browser on Linux": tor(_TOR, "Linux x86_64"),
    "Tor Browser on a Mac": tor(_TOR_MAC, "MacIntel"),
    "Chrome 81, the last on Android 4.4": old_chrome(
        _KITKAT, "Linux armv7l", memory=2, graphics={"vendor": "Qualcomm", "renderer": "Adreno (TM) 330"}, **_PHONE
    ),
    "a television": old_chrome(
        _TV, "Linux armv7l", memory=1, plugins=0, mimes=0, chrome=True, permission=None,
        screen=[1920, 1080, 1920, 1080, 24], window=[1920, 1080, 1920, 1080],
        graphics={"vendor": "ARM", "renderer": "Mali-G51"},
    ),
    "Safari on iOS 12": Person("Safari on iOS 12", _IOS_12, [
        line for line in form_lines("en-GB", encoding="gzip, deflate, br") if not line[0].startswith("sec-fetch")
    ], {**_IOS, **face(_IOS_12, "iPhone", ["en-GB"], None), "worker": face(_IOS_12, "iPhone", ["en-GB"], None),
        "touch": None, "pdf": None, "frozen": False,
        "graphics": {"vendor": "Apple Inc.", "renderer": "Apple A8 GPU"}}),
    "Safari in lockdown mode": changed(SAFARI, graphics=None, permission=None),
    "Firefox without WebGL and workers": changed(FIREFOX, graphics=None, worker=None),
    "Chrome with an extension that hides the hardware": changed(
        CHROME, altered=["hardwareConcurrency", "deviceMemory"], cores=2, memory=8, worker=CHROME.signals["worker"]
    ),
    "Chrome whose extension draws otherwise": changed(CHROME, altered=["getParameter"], graphics=None),
    "a laptop with a touch screen": changed(CHROME, touch=10, coarse=True),
    "a page enlarged to 400 %": changed(CHROME, window=[476, 237, 1920, 1040]),
    "a remote desktop": changed(CHROME, cores=2, memory=4, screen=[1280, 720, 1280, 720, 16], graphics={
        "vendor": "Google Inc. (Microsoft)", "renderer": "ANGLE (Microsoft, Microsoft Basic Render Driver Direct3D11)"
    }),
    "somebody who travels": changed(CHROME, zone="Asia/Kathmandu", offsets=[-345, -345]),
    "a reader of Arabic": in_language(CHROME, ["ar-EG", "ar", "en-US", "en"], "ar-EG,ar;q=0.9,en-US;q=0.8,en;q=0.7"),
    "a reader of Chinese": in_language(FIREFOX, ["zh-CN", "zh", "zh-TW"], "zh-CN,zh;q=0.8,zh-TW;q=0.7"),
    "a reader of Norwegian": in_language(CHROME, ["nb-NO", "nb", "no", "nn"], "nb-NO,nb;q=0.9,no;q=0.8,nn;q=0.7"),
    "somebody without a pointer": changed(CHROME, coarse=None),
}  # fmt: skip


def score(person: Person) -> Score:
    return scored(person.signals, person.request(), 1000, Examiner())


@pytest.mark.parametrize("name", PEOPLE)
def test_a_person_is_not_doubtful(name: str) -> None:
    """Some were, and had to do more than others."""
    found = score(PEOPLE[name])
    assert found.points < DOUBTFUL, found.codes
    assert not found.unreadable


@pytest.mark.parametrize("name", PEOPLE)
def test_a_program_in_the_same_browser_is(name: str) -> None:
    """Whatever is known of such browsers: it is no way in for those that are driven."""
    person = PEOPLE[name]
    for driven in ({"webdriver": True}, {"marks": ["cdc"]}):
        assert score(changed(person, **driven, worker=person.signals["worker"])).points >= DOUBTFUL


def test_a_browser_that_should_say_whether_it_is_driven_has_to() -> None:
    """Since Chrome 89."""
    for version, doubtful in ((88, False), (89, True), (144, True)):
        agent = CHROME.agent.replace("144", str(version))
        person = changed(CHROME, agent=agent, webdriver=None)._replace(agent=agent)
        assert (
            "webdriver" in scored(person.signals, person.request(sec_ch_ua=None), 1000, Examiner()).codes
        ) is doubtful


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (_TOR_SENT, True),
        (_TOR_MAC, True),
        (_TOR.replace("128", "140"), False),
        (_TOR + " Seamonkey/1", False),
        (CHROME.agent, False),
        (CHROME.agent.replace("Windows NT 10.0; Win64; x64", "X11; Linux x86_64"), False),
        ("", False),
        (_TOR, False),
        ("Mozilla/5.0 (" + "(" * 5_000 + _TOR, False),
    ],
)
def test_only_the_system_of_a_firefox_may_differ(other: str, same: bool) -> None:
    """Nothing else of its agent, and nobody else's."""
    assert same_but_system(_TOR, other) is same


def test_chrome_that_names_another_system_is_doubtful_as_before() -> None:
    agent = CHROME.agent.replace("Windows NT 10.0; Win64; x64", "X11; Linux x86_64")
    assert score(changed(CHROME, agent=agent, platform="Linux x86_64")).points >= DOUBTFUL
