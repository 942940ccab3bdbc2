"""Recordings of traffic as requests: access logs, JSON lines, HAR files, doorward's own decisions.

What lines hold is data: whatever is wrong with them is counted (:class:`~doorward.replay.reading.Reading`), and
nothing of it raises. Memory does not grow with the length of the files. docs/replay-formats.md has the details.
"""

from __future__ import annotations

from doorward.replay.readers.formats import ACCEPTED, parser_of
from doorward.replay.readers.reader import read

__all__ = ["ACCEPTED", "parser_of", "read"]
