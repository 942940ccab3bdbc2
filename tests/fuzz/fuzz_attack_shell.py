"""Whatever value comes, the detectors of commands give evidence within it, at a cost in proportion to its length.

An input is the value's text.
"""

from __future__ import annotations

from tests.fuzz.harness import fuzz, instrumented, text_of

with instrumented(__name__):
    from doorward.attacks.detectors import OF_VALUES
    from doorward.attacks.detectors.shell_words import CMD, POSIX, command_at, positions
    from doorward.attacks.evidence import Place, Value
    from doorward.attacks.subject import Subject
    from doorward.attacks.work import Work
    from doorward.builders.rule_files import rulebooks

LONGEST = 4_608
LEAST_UNITS, MOST_UNITS = 20_000, 1_000  # at all, and a character; hand-made inputs stay below 450
_BOOKS = rulebooks()
DETECTORS = [make(_BOOKS[book]) for book in ("shell", "windows") for make in OF_VALUES[book]]


def target(data: bytes) -> None:
    text = text_of(data)[:LONGEST]
    subject = Subject(text, Value(Place.QUERY, "q", text))
    for detector in DETECTORS:
        work = Work(1_000 * LONGEST)
        found = list(detector.examine(subject, work))
        assert work.spent <= LEAST_UNITS + MOST_UNITS * len(text)
        assert not found or detector.wants(subject), detector.name
        for evidence in found:
            assert 0 <= evidence.start <= evidence.end <= len(text)
            assert 0 <= evidence.weight <= 1
    check_words(subject.lower)


def check_words(lower: str) -> None:
    for dialect in (POSIX, CMD):
        for match in positions(lower):
            command = command_at(lower, match, dialect)
            assert command is None or all(command.words)


if __name__ == "__main__":
    fuzz(target, "attack_shell")
