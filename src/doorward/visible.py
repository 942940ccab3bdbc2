"""What strangers sent, made safe to show: bounded, and without what draws over other text or hides in it."""

from __future__ import annotations

import unicodedata

from doorward.printable import printable

LONGEST = 300
"""Characters of a value: a path of a megabyte tells no more than its beginning."""
MOST_MARKS = 2
"""Combining marks on one letter; piled up, they draw over the lines above and below."""
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | {chr(c) for c in range(0xFE00, 0xFE10)}
"""Letters and marks, to Unicode, of which nothing is seen."""

ascii_text = printable
"""One line of printable ASCII: for terminals, XML, SARIF and Markdown, which people read in tools of every kind."""


def visible(text: str, longest: int = LONGEST) -> str:
    """One line of letters of any script; controls, bidirectional marks, surrogates and invisible ones are escaped."""
    cut = text[: longest + 1]
    if not (cut.isascii() and cut.isprintable()):
        cut = "".join(_shown(cut))
    return cut if len(cut) <= longest else f"{cut[: longest - 1]}…"


def _shown(text: str) -> list[str]:
    shown, marks = [], 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character)[0] == "M" else 0
        plain = character.isprintable() and character not in _BLANK and marks <= MOST_MARKS
        shown.append(character if plain else _escaped(ord(character)))
    return shown


def _escaped(code: int) -> str:
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
