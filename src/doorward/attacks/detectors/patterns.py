"""The rules that are patterns, of one file, applied as they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator

    from doorward.attacks.evidence import Evidence
    from doorward.attacks.rulebook import AttackRule, Rulebook
    from doorward.attacks.subject import Subject
    from doorward.attacks.work import Work

_UNITS_A_PATTERN = 50
_UNITS_OF_TWO_CHARACTERS = 3


class PatternDetector:
    """Searches for each rule's pattern where one of its literals occurs.

    Args:
        book: The rules.

    Attributes:
        is_empty: There is no such rule.
        literals: Of which one has to occur: ``wants`` asks nothing else.
        vocabulary: In which they are looked up.
    """

    def __init__(self, book: Rulebook) -> None:
        self.name = book.name
        self._rules = [(rule, rule.pattern) for rule in book.patterns if rule.pattern is not None]
        self.is_empty = not self._rules
        self.literals: frozenset[str] = frozenset().union(*[rule.literals for rule in book.patterns])
        self.vocabulary = book.vocabulary

    def wants(self, subject: Subject) -> bool:
        """Whether any rule's literal occurs."""
        return not self.literals.isdisjoint(subject.occurring(self.vocabulary))

    def examine(self, subject: Subject, work: Work) -> Iterator[Evidence]:
        """The first match of each rule."""
        for rule, found in self.matches(subject, work):
            yield rule.at(found.start(), found.end())

    def matches(self, subject: Subject, work: Work) -> Iterator[tuple[AttackRule, re.Match[str]]]:
        """The first match of each rule, with the rule."""
        lower, place = subject.lower, subject.place
        occurring = self.literals & subject.occurring(self.vocabulary)
        for rule, pattern in self._rules:
            if not rule.literals.isdisjoint(occurring) and place in rule.places:
                work.spend(_UNITS_A_PATTERN + _UNITS_OF_TWO_CHARACTERS * len(lower) // 2)
                if found := pattern.search(lower):
                    yield rule, found
