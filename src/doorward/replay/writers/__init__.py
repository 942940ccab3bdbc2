"""Reports of replays as people and programs take them: ``write(report, "html")``.

Paths, agents and addresses in a report are what strangers sent. Each writer makes them safe for its own format, and
bounds them: :mod:`.safe` has what is common to them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from doorward.errors import ConfigurationError

if TYPE_CHECKING:
    from doorward.replay.report import Report

KINDS = ("text", "json", "junit", "sarif", "markdown", "html")
SUFFIXES = {".txt": "text", ".json": "json", ".xml": "junit", ".sarif": "sarif", ".md": "markdown", ".html": "html"}
"""The kind that a file's name stands for."""


def write(report: Report, kind: str, *, width: int = 100, colours: bool = False) -> str:
    """A report in one of :data:`KINDS`, ready to be written as UTF-8; all but ``html`` are plain ASCII.

    Args:
        report: What came of a replay.
        kind: Such as ``html``.
        width: Columns of the terminal that ``text`` is for.
        colours: Whether that terminal shows colours.

    Raises:
        ConfigurationError: There is no such kind.
    """
    if kind not in KINDS:
        raise ConfigurationError("kind", f"{kind!r} is none. Accepted: {', '.join(KINDS)}")
    options = {"width": width, "colours": colours} if kind == "text" else {}
    # Imported by name when asked for: who prints text needs no page, and no XML.
    written: str = import_module(f"{__name__}.{kind}_report").write(report, **options)
    return written


__all__ = ["KINDS", "SUFFIXES", "write"]
