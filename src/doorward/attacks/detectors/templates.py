"""Expressions in the delimiters of template engines."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

from doorward.attacks.detectors.surroundings import Literals, Surroundings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from doorward.attacks.evidence import Evidence
    from doorward.attacks.rulebook import AttackRule, Rulebook
    from doorward.attacks.subject import Subject
    from doorward.attacks.work import Work

CLOSERS = {
    "{{": "}}", "{%": "%}", "<%": "%>", "[[": "]]", "[%": "%]", "[=": "]", "@(": ")",
    "${": "}", "#{": "}", "*{": "}", "~{": "}", "@{": "}", "{": "}",
}  # fmt: skip
"""What closes an expression that begins so. A single brace is one only at the beginning of a text."""

LONGEST = 2_048
"""Characters of an expression that are looked at; what is longer goes on as another."""

_OPENER = re.compile(r"\{\{|\{%|[$#*~@]\{|<%|@\(|\[[\[%=]|\A\s{0,8}+\{")
_SCREEN = ("{", "<%", "@(", "[[", "[%", "[=")
_UNITS_A_CHARACTER = 1


class Expressions(NamedTuple):
    """The expressions of a text, each on a line of its own.

    Attributes:
        lines: What opens each, and what is in it, in lower case, blanks for line breaks.
        starts: Where in ``lines`` each begins.
        offsets: Where in the text each begins.
    """

    lines: str
    starts: Sequence[int]
    offsets: Sequence[int]

    def span(self, found: re.Match[str]) -> tuple[int, int]:
        """Where in the text a match is."""
        number = bisect_right(self.starts, found.start()) - 1
        shift = self.offsets[number] - self.starts[number]
        return found.start() + shift, found.end() + shift


def expressions(lower: str) -> Expressions:
    """Find the expressions: each ends with what closes it, or after ``LONGEST``; the next begins behind it."""
    lines: list[str] = []
    starts: list[int] = []
    offsets: list[int] = []
    size = position = 0
    while opened := _OPENER.search(lower, position):
        opener = opened[0].lstrip()
        begin = opened.end() - len(opener)
        closed = lower.find(CLOSERS[opener], opened.end(), begin + LONGEST)
        end = closed if closed >= 0 else min(len(lower), begin + LONGEST)
        line = lower[begin:end].replace("\n", " ")
        lines.append(line)
        starts.append(size)
        offsets.append(begin)
        size += len(line) + 1
        position = max(end, opened.end())
    return Expressions("\n".join(lines), starts, offsets)


class TemplateDetector:
    """The rules of ``template.toml``, searched in the expressions of a text, and weighed by what stands around them.

    Args:
        book: The rules.
    """

    def __init__(self, book: Rulebook) -> None:
        self.name = book.name
        self._explicit = frozenset([f"{book.name}.{name}" for name in book.words("explicit")])
        whole = frozenset([f"{book.name}.{name}" for name in book.words("whole_text")])
        in_text = [literal for rule in book.patterns if rule.id in whole for literal in rule.literals]
        self._screen = Literals.of([*_SCREEN, *[literal for literal in in_text if "{" not in literal]])
        self._in_text = [(rule, Literals.of(rule.literals)) for rule in book.patterns if rule.id in whole]
        self._in_expressions = [(rule, Literals.of(rule.literals)) for rule in book.patterns if rule.id not in whole]

    def wants(self, subject: Subject) -> bool:
        """Whether there may be an expression, or a directive."""
        return self._screen.occur(subject)

    def examine(self, subject: Subject, work: Work) -> Iterator[Evidence]:
        """The first match of each rule, scaled."""
        around = Surroundings(subject)
        for rule, literals in self._in_text:
            if rule.pattern is not None and literals.occur(subject):
                work.spend(_UNITS_A_CHARACTER * len(subject.lower))
                if found := rule.pattern.search(subject.lower):
                    yield self._scaled(rule, found.span(), around)
        work.spend(_UNITS_A_CHARACTER * len(subject.lower))
        held = expressions(subject.lower)
        if not held.starts:
            return
        for rule, literals in self._in_expressions:
            if rule.pattern is not None and literals.occur(subject):
                work.spend(_UNITS_A_CHARACTER * len(held.lines))
                if found := rule.pattern.search(held.lines):
                    yield self._scaled(rule, held.span(found), around)

    def _scaled(self, rule: AttackRule, span: tuple[int, int], around: Surroundings) -> Evidence:
        return rule.at(*span, scale=1.0 if rule.id in self._explicit else around.scale(*span))
