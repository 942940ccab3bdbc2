"""Header lines of mails in what should be an address, a name or a subject.

The commands of mail protocols are patterns, of :class:`~doorward.attacks.detectors.context.ContextPatterns`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from doorward.attacks.detectors.context import context_scale
from doorward.attacks.detectors.joined import is_one_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorward.attacks.evidence import Evidence
    from doorward.attacks.rulebook import Rulebook
    from doorward.attacks.subject import Subject
    from doorward.attacks.work import Work

_RECIPIENTS = re.compile(r"[\r\n]\s{0,4}+b?cc\s{0,4}:[^\r\n@]{0,80}@")
_BLIND = re.compile(r"[\r\n]\s{0,4}+bcc\s{0,4}:[^\r\n@]{0,80}@")
_OTHER = re.compile(
    r"[\r\n]\s{0,4}+(?:to|from|reply-to|subject|mime-version|content-type|content-transfer-encoding|x-mailer)\s{0,4}:"
)
_COPIES = frozenset({"cc", "bcc"})
_FIRST_WORD = re.compile(r"\s{0,4}\S{0,128}\s{0,4}\Z")
_NAME = re.compile(r"[a-z]+")
_FEW_LINES = 8


class MailHeaderDetector:
    """Header lines behind what was to be one line.

    Args:
        book: The rules of ``mail.toml``.
    """

    needs_signs = True

    def __init__(self, book: Rulebook) -> None:
        self.name = f"{book.name} headers"
        self._header = book.rule("header")
        self._header_in_text = book.rule("header_in_text")
        self._fields = book.words("fields")

    def wants(self, subject: Subject) -> bool:
        """Whether there are lines, a colon, and a header's name or a field that has one line."""
        text = subject.text
        if not (("\n" in text or "\r" in text) and ":" in text):
            return False
        if not _COPIES.isdisjoint(subject.words):
            return True
        return not is_one_value(subject) or self._is_one_line(subject.name)

    def examine(self, subject: Subject, work: Work) -> Iterator[Evidence]:
        """A line of a mail's header."""
        lower = subject.lower
        work.spend(2 * len(lower))
        found = _RECIPIENTS.search(lower)
        # Other lines of a header are in many texts; in a name or an address they are out of place.
        if found is None and self._is_one_line(subject.name):
            found = _OTHER.search(lower)
        if found is not None and _FIRST_WORD.match(lower, 0, found.start()) and lower.count("\n") < _FEW_LINES:
            yield self._header.at(found.start(), found.end())
        elif blind := _BLIND.search(lower):
            yield self._header_in_text.at(blind.start(), blind.end(), scale=context_scale(subject))

    def _is_one_line(self, name: str) -> bool:
        return not self._fields.isdisjoint(_NAME.findall(name[:80].lower()))
