"""What guessing comes to: weakness 8 of the predecessors was 42 % per address and hour."""

from __future__ import annotations

from collections import Counter
from math import comb
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.challenges.pictures.visitor import Site, fields_of, issue_of, passed

from doorward.challenges.pictures import NAMES, Pictures, luck
from doorward.challenges.pictures.forms import Grade
from doorward.challenges.pictures.kind import _FORMS, _LETTERS, _SOUND
from doorward.challenges.pictures.letters import ALPHABET
from doorward.challenges.verifying import ANSWERS_WINDOW_NS, MOST_OF_NETWORK
from doorward.drivers import SyncPorts, run
from doorward.offload import Offload
from doorward.stores.memory import MemoryStore
from doorward.testing import FakeClock

GRADES = [Grade(hardness, long) for hardness in range(1, 6) for long in (False, True)]
FORMS = {form.name: form for forms in _FORMS.values() for form in forms}
ANSWERS_AN_HOUR = MOST_OF_NETWORK * luck.WINDOW_NS // ANSWERS_WINDOW_NS


@pytest.mark.parametrize("grade", GRADES, ids=str)
@pytest.mark.parametrize("name", FORMS)
def test_a_network_has_less_than_one_percent_luck_in_an_hour(name: str, grade: Grade) -> None:
    """However it guesses: with what costs luck until that is used up, with what costs none all the time."""
    chance = FORMS[name].chance(grade)
    counted = min(luck.tries(chance), ANSWERS_AN_HOUR) * chance
    free = ANSWERS_AN_HOUR * luck.NEGLIGIBLE
    assert counted + free < 0.01
    assert luck.ALLOWANCE + free < 0.01


@pytest.mark.parametrize("name", ["letters", "sound"])
def test_long_drawings_cost_no_luck(name: str) -> None:
    """So that nobody is shut out for what others of the same network did: weakness 10."""
    for hardness in range(1, 6):
        assert luck.cost(FORMS[name].chance(Grade(hardness, long=True))) == 0


def test_chances_are_one_over_the_number_of_answers() -> None:
    """Counted out."""
    assert _LETTERS.chance(Grade(1)) == pytest.approx(1 / len(ALPHABET) ** 4)
    assert _SOUND.chance(Grade(5)) == pytest.approx(1e-6)
    assert FORMS["odd"].chance(Grade(1)) == pytest.approx(1 / 5**4)
    assert FORMS["shapes"].chance(Grade(1)) == pytest.approx(1 / sum(comb(12, size) for size in range(2, 7)))


@pytest.mark.parametrize("name", FORMS)
def test_answers_are_equally_likely(name: str) -> None:
    """No part of an answer comes more often than another: guessing the commonest gains nothing."""
    random, grade, form = Random(8), Grade(1), FORMS[name]
    answers = [form.answer(random, grade) for _ in range(3000)]
    assert max(Counter(answers).values()) < 3000 * form.chance(grade) + 12
    if name == "shapes":
        sizes = Counter(len(answer.split(",")) for answer in answers)
        for size in range(2, 7):
            assert sizes[size] / 3000 == pytest.approx(comb(12, size) * form.chance(grade), abs=0.04)


def guess(site: Site, ip: str) -> str:
    """One blind guess; its code."""
    before = {code: site.why(code) for code in ("wrong", "harder", "passed")}
    token = site.page(ip)
    form = site.kind.shown(issue_of(token)).main
    site.fetch(token, form.path, ip)
    site.send(token, fields_of(form, "1,1,1,1"), ip)
    return next(code for code, count in before.items() if site.why(code) > count)


def test_who_guesses_is_asked_for_more_and_not_shut_out() -> None:
    """Weakness 10: three wrong answers denied everybody behind an address for an hour."""
    site = Site(Pictures("odd", hardness=1))
    tries = int(luck.tries(1 / 5**4))
    assert [guess(site, "203.0.113.7") for _ in range(tries + 2)] == [*["wrong"] * tries, "harder", "harder"]
    assert guess(site, "198.51.100.7") == "wrong", "another network has an allowance of its own"
    # Somebody else behind the same address: the first is not accepted, the second is.
    token = site.page("203.0.113.8")
    form = site.kind.shown(issue_of(token)).main
    site.fetch(token, form.path, "203.0.113.8")
    reply = site.send(token, fields_of(form, site.right(token, form)), "203.0.113.8")
    assert reply.status == 403
    form = site.kind.shown(issue_of(reply.token)).main
    site.fetch(reply.token, form.path, "203.0.113.8")
    assert passed(site.send(reply.token, fields_of(form, site.right(reply.token, form)), "203.0.113.8"))


def test_right_answers_cost_no_luck() -> None:
    """A school behind one address passes as often as it likes."""
    site = Site(Pictures("odd", hardness=1))
    for _ in range(int(luck.tries(1 / 5**4)) + 5):
        token = site.page()
        form = site.kind.shown(issue_of(token)).main
        site.fetch(token, form.path)
        assert passed(site.send(token, fields_of(form, site.right(token, form))))


def test_the_allowance_comes_back() -> None:
    """After an hour."""
    site = Site(Pictures("odd", hardness=1))
    while guess(site, "203.0.113.7") == "wrong":
        pass
    site.clock.advance(7200)
    assert guess(site, "203.0.113.7") == "wrong"


class FromNetwork(NamedTuple):
    """As much of an answer as the allowance looks at."""

    ip: str


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.sampled_from(sorted(FORMS)), st.sampled_from(GRADES), st.integers(0, 900), st.integers(0, 255)),
        max_size=150,
    )
)
def test_no_mix_of_guesses_has_more_luck_than_that(guesses: list) -> None:
    """Of all forms, at all hardness, at any pace, from any address of a network: 0.8 % in any hour."""
    clock = FakeClock()
    store = MemoryStore(clock=clock)
    taken: list[tuple[float, float]] = []
    for name, grade, pause, host in guesses:
        clock.advance(pause)
        chance = FORMS[name].chance(grade)
        if not luck.cost(chance):
            continue
        ports = SyncPorts(store, MemoryStore, Offload, 1.0)
        if run(luck.take(FromNetwork(f"203.0.113.{host}"), chance), ports) is not None:
            taken.append((clock.now(), chance))
            assert sum(each for at, each in taken if at > clock.now() - 3600) <= luck.ALLOWANCE


@pytest.mark.parametrize("name", NAMES)
def test_the_price_rises(name: str) -> None:
    """With each challenge in a row an answer counts later, up to half a minute; with weight it is harder, up to 5."""
    kind = Pictures(name, hardness=1)
    issue = issue_of(Site(kind).page())
    assert [luck.earliest_seconds(attempt) for attempt in range(1, 9)] == [1, 2, 4, 8, 16, 30, 30, 30]
    assert luck.earliest_seconds(10**9) == 30
    weights = [0.0, 14.9, 15.0, 30.0, 60.0, 1e9, float("inf"), -5.0, float("nan")]
    grades = [kind.shown(issue._replace(weight=weight)).grade.hardness for weight in weights]
    assert grades == [1, 1, 2, 3, 5, 5, 5, 1, 1]
    assert not kind.shown(issue).grade.long
    assert kind.shown(issue._replace(attempt=2)).grade.long
