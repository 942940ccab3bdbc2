"""Paths that scanners try at every server: other products' consoles, other languages' scripts, what was left behind.

They harm nobody where there is nothing. Whoever asks for them looks for more.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from doorward.attacks.evidence import Place

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence

    from doorward.attacks.evidence import Evidence
    from doorward.attacks.rulebook import Rulebook
    from doorward.attacks.subject import Subject
    from doorward.attacks.work import Work

_UNITS = 600
_LONGEST = 512
_DEEPEST = 3
"""Segments of the longest beginning that is known."""
_FURTHER_IN = 0.6
_WORD = re.compile(r"[a-z_][a-z0-9_]*+")
_SIGNS_OF_HANDLERS = "axd"
"""The ending of handlers of ASP.NET, of which none is for visitors but those of resources."""
_RESOURCES = frozenset({"webresource", "scriptresource"})


class ProbeDetector:
    """Looks at what is asked for by path.

    Args:
        book: The rules of ``probes.toml``.
    """

    needs_signs = True

    def __init__(self, book: Rulebook) -> None:
        self.name = book.name
        self._rule = book.rule
        self._consoles, self._consoles_maybe = book.words("consoles"), book.words("consoles_maybe")
        self._leftovers, self._leftovers_maybe = book.words("leftovers"), book.words("leftovers_maybe")
        self._state_ends = tuple(sorted(book.words("state_ends")))
        self._archived, self._archives = book.words("archived"), book.words("archives")
        self._scripts, self._script_names = book.words("scripts"), book.words("script_names")
        self._script_folders = tuple(sorted(book.words("script_folders")))
        self._reading, self._sources = book.words("reading"), book.words("sources")
        named = self._consoles | self._consoles_maybe | self._leftovers | self._leftovers_maybe
        ends = self._scripts | self._archives | {end.rpartition(".")[2] for end in self._state_ends}
        # Words begin with a letter: of 7z that is its last.
        self._screen = frozenset([max(_WORD.findall(name), key=len) for name in named | ends])

    def wants(self, subject: Subject) -> bool:
        """Whether a path has a word of what is known."""
        return subject.place is Place.PATH and not subject.words.isdisjoint(self._screen)

    def examine(self, subject: Subject, work: Work) -> Iterator[Evidence]:
        """What the path as a whole asks for."""
        if subject.place is not Place.PATH or subject.value.offset or subject.name.startswith("["):
            return
        work.spend(_UNITS)
        path = subject.lower[:_LONGEST].partition("?")[0]
        segments = _resolved(path)
        if not segments or (len(segments) > 1 and segments[0] in self._reading):
            return
        if not self._sources.isdisjoint(segments[:-1]):
            return
        for rule, scale in self._asked(segments):
            yield self._rule(rule).at(0, len(path), scale=scale)

    def _asked(self, segments: Sequence[str]) -> Iterator[tuple[str, float]]:
        """Rules, and how much of their weight counts: less where it is not at the root."""
        if _begins(segments, self._consoles):
            yield "console", 1.0
            return
        rule = self._script(segments)
        if rule:
            yield rule, 1.0
        elif _begins(segments[1:], self._consoles):
            yield "console", _FURTHER_IN
        elif _begins(segments, self._consoles_maybe):
            yield "console_maybe", 1.0
        last, at_root = segments[-1], len(segments) == 1
        if last.endswith(self._state_ends) or (at_root and (last in self._leftovers or self._is_archive(last))):
            yield "left_over", 1.0
        elif last in self._leftovers:
            yield "left_over", _FURTHER_IN
        elif at_root and last in self._leftovers_maybe:
            yield "left_over_maybe", 1.0

    def _is_archive(self, name: str) -> bool:
        stem, _, ending = name.partition(".")
        return stem in self._archived and ending.rpartition(".")[2] in self._archives

    def _script(self, segments: Sequence[str]) -> str:
        stem, dot, ending = segments[-1].rpartition(".")
        if not dot or ending not in self._scripts:
            return ""
        is_handler = ending == _SIGNS_OF_HANDLERS and stem not in _RESOURCES
        if is_handler or stem in self._script_names or any([s.startswith(self._script_folders) for s in segments[:-1]]):
            return "script"
        return "other_script"


def _resolved(path: str) -> list[str]:
    """The segments of a path, without parameters, as servers resolve them (RFC 3986 section 5.2.4)."""
    held: list[str] = []
    for part in path.split("/"):
        segment = part.partition(";")[0]
        if segment == "..":
            del held[-1:]
        elif segment not in ("", "."):
            held.append(segment)
    return held


def _begins(segments: Sequence[str], known: Container[str]) -> bool:
    """Whether a path has a known beginning."""
    return any(["/".join(segments[:length]) in known for length in range(1, min(_DEEPEST, len(segments)) + 1)])
