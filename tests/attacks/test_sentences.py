"""Sentences: what is one, and that nothing is lost where only the detectors of languages are asked about it."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.attacks.asking import PLENTY, subject

from doorward import RequestContext, shield
from doorward.attacks.detectors import value_detectors
from doorward.attacks.evidence import Place, Value
from doorward.attacks.screen import Screen
from doorward.attacks.sentences import words_of_sentence
from doorward.attacks.subject import Subject
from doorward.attacks.vocabulary import words_of
from doorward.attacks.work import Work
from doorward.builders.rule_files import plain_values, rulebooks


def scanned(text: str) -> float:
    """What a form's field of a request weighs."""
    body = urlencode({"text": text}).encode()
    headers = [("content-type", "application/x-www-form-urlencoded")]
    return SCANNER.scan_now(RequestContext(method="POST", path="/", headers=headers, body=body), body=True).weight


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
HIDDEN = [
    'x y & "whoami"', 'x y; "whoami"; z', '"systeminfo" & a b c', "a b & $1 whoami", "$1 whoami & a b",
    'x or "a" like "a" and', 'name or "b" between "a" and "c"', "phpinfo (1); a b c", "popen (ls); a b c",
    "x\xbcscript src is a", "select sleep (20 div 3) for us", "union select col from them",
]  # fmt: skip
KNOWN = re.findall(
    r"\w+",
    """or and not like in is between by select from where union all null true false order having limit insert update
    delete drop table exec declare xor regexp div case when then exists sleep benchmark waitfor use show desc a x 1 0
    whoami id ls cat net ping curl wget nc bash sh cmd powershell echo uname python php ruby ver set reboot
    phpinfo system eval popen alert print assert name users password the we please for shoes it and thanks""",
)
AROUND = ["{}", "{}", "{}", "({})", '"{}"', "\u201c{}\u201d", "({}", "{})", "{}%", "$1 {}", "5\xbc{}"]


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


@st.composite
def said(draw: st.DrawFn) -> str:
    """Words that detectors know, with the marks of sentences around them, in any order."""
    parts = []
    for _ in range(draw(st.integers(4, 9))):
        word = draw(st.sampled_from(KNOWN))
        around = draw(
            st.sampled_from(
                ["{}", "{}", "{}", "({})", '"{}"', "\u201c{}\u201d", "({}", "{})", "{}%", "$1 {}", "5\xbc{}"]
            )
        )
        behind = draw(st.sampled_from(["", "", "", ",", ";", ".", "?", ":", ";;", "),", ");"]))
        parts += [around.format(word) + behind, draw(st.sampled_from([" ", " ", " ", "\n", " & ", " - ", "  "]))]
    return "".join(parts).strip()


PLAIN = plain_values()
SCREEN = Screen(value_detectors(rulebooks()))
CERTAIN = 0.6
SCANNER = shield().scanner


@given(said(), st.sampled_from([Place.QUERY, Place.JSON]))
@settings(max_examples=5 * settings().max_examples)
def test_what_is_found_in_sentences_is_asked_for(text: str, place: Place) -> None:
    """Whatever any detector would find there, though only a few are asked, and most sentences are dismissed."""
    value = Value(place, "q", text)
    about = Subject(text, value)
    if about.sentence is None:
        return
    wanted = 0 if PLAIN.says_nothing(about) else SCREEN.wanting(about, SCREEN.all, {})
    for bit, detector in SCREEN.detectors:
        if not wanted & bit and detector.wants(Subject(text, value)):
            found = [each for each in detector.examine(Subject(text, value), Work(PLENTY)) if each.weight >= CERTAIN]
            assert not found, (detector.name, found)


@pytest.mark.parametrize("text", HIDDEN)
def test_attacks_that_read_like_sentences_are_looked_at(text: str) -> None:
    """Commands in quotes, empty parameters, words compared, calls with a blank, fractions for brackets."""
    about = subject(text, Place.FORM)
    assert not PLAIN.says_nothing(about)
    assert scanned(text) >= CERTAIN


@pytest.mark.parametrize("text", SENTENCES)
def test_sentences_say_nothing(text: str) -> None:
    """Unless a word of them is a verb of a query, a command, or an operator beside a number."""
    about = subject(text, Place.FORM)
    assert PLAIN.says_nothing(about) is not any([word in text for word in ("Drop", "mail order", "or 10")])
