"""The parts of a line as a server's configuration names them, and the regular expression that takes such lines apart.

Each part ends where the text behind it first occurs, and is never tried again from elsewhere (possessive and atomic
groups): the time is proportional to the line's length, whatever is in it.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from doorward.errors import ConfigurationError
from doorward.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_PARTS = 200
LONGEST_FORMAT = 8_192


class Escaping(Enum):
    """How a server writes quotes and control characters: nginx's ``escape=``; Apache's rules are read with DEFAULT."""

    DEFAULT = "default"
    JSON = "json"
    NONE = "none"

    @property
    def absent(self) -> str:
        """What is written in place of a value that there is none of."""
        return "-" if self is Escaping.DEFAULT else ""


class Part(NamedTuple):
    """A variable of a log format.

    Attributes:
        label: As it stands there, for errors.
        use: What the value is: ``ip``, ``request``, ``time_local`` …; ``header NAME``; empty for what nobody needs.
        shape: ``word`` holds no blanks, ``clf`` is a time of the Common Log Format, ``flag`` is a question mark or
            nothing, ``list`` is nginx's list of upstream values, ``text`` is anything.
    """

    label: str
    use: str
    shape: str = "word"


Token = str | Part

_QUOTED = r'[^"\\]*+(?:\\.[^"\\]*+)*+'
_SHAPES = {
    "clf": r"\d\d?/[A-Za-z]{3}/\d{4}:[\d:.,]++(?: [+-]\d{4})?+|-",
    "flag": r"\??",
    "list": r'[^ ,"]++(?:(?:,| :) [^ ,"]++)*+',
}


def pattern_of(tokens: Sequence[Token], escaping: Escaping, field: str) -> re.Pattern[str]:
    """What matches whole lines, with a group for each part that has a use.

    Args:
        tokens: Parts, and the text between them.
        escaping: How values are written.
        field: The argument that errors name.

    Raises:
        ConfigurationError: It cannot be told where a part ends.
    """
    if len(tokens) > MOST_PARTS:
        raise ConfigurationError(field, f"has more than {MOST_PARTS} parts")
    pieces, skip = [], False
    for index, token in enumerate(tokens):
        following = tokens[index + 1] if index + 1 < len(tokens) else None
        if skip:
            skip = False
        elif isinstance(token, str):
            pieces.append(re.escape(token))
        elif isinstance(following, Part):
            pieces.append(_group(token, _before_part(token, following, _stop(tokens[index:]), field)))
        else:
            last = index + 2 >= len(tokens)
            piece, skip = _before_text(token, following or "", escaping, last=last)
            pieces.append(piece)
    return re.compile("".join(pieces) + r"\s*", re.DOTALL)


def _stop(tokens: Sequence[Token]) -> str:
    """The character that ends what stands together, for a class of characters."""
    text = next((token for token in tokens if isinstance(token, str)), "")
    return re.escape(text[:1])


def _before_part(part: Part, following: Part, stop: str, field: str) -> str:
    """Of a part with another one right behind it: only some of those can be told apart."""
    if part.shape in _SHAPES:
        return _SHAPES[part.shape]
    if following.use in ("target", "path"):
        return r"[^/ ]*+"
    if following.shape == "flag" or following.use == "?query":
        return f"[^?{stop}]*+"
    raise ConfigurationError(
        field, f"nobody can tell where {printable(part.label)} ends and {printable(following.label)} begins"
    )


def _before_text(part: Part, text: str, escaping: Escaping, *, last: bool) -> tuple[str, bool]:
    """The piece for a part, and whether it takes the text behind it along."""
    if part.shape in _SHAPES and not (part.shape == "clf" and text[:1] == "]"):
        return _group(part, _SHAPES[part.shape]), False
    if not text:
        return _group(part, r"[^ ]*+" if part.shape == "word" else r".*+"), False
    if text[0] == '"' and escaping is not Escaping.NONE:
        return _group(part, _QUOTED), False
    if part.shape in ("word", "clf") and text[0] in ' "]|,;\t':
        return _group(part, f"[^{re.escape(text[0])}]*+"), False
    if part.shape == "word" and text[0] == ":":  # behind an address of IPv6, which has colons of its own
        return f"(?>{_group(part, '[^ ]*')}{re.escape(text)})", True
    # Unescaped, the last part may hold the text that ends it: the line's end is what tells.
    content = ".*" if last and escaping is Escaping.NONE else ".*?"
    return f"(?>{_group(part, content)}{re.escape(text)})", True


def _group(part: Part, content: str) -> str:
    return f"({content})" if part.use else f"(?:{content})"


def uses(tokens: Sequence[Token]) -> list[str]:
    """What the groups of :func:`pattern_of` hold, in their order."""
    return [token.use for token in tokens if isinstance(token, Part) and token.use]


__all__ = ["LONGEST_FORMAT", "Escaping", "Part", "Token", "pattern_of", "uses"]
