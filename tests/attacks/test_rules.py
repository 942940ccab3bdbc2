"""The rules as they are written down: every one has examples, and every example holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from doorward.attacks import decoding
from doorward.attacks.detectors import OF_REQUESTS, OF_VALUES, value_detectors
from doorward.attacks.evidence import Family, Place, Value
from doorward.attacks.scan import may_be_plain
from doorward.attacks.subject import Subject
from doorward.attacks.work import Work
from doorward.builders.rule_files import contents, plain_values, rulebooks

if TYPE_CHECKING:
    from collections.abc import Iterator

PARANOID = 3
BOOKS = rulebooks(PARANOID)
DETECTORS = value_detectors(BOOKS)
VALUE_FILES = sorted(OF_VALUES)
PLAIN = plain_values()


def rules() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every rule of the files about values, by its id."""
    for name in VALUE_FILES:
        for entry in contents()[name].get("rule", ()):
            yield f"{name}.{entry['id']}", entry


def examples(key: str) -> list[Any]:
    """Rule and example, for each example under ``key``."""
    return [
        pytest.param(rule, entry, text, id=f"{rule}-{number}")
        for rule, entry in rules()
        for number, text in enumerate(entry.get(key, ()))
    ]


def value_of(entry: dict[str, Any], text: str) -> Value:
    """An example as a value at the place that its rule is about."""
    place = Place(entry.get("places", [Place.QUERY])[0])
    return Value(place, entry.get("name", "q"), text, entry.get("is_name", False))


def found(text: str, entry: dict[str, Any]) -> set[str]:
    """The rules that find something in a text, or in what it may be decoded to."""
    value = value_of(entry, text)
    forms = [Subject(text, value), *[Subject(form.text, value, form.via) for form in decoding.forms(text)]]
    return {
        evidence.rule
        for subject in forms
        for detector in DETECTORS
        if detector.wants(subject)
        for evidence in detector.examine(subject, Work(len(text)))
        if evidence.weight > 0
    }


@pytest.mark.parametrize(("rule", "entry", "text"), examples("match"))
def test_what_a_rule_says_it_finds_it_finds(rule: str, entry: dict[str, Any], text: str) -> None:
    """Each ``match`` example."""
    assert rule in found(text, entry)


@pytest.mark.parametrize(("rule", "entry", "text"), examples("pass"))
def test_what_a_rule_says_it_lets_pass_passes(rule: str, entry: dict[str, Any], text: str) -> None:
    """Each ``pass`` example."""
    assert rule not in found(text, entry)


@pytest.mark.parametrize("rule", [pytest.param(pair, id=pair[0]) for pair in rules()])
def test_a_rule_is_complete(rule: tuple[str, dict[str, Any]]) -> None:
    """A weight that counts, a reason that can be read, a known family and places, and examples of both kinds."""
    _, entry = rule
    assert 0 < entry["weight"] <= 1
    assert entry["reason"]
    assert not entry["reason"].endswith(".")
    assert entry.get("paranoia", 1) in (1, 2, 3)
    assert Family(entry.get("family", contents()[rule[0].partition(".")[0]]["family"]))
    assert entry["match"]
    assert entry["pass"]


def test_every_file_is_read_by_a_detector() -> None:
    """No rule that nobody applies."""
    assert set(contents()) == {*OF_VALUES, *OF_REQUESTS}


@pytest.mark.parametrize(("rule", "entry", "text"), examples("match"))
def test_what_is_found_is_not_dismissed_as_plain(rule: str, entry: dict[str, Any], text: str) -> None:
    """The values that are dismissed before any detector is asked hold nothing that one would find."""
    value = value_of(entry, text)
    header = value.name if value.place is Place.HEADER else ""
    if may_be_plain(value):
        assert not PLAIN(text, header), rule


@pytest.mark.parametrize("name", VALUE_FILES)
def test_literals_are_in_lower_case(name: str) -> None:
    """As the text is in which they are looked for."""
    for rule in BOOKS[name].patterns:
        assert all(literal == literal.lower() for literal in rule.literals)
