"""Browsers of people are not doubtful: what they report, as it is documented, stays below the threshold."""

from __future__ import annotations

import json

import pytest
from tests.challenges.signals.browsers import CHROME, PEOPLE, Person

from doorward.automation import Examiner
from doorward.challenges.signals.score import scored
from doorward.challenges.signals.weights import DOUBTFUL, Score

SECOND = 1000


def score(person: Person, **changed: str | None) -> Score:
    return scored(person.signals, person.request(**changed), SECOND, Examiner())


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.name)
def test_a_person_is_not_doubtful(person: Person) -> None:
    """Nor by half of it: something else may be odd about anybody."""
    assert score(person).points <= DOUBTFUL / 2, score(person).codes


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.name)
def test_signals_as_json_say_the_same(person: Person) -> None:
    """Forms have only text."""
    as_text = json.dumps(person.signals)
    assert scored(as_text, person.request(), SECOND, Examiner()) == score(person)


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.name)
def test_a_proxy_that_removes_headers_makes_nobody_doubtful(person: Person) -> None:
    """As those of companies and of privacy extensions do."""
    stripped: dict[str, str | None] = {
        "sec_ch_ua": None, "sec_ch_ua_mobile": None, "sec_ch_ua_platform": None, "referer": None
    }  # fmt: skip
    assert score(person, **stripped).points < DOUBTFUL


@pytest.mark.parametrize("brand", [" Not A;Brand", "(Not(A:Brand", '"Not\\A;Brand', "Not/A)Brand"])
def test_the_brand_that_is_made_up_may_be_written_in_any_way(brand: str) -> None:
    """In headers some of its characters are escaped."""
    escaped = brand.replace("\\", "\\\\").replace('"', '\\"')
    brands = [[brand, "99"], ["Chromium", "144"], ["Google Chrome", "144"]]
    signals = {**CHROME.signals, "hints": {**CHROME.signals["hints"], "brands": brands}}
    sent = f'"{escaped}";v="99", "Chromium";v="144", "Google Chrome";v="144"'
    found = scored({**signals, "worker": {**signals["worker"], "hints": signals["hints"]}},
                   CHROME.request(sec_ch_ua=sent), SECOND, Examiner())  # fmt: skip
    assert found.codes == ()


def test_the_commonest_has_nothing_against_it() -> None:
    assert score(CHROME) == Score(0.0, ())
