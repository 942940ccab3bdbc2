"""Short answers of the endpoints, for what is no page."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from doorward.answers import PROBLEM, TEXT, Answer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SAFETY = (
    ("Cache-Control", "no-store"),
    ("Vary", "Accept, Accept-Language, Cookie, Sec-Fetch-Dest"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Robots-Tag", "noindex"),
    ("Referrer-Policy", "same-origin"),
)
JSON = "application/json"


def plain(status: int, code: str, headers: Sequence[tuple[str, str]] = ()) -> Answer:
    """A code."""
    return Answer(status, [("Content-Type", TEXT), *SAFETY, *headers], f"{code}\n".encode())


def as_json(
    status: int, content: Mapping[str, object], headers: Sequence[tuple[str, str]] = (), kind: str = JSON
) -> Answer:
    """An object; ``kind`` is :data:`PROBLEM` for what went wrong (RFC 9457)."""
    return Answer(status, [("Content-Type", kind), *SAFETY, *headers], json.dumps(content).encode())


__all__ = ["JSON", "PROBLEM", "SAFETY", "as_json", "plain"]
