"""Why a line is no request. These texts are what is counted: they are few, and nothing of the line is in them."""

from __future__ import annotations

NO_HTTP = "no HTTP request: what came was empty, TLS or garbage, and the server answered it without the application"
WRONG_TIME = "its time makes no sense"
TOO_EARLY = "its time is before 1995"
TOO_LATE = "its time is after 2100"
NO_TIME = "it names no time"
NO_PATH = "it names no path"
NO_JSON = "it is no JSON object"
TOO_DEEP = "its JSON is nested too deeply"
NOT_A_DECISION = "it is no record of a decision"
TOO_LONG = "it is longer than 256 KiB"
CUT_OFF = "it is cut off at the end of the file"
BINARY = "it holds NUL bytes"
OUT_OF_ORDER = "it is more than an hour older than what was read before it"
OF_WHOLE_LINES = frozenset({NO_HTTP, WRONG_TIME, TOO_EARLY, TOO_LATE})
"""What a line that was cut off does not come to."""


class NoRequest(Exception):
    """A line that is no request.

    Args:
        why: One of the texts of this module, or another that does not depend on the line.
    """

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


__all__ = [
    "BINARY",
    "CUT_OFF",
    "NOT_A_DECISION",
    "NO_HTTP",
    "NO_JSON",
    "NO_PATH",
    "NO_TIME",
    "OF_WHOLE_LINES",
    "OUT_OF_ORDER",
    "TOO_DEEP",
    "TOO_EARLY",
    "TOO_LATE",
    "TOO_LONG",
    "WRONG_TIME",
    "NoRequest",
]
