"""Fields of a log record as text, ``name=value name="a value"``: as the journal writes them and readers read them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

DECISION, SUMMARY = "doorward decision ", "doorward summary "
"""What stands before the fields."""
CONCLUSIONS = frozenset({"ALLOW", "DENY", "CHALLENGE", "ERROR"})
TIMES = ("at", "time", "timestamp", "@timestamp", "ts", "asctime", "created")
"""Fields of JSON in which formatters put the time."""
_QUOTED = r'"(?:[^"\\]|\\.)*+"'
# The last alternative takes a word that is no field as a whole: what a stranger wrote is looked at once, and not from
# each of its characters on.
_FIELD = re.compile(rf'({_QUOTED}|(?>(?:decision|rule)\.[^\s"]*(?==))|[^\W\d]\w*+)=({_QUOTED}|[^\s"]*+)(?:\s|$)|\S++')


def as_text(fields: Mapping[str, Any]) -> str:
    """Fields in one line. Their values are printable already."""
    names = {name: name if name.isidentifier() else _quoted(name) for name in fields}
    return " ".join([f"{names[name]}={_quoted(value)}" for name, value in fields.items()])


def fields_of(text: str) -> dict[str, str]:
    """What :func:`as_text` was made of, as far as ``text`` is such a line; in time that grows with its length."""
    return {_unquoted(name): _unquoted(value) for name, value in _FIELD.findall(text) if name}


def _quoted(value: object) -> str:
    # Backslashes are escaped already, so that a quote that the client sent cannot end the field.
    text = str(value).replace('"', '\\"')
    return f'"{text}"' if " " in text or '"' in text or not text else text


def _unquoted(text: str) -> str:
    return text[1:-1].replace('\\"', '"') if text[:1] == '"' else text


__all__ = ["CONCLUSIONS", "DECISION", "SUMMARY", "TIMES", "as_text", "fields_of"]
