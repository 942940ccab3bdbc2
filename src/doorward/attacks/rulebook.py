r"""Rules as they are written down: ids, weights, reasons, vocabularies and patterns of one file of ``rules/``.

A file says what its detector's evidence weighs, and why. A rule with a ``pattern`` is applied as it stands, by
``detectors/patterns.py``; the others are applied by code, which asks for them by id::

    family = "SQL"

    [words]
    sleepers = ["sleep", "benchmark"]

    [[rule]]
    id = "tautology"
    weight = 1.0
    reason = "closes a string and goes on with a condition that always holds"
    match = ["1' or '1'='1"]
    pass = ["O'Brien or Smith"]

    [[rule]]
    id = "stacked_shutdown"
    weight = 1.0
    reason = "shuts the database down"
    literals = ["shutdown"]
    pattern = ''';\s{0,8}shutdown\b'''
    match = ["1; shutdown"]
    pass = ["the shutdown"]

``literals``: one of them has to occur in the lower-case text before the pattern is tried on it; those that are words
(letters, digits, underscores) as whole words. ``match`` and ``pass``
are for the tests. ``paranoia`` (1..3, default 1): the rule is asked only from that level on. ``places``: only there.
``family`` in a rule overrides that of the file.
"""

from __future__ import annotations

import re
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from doorward.attacks.evidence import Evidence, Family, Place
from doorward.attacks.vocabulary import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

EVERYWHERE = frozenset(Place)


@dataclass(frozen=True, slots=True)
class AttackRule:
    """One rule.

    Attributes:
        id: ``<file>.<name>``.
        family: The kind of attack.
        weight: 0..1.
        reason: An English sentence part.
        paranoia: The level from which on it is asked.
        places: Where it is asked.
        literals: Of which one has to occur in the lower-case text, as a word if it is one; empty for rules that code
            applies.
        pattern: Searched in the lower-case text; None for rules that code applies.
    """

    id: str
    family: Family
    weight: float
    reason: str
    paranoia: int = 1
    places: frozenset[Place] = EVERYWHERE
    literals: frozenset[str] = frozenset()
    pattern: re.Pattern[str] | None = None

    def at(self, start: int, end: int, *, scale: float = 1.0) -> Evidence:
        """This rule's evidence at a place in a text; ``scale`` makes its weight smaller where the context says so."""
        return Evidence(self.family, self.id, self.weight * scale, start, end, self.reason)


class Rulebook:
    """The rules and vocabularies of one file.

    Args:
        name: The file's name without its ending; ids begin with it.
        data: What is in it.
        paranoia: Rules of a higher level are left out.
        vocabulary: The literals of this and other files, shared so that a text is searched for them once.

    Raises:
        ValueError: The file is not what it should be.
    """

    def __init__(
        self, name: str, data: Mapping[str, Any], paranoia: int = 1, vocabulary: Vocabulary | None = None
    ) -> None:
        self.name = name
        self.paranoia = paranoia
        family = data.get("family")
        rules = [_rule(name, family, entry) for entry in data.get("rule", ())]
        self._rules = {rule.id.partition(".")[2]: rule for rule in rules}
        if len(self._rules) != len(rules):
            raise ValueError(f"{name}: two rules have one id")
        self.patterns = tuple([rule for rule in rules if rule.pattern is not None and rule.paranoia <= paranoia])
        self.vocabulary = vocabulary if vocabulary is not None else Vocabulary(literals_of(data))
        self._words = {key: frozenset(words) for key, words in data.get("words", {}).items()}

    def rule(self, name: str) -> AttackRule:
        """The rule with the id ``<file>.<name>``; of weight 0 where it is of a higher level than is asked for."""
        rule = self._rules[name]
        return rule if rule.paranoia <= self.paranoia else AttackRule(rule.id, rule.family, 0.0, rule.reason)

    def only(self, names: Container[str]) -> Rulebook:
        """The same book with those of its patterns alone whose rules have one of these names."""
        book = copy(self)
        book.patterns = tuple([rule for rule in self.patterns if rule.id.partition(".")[2] in names])
        return book

    def words(self, name: str) -> frozenset[str]:
        """A vocabulary."""
        return self._words[name]


def literals_of(data: Mapping[str, Any]) -> list[str]:
    """The literals of a file's rules."""
    return [literal for entry in data.get("rule", ()) for literal in entry.get("literals", ())]


def _rule(file: str, family: str | None, entry: Mapping[str, Any]) -> AttackRule:
    pattern = entry.get("pattern")
    literals = frozenset(entry.get("literals", ()))
    if pattern is not None and not literals:
        raise ValueError(f"{file}.{entry['id']}: a pattern needs literals")
    return AttackRule(
        id=f"{file}.{entry['id']}",
        family=Family(entry.get("family", family)),
        weight=float(entry["weight"]),
        reason=entry["reason"],
        paranoia=entry.get("paranoia", 1),
        places=frozenset(map(Place, entry["places"])) if "places" in entry else EVERYWHERE,
        literals=literals,
        pattern=re.compile(pattern) if pattern is not None else None,
    )
