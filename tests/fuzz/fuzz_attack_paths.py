"""Whatever value comes, the detectors of paths and inclusion give evidence within it, at a cost in proportion to it.

An input is the value's text; what stands before the first line break is the parameter's name.
"""

from __future__ import annotations

from tests.fuzz.harness import fuzz, instrumented, text_of

with instrumented(__name__):
    from doorward.attacks.detectors import OF_VALUES
    from doorward.attacks.evidence import Place, Value
    from doorward.attacks.subject import Subject
    from doorward.attacks.work import Work
    from doorward.builders.rule_files import rulebooks

LONGEST = 4_608
LEAST_UNITS, MOST_UNITS = 5_000, 100  # at all, and a character
PLACES = (Place.PATH, Place.QUERY, Place.FILENAME, Place.HEADER)
_BOOKS = rulebooks()
DETECTORS = [make(_BOOKS[book]) for book in ("paths", "include") for make in OF_VALUES[book]]


def target(data: bytes) -> None:
    name, _, text = text_of(data)[:LONGEST].partition("\n")
    for place in PLACES:
        subject = Subject(text, Value(place, name, text))
        for detector in DETECTORS:
            work = Work(1_000 * LONGEST)
            found = list(detector.examine(subject, work))
            assert work.spent <= LEAST_UNITS + MOST_UNITS * len(text)
            assert not found or detector.wants(subject), detector.name
            for evidence in found:
                assert 0 <= evidence.start <= evidence.end <= len(text)
                assert 0 <= evidence.weight <= 1


if __name__ == "__main__":
    fuzz(target, "attack_paths")
