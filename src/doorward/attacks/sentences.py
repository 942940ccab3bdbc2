"""Texts as people write them, in which no sign can mean anything to a machine.

Most long values are sentences: words, and marks that stand where typography puts them. A comma has a word before it
and a blank behind it, an apostrophe stands within a word, quotes come in pairs around words. An attack needs a sign
somewhere else, or words that a language reads: only the detectors of those languages have to be asked about a sentence.
"""

from __future__ import annotations

import re

from doorward.attacks.vocabulary import WHOLE_WORD

_FEWEST_BLANKS = 3
"""What is shorter may be a name, a word of a protocol or a class."""
_LONGEST_WORD = 20
"""Characters, where there are more than letters: what is longer may be a token, or Base64."""
_LETTER = r"[^\W_]"
# Vowel signs and accents that are characters of their own: Latin, Arabic, Hebrew, Indic, South-East Asian scripts.
_MARK = "\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0900-\u0dff\u0e31-\u0eff\u102b-\u109f\u17b4-\u17ff"
# Not "a.b": a name in a program has dots too. Not "1:a", nor "/etc", nor "a_b".
_INNER = rf"(?:(?<=[^\W\d_])['\u2019](?=[^\W\d_])|[/\u2010-](?={_LETTER})|(?<=\d)[.,:](?=\d))"
_LETTERS = rf"[\w{_MARK}]++"
_BEFORE = r"(?:\((?!\))|[\u201c\u2018\u201e\xab]|\$(?=\d\d|\d[.,]\d)|[\u20ac\xa3](?=\d))"
_BEHIND = r"(?:(?<=\d)%|[.,;:!?)\u2026\u201c\u201d\u2019\xbb\u3002\u060c\u061f])"
_ENDINGS = ".,;:!?)"
_OF_CODE = ("_", ");", "((", "))", "\xbc", "\xbe")
"""Of names and calls in programs; and fractions, which without their highest bit are brackets."""
_TOKEN = re.compile(rf"[&%\u20ac\u2013\u2014-]|{_BEFORE}{{0,2}}+{_LETTERS}(?:{_INNER}{_LETTERS})*+{_BEHIND}{{0,3}}+")
_QUOTED = re.compile(r'"(?<![^\s(]")(?=[^\W\d_])([^"]{1,200}+)"(?=[\s.,;:!?)]|\Z)')
_FIELD = re.compile(r"\n[\w-]{1,40}+:")
"""A line that a protocol would read."""


def words_of_sentence(lower: str) -> frozenset[str] | None:
    """The ASCII words of a text in lower case if it is words with the marks of sentences; None if it is not.

    Takes time in proportion to its length.

    Args:
        lower: The text in lower case.
    """
    if lower.count(" ") < _FEWEST_BLANKS:
        return None
    if "\n" in lower:
        if _FIELD.search(lower) is not None:
            return None
        lower = lower.replace("\n", " ")
    tokens = lower.split(" ")
    # Most are nothing but letters, or have one mark behind them; that is found out faster than by a pattern.
    marked = [token for token in tokens if not token.isalpha()]
    if (marked and max(map(len, marked)) > _LONGEST_WORD) or any([sign in lower for sign in _OF_CODE]):
        return None
    rest = " ".join([token for token in marked if not token.rstrip(_ENDINGS).isalnum()])
    if '"' in rest:
        rest = _QUOTED.sub(r"\1", rest)
    if not all(map(_TOKEN.fullmatch, filter(None, rest.split(" ")))):
        return None
    words = frozenset(tokens).difference(marked)
    if not lower.isascii():
        words = frozenset(filter(str.isascii, words))
    return words.union(WHOLE_WORD.findall(" ".join(marked)))
