"""The rules that are patterns, of one file, applied as they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorward.attacks.evidence import Evidence
    from doorward.attacks.rulebook import Rulebook
    from doorward.attacks.subject import Subject
    from doorward.attacks.work import Work

_UNITS_A_CHARACTER = 1


class PatternDetector:
    """Searches for each rule's pattern where one of its literals occurs.

    Args:
        book: The rules.

    Attributes:
        is_empty: There is no such rule.
    """

    def __init__(self, book: Rulebook) -> None:
        self.name = book.name
        self._rules = book.patterns
        self.is_empty = not self._rules
        self.literals = frozenset().union(*[rule.literals for rule in book.patterns])
        self.vocabulary = book.vocabulary

    def wants(self, subject: Subject) -> bool:
        """Whether any rule's literal occurs."""
        return not self.literals.isdisjoint(subject.occurring(self.vocabulary))

    def examine(self, subject: Subject, work: Work) -> Iterator[Evidence]:
        """The first match of each rule."""
        lower, occurring = subject.lower, subject.occurring(self.vocabulary)
        for rule in self._rules:
            if rule.pattern is None or subject.place not in rule.places or rule.literals.isdisjoint(occurring):
                continue
            work.spend(_UNITS_A_CHARACTER * len(lower))
            if found := rule.pattern.search(lower):
                yield rule.at(found.start(), found.end())

