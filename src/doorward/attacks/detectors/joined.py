"""Whether a text that a screen is asked about is one value, or many joined together."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from doorward.attacks.subject import Subject


def is_one_value(subject: Subject) -> bool:
    """Whether the text is a value, or a form of one, so that its beginning and its end tell something.

    Texts joined together have the first of them as their value.
    """
    # Not whether they are equal: the first of several values could be written so that all of them joined are.
    return subject.via != () or subject.text is subject.value.text
