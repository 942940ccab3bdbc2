"""What the detectors of one file of rules make of a text."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from doorward.attacks.detectors import OF_VALUES
from doorward.attacks.evidence import Place, Value
from doorward.attacks.subject import Subject
from doorward.attacks.work import Work
from doorward.builders.rule_files import contents, rulebooks

if TYPE_CHECKING:
    from doorward.attacks.detectors.base import Detector

LONGEST = 4_608
"""Characters that a detector is given at a time, at most."""


@cache
def detectors(book: str) -> list[Detector]:
    """The detectors of a file of rules."""
    rules = rulebooks()[book]
    return [make(rules) for make in OF_VALUES[book]]


def match_examples(book: str) -> list[str]:
    """All texts that the rules of a file say they find."""
    return sorted({text for rule in contents()[book]["rule"] for text in rule["match"]})


def subject_of(text: str, place: Place = Place.FORM, name: str = "x", *, is_name: bool = False) -> Subject:
    """A text as a value, not decoded any further."""
    return Subject(text, Value(place, name, text, is_name))


def found(book: str, subject: Subject) -> dict[str, float]:
    """Rules and weights."""
    weights: dict[str, float] = {}
    for detector in detectors(book):
        if detector.wants(subject):
            for evidence in detector.examine(subject, Work(LONGEST)):
                assert 0 <= evidence.start <= evidence.end <= len(subject.text)
                weights[evidence.rule] = max(weights.get(evidence.rule, 0.0), evidence.weight)
    return weights


def weight(book: str, text: str, place: Place = Place.FORM, name: str = "x") -> float:
    """What the evidence comes to."""
    return sum(found(book, subject_of(text, place, name)).values())


def wants_what_it_finds(book: str, text: str) -> bool:
    """Whether each detector that finds something in a text wants it, also joined with others."""
    return all(
        detector.wants(subject_of(text))
        and detector.wants(Subject.joined([subject_of(each) for each in ("name", text, "value")]))
        for detector in detectors(book)
        if list(detector.examine(subject_of(text), Work(LONGEST)))
    )


def units_a_character(book: str, unit: str) -> tuple[float, float]:
    """What a text made of one unit costs for each character, at half the longest piece and at the longest."""
    costs = []
    for size in (LONGEST // 2, LONGEST):
        work = Work(LONGEST)
        subject = subject_of((unit * size)[:size])
        for detector in detectors(book):
            if detector.wants(subject):
                list(detector.examine(subject, work))
        costs.append(work.spent / size)
    return costs[0], costs[1]


def assert_linear(book: str, unit: str, most: float) -> None:
    """Twice the text is at most about twice the work, and no character costs more than ``most`` units."""
    half, whole = units_a_character(book, unit)
    assert whole <= 1.1 * half + 1
    assert whole <= most
