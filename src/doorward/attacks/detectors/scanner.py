"""Attack tools by what they call themselves, and the hosts by which they learn that a probe worked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from doorward.attacks.detectors.context import context_scale
from doorward.attacks.evidence import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorward.attacks.evidence import Evidence
    from doorward.attacks.rulebook import Rulebook
    from doorward.attacks.subject import Subject
    from doorward.attacks.work import Work

_AGENT_HEADERS = frozenset({"user-agent", "from", "x-scanner", "via", "x-client"})


class ScannerDetector:
    """Names of tools in agents, and of their listening hosts anywhere.

    Args:
        book: The rules of ``scanner.toml``.
    """

    needs_signs = True

    def __init__(self, book: Rulebook) -> None:
        self.name = f"{book.name} names"
        self._agent = book.rule("agent")
        self._ambiguous_agent = book.rule("ambiguous_agent")
        self._out_of_band = book.rule("out_of_band")
        self._ambiguous = book.words("ambiguous")
        self._agents = book.words("agents")
        listeners = sorted(book.words("out_of_band"))
        self._listener = re.compile(rf"(?:{'|'.join(map(re.escape, listeners))})(?![a-z0-9-])")
        self._screen = self._agents | {name.split(".")[1] for name in listeners}

    def wants(self, subject: Subject) -> bool:
        """Whether a tool's name, or the end of a listening host's, occurs."""
        return not subject.words.isdisjoint(self._screen)

    def examine(self, subject: Subject, work: Work) -> Iterator[Evidence]:
        """The name of a tool in an agent, and of a listening host."""
        lower = subject.lower
        work.spend(4 * len(lower))
        if subject.place is Place.HEADER and subject.name in _AGENT_HEADERS:
            yield from self._of_agent(subject)
        if found := self._listener.search(lower):
            start = _host_start(lower, found.start())
            if start < found.start():
                yield self._out_of_band.at(start, found.end(), scale=context_scale(subject))

    def _of_agent(self, subject: Subject) -> Iterator[Evidence]:
        lower = subject.lower
        found = self._agents & subject.words
        if found:
            name = min(found - self._ambiguous or found)
            rule = self._ambiguous_agent if name in self._ambiguous else self._agent
            at = max(0, lower.find(name))
            yield rule.at(at, at + len(name))


def _host_start(lower: str, end: int) -> int:
    """Where the labels begin that end at ``end``."""
    start = end
    while start > 0 and end - start < 63 and (lower[start - 1].isalnum() or lower[start - 1] in "-_."):
        start -= 1
    return start
