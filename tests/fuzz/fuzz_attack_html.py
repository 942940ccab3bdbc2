"""Whatever text comes, the tags in it lie where they are said to lie, and what is found in it is wanted and bounded.

An input is the text; the detectors of markup and of scripts look at it.
"""

from __future__ import annotations

from tests.fuzz.harness import fuzz, instrumented, text_of

with instrumented(__name__):
    from doorward.attacks.detectors.html import HtmlDetector
    from doorward.attacks.detectors.html_tokens import DEEPEST, tags
    from doorward.attacks.detectors.javascript import LONGEST, compact, is_only_code, strength, uses
    from doorward.attacks.detectors.script import ScriptDetector
    from doorward.attacks.evidence import Place, Value
    from doorward.attacks.subject import Subject
    from doorward.attacks.work import Work
    from doorward.builders.rule_files import rulebooks

BOOKS = rulebooks(3)
DETECTORS = (HtmlDetector(BOOKS["html"]), ScriptDetector(BOOKS["script"]))
MOST_UNITS = 1_000  # a character: what a tag of three characters or a handler of six costs, and what both cost at once


class Counted(Work):
    """Counts, and does not stop."""

    def __init__(self) -> None:
        super().__init__(0)
        self.bound = 10**12


def check_tags(text: str) -> None:
    """Tags and attributes lie within the text, in order, and are read as they are written."""
    last = dict.fromkeys(range(DEEPEST + 1), 0)
    for tag in tags(text, {"script"}):
        assert last[tag.depth] <= tag.start < tag.end <= len(text)
        last[tag.depth] = tag.end if tag.depth == 0 else 0
        assert text[tag.start] == "<"
        assert tag.name.isascii()
        position = tag.start + 1
        for attribute in tag.attributes:
            assert position <= attribute.start <= attribute.end <= tag.end
            assert attribute.value in text[attribute.start : attribute.end]
            position = attribute.end


def check_code(text: str) -> None:
    """Code is compacted, its uses lie within it, and the strongest of them says how strong it is."""
    short = compact(text)
    assert len(short) <= LONGEST * 3  # a letter may be three in lower case
    found = list(uses(short))
    assert all(0 <= use.start < use.end <= len(short) for use in found)
    assert "(" not in text or strength(text) >= max((use.strength for use in found), default=0)
    is_only_code(text)


def check_detectors(text: str) -> None:
    """What is found lies within the text and weighs what it may; where anything is found, the screen wants it."""
    for detector in DETECTORS:
        subject = Subject(text, Value(Place.QUERY, "q", text))
        work = Counted()
        evidence = list(detector.examine(subject, work))
        assert work.spent <= MOST_UNITS * (len(text) + 1)
        for item in evidence:
            assert 0 <= item.start <= item.end <= len(text)
            assert 0 < item.weight <= 1
        assert not evidence or detector.wants(subject)


def target(data: bytes) -> None:
    text = text_of(data)
    check_tags(text)
    check_code(text)
    check_detectors(text)


if __name__ == "__main__":
    fuzz(target, "attack_html")
