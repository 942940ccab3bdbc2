"""Proof of work: a client computes for a moment before it is let in. A cost to machines, and no proof of anybody.

The puzzles are those of the ALTCHA protocol, version 2 (a counter is looked for whose derived key has a given prefix)
and version 1 (a number is looked for whose SHA-256 is given), so that its widgets and libraries solve and check them.
"""

from __future__ import annotations

from doorward.challenges.work.checking import AltchaChecked
from doorward.challenges.work.kind import Work

__all__ = ["AltchaChecked", "Work"]
