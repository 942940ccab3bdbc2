"""What a form of challenge is: one sort of picture, or of sound, with its question and its answers."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

    from doorward.markup import Markup

EASIEST, HARDEST = 1, 5
TEXT_FIELD = "answer"
LONGEST_TEXT = 40
"""Characters of a typed answer that are looked at."""


class Grade(NamedTuple):
    """How hard a drawing is.

    Attributes:
        hardness: From 1 to 5: how much it is distorted, and how long it is.
        long: Whether it has to be so long that no number of guesses matters: see :mod:`.luck`.
    """

    hardness: int
    long: bool = False


class Media(NamedTuple):
    """A picture or a sound.

    Attributes:
        kind: Its media type.
        content: Its bytes.
    """

    kind: str
    content: bytes


class Form(Protocol):
    """One sort of picture or sound. Without state; safe from any thread.

    Attributes:
        name: As in records and logs.
        path: Where it is fetched, below the prefix: ``"picture"`` or ``"sound"``.
        typed: Whether it is answered by typing, in a field that all such forms of a page share.
    """

    name: str
    path: str
    typed: bool

    def chance(self, grade: Grade) -> float:
        """How likely a blind guess is right: one over the number of answers, which are all equally likely."""
        ...

    def answer(self, random: Random, grade: Grade) -> str:
        """An answer to draw a question for."""
        ...

    def draw(self, answer: str, random: Random, grade: Grade) -> Media:
        """A drawing whose answer is ``answer``. Asks nobody for anything, and takes milliseconds."""
        ...

    def parts(self, url: Markup, grade: Grade, words: Mapping[str, str], described_by: str) -> Markup:
        """HTML that shows it; with the fields of the answer, unless it is typed."""
        ...

    def given(self, fields: Mapping[str, object], grade: Grade) -> str | None:
        """The answer that was given to it, as :meth:`answer` writes it; None where there is none. Never raises."""
        ...


def typed(fields: Mapping[str, object]) -> str:
    """What was typed, without what people add: case, spaces, hyphens, and other spellings of the same characters.

    Full-width letters and Arabic digits are what some keyboards write (Unicode Standard Annex 15: NFKC).
    """
    given = fields.get(TEXT_FIELD)
    if not isinstance(given, str):
        return ""
    plain = [_plain(each) for each in unicodedata.normalize("NFKC", given[:LONGEST_TEXT])]
    return "".join([each for each in plain if each.isalnum()]).upper()


def _plain(character: str) -> str:
    digit = unicodedata.digit(character, -1)
    return str(digit) if digit >= 0 else character


def is_marked(fields: Mapping[str, object], name: str) -> bool:
    """Whether a check box was sent as checked."""
    return fields.get(name) in ("1", "on", 1, True)
