"""What programs send is doubtful: those that drive a browser, and those that only say that they are one."""

from __future__ import annotations

from typing import Any

import pytest
from tests.challenges.signals.browsers import BY_NAME, CHROME, FIREFOX, PEOPLE, SAFARI, Person

from doorward.automation import Examiner
from doorward.challenges.signals.score import scored
from doorward.challenges.signals.weights import DOUBTFUL, MOST, WEIGHTS, Score

SECOND = 1000
SWIFTSHADER = {
    "vendor": "Google Inc. (Google)",
    "renderer": "ANGLE (Google, Vulkan 1.3.0 (SwiftShader Device (Subzero) (0x0000C0DE)), SwiftShader driver)",
}


def score(
    person: Person, answered_ms: int = SECOND, sent: dict[str, str | None] | None = None, **signals: Any
) -> Score:
    given = {**person.signals, **signals}
    return scored(given, person.request(**(sent or {})), answered_ms, Examiner())


@pytest.mark.parametrize(
    ("changed", "codes"),
    [
        ({"webdriver": True}, ["webdriver"]),
        ({"webdriver": None}, ["webdriver"]),
        ({"marks": ["cdc"]}, ["marks"]),
        ({"marks": None}, ["marks"]),
        ({"webdriver": None, "altered": ["webdriver", "plugins", "getParameter"], "arrays": False, "plugins": 3},
         ["webdriver", "altered_webdriver", "altered_some", "plugins"]),
        ({"altered": ["webdriver", "toString"]}, ["altered_webdriver", "altered_text"]),
        ({"altered": None}, ["altered_webdriver", "altered_text", "altered_some"]),
        ({"stack": "gecko", "eval": 37}, ["engine", "eval"]),
    ],
)  # fmt: skip
def test_what_drives_a_browser_is_doubtful(changed: dict[str, Any], codes: list[str]) -> None:
    found = score(CHROME, **changed)
    assert found.points >= DOUBTFUL
    assert list(found.codes) == codes


def test_software_graphics_alone_are_no_doubt() -> None:
    """NoBot refused everybody on a virtual machine for it."""
    assert score(CHROME, graphics=SWIFTSHADER).codes == ("software",)
    assert score(CHROME, graphics=SWIFTSHADER).points < DOUBTFUL / 2


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("frame", False, "frame"),
        ("frozen", False, "frozen"),
        ("arrays", None, "plugins"),
        ("pdf", False, "pdf"),
        ("chrome", False, "chrome"),
        ("memory", 3, "memory"),
        ("memory", None, "no_memory"),
        ("vendor", "Apple Computer, Inc.", "vendor"),
        ("product", "20100101", "product"),
        ("language", "fr", "languages"),
        ("zone", "", "zone"),
        ("offsets", [-60, 300], "zone"),
        ("permission", {"query": "prompt", "notification": "denied"}, "permission"),
        ("permission", None, "no_permission"),
        ("screen", [800, 600, 800, 600, 24], "odd_screen"),
        ("screen", [0, 0, 0, 0, 24], "screen"),
        ("window", [1280, 720, 0, 0], "no_window"),
        ("window", [1920, 1080, 1920, 1080], "bare_window"),
        ("touch", None, "pointer"),
        ("cookies", False, "cookies"),
        ("worker", None, "no_worker"),
        ("secure", False, "insecure"),
        ("graphics", None, "no_graphics"),
        ("graphics", {"vendor": "Apple Inc.", "renderer": "Apple GPU"}, "graphics"),
        ("hints", None, "no_hints"),
    ],
)
def test_each_signal_is_looked_at(field: str, value: Any, code: str) -> None:
    assert code in score(CHROME, **{field: value}).codes


def test_one_property_that_is_altered_is_less_than_two() -> None:
    """An extension for privacy changes what the graphics say, and no more."""
    assert score(CHROME, altered=["getParameter"]).codes == ("altered_one",)
    assert score(CHROME, altered=["getParameter", "plugins"]).codes == ("altered_some",)


def test_a_browser_that_is_not_known() -> None:
    """Nothing is expected of it, and that is not in its favour."""
    agent = "Mozilla/5.0 (X11; Linux x86_64) Something/1.0"
    signals = {"agent": agent, "worker": {**CHROME.signals["worker"], "agent": agent}, "vendor": "None", "eval": 1}
    assert "unknown" in score(CHROME, sent={"user_agent": agent}, **signals).codes


def test_an_app_s_view_may_have_no_hints() -> None:
    view = BY_NAME["An app's view on Android"]
    worker = {**view.signals["worker"], "hints": None}
    sent: dict[str, str | None] = {"sec_ch_ua": None, "sec_ch_ua_mobile": None, "sec_ch_ua_platform": None}
    assert score(view, sent=sent, hints=None, worker=worker).codes == ("no_permission", "no_hints_in_app")


def aged(person: Person, was: int, version: int, **signals: Any) -> Score:
    """Of the same browser in another version."""
    agent = person.agent.replace(str(was), str(version))
    worker = {**person.signals["worker"], "agent": agent}
    return score(person, sent={"user_agent": agent, "sec_ch_ua": None}, agent=agent, worker=worker, **signals)


@pytest.mark.parametrize(("person", "was", "since"), [(CHROME, 144, 94), (FIREFOX, 147, 99)])
def test_plug_ins_say_what_is_shown_since_some_version(person: Person, was: int, since: int) -> None:
    """Before it, browsers had others."""
    assert "pdf" in aged(person, was, since, pdf=None).codes
    assert "pdf" not in aged(person, was, since - 1, pdf=None).codes


def test_time_zones_agree_to_the_minute() -> None:
    """Or nearly: one is rounded, and the minute may turn between the two."""
    assert score(CHROME, offsets=[-60, -61]).codes == ()
    assert score(CHROME, offsets=[-60, -62]).codes == ("zone",)


def test_a_worker_tells_on_a_masked_page() -> None:
    """Scripts that change ``navigator`` do not run in workers."""
    worker = {**CHROME.signals["worker"], "platform": "Linux x86_64", "cores": 2}
    assert score(CHROME, worker=worker).codes == ("worker",)


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({"user_agent": CHROME.agent.replace("144", "143")}, "agent"),
        ({"sec_ch_ua_platform": '"Linux"'}, "hints"),
        ({"sec_ch_ua_mobile": "?1"}, "hints"),
        ({"sec_ch_ua": '"Chromium";v="143", "Google Chrome";v="143", "Not(A:Brand";v="8"'}, "brands"),
        ({"accept_language": "ru-RU,ru;q=0.9"}, "language"),
        ({"accept_language": "de-AT,de;q=0.9"}, "region"),
        ({"accept_language": None}, "request"),
    ],
)
def test_what_the_server_saw_holds(sent: dict[str, str | None], code: str) -> None:
    assert code in score(CHROME, sent=sent).codes


def test_time_is_counted_by_the_server() -> None:
    """Regression of NoBot: the client reported its own."""
    assert score(CHROME, answered_ms=5).codes == ("quick",)
    assert score(CHROME, answered_ms=-60_000).codes == ("quick",)


@pytest.mark.parametrize("agent", ["curl/8.5.0", "python-requests/2.32.3", "", "Mozilla/5.0 HeadlessChrome/144.0.0.0"])
def test_a_program_that_sends_a_browsers_signals_is_doubtful(agent: str) -> None:
    assert score(CHROME, sent={"user_agent": agent}).points >= DOUBTFUL
    with_agent = {**CHROME.signals, "agent": agent, "worker": {**CHROME.signals["worker"], "agent": agent}}
    assert scored(with_agent, CHROME.request(user_agent=agent), SECOND, Examiner()).points >= DOUBTFUL


@pytest.mark.parametrize(
    ("person", "agent"),
    [(CHROME, FIREFOX.agent), (CHROME, SAFARI.agent), (FIREFOX, CHROME.agent), (SAFARI, CHROME.agent)],
)
def test_a_browser_that_says_it_is_another_is_doubtful(person: Person, agent: str) -> None:
    """Though it says so everywhere."""
    signals = {**person.signals, "agent": agent, "worker": {**person.signals["worker"], "agent": agent}}
    assert scored(signals, person.request(user_agent=agent), SECOND, Examiner()).points >= DOUBTFUL


@pytest.mark.parametrize("given", [{}, "{}", None, "", [], "[]", 1, True, "null", {"cookies": True, "languages": 2}])
def test_regression_of_vouch_and_nobot_no_signals_are_the_worst(given: object) -> None:
    """Vouch's attestation was passed by ``{}``, NoBot's by three fields."""
    assert scored(given, CHROME.request(), SECOND, Examiner()).points == MOST


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.name)
def test_all_null_is_doubtful(person: Person) -> None:
    """It has the form, and says nothing."""
    given = dict.fromkeys(person.signals)
    assert scored(given, person.request(), SECOND, Examiner()).points == MOST


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.name)
def test_absence_never_helps(person: Person) -> None:
    """Whatever is left out, or sent as null, nobody looks better for it."""
    honest = scored(person.signals, person.request(), SECOND, Examiner())
    for name in person.signals:
        without = {key: value for key, value in person.signals.items() if key != name}
        assert scored(without, person.request(), SECOND, Examiner()).points == MOST
        as_null = scored({**person.signals, name: None}, person.request(), SECOND, Examiner())
        assert as_null.points >= honest.points, name


def test_findings_are_names_of_the_table() -> None:
    """What a client sent is in none of them."""
    marked = "x<script>secret"
    found = score(CHROME, vendor=marked, zone=marked, language=marked, sent={"user_agent": marked})
    assert set(found.codes) <= set(WEIGHTS)
    assert marked not in repr(found)
