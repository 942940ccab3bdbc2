"""What of a finding may be shown and logged: enough to recognise the attack, too little to leak what it was in."""

from __future__ import annotations

import re

from doorward.printable import printable

SHOWN = 12
LONGEST = 60

_PRIVATE = re.compile(r"[^\W_]")


def masked(text: str) -> str:
    """The first characters as they are, of the rest only what is neither letter nor digit; printable, one line."""
    head, tail = text[:SHOWN], text[SHOWN:LONGEST]
    return printable(head + _PRIVATE.sub("*", tail) + ("..." if len(text) > LONGEST else ""), 2 * LONGEST)
