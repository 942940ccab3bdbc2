"""From challenge to clearance: who is doubtful pays more, is asked for more, and always has a way on."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.challenges.signals.browsers import CHROME
from tests.challenges.signals.sites import Paid, Picture, Site

from doorward.challenges.following import MOST_IN_A_ROW
from doorward.challenges.signals.kind import Browser
from doorward.challenges.signals.weights import MOST
from doorward.errors import ConfigurationError

GOOD = CHROME.signals
DRIVEN = {**GOOD, "webdriver": True}


def site(*more: Any) -> tuple[Site, Paid]:
    paid = Paid()
    return Site([Browser(paid), *more]), paid


def test_a_person_passes_at_once() -> None:
    """And comes to the page."""
    a_site, _ = site()
    page = a_site.get()
    assert page.status == 403
    assert "signals" in page.text
    done = a_site.answer(page, GOOD, paid="yes")
    assert done.status == 303
    assert a_site.get(cookie=done.cookie).text == "let in"


def test_the_page_is_told_its_kind() -> None:
    told = json.loads(site()[0].get(accept="application/json").text)["challenge"]
    assert told["kind"] == told["level"] == "browser"


def test_who_has_not_paid_learns_nothing_of_signals() -> None:
    a_site, _ = site()
    for signals in (GOOD, DRIVEN, {}):
        refused = a_site.answer(a_site.get(), signals, accept="application/json")
        assert json.loads(refused.text)["code"] == "wrong"
    assert not [name for name in a_site.client.stats() if "found" in name]


@pytest.mark.parametrize("signals", ["{}", "", "null", '{"webdriver": false}', json.dumps({**GOOD, "cores": "8"})])
def test_regression_a_plain_script_never_passes(signals: str) -> None:
    """NoBot was passed by three fields, Vouch by none: here not even by paying every time."""
    a_site, paid = site()
    got = a_site.get()
    for _ in range(MOST_IN_A_ROW):
        got = a_site.answer(got, signals, paid="yes")
        assert got.status == 403
        assert not got.cookie
    assert paid.posed == [MOST * attempt for attempt in range(MOST_IN_A_ROW)]
    assert '<a class="button" href="/x">' in got.text


def test_a_doubtful_client_is_sent_to_a_person_s_challenge() -> None:
    a_site, _ = site(Picture())
    doubtful = a_site.answer(a_site.get(), DRIVEN, paid="yes", accept="application/json")
    told = json.loads(doubtful.text)
    assert told["code"] == "doubtful"
    assert told["challenge"]["level"] == "human"
    done = a_site.answer(doubtful, "", paid="yes")
    assert done.status == 303
    assert done.headers["Location"].startswith("/.doorward/landed")
    assert a_site.get(cookie=done.cookie).text == "let in"


def test_without_one_it_pays_more_and_is_not_locked_out() -> None:
    """Signals alone keep nobody out."""
    a_site, paid = site()
    doubtful = a_site.answer(a_site.get(), DRIVEN, paid="yes")
    assert (doubtful.status, doubtful.cookie) == (403, "")
    assert paid.posed == [0.0, 10.0]
    assert a_site.answer(doubtful, DRIVEN, paid="no").status == 403
    # That was for nothing: the price stays as it was.
    again = a_site.answer(a_site.get(), DRIVEN, paid="yes")
    done = a_site.answer(again, DRIVEN, paid="yes")
    assert a_site.get(cookie=done.cookie).text == "let in"


def test_a_wrong_answer_makes_nothing_cheaper() -> None:
    """Regression: the challenge after it had no weight."""
    a_site, paid = site()
    got = a_site.answer(a_site.get(), DRIVEN, paid="yes")
    a_site.answer(got, GOOD, paid="no")
    assert paid.posed == [0.0, 10.0, 10.0]


def test_one_payment_is_judged_once() -> None:
    """Signals are not tried out on it, and nothing follows from the same answer sent again."""
    a_site, _ = site(Picture())
    page = a_site.get()
    assert json.loads(a_site.answer(page, DRIVEN, paid="yes", accept="application/json").text)["code"] == "doubtful"
    better = json.loads(a_site.answer(page, GOOD, paid="yes", accept="application/json").text)
    same = json.loads(a_site.answer(page, DRIVEN, paid="yes", accept="application/json").text)
    assert better["code"] == same["code"] == "spent"
    assert "challenge" not in better.keys() | same.keys()


def test_a_fresh_challenge_carries_no_doubt() -> None:
    """It has to be found again, and paid again."""
    a_site, _ = site()
    a_site.answer(a_site.get(), DRIVEN, paid="yes")
    assert a_site.answer(a_site.get(), DRIVEN, paid="yes").status == 403


def test_an_end_with_a_way_on() -> None:
    """After the last attempt a page says so, with a link to where the client wanted to go."""
    a_site, _ = site()
    got = a_site.get("/shop")
    for _ in range(MOST_IN_A_ROW):
        got = a_site.answer(got, GOOD, paid="no")
    assert '<a class="button" href="/shop">' in got.text
    assert a_site.answer(a_site.get("/shop"), GOOD, paid="yes").status == 303


def test_signals_are_counted_by_name_and_never_kept() -> None:
    """Their values are in no counter, no log line and no answer."""
    a_site, _ = site()
    marked = {**DRIVEN, "zone": "Mars/Olympus", "graphics": {"vendor": "Olympus", "renderer": "Olympus"}}
    got = a_site.answer(a_site.get(), marked, paid="yes")
    counters = a_site.client.stats()
    assert counters["challenge.browser.found.webdriver"] == 1
    assert counters["challenge.browser.doubtful"] == 1
    assert "Olympus" not in repr(counters) + got.text + repr(got.headers)


fields = st.dictionaries(st.text(max_size=12) | st.sampled_from(["token", "signals", "paid"]), st.text(max_size=40))


@given(fields, st.sampled_from(["keep", "replace"]), st.sampled_from(["text/html", "application/json"]))
def test_whatever_is_sent_is_answered(sent: dict[str, str], token: str, accept: str) -> None:
    """With a refusal; nothing is swallowed, and nobody passes by it."""
    a_site, _ = site()
    got = a_site.get()
    if token == "keep":
        sent = {name: value for name, value in sent.items() if name != "token"}
    answer = a_site.answer(got, sent.pop("signals", ""), accept=accept, **{"paid": "yes", **sent})
    assert answer.status == 403
    assert not answer.cookie
    assert "unavailable" not in answer.text
    assert not [name for name in a_site.client.stats() if name.startswith("error.")]


@pytest.mark.parametrize("doubtful", [0, -1, True, "10", None, float("nan"), 41])
def test_a_wrong_threshold(doubtful: Any) -> None:
    with pytest.raises(ConfigurationError, match="doubtful"):
        Browser(Paid(), doubtful=doubtful)


def test_another_threshold() -> None:
    strict = Site([Browser(Paid(), doubtful=2)])
    assert strict.answer(strict.get(), {**GOOD, "graphics": None}, paid="yes").status == 403
    lax = Site([Browser(Paid(), doubtful=20)])
    assert lax.answer(lax.get(), DRIVEN, paid="yes").status == 303
