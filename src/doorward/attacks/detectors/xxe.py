"""XML that makes its reader fetch files or addresses, or grow without end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.attacks.detectors.context import ContextPatterns
from doorward.attacks.evidence import Place

if TYPE_CHECKING:
    from doorward.attacks.subject import Subject

_MARKUP = frozenset({Place.XML, Place.BODY})
_BEGINNINGS = ("<?xml", "<!doctype", "<!entity", "<!element")


class XxeDetector(ContextPatterns):
    """The rules of ``xxe.toml``: of full weight in what is XML, less in texts about it."""

    needs_signs = True

    def scale(self, subject: Subject) -> float:
        """All of the weight where the text is a document that a parser would read."""
        if subject.place in _MARKUP or subject.lower[:64].lstrip("\ufeff \t\r\n").startswith(_BEGINNINGS):
            return 1.0
        return super().scale(subject)
