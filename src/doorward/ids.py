"""Names that are made up: decision ids (TypeID of a UUIDv7) and rule ids."""

from __future__ import annotations

import hashlib
import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LOCAL_PREFIX = "lreq"
"""Decisions made in this process."""
SERVICE_PREFIX = "req"
"""Decisions of a decision service."""

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_TYPEID = re.compile(r"l?req_[0-7][0-9a-hjkmnp-tv-z]{25}")
_NANOSECONDS_IN_MILLISECOND = 1_000_000

Field = tuple[str, "str | int | bool | Sequence[str]"]


def decision_id(now_ns: int, entropy: bytes | None = None, prefix: str = LOCAL_PREFIX) -> str:
    """A new decision id: ``lreq_`` and 26 characters, sortable by time.

    Args:
        now_ns: Nanoseconds since the Unix epoch.
        entropy: 10 random bytes; the system's by default, so that forked workers never agree.
        prefix: Who made the decision.

    UUIDv7 is RFC 9562 section 5.7; the text form is the TypeID specification 0.3 (Crockford's base 32, lower case).
    """
    random = int.from_bytes(entropy if entropy is not None else os.urandom(10))
    milliseconds = now_ns // _NANOSECONDS_IN_MILLISECOND & (1 << 48) - 1
    version_7 = milliseconds << 80 | 0x7 << 76 | (random >> 62 & 0xFFF) << 64
    uuid = version_7 | 0b10 << 62 | random & (1 << 62) - 1
    return f"{prefix}_{_base32(uuid)}"


def made_at_ns(decision: str) -> int | None:
    """When a decision with this id says that it was made, nanoseconds since the Unix epoch; None for no such id."""
    if not _TYPEID.fullmatch(decision):
        return None
    milliseconds = 0
    for character in decision.partition("_")[2][:10]:
        milliseconds = milliseconds << 5 | _CROCKFORD.index(character)
    return (milliseconds & (1 << 48) - 1) * _NANOSECONDS_IN_MILLISECOND


def _base32(uuid: int) -> str:
    return "".join(_CROCKFORD[uuid >> shift & 31] for shift in range(125, -1, -5))


def rule_id(fields: Iterable[Field]) -> str:
    """SHA-256 over a rule's fields in order, in the form that Arcjet's SDKs use: equal rules have equal ids."""
    text = "".join(f"{name}:{_encoded(value)}," for name, value in fields)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _encoded(value: str | int | bool | Sequence[str]) -> str:  # noqa: FBT001  (a value, not a flag)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return _quoted(value)
    return "[" + "".join(f"{_quoted(item)}," for item in sorted(value)) + "]"


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '\\"') + '"'
