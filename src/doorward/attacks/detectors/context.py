"""What stands around evidence: the same words prove less in an article than alone in a parameter."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from doorward.attacks.detectors.patterns import PatternDetector
from doorward.attacks.evidence import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorward.attacks.evidence import Evidence
    from doorward.attacks.rulebook import Rulebook
    from doorward.attacks.subject import Subject
    from doorward.attacks.work import Work

ONE_LINE = frozenset({Place.PATH, Place.QUERY, Place.HEADER, Place.COOKIE, Place.FILENAME})
"""Where people do not write texts of several lines."""

_WORDS = re.compile(r"(?<![^\s])(?:[A-Za-z]?[a-z]{1,20}[,.:]? ){2}[a-z]{2,20}(?![^\s.,?!:;)])")
_SHORT = 160
_LINES = 4
_IN_A_SENTENCE = 0.6
_IN_A_DOCUMENT = 0.4


def is_text(subject: Subject) -> bool:
    """Whether it reads as text that people write: a URL has many words, too, but no blank."""
    return subject.is_prose and (" " in subject.text or "\n" in subject.text or not subject.text.isascii())


def context_scale(subject: Subject) -> float:
    """What is left of the weight of evidence in this text: all of it unless the text is written for readers.

    A sentence around it is one that asks or tells about such things. Several lines, or long prose, are a document: a
    question with code, a log, an article.
    """
    text = subject.text
    if len(text) <= _SHORT:
        return _IN_A_SENTENCE if is_text(subject) or _WORDS.search(text) else 1.0
    if is_text(subject) or text.count("\n") >= _LINES:
        return _IN_A_DOCUMENT
    return 1.0


def document_scale(subject: Subject) -> float:
    """The same for evidence that a single sentence does not explain: less only in documents."""
    scale = context_scale(subject)
    return 1.0 if scale > _IN_A_DOCUMENT else scale


class ContextPatterns(PatternDetector):
    """Rules that are patterns, and weigh less in texts written for readers.

    Args:
        book: The rules. Its vocabulary ``explicit`` names those that weigh the same everywhere.
    """

    def __init__(self, book: Rulebook) -> None:
        super().__init__(book)
        self._explicit = frozenset([f"{book.name}.{name}" for name in book.words("explicit")])

    def examine(self, subject: Subject, work: Work) -> Iterator[Evidence]:
        """The first match of each rule, scaled."""
        for evidence in super().examine(subject, work):
            if evidence.rule in self._explicit:
                yield evidence
            else:
                yield evidence._replace(weight=evidence.weight * self.scale(subject))

    def scale(self, subject: Subject) -> float:
        """What is left of a weight in this text."""
        return context_scale(subject)
