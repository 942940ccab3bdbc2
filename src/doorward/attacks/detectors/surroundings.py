"""Patterns of programming languages, and how much they prove where they stand.

Code alone in a parameter is meant to be run. The same code in a question, a review or a log has words of a person, or
many lines, around it.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from doorward.attacks.detectors.patterns import PatternDetector
from doorward.attacks.evidence import Place
from doorward.attacks.subject import PLAIN_WORD
from doorward.lazily import lazily

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorward.attacks.evidence import Evidence
    from doorward.attacks.rulebook import AttackRule, Rulebook
    from doorward.attacks.subject import Subject
    from doorward.attacks.work import Work

SEARCH_FIELDS = frozenset({"q", "query", "search", "keyword", "keywords", "term", "terms", "title", "tag", "tags"})
"""Where people write names of classes and functions that they look for."""

_FILE_HEADER = re.compile(r"x?[-_.]?file[-_.]?name")
_SAMPLE = "sample"
"""In reports that browsers send, the beginning of a script (Content Security Policy 3 section 5.3)."""
_PROGRAM_LINES = 5
_IN_A_PROGRAM = 0.6
_UNITS_A_SIGIL = 50
"""For what begins with one patterns of several languages look far."""
_MOST_WORDS = 40
_END_OF_NAME = re.compile(r"[\0;%]|::\$")
_QUOTED_CODE = re.compile(r"[^\W\d_]{2}:? `[^`\n]{1,200}`|`[^`\n]{1,200}` [^\W\d_]{2}")
_QUOTED_CODE_COUNTS = 3
"""Code between backticks beside a word is what is talked about: it counts as so many words."""
_SCALES = ((10, 0.0), (6, 0.3), (4, 0.45))
"""From so many plain words around it on, so much of the weight is left."""


class Surroundings:
    """A text, seen as what stands around evidence in it.

    Args:
        subject: The text.
    """

    def __init__(self, subject: Subject) -> None:
        self._subject = subject

    @lazily
    def _plain(self) -> list[int]:
        return [found.start() for found in islice(PLAIN_WORD.finditer(self._subject.text), _MOST_WORDS)]

    @property
    def drown(self) -> bool:
        """Whether nothing of the weight is left wherever in the text evidence may be: so that none has to be sought."""
        return self._subject.is_between_words

    @lazily
    def _words_for_quoted_code(self) -> int:
        text = self._subject.text
        return _QUOTED_CODE_COUNTS if "`" in text and _QUOTED_CODE.search(text) else 0

    def scale(self, start: int, end: int) -> float:
        """What is left of the weight of evidence at a place: less, the more plain words stand around it.

        Plain words are those of a language that people speak: letters, with blanks or punctuation at both ends.
        """
        if self.drown:
            return 0.0
        words = sum([not start <= word < end for word in self._plain]) + self._words_for_quoted_code
        return next((scale for least, scale in _SCALES if words >= least), 1.0)


class CodePatterns(PatternDetector):
    """The pattern rules of a file, weighed by what stands around what they match.

    The file's vocabulary ``explicit`` names rules whose weight stays the same everywhere; those of ``sought`` weigh
    less in search fields.

    Args:
        book: The rules.
    """

    def __init__(self, book: Rulebook) -> None:
        super().__init__(book)
        self._explicit = frozenset([f"{book.name}.{name}" for name in book.words("explicit")])
        self._sought = frozenset([f"{book.name}.{name}" for name in book.words("sought")])
        self._in_any_text = PatternDetector(book.only(book.words("explicit")))

    def examine(self, subject: Subject, work: Work) -> Iterator[Evidence]:
        """The first match of each rule, scaled."""
        around = Surroundings(subject)
        work.spend(_UNITS_A_SIGIL * subject.text.count("$"))
        rules = self._in_any_text if around.drown and not subject.name.endswith(_SAMPLE) else self
        for rule, found in rules.matches(subject, work):
            yield rule.at(found.start(), found.end(), scale=self._scale(rule, around, found.span(), subject))

    def _scale(self, rule: AttackRule, around: Surroundings, span: tuple[int, int], subject: Subject) -> float:
        if rule.id in self._explicit:
            return 1.0
        if subject.name.endswith(_SAMPLE):
            return 0.6
        program = _IN_A_PROGRAM if subject.lines >= _PROGRAM_LINES and subject.is_code_like else 1.0
        sought = rule.id in self._sought and not subject.is_name and subject.name.lower() in SEARCH_FIELDS
        return around.scale(*span) * (0.6 if sought else 1.0) * program


def is_file_name(subject: Subject) -> bool:
    """Whether the text is the name of a file that is uploaded: of a multipart part, or in a header for that."""
    if subject.place is Place.FILENAME:
        return True
    return subject.place is Place.HEADER and _FILE_HEADER.fullmatch(subject.name.lower()) is not None


def runs_on_server(name: str, endings: frozenset[str]) -> bool:
    """Whether a file's name, in lower case, ends in one of the endings, or in one with digits after it.

    What servers and file systems drop is dropped: dots, blanks and NUL at the end, blanks around the ending, and what
    comes after a NUL, a ``;`` or Windows' ``::$DATA``.
    """
    kept = _END_OF_NAME.split(name, maxsplit=1)[0].rstrip(". \t/")
    _stem, dot, ending = kept.rpartition(".")
    return bool(dot) and ending.strip().rstrip("0123456789") in endings
