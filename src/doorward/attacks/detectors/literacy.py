"""Whether a text with markup or code in it was written for people to read: a question, an article, a program."""

from __future__ import annotations

import re
from itertools import islice
from typing import NamedTuple

_WORDS_IN_A_ROW = re.compile(r" (?:(?<=[^\W\d_] )|(?<=[^\W\d_][,.:;!?] ))(?=[^\W\d_])")
"""The blank between two of them: there are fewer of those than of letters."""
_ROWS_OF_TEXT = 4
_LINES = 3
_WORD = re.compile(r"[^\W\d_]{2,}+")
_WORDS_OF_LINES = 15
_WIDE_LETTERS = re.compile(r"[\u0900-\u0dff\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_WIDE_TEXT = 16


class Reading(NamedTuple):
    """A text as it is judged.

    Attributes:
        text: The text.
        lower: The same in lower case, of the same length.
        literate: Whether it is for people to read.
    """

    text: str
    lower: str
    literate: bool


def is_literate(text: str, without_tags: str | None = None) -> bool:
    """Whether a text is more than a payload: words in a row, or several lines of them.

    It says nothing about whether there is an attack in it: whoever attacks may put words around. It is for weighing
    what honest texts contain too, such as a handler in a question about handlers.

    Args:
        text: The text.
        without_tags: The same without what stands in tags, where attributes are words in a row.
    """
    if _reaches(_WORDS_IN_A_ROW, text if without_tags is None else without_tags, _ROWS_OF_TEXT):
        return True
    if text.count("\n") >= _LINES and _reaches(_WORD, text, _WORDS_OF_LINES):
        return True
    return not text.isascii() and _reaches(_WIDE_LETTERS, text, _WIDE_TEXT)


def _reaches(pattern: re.Pattern[str], text: str, least: int) -> bool:
    return len(list(islice(pattern.finditer(text), least))) == least
