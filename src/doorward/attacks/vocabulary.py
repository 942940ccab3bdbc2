"""The literals of all rules, looked for in a text once, for all detectors.

Two hundred patterns have some seven hundred literals. To look for each of them in each value costs more than all else.
So a :class:`Vocabulary` tells words from other literals: all words of a text are compared with all words of the rules
in one operation on sets, and the others are looked for only where their rarest character occurs.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

WHOLE_WORD = re.compile(r"[a-z_][a-z0-9_]*+")
_DIGITS = "0123456789"
_COMMON = " etaoinsrhldcumfpgwybvkxjqz/.-_0123456789:=,;&?()'\"+"
"""Characters, the more common in ordinary values first; those that are not in it are rarer still."""

_SEPARATED = bytes([code if code == 95 or (code < 128 and chr(code).isalnum()) else 32 for code in range(256)])
_SHORT = 200


def words_of(lower: str) -> frozenset[str]:
    """The ASCII words of a text in lower case: letters, digits and underscores, without digits at the beginning.

    Words of long texts are split off, which is faster than to match them.
    """
    if len(lower) <= _SHORT:
        return frozenset(WHOLE_WORD.findall(lower))
    found = frozenset(lower.encode("ascii", "replace").translate(_SEPARATED).decode("ascii").split())
    numbered = [word for word in found if word < ":"]
    if not numbered:
        return found
    return found.difference(numbered).union(filter(None, [word.lstrip(_DIGITS) for word in numbered]))


class Vocabulary:
    """Literals, in lower case.

    Args:
        literals: Those that are words (letters, digits, underscores) have to occur as whole words.
    """

    __slots__ = ("_by_rarest", "_words")

    def __init__(self, literals: Iterable[str]) -> None:
        distinct = list(dict.fromkeys(literals))
        self._words = frozenset(filter(WHOLE_WORD.fullmatch, distinct))
        by_rarest: dict[str, list[str]] = {}
        for literal in distinct:
            if literal not in self._words:
                by_rarest.setdefault(_rarest(literal), []).append(literal)
        self._by_rarest: Mapping[str, Sequence[str]] = by_rarest

    def found_in(self, lower: str, words: frozenset[str]) -> frozenset[str]:
        """The literals that occur in a text.

        Args:
            lower: The text in lower case.
            words: Its words.
        """
        signs = [
            literal
            for rare, literals in self._by_rarest.items()
            if rare in lower
            for literal in literals
            if literal in lower
        ]
        return self._words.intersection(words).union(signs) if signs else self._words & words


def _rarest(literal: str) -> str:
    return max(literal, key=lambda character: _COMMON.find(character) % len(_COMMON + "?"))
