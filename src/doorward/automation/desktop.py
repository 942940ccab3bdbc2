"""Evidence in today's browsers on computers, whose agents have one form: services that drive one add their names.

Only browsers since about 2018 are looked at: older ones carry the names of toolbars and systems, those on phones the
names of makers and apps.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from doorward.automation.agent import words_of
from doorward.automation.evidence import Finding
from doorward.automation.vocabulary import DESKTOP_SEGMENTS, PLATFORMS, TAIL_BROWSERS, TAIL_SERVICES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorward.automation.agent import Agent

_OLDEST = 60
"""Both Chrome and Firefox counted 60 in 2018."""
_MAJOR = re.compile(r"(?:Chrome|Firefox)/(\d{2,3})\b")
_SYSTEM = re.compile(r"Mozilla/5\.0 \(([^()]*)\)")
_SYSTEMS = ("X11", "Windows NT", "Macintosh")
_SEGMENT = re.compile(r"[A-Za-z][A-Za-z.]{2,}")
_LAST = re.compile(r"(?:Safari|Firefox)/[\d.]+(.*)", re.DOTALL)
_COMMENT = re.compile(r"\([^\w(]{0,4}([A-Za-z]+)")
_TRUE_COMMENTS = frozenset({"edition", "ecosia", "electron", "like"})
_NAMED_VERSION = re.compile(r"(?<![\w-])([A-Za-z][\w-]{0,63})/(\d+)")


def added(agent: Agent) -> Iterator[Finding]:
    """Evidence in what is added to the agent of a browser on a computer."""
    if not agent.desktop():
        return
    tail = agent.tail()
    if not words_of(tail).isdisjoint(TAIL_SERVICES):
        yield Finding(1.0, "adds the name of a service to a browser's agent")
        return
    major, system = _MAJOR.search(agent.text), _SYSTEM.match(agent.text)
    if major is None or system is None or int(major[1]) < _OLDEST:
        return
    if not any([name in system[1] for name in _SYSTEMS]):
        return
    if any([_foreign(segment.strip()) for segment in system[1].split(";")]):
        yield Finding(1.0, "adds a name to a browser's system")
    last = _LAST.search(tail)
    if last and last[1]:
        yield from _behind(last[1])


def _foreign(segment: str) -> bool:
    lower = segment.lower()
    return bool(_SEGMENT.fullmatch(segment)) and lower not in DESKTOP_SEGMENTS and lower not in PLATFORMS


def _behind(text: str) -> Iterator[Finding]:
    """Evidence in what follows the name that ends the agents of most browsers."""
    if any([word.lower() not in _TRUE_COMMENTS for word in _COMMENT.findall(text)]):
        yield Finding(1.0, "adds a comment to a browser's agent")
    for name, version in _NAMED_VERSION.findall(text):
        # Browsers that are made of Chrome count like Chrome, or are known.
        if name.lower() not in TAIL_BROWSERS and not 20 <= int(version[:9]) <= 400:
            yield Finding(0.6, "adds the name of another program to a browser's agent")
            return
