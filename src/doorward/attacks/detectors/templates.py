"""Expressions in the delimiters of template engines."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

from doorward.attacks.detectors.joined import is_one_value
from doorward.attacks.detectors.surroundings import Surroundings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

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

_OPENER = re.compile(r"[{$#*~@<\[](?:(?<=[{$#*~@])\{|(?<=[{<])%|(?<=@)\(|(?<=\[)[\[%=])")
_OPENER_AT_BEGINNING = re.compile(r"\s{0,8}+\{")
_OPENERS = re.compile(r"\{|<%|@\(|\[[\[%=]")
_PROBE = re.compile(
    r"(?:\{%?|<%|@\(|\[[\[%=])[\s={$@*#~:!-]{0,8}+"
    r"""(?:["'(\[]{0,3}+\d|(?:["'][^"'\n]{0,40}+["']|\[\s?\]|\(\s?\))\s?\.)"""
)
"""A number, or a member of a literal, right behind what opens an expression."""
_UNITS_A_PATTERN = 50
_UNITS_A_CHARACTER = 2
_UNITS_AN_EXPRESSION = 300


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
    opened = _OPENER.match(lower) or _OPENER_AT_BEGINNING.match(lower) or _OPENER.search(lower)
    while opened:
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
        opened = _OPENER.search(lower, position)
    return Expressions("\n".join(lines), starts, offsets)


class TemplateDetector:
    """The rules of ``template.toml``, searched in the expressions of a text, and weighed by what stands around them.

    Args:
        book: The rules.
    """

    needs_signs = True

    def __init__(self, book: Rulebook) -> None:
        self.name = book.name
        self._explicit = frozenset([f"{book.name}.{name}" for name in book.words("explicit")])
        self._sure_alone = frozenset([f"{book.name}.{name}" for name in book.words("sure_alone")])
        whole = frozenset([f"{book.name}.{name}" for name in book.words("whole_text")])
        probing = frozenset([f"{book.name}.{name}" for name in book.words("probing")])
        rules = [(rule, rule.pattern) for rule in book.patterns if rule.pattern is not None]
        self._in_text = [(rule, pattern) for rule, pattern in rules if rule.id in whole]
        self._in_expressions = [(rule, pattern) for rule, pattern in rules if rule.id not in whole]
        self._telling_in_text = _literals([rule for rule, _ in self._in_text])
        self._telling = _literals([rule for rule, _ in self._in_expressions if rule.id not in probing])
        self._in_any_text = [(rule, pattern) for rule, pattern in self._in_expressions if rule.id in self._explicit]
        self._telling_in_any_text = _literals([rule for rule, _ in self._in_any_text])
        self._vocabulary = book.vocabulary

    def wants(self, subject: Subject) -> bool:
        """Whether there may be an expression that has something telling in it, or a directive."""
        occurring = subject.occurring(self._vocabulary)
        if not self._telling_in_text.isdisjoint(occurring):
            return True
        lower = subject.lower
        if not ("{" in lower or "<" in lower or "[" in lower or "@" in lower) or _OPENERS.search(lower) is None:
            return False
        if is_one_value(subject) and Surroundings(subject).drown:
            return not self._telling_in_any_text.isdisjoint(occurring)
        return not self._telling.isdisjoint(occurring) or _PROBE.search(lower) is not None

    def examine(self, subject: Subject, work: Work) -> Iterator[Evidence]:
        """The first match of each rule, scaled."""
        around = Surroundings(subject)
        occurring = subject.occurring(self._vocabulary)
        if not self._telling_in_text.isdisjoint(occurring):
            for rule, found in _matches(self._in_text, subject.lower, occurring, work):
                yield self._scaled(rule, found.span(), around, subject.lower)
        work.spend(_UNITS_A_CHARACTER * len(subject.lower))
        held = expressions(subject.lower)
        if held.starts:
            work.spend(_UNITS_AN_EXPRESSION * len(held.starts))
            rules = self._in_any_text if around.drown else self._in_expressions
            for rule, found in _matches(rules, held.lines, occurring, work):
                yield self._scaled(rule, held.span(found), around, subject.lower)

    def _scaled(self, rule: AttackRule, span: tuple[int, int], around: Surroundings, lower: str) -> Evidence:
        scale = 1.0 if rule.id in self._explicit else around.scale(*span)
        if scale == 1.0 and rule.id in self._sure_alone and _is_alone(lower, span[0]):
            scale = 1.0 / rule.weight
        return rule.at(*span, scale=scale)


def _is_alone(lower: str, start: int) -> bool:
    """Whether the text is the expression that begins there, and ends with one."""
    return not lower[:start].strip() and lower.rstrip().endswith(("}", ">", ")"))


def _literals(rules: Iterable[AttackRule]) -> frozenset[str]:
    return frozenset().union(*[rule.literals for rule in rules])


def _matches(
    rules: Iterable[tuple[AttackRule, re.Pattern[str]]], lower: str, occurring: frozenset[str], work: Work
) -> Iterator[tuple[AttackRule, re.Match[str]]]:
    for rule, pattern in rules:
        if not rule.literals.isdisjoint(occurring):
            work.spend(_UNITS_A_PATTERN + _UNITS_A_CHARACTER * len(lower))
            if found := pattern.search(lower):
                yield rule, found
