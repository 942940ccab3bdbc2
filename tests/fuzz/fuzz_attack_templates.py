"""Whatever text comes, detectors of injected code end within their bound of work, in place, and want what they find.

An input is the value's text.
"""

from __future__ import annotations

from tests.fuzz.harness import fuzz, instrumented, text_of

with instrumented(__name__):
    from doorward.attacks.detectors import OF_VALUES
    from doorward.attacks.detectors.java import looked_up
    from doorward.attacks.detectors.templates import expressions
    from doorward.attacks.evidence import Place, Value
    from doorward.attacks.subject import Subject
    from doorward.attacks.work import Work
    from doorward.builders.rule_files import rulebooks

LONGEST = 4_608
FIXED_UNITS = 600
MOST_UNITS = 96  # a character, of all detectors of a file; a text that holds literals of all rules comes to 60
BOOKS = rulebooks()
DETECTORS = {
    name: [make(BOOKS[name]) for make in OF_VALUES[name]] for name in ("template", "java", "php", "node", "code")
}


def target(data: bytes) -> None:
    text = text_of(data)[:LONGEST]
    for place, name in ((Place.QUERY, "q"), (Place.HEADER, "x-filename")):
        check_detectors(Subject(text, Value(place, name, text)))
    check_parts(text)


def check_detectors(subject: Subject) -> None:
    joined = Subject(f"a {subject.text} b", subject.value)
    for detectors in DETECTORS.values():
        work = Work(LONGEST)
        for detector in detectors:
            found = list(detector.examine(subject, work))
            assert all(0.0 <= evidence.weight <= 1.0 for evidence in found)
            assert all(0 <= evidence.start <= evidence.end <= len(subject.text) for evidence in found)
            assert not found or (detector.wants(subject) and detector.wants(joined))
        assert work.spent <= max(FIXED_UNITS, MOST_UNITS * len(subject.text))


def check_parts(text: str) -> None:
    assert len(looked_up(text)) <= len(text)
    held = expressions(text.lower())
    assert len(held.lines) <= len(text.lower()) + len(held.starts)


if __name__ == "__main__":
    fuzz(target, "attack_templates")
