"""Serialised objects in Base64, whose letters' case matters; names of files that servers run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from doorward.attacks.detectors.joined import is_one_value
from doorward.attacks.detectors.surroundings import is_file_name, runs_on_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorward.attacks.evidence import Evidence
    from doorward.attacks.rulebook import Rulebook
    from doorward.attacks.subject import Subject
    from doorward.attacks.work import Work

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{12,}+={0,2}")
_AROUND = "\"' \r\n\t"


class SerializedDetector:
    """Texts that are Base64 as a whole and begin as serialised objects do.

    Args:
        book: The rules of ``code.toml``.
    """

    needs_signs = True

    def __init__(self, book: Rulebook) -> None:
        self.name = "code.serialized"
        self._rule = book.rule("serialized")
        self._beginnings = tuple(sorted(book.words("serialized_beginnings")))

    def wants(self, subject: Subject) -> bool:
        """Whether there is such a beginning."""
        if is_one_value(subject):
            return subject.text.lstrip(_AROUND).startswith(self._beginnings)
        return any([beginning in subject.text for beginning in self._beginnings])

    def examine(self, subject: Subject, work: Work) -> Iterator[Evidence]:
        """Evidence if the whole text is one object, or has one behind a name."""
        work.spend(len(subject.text))
        text = subject.text.strip(_AROUND)
        if text.startswith(self._beginnings) and _BASE64.match(text):
            yield self._rule.at(0, len(subject.text))


class UploadDetector:
    """Names of uploaded files that a server of the language would run.

    Args:
        book: Its rule ``upload`` is applied to names that end in its vocabulary ``server_files``.
    """

    needs_signs = True

    def __init__(self, book: Rulebook) -> None:
        self.name = f"{book.name}.uploads"
        self._rule = book.rule("upload")
        self._endings = book.words("server_files")

    def wants(self, subject: Subject) -> bool:
        """Whether there is such an ending."""
        return not self._endings.isdisjoint(subject.words)

    def examine(self, subject: Subject, work: Work) -> Iterator[Evidence]:
        """Evidence if the name ends so."""
        if is_file_name(subject) and runs_on_server(subject.lower, self._endings):
            work.spend(len(subject.lower))
            yield self._rule.at(0, len(subject.lower))
