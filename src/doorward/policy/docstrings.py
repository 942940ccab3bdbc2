"""Reads what docstrings say about arguments: the sections ``Args`` and ``Attributes`` of Google's style."""

from __future__ import annotations

import inspect
import re
from typing import Any

_SECTION = re.compile(r"^(?:Args|Attributes):\n((?:[ \t]+.*\n|\n)*)", re.MULTILINE)
_ENTRY = re.compile(r"^ {4}\**(\w+): ", re.MULTILINE)
_ROLE = re.compile(r":\w+:`~?([^`]+)`")
_CODE = re.compile(r"``([^`]*)``")


def said_of(documented: Any) -> dict[str, str]:
    """What a function's or a class's docstring says about each argument or attribute, as plain text in one line."""
    text = (inspect.getdoc(documented) or "") + "\n"
    found: dict[str, str] = {}
    for section in _SECTION.finditer(text):
        parts = _ENTRY.split(section[1])[1:]
        found |= {name: plain_text(about) for name, about in zip(parts[::2], parts[1::2], strict=True)}
    return found


def summary_of(documented: Any) -> str:
    """The first paragraph of a docstring, as plain text in one line."""
    return plain_text((inspect.getdoc(documented) or "").partition("\n\n")[0])


def plain_text(text: str) -> str:
    """Text without the marks of reStructuredText."""
    without_roles = _ROLE.sub(lambda match: match[1].rsplit(".", 1)[-1], text)
    return " ".join(_CODE.sub(r"\1", without_roles).split())


__all__ = ["plain_text", "said_of", "summary_of"]
