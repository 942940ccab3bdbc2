"""What of a finding may be shown and logged: enough to recognise the attack, too little to leak what it was in."""

from __future__ import annotations

import re

from doorward.printable import printable

SHOWN = 12
LONGEST = 60

_SECRET = re.compile(
    r"pass(?!age|enger|port)|pwd|secret|token|auth|credential|session|api_?key|(?<![a-z])(?:pin|key|otp)(?![a-z])"
)
_PRIVATE = re.compile(r"[^\W_]")


def masked(text: str, *, is_secret: bool = False) -> str:
    """The first characters as they are, of the rest only what is neither letter nor digit; printable, one line.

    Args:
        text: What was found.
        is_secret: Whether it is from a value that nobody should read: then no letter or digit of it is shown.
    """
    shown = 0 if is_secret else SHOWN
    head, tail = text[:shown], text[shown:LONGEST]
    return printable(head + _PRIVATE.sub("*", tail) + ("..." if len(text) > LONGEST else ""), 2 * LONGEST)


def is_secret(name: str) -> bool:
    """Whether values of this name are secrets, as far as the name tells."""
    return _SECRET.search(name.lower()) is not None
