"""What a detector is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from doorward.attacks.evidence import Evidence, Finding
    from doorward.attacks.subject import Subject
    from doorward.attacks.vocabulary import Vocabulary
    from doorward.attacks.work import Work
    from doorward.context import RequestContext


class Detector(Protocol):
    """Knows one language, or one kind of attack, in texts.

    ``examine`` is called with pieces of at most 4,608 characters (``scan.PIECE + scan.OVERLAP``) and may take at
    most about 300 ns a character, whatever it is given.
    """

    name: str

    def wants(self, subject: Subject) -> bool:
        """Whether it has to look at the text at all. Asked about every text, and about many joined together.

        A few searches for literal text (``"<" in subject.lower``), or whether ``subject.words`` has one of a set. Where
        ``examine`` finds anything, this has to be True: for the text, and for it joined with others by a space. Which
        of both it is asked about, tells :func:`~doorward.attacks.detectors.joined.is_one_value`.
        """
        ...

    def examine(self, subject: Subject, work: Work) -> Iterable[Evidence]:
        """The evidence in a text, after ``work.spend`` of what it takes to find."""
        ...


class SignDetector(Detector, Protocol):
    """A detector that finds nothing in sentences (:mod:`doorward.attacks.sentences`): nobody asks it about any."""

    needs_signs: bool


class LiteralDetector(Detector, Protocol):
    """A detector that wants a text exactly when one of its literals occurs in it."""

    literals: frozenset[str]
    vocabulary: Vocabulary
    """The same object for all such detectors of a scan, so that a text is searched once."""


class RequestDetector(Protocol):
    """Looks at requests as such: method, header lines, and what they say about the body."""

    name: str

    def examine(self, request: RequestContext) -> Iterable[Finding]:
        """What is wrong with the request. Asked for every request: has to be cheap."""
        ...
