"""The literals of all rules, looked for in a text once, for all detectors.

Two hundred patterns have a thousand literals. To look for each of them in each value costs more than all else. So a
:class:`Vocabulary` tells words from other literals: all words of a text are compared with all words of the rules in one
operation on sets. Others are looked for only where a word of them is a word of the text; those without such a word only
where their rarest character occurs, and in long texts only where it has the right neighbours.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

WHOLE_WORD = re.compile(r"[a-z_][a-z0-9_]*+")
_INNER_WORD = re.compile(r"(?<![a-z0-9_])[a-z_][a-z0-9_]*+(?=[^a-z0-9_])")
"""A word with a sign behind it; at the end of a literal it may go on in the text."""
_DIGITS = "0123456789"
_COMMON = " etaoinsrhldcumfpgwybvkxjqz/.-_0123456789:=,;&?()'\"+"
"""Characters, the more common in ordinary values first; those that are not in it are rarer still."""

_SEPARATED = bytes([code if code == 95 or (code < 128 and chr(code).isalnum()) else 32 for code in range(256)])
_SHORT = 200
_FEW = 3
_BESIDE = 2


def words_of(lower: str) -> frozenset[str]:
    """The ASCII words of a text in lower case: letters, digits and underscores, without digits at the beginning.

    Words of long texts are split off, which is faster than to match them.
    """
    if len(lower) <= _SHORT:
        return frozenset(WHOLE_WORD.findall(lower))
    found = frozenset(lower.encode("utf-8", "surrogatepass").translate(_SEPARATED).decode("ascii").split())
    numbered = [word for word in found if word < ":"]
    if not numbered:
        return found
    return found.difference(numbered).union(filter(None, [word.lstrip(_DIGITS) for word in numbered]))


class Vocabulary:
    """Literals, in lower case.

    Args:
        literals: Words (letters, digits, underscores) have to occur as whole words: literals that are words, and words
            in a literal that have a sign behind them. ``eval(`` is not in ``retrieval()``.
    """

    __slots__ = ("_by_rarest", "_by_word", "_leading", "_words")

    def __init__(self, literals: Iterable[str]) -> None:
        distinct = list(dict.fromkeys(literals))
        self._words = frozenset(filter(WHOLE_WORD.fullmatch, distinct))
        self._by_word: dict[str, list[str]] = {}
        by_rarest: dict[str, list[str]] = {}
        for literal in distinct:
            if literal in self._words:
                continue
            if inner := _INNER_WORD.findall(literal):
                self._by_word.setdefault(max(inner, key=len), []).append(literal)
            else:
                by_rarest.setdefault(_rarest(literal), []).append(literal)
        self._leading = frozenset(self._by_word)
        self._by_rarest = {rare: _Signs.of(literals, rare) for rare, literals in by_rarest.items()}

    def found_in(self, lower: str, words: frozenset[str]) -> frozenset[str]:
        """The literals that occur in a text.

        Args:
            lower: The text in lower case.
            words: Its words.
        """
        found = self._led(lower, words)
        for rare, signs in self._by_rarest.items():
            if rare in lower:
                found += signs.found_in(lower, rare)
        return self._words.intersection(words).union(found) if found else self._words & words

    def spoken_in(self, lower: str, words: frozenset[str]) -> frozenset[str]:
        """The same of a sentence (:mod:`.sentences`), where no literal of signs alone can be."""
        return self._words.intersection(words).union(self._led(lower, words))

    def _led(self, lower: str, words: frozenset[str]) -> list[str]:
        return [literal for word in self._leading & words for literal in self._by_word[word] if literal in lower]


class _Signs(NamedTuple):
    """Literals with one rarest character.

    Attributes:
        all: All of them.
        after: By the one or two characters after its last occurrence in them.
        before: Those that end with it, by the one or two characters before its first.
        rest: Those that consist of it.
    """

    all: Sequence[str]
    after: Mapping[str, Sequence[str]]
    before: Mapping[str, Sequence[str]]
    rest: Sequence[str]

    @classmethod
    def of(cls, literals: Sequence[str], rare: str) -> _Signs:
        rest: list[str] = []
        after: dict[str, list[str]] = {}
        before: dict[str, list[str]] = {}
        for literal in literals:
            following, preceding = literal.rpartition(rare)[2], literal.partition(rare)[0]
            if len(following) >= _BESIDE or (following and len(preceding) < _BESIDE):
                after.setdefault(following[:_BESIDE], []).append(literal)
            elif preceding:
                before.setdefault(preceding[-_BESIDE:], []).append(literal)
            else:
                rest.append(literal)
        return cls(literals, after, before, rest)

    def found_in(self, lower: str, rare: str) -> list[str]:
        """Those that occur in a text with the character."""
        if len(self.all) <= _FEW or len(lower) <= _SHORT:
            return [literal for literal in self.all if literal in lower]
        pieces = lower.split(rare)
        may = [*self.rest]
        if self.after:
            following = {piece[:_BESIDE] for piece in pieces}
            following.update([beside[:1] for beside in following])
            may += [literal for key in self.after.keys() & following for literal in self.after[key]]
        if self.before:
            preceding = {piece[-_BESIDE:] for piece in pieces}
            preceding.update([beside[-1:] for beside in preceding])
            may += [literal for key in self.before.keys() & preceding for literal in self.before[key]]
        return [literal for literal in may if literal in lower]


def _rarest(literal: str) -> str:
    return max(literal, key=lambda character: _COMMON.find(character) % len(_COMMON + "?"))
