"""Line breaks and control characters where a value is to be one line of HTTP.

In a path, a query, a header line or a cookie people write no lines. In a form or JSON they do, header lines and whole
messages among them when they write about HTTP; there the break has to come right behind a single word, as where a value
is put into a header line, and what follows has to be a line that only responses have.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from doorward.attacks.detectors.context import ONE_LINE, context_scale
from doorward.attacks.evidence import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorward.attacks.evidence import Evidence
    from doorward.attacks.rulebook import Rulebook
    from doorward.attacks.subject import Subject
    from doorward.attacks.work import Work

_CONTROL = re.compile(r"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LINE = re.compile(r"[\r\n]\s{0,8}+([a-z][a-z0-9-]{1,40})[\r\n\t ]{0,4}:([^\r\n]{0,80})")
_MESSAGE = re.compile(
    r"[\r\n]\s{0,8}+(?:(?:get|head|post|put|delete|connect|options|trace|patch)\s{1,4}[^\s]{1,400}\s{1,4}http/\d"
    r"|http/\d(?:\.\d)?\s{1,4}\d{3}\b)"
)
_MARKUP = re.compile(r"\n[\r\t ]{0,4}+\n\s{0,4}+<(?:!doctype|html|head|body|script|title|meta|iframe|svg|h1)\b")
_SINGLE_WORD = re.compile(r"\s{0,4}\S{0,96}\s{0,8}\Z")
_TWO_WORDS = re.compile(r"[^\s;]\s[^\s;]")
_INNER_BREAK = re.compile(r"[\r\n]\s{0,8}+[^\s]")
_NEEDED = {
    "location": re.compile(r"[/%]"),
    "content-length": re.compile(r"\d"),
    "set-cookie": re.compile(r"="),
    "refresh": re.compile(r"[\d./]"),
    "link": re.compile(r"<"),
    "date": re.compile(r"\d:\d\d:\d"),
    "status": re.compile(r"\A\s?\d{3}\b"),
    "content-type": re.compile(r"\A\s{0,2}[a-z]{1,20}/\S{1,60}\s{0,2}(?:;|\Z)"),
}
_PLAIN = frozenset({"percent"})
"""Decodings that servers do. Behind others a character is one that somebody wrote about."""
_PASSWORD = re.compile(r"pass(?:word|wd|phrase)?\d?\]?\Z")
"""Whose value may have any signs; percent signs and digits, too."""
_FEW_LINES = 8
_UNITS_OF_LINES = 4
_LONGEST_NAME = 200
_HEADER_LINES = frozenset({Place.HEADER, Place.COOKIE})
_WITHOUT_NULLS = ONE_LINE | {Place.FORM}


class CrlfDetector:
    """Lines of HTTP in values, and characters that have no business in a line.

    Args:
        book: The rules of ``crlf.toml``.
    """

    needs_signs = True

    def __init__(self, book: Rulebook) -> None:
        self.name = f"{book.name} lines"
        self._rule = book.rule
        self._strong = book.words("strong")
        self._known = book.words("known") | self._strong

    def wants(self, subject: Subject) -> bool:
        """Whether there are characters that have no shape, such as line breaks."""
        return not subject.text.isprintable()

    def examine(self, subject: Subject, work: Work) -> Iterator[Evidence]:
        """Lines behind a break, and single characters."""
        text = subject.text
        work.spend(len(text))
        if _PLAIN.issuperset(subject.via):
            yield from self._characters(subject)
        if "\n" not in text and "\r" not in text:
            return
        if subject.is_name and subject.place is Place.QUERY and len(text) <= _LONGEST_NAME:
            yield self._rule("broken_name").at(0, len(text))
        if subject.place in ONE_LINE:
            work.spend(_UNITS_OF_LINES * len(text))
            yield from self._lines(subject)
        elif text.count("\n") <= _FEW_LINES:
            work.spend(_UNITS_OF_LINES * len(text))
            yield from self._lines_in_text(subject)

    def _characters(self, subject: Subject) -> Iterator[Evidence]:
        text, place = subject.text, subject.place
        null = text.find("\0")
        if null >= 0 and place in _WITHOUT_NULLS and not (subject.via and _PASSWORD.search(subject.name.lower()[-32:])):
            # Bytes that are no text at all are a digest or a key, as in a BitTorrent announce.
            yield self._rule("null").at(null, null + 1, scale=0.3 if "\ufffd" in text else 1.0)
        if place in _HEADER_LINES and (found := _CONTROL.search(text)):
            yield self._rule("control").at(found.start(), found.end())
        if place is Place.PATH and (found := _INNER_BREAK.search(text)):
            yield self._rule("broken_path").at(found.start(), found.end())

    def _lines(self, subject: Subject) -> Iterator[Evidence]:
        lower = subject.lower
        if found := _MESSAGE.search(lower):
            yield self._rule("message").at(found.start(), found.end())
        if found := _MARKUP.search(lower):
            yield self._rule("markup").at(found.start(), found.end(), scale=context_scale(subject))
        for line in _LINE.finditer(lower):
            evidence = self._of_line(subject, line)
            if evidence is not None:
                yield evidence
                return

    def _of_line(self, subject: Subject, line: re.Match[str]) -> Evidence | None:
        name, start, end = line[1], line.start(), line.end()
        behind_a_word = _is_behind_a_word(subject.lower, start)
        if name in self._known and (behind_a_word or name in self._strong) and _is_plausible(name, line[2]):
            return self._rule("header").at(start, end, scale=1.0 if behind_a_word else context_scale(subject))
        if subject.place in _HEADER_LINES and subject.name != "referer":
            return self._rule("header").at(start, end)
        if behind_a_word and name not in self._known and subject.lower.count("\n") < _FEW_LINES:
            # A name of several words is one of a header; a single one may be of a text.
            return self._rule("header" if "-" in name else "other_header").at(start, end)
        return None

    def _lines_in_text(self, subject: Subject) -> Iterator[Evidence]:
        lower = subject.lower
        if (found := _MESSAGE.search(lower)) and _is_behind_a_word(lower, found.start()):
            yield self._rule("message").at(found.start(), found.end())
        for line in _LINE.finditer(lower):
            if not _is_behind_a_word(lower, line.start()):
                return
            if line[1] in self._strong and _TWO_WORDS.search(line[2]) is None and _is_plausible(line[1], line[2]):
                yield self._rule("header_in_text").at(line.start(), line.end())
                return


def _is_plausible(name: str, value: str) -> bool:
    """Whether the value is one that a client would understand: places and lengths are in texts, too."""
    needed = _NEEDED.get(name)
    return needed is None or needed.search(value) is not None


def _is_behind_a_word(lower: str, at: int) -> bool:
    """Whether before it there is at most one word."""
    return _SINGLE_WORD.match(lower, 0, at) is not None
