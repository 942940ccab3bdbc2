"""What readers of recordings share with who plays them: how much was read, and what was no request."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

MOST_SAMPLES = 20
LONGEST_TEXT = 200


@dataclass
class Reading:
    """Figures of what is being read; brought up to date while requests are taken from the reader.

    Attributes:
        lines: Lines so far, those that are no request included.
        bytes: Bytes so far, before decompression: with ``total`` it says how far the reader is.
        total: Bytes of all files; None where one of them is a pipe.
        skipped: Lines that are no request, by what is wrong with them.
        samples: The first few of them, as (file, line, what is wrong, the beginning of the text, as it came).
        notes: What else a reader should know.
    """

    lines: int = 0
    bytes: int = 0
    total: int | None = None
    skipped: Counter[str] = field(default_factory=Counter)
    samples: list[tuple[str, int, str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def skip(self, file: str, line: int, why: str, text: str) -> None:
        """Count a line that is no request."""
        self.skipped[why] += 1
        if len(self.samples) < MOST_SAMPLES:
            self.samples.append((file, line, why, text[:LONGEST_TEXT]))


__all__ = ["LONGEST_TEXT", "MOST_SAMPLES", "Reading"]
