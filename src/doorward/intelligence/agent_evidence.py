r"""Evidence that a user agent names a bot: the notation of our registry, and what it means.

::

    Googlebot/       this text, in any case, where a word starts: no letter or digit comes before it. Not in "like
                     Googlebot/2.1", which claims to be something else
    *bot             anywhere, also within a word
    ^curl            at the start of the agent
    SSL Labs$        at its end
    AdsBot-Google|   where a word ends: no letter, digit, "-" or "_" follows
    re:\bgrab\b      a regular expression of Python, searched as it is written

Text that starts with a sign or a space needs no start of a word. The data build refuses regular expressions whose
running time is not linear (``doorward.regex_cost``).
"""

from __future__ import annotations

import re
from typing import NamedTuple

REGEX = "re:"
START, END = "\x02", "\x03"
"""Stand for the borders of an agent, so that texts bound to a border have one more character to be found by."""


class Evidence(NamedTuple):
    """One piece, parsed.

    Attributes:
        text: Lower-cased, with :data:`START` or :data:`END` where it is bound to a border of the agent; empty for a
            regular expression.
        starts_word: No letter or digit may come before it.
        ends_word: No letter, digit, "-" or "_" may follow it.
        regex: Searched in the agent as it was sent; empty where the text alone decides.
    """

    text: str
    starts_word: bool = False
    ends_word: bool = False
    regex: str = ""

    def matches(self, agent: str, framed: str) -> bool:
        """Whether it is there, in time linear in the agent's length.

        Args:
            agent: As it was sent.
            framed: The same by :func:`frame`.
        """
        if self.regex:
            return _compiled(self.regex).search(agent) is not None
        if not (self.starts_word or self.ends_word):
            return self.text in framed
        at = framed.find(self.text)
        while at >= 0:
            if self._stands(framed, at):
                return True
            at = framed.find(self.text, at + 1)
        return False

    def _stands(self, framed: str, at: int) -> bool:
        if self.starts_word and (_is_alphanumeric(framed[at - 1 : at]) or framed.endswith("like ", 0, at)):
            return False
        end = at + len(self.text)
        following = framed[end : end + 1]
        return not (self.ends_word and (_is_alphanumeric(following) or following in ("-", "_")))


def frame(agent: str) -> str:
    """An agent as texts are looked for in it: lower-cased, between marks of its borders."""
    return f"{START}{agent.lower()}{END}"


def parse(notation: str) -> Evidence:
    """Read one piece of evidence.

    Raises:
        ValueError: It says nothing, or is no regular expression.
    """
    if notation.startswith(REGEX):
        return Evidence("", regex=_checked(notation.removeprefix(REGEX)))
    text = notation.strip("^$*|")
    if not text:
        raise ValueError(f"{notation!r} says nothing")
    return Evidence(
        text=(START if notation[0] == "^" else "") + text.lower() + (END if notation[-1] == "$" else ""),
        starts_word=notation[0] not in "^*" and _is_alphanumeric(text[0]),
        ends_word=notation[-1] == "|",
    )


def _checked(regex: str) -> str:
    try:
        _compiled(regex)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"{regex!r} is not a regular expression: {error}") from error
    return regex


def _compiled(regex: str) -> re.Pattern[str]:
    return re.compile(regex)  # which remembers the last 512: there are far fewer


def _is_alphanumeric(character: str) -> bool:
    return character.isascii() and character.isalnum()
