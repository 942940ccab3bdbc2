"""Sentences: what is one, and that nothing is lost where only the detectors of languages are asked about it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.attacks.asking import PLENTY, subject

from doorward.attacks.detectors import OF_VALUES, value_detectors
from doorward.attacks.evidence import Place, Value
from doorward.attacks.screen import Screen
from doorward.attacks.sentences import words_of_sentence
from doorward.attacks.subject import Subject
from doorward.attacks.vocabulary import words_of
from doorward.attacks.work import Work
from doorward.builders.rule_files import contents, plain_values, rulebooks

SENTENCES = [
    "The shoes arrived on Monday, and they're great value for money (really).",
    "We'd like a table for 4 (two adults, two kids) at 7:30 pm, please.",
    'My sister said: "Drop them & update your order where you can"; so I did.',
    "It costs $12 and/or 10.50 € - that is 5 % too much!",
    "Die Größe stimmt nicht… Können Sie „größer“ liefern?",
    "Thanks so much!\n\nSee you on Monday,\nMary Ann",
    "Obrigado pela ajuda, d'água e tudo mais.",
    "Спасибо, всё пришло вовремя, я доволен.",
    "mail order from a catalogue, as before",
]
OTHERS = [
    "", "plain", "two words", "three short words",
    "it's = 1 or more of them", "x' or 1 is all we need", 'say admin" or "1 to them all', "a b c -d", "a b c --",
    "look at /etc/passwd for me please", "run this ;ls for me please", "call f() for me now please",
    "java.lang.Runtime is a class of Java", "a b c `d`", "a b c | d", "a b c $x", "a b c <d> e",
    "dear all\nSubject: x y z",
    "tabs\tbetween words are for code", "one 'quoted' word in all that", "snake_case is not a word of them",
]  # fmt: skip
BEFORE = ["", "Please look at this for me now. ", "We think of it as follows: ", "Thanks a lot, and so on; "]
BEHIND = ["", " and so on and so forth", ". Thanks a lot for that!"]


@pytest.mark.parametrize("text", SENTENCES)
def test_words_with_their_marks_are_sentences(text: str) -> None:
    """In any language with spaces between words."""
    assert words_of_sentence(text.lower()) is not None


@pytest.mark.parametrize("text", OTHERS)
def test_signs_elsewhere_and_short_values_are_not(text: str) -> None:
    """Where a sign could mean something to a machine, or there are no sentences yet."""
    assert words_of_sentence(text.lower()) is None


@given(st.lists(st.from_regex(r"[a-z]{1,6}(?:'[a-z]{1,2})?[.,;:!?)]{0,2}|[0-9]{1,3}%?|&|", fullmatch=True), min_size=4))
def test_the_words_are_those_of_any_text(words: list[str]) -> None:
    """Found in another way, but the same."""
    text = " ".join(words)
    found = words_of_sentence(text)
    assert found is None or found == words_of(text)


@pytest.mark.parametrize("place", [Place.HEADER, Place.PATH, Place.FILENAME])
def test_what_is_read_by_other_rules_is_no_sentence(place: Place) -> None:
    """Words alone tell in names of scanners and of files."""
    assert subject(SENTENCES[0], place).sentence is None
    assert subject(SENTENCES[0], Place.FORM).sentence is not None


def test_many_texts_joined_are_no_sentence() -> None:
    """Not one of them needs to be."""
    assert Subject.joined([subject("it is all fine with me"), subject("yes")]).sentence is None


def _said() -> list[tuple[str, dict[str, Any], str]]:
    """Examples of attacks that are sentences, alone or with some around them."""
    found = []
    for book in OF_VALUES:
        for entry in contents()[book]["rule"]:
            for example in entry["match"]:
                texts = [f"{before}{example}{behind}" for before in BEFORE for behind in BEHIND]
                found += [(book, entry, text) for text in texts if words_of_sentence(text.lower()) is not None]
    return found


def test_what_is_found_in_sentences_is_asked_for() -> None:
    """Whatever any detector would find in one, though only a few are asked: also at paranoia 3."""
    plain = plain_values()
    screen = Screen(value_detectors(rulebooks(3)))
    said = _said()
    assert len(said) > 100
    told = 0
    for _, entry, text in said:
        value = Value(Place(entry.get("places", ["form"])[0]), "q", text)
        if Subject(text, value).sentence is None:
            continue
        wanted = screen.wanting(Subject(text, value), screen.all, {})
        for bit, detector in screen.detectors:
            if any([evidence.weight >= 0.2 for evidence in detector.examine(Subject(text, value), Work(PLENTY))]):
                told += 1
                assert wanted & bit, (detector.name, text)
                assert not plain.says_nothing(Subject(text, value)), (detector.name, text)
    assert told > 50


@pytest.mark.parametrize("text", SENTENCES)
def test_sentences_say_nothing(text: str) -> None:
    """Unless a word of them is a verb of a query, a command, or an operator beside a number."""
    about = subject(text, Place.FORM)
    assert plain_values().says_nothing(about) is not any([word in text for word in ("Drop", "mail order", "or 10")])
