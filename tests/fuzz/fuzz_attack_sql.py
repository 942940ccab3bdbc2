"""Whatever text comes, its tokens lie where they are said to lie, and what is found in it is wanted and bounded.

An input is the text; the detector of injections into SQL looks at it.
"""

from __future__ import annotations

from tests.fuzz.harness import fuzz, instrumented, text_of

with instrumented(__name__):
    from doorward.attacks.detectors.sql import SqlDetector
    from doorward.attacks.detectors.sql_screen import windows
    from doorward.attacks.detectors.sql_tokens import KINDS, Lexicon, without_comments
    from doorward.attacks.evidence import Place, Value
    from doorward.attacks.subject import Subject
    from doorward.attacks.work import Work
    from doorward.builders.rule_files import rulebooks

BOOK = rulebooks(3)["sql"]
DETECTOR = SqlDetector(BOOK)
LEXICON = Lexicon(BOOK)
MOST_UNITS = 300  # a character: four readings of a short text, each character a token


class Counted(Work):
    """Counts, and does not stop."""

    def __init__(self) -> None:
        super().__init__(0)
        self.bound = 10**12


def check_tokens(lower: str) -> None:
    """Known kinds, in order; comments become blank and nothing else moves."""
    tokens = LEXICON.tokens(lower)
    assert set(tokens.kinds) <= KINDS.keys()
    assert len(tokens.kinds) == len(tokens.texts)
    start, end = tokens.span(0, len(tokens.texts))
    assert 0 <= start <= end <= len(lower)
    assert len(without_comments(lower)) == len(lower)


def check_windows(lower: str) -> None:
    """Apart, in order, within the text."""
    last = -1
    for start, end in windows(lower):
        assert last < start < end <= len(lower)
        last = end


def check_detector(text: str, offset: int) -> None:
    """What is found lies within the text and weighs what it may."""
    subject = Subject(text, Value(Place.QUERY, "q", text, False, offset))
    work = Counted()
    for item in DETECTOR.examine(subject, work):
        assert 0 <= item.start <= item.end <= len(text)
        assert 0 < item.weight <= 1
    assert work.spent <= MOST_UNITS * (len(text) + 1)


def target(data: bytes) -> None:
    text = text_of(data)
    check_tokens(text.lower())
    check_windows(text.lower())
    check_detector(text, 0)
    check_detector(text, 4_096)


if __name__ == "__main__":
    fuzz(target, "attack_sql")
