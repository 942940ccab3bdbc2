"""Which detectors have to look at a text at all.

Sets of detectors are numbers with a bit for each. Those that want a text exactly when one of their literals occurs are
found by one look-up for each literal that does; only the others are asked one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from doorward.printable import describe

if TYPE_CHECKING:
    from collections.abc import MutableMapping, Sequence

    from doorward.attacks.detectors.base import Detector, LiteralDetector
    from doorward.attacks.subject import Subject
    from doorward.attacks.vocabulary import Vocabulary


class Screen:
    """Detectors, in the order in which they are asked.

    Args:
        detectors: The detectors.

    Attributes:
        all: The set of all.
        detectors: Each with its bit.
    """

    def __init__(self, detectors: Sequence[Detector]) -> None:
        self.detectors = [(1 << number, detector) for number, detector in enumerate(detectors)]
        self.all = (1 << len(self.detectors)) - 1
        self._asked: list[tuple[int, Detector]] = []
        self._asked_of_sentences: list[tuple[int, Detector]] = []
        self._by_literal: dict[str, int] = {}
        self._vocabulary: Vocabulary | None = None
        for bit, detector in self.detectors:
            vocabulary: Vocabulary | None = getattr(detector, "vocabulary", None)
            self._vocabulary = self._vocabulary or vocabulary
            if vocabulary is None or vocabulary is not self._vocabulary:
                self._asked.append((bit, detector))
                if not getattr(detector, "needs_signs", False):
                    self._asked_of_sentences.append((bit, detector))
            else:
                self._index(bit, cast("LiteralDetector", detector))

    def _index(self, bit: int, detector: LiteralDetector) -> None:
        for literal in detector.literals:
            self._by_literal[literal] = self._by_literal.get(literal, 0) | bit

    def wanting(self, subject: Subject, among: int, failures: MutableMapping[str, str]) -> int:
        """The set of those that want a text.

        Args:
            subject: The text.
            among: The set of those to ask.
            failures: Where it is noted that one failed; it does not want the text then.
        """
        wanting = 0
        if self._vocabulary is not None:
            for literal in subject.occurring(self._vocabulary):
                wanting |= self._by_literal.get(literal, 0)
            wanting &= among
        for bit, detector in self._asked if subject.sentence is None else self._asked_of_sentences:
            if among & bit:
                try:
                    if detector.wants(subject):
                        wanting |= bit
                except Exception as error:
                    failures[detector.name] = describe(error)
        return wanting
