"""File names with wildcards (POSIX "Shell Command Language", section 2.13) that can only mean a file of interest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from doorward.attacks.work import Work

_LONGEST = 64
_MOST_SLASHES = 4
_FEWEST_LETTERS = 2
_UNITS_A_PATTERN = 200
_UNITS_A_TARGET = 150

_GLOB = re.compile(r"(?:/[\w.-]{0,24}+){1,6}+[?*\[][\w?*\[\]!./-]{0,64}")
# A path whose first folder is one of those, or may be: /bin, /etc, /usr, /root.
_BEGINNING = re.compile(
    r"/(?:(?:bin|etc|usr|root)/[\w./-]{0,64}+[?*\[]"
    r"|(?:b(?:in?)?|e(?:tc?)?|u(?:sr?)?|r(?:oo?t?)?)?[?*\[][\w?*\[\]!.-]{0,24}+/)"
)
_CLASS = re.compile(r"\[[^\]]{1,24}\]")
_LETTER = re.compile(r"[a-z]")
_WILD = "*?"


class Targets:
    """Paths that names with wildcards are compared with.

    Args:
        paths: Absolute paths, in lower case.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        indexed: dict[tuple[int, str, str], list[str]] = {}
        for path in paths:
            for first in (path[1], ""):
                for last in (path[-1], ""):
                    indexed.setdefault((path.count("/"), first, last), []).append(path)
        self._indexed: Mapping[tuple[int, str, str], Sequence[str]] = indexed

    def meant_in(self, lower: str, work: Work) -> Iterator[re.Match[str]]:
        """Names with wildcards in a text that stand for one of the paths."""
        seen: set[str] = set()
        for found in _GLOB.finditer(lower):
            if found[0] not in seen:
                seen.add(found[0])
                work.spend(_UNITS_A_PATTERN)
                if self._are_meant(_CLASS.sub("?", found[0]), work):
                    yield found

    def _are_meant(self, pattern: str, work: Work) -> bool:
        if not _names_something(pattern):
            return False
        first, last = pattern[1].strip(_WILD), pattern[-1].strip(_WILD)
        is_exact = "*" not in pattern
        for target in self._indexed.get((pattern.count("/"), first, last), ()):
            if is_exact and len(target) != len(pattern):
                continue
            work.spend(_UNITS_A_TARGET)
            if matches(pattern, target):
                return True
        return False


def _names_something(pattern: str) -> bool:
    """Whether letters are left in a pattern, in its last segment too, so that it is one for a path's sake."""
    if not 1 < pattern.count("/") <= _MOST_SLASHES or len(pattern) > _LONGEST or "**" in pattern:
        return False
    if "?" not in pattern and "*" not in pattern:
        return False
    return len(_LETTER.findall(pattern)) >= _FEWEST_LETTERS and _LETTER.search(pattern.rpartition("/")[2]) is not None


def may_mean_another(lower: str) -> bool:
    """Whether a text has a name with wildcards that could stand for one of the paths; quickly."""
    return "/" in lower and ("?" in lower or "*" in lower or "[" in lower) and _BEGINNING.search(lower) is not None


def matches(pattern: str, text: str) -> bool:
    """Whether ``*`` and ``?`` can stand for what makes the pattern the text; ``/`` only for itself.

    Greedy with one place to go back to, so that it takes at most the product of the lengths.
    """
    at = there = 0
    star, resumed = -1, 0
    while there < len(text):
        if at < len(pattern) and (pattern[at] == text[there] or (pattern[at] == "?" and text[there] != "/")):
            at, there = at + 1, there + 1
        elif at < len(pattern) and pattern[at] == "*":
            star, resumed = at, there
            at += 1
        elif star >= 0 and text[resumed] != "/":
            resumed += 1
            at, there = star + 1, resumed
        else:
            return False
    return pattern[at:].strip("*") == ""
