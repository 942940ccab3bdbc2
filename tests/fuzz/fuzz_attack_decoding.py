"""Whatever value comes, its further forms are few, distinct, never longer, and cost work in proportion to its length.

An input is the value's text.
"""

from __future__ import annotations

from tests.fuzz.harness import fuzz, instrumented, text_of

with instrumented(__name__):
    from doorward.attacks import decoding
    from doorward.attacks.evidence import Place, Value
    from doorward.attacks.subject import Subject
    from doorward.attacks.work import Work

LONGEST = 4_608
MOST_FORMS = 9
MOST_UNITS = 64  # a character; hand-made inputs stay below 30


def target(data: bytes) -> None:
    text = text_of(data)[:LONGEST]
    work = Work(2 * len(text))
    found = list(decoding.forms(text, work))
    assert len(found) <= MOST_FORMS
    assert len({text, *(form.text for form in found)}) == len(found) + 1
    assert work.spent <= MOST_UNITS * len(text)
    for form in found:
        assert len(form.text) <= len(text)
        assert form.via
    if found:
        assert decoding.may_change(text, (text,))
        assert decoding.may_change(f"a {text} b", ("a", text, "b"))
    check_subject(text)


def check_subject(text: str) -> None:
    subject = Subject(text, Value(Place.QUERY, "q", text))
    assert len(subject.lower) == len(text)
    assert isinstance(subject.is_prose, bool)
    assert isinstance(subject.is_code_like, bool)


if __name__ == "__main__":
    fuzz(target, "attack_decoding")
