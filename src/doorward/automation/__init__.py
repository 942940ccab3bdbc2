"""General evidence of automation in a request: what no browser, app or player sends, each piece with a weight."""

from __future__ import annotations

from doorward.automation.evidence import AUTOMATED, Examination, Finding
from doorward.automation.examiner import Examiner

__all__ = ["AUTOMATED", "Examination", "Examiner", "Finding"]
