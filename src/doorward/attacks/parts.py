"""What a request is taken apart into, and what those who take it apart have in common.

Whoever takes something apart gives one :data:`Part` after the other, and lets nothing pass that takes long: values of
any length come in pieces, and where much was looked at that makes no value, :data:`PAUSE` comes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from doorward.attacks.evidence import Finding, Place, Value

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

Part = Value | Finding
"""A value, or a finding about what could not be taken apart."""

PAUSE = Value(Place.REQUEST, "", "")
"""No value: work was done, 100 to 400 microseconds of it, that has nothing to show."""
PAUSE_UNITS = 20_000
"""What that was, in units of work."""

CHUNK = 8_192
"""Characters that are decoded at a time."""
OVERLAP = 512
"""Characters that a piece of a long value has in common with the one before."""
TOKENS_BETWEEN_PAUSES = 128
"""Something is given at least after so many tokens, about 100 microseconds: a value, or PAUSE."""
LONGEST_NAME = 200
"""Paths to values are cut there, so that deep nesting costs no more than flat."""

_PLAIN_NAMES = re.compile(r"(?:[A-Za-z][A-Za-z0-9]{0,40}+(?:[_-][A-Za-z0-9]{1,40}+){0,8}+ )*+")
_PLAIN_TEXT = re.compile(r"[-+]?[0-9]{0,32}|true|false|null|on|off|yes|no|[A-Za-z]{1,3}")


def value(place: Place, name: str, text: str, *, is_name: bool = False) -> Value:
    """A :class:`Value`, made in half the time that its own constructor takes."""
    return tuple.__new__(Value, (place, name, text, is_name, 0))


def telling_names(place: Place, names: Collection[str]) -> Iterator[Value]:
    """Those names of parameters that are more than identifiers with nothing to look at in them.

    These are also names that begin with an underscore or a dollar sign, and those that say something by themselves: of
    session identifiers (CWE-384), and of what JavaScript objects inherit (CWE-1321).
    """
    together = " ".join(names)
    if not names or (_are_plain(together) and together.count(" ") == len(names) - 1):
        return
    for name in dict.fromkeys(names):
        if name and (" " in name or not _are_plain(name)):
            for piece in long_value(place, name[:LONGEST_NAME], name):
                yield piece._replace(is_name=True)


def _are_plain(names: str) -> bool:
    # One search in all of them: most documents have no other names, and many of them.
    if _PLAIN_NAMES.fullmatch(names + " ") is None:
        return False
    names = names.lower()
    # A tenth of the time that one search regardless of case takes.
    return not ("sess" in names or "proto" in names or "constructor" in names or "cfid" in names or "cftoken" in names)


def is_plain_text(text: str) -> bool:
    """Whether a value is a number, a word for true or false, or no longer than a language code."""
    return _PLAIN_TEXT.fullmatch(text) is not None


def below(prefix: str, name: str) -> str:
    """The path to ``name`` below ``prefix``: ``user.name``."""
    if len(name) > LONGEST_NAME:
        name = name[:LONGEST_NAME]
    if not prefix:
        return name
    return f"{prefix}.{name}" if len(prefix) < LONGEST_NAME else prefix


def in_pieces(place: Place, name: str, chunks: Iterable[str]) -> Iterator[Value]:
    """One value whose text comes in chunks: a piece for each, beginning with the end of the one before."""
    tail, offset = "", 0
    for chunk in chunks:
        if chunk:
            yield Value(place, name, tail + chunk, False, offset - len(tail))
            offset += len(chunk)
            tail = (tail + chunk)[-OVERLAP:]


def long_value(place: Place, name: str, text: str) -> Iterator[Value]:
    """A value of any length."""
    if len(text) <= CHUNK:
        yield value(place, name, text)
    else:
        yield from in_pieces(place, name, (text[start : start + CHUNK] for start in range(0, len(text), CHUNK)))
