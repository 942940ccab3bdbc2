"""Which browser and system an agent says it is, for comparing with what else the request says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from doorward.automation.agent import Agent

Family = Literal["Chrome", "Firefox", "Safari"]
System = Literal["Windows", "macOS", "Linux", "Chrome OS", "Android", "iOS", ""]

_CHROME = re.compile(r" chrome/(\d{1,4})\.")
_FIREFOX = re.compile(r" gecko/[\d.]+ firefox/(\d{1,4})\.")
_SAFARI = re.compile(r" version/(\d{1,4})[. ]")
_EMBEDDED = re.compile(r"; ?wv\)|version/\d|electron/|\[fb|safari/[\d.]+[ ;].")
_APPLE = ("(macintosh", "(iphone", "(ipad", "(ipod")
_FORKS = frozenset({"seamonkey", "palemoon", "goanna", "waterfox", "basilisk", "kaios"})
_SYSTEMS: tuple[tuple[str, System], ...] = (
    ("android", "Android"),
    ("iphone", "iOS"),
    ("ipad", "iOS"),
    ("windows nt", "Windows"),
    ("macintosh", "macOS"),
    ("cros", "Chrome OS"),
    ("linux", "Linux"),
)


class Claim(NamedTuple):
    """What an agent claims.

    Attributes:
        family: Whose engine it is.
        version: The first number of its version.
        system: Named as in client hints; empty when unknown.
        mobile: Whether it says that it is on a phone.
        embedded: Whether an app or another browser may have made it of that engine, and changed what it sends.
    """

    family: Family
    version: int
    system: System
    mobile: bool
    embedded: bool


def claimed(agent: Agent) -> Claim | None:
    """The claim of an agent; None when it is none of the three engines, or too odd a one to know what it sends."""
    lower = agent.lower
    if not lower.startswith("mozilla/5.0 (") or "compatible" in lower or not agent.runs.isdisjoint(_FORKS):
        return None
    family: Family
    if " applewebkit/537.36 " in lower and (found := _CHROME.search(lower)):
        family = "Chrome"
    elif found := _FIREFOX.search(lower):
        family = "Firefox"
    elif lower.startswith(_APPLE, len("mozilla/5.0 ")) and " safari/" in lower and (found := _SAFARI.search(lower)):
        family = "Safari"
    else:
        return None
    embedded = family == "Chrome" and bool(_EMBEDDED.search(lower))
    return Claim(family, int(found[1]), _system(lower), "mobile" in lower, embedded)


def _system(lower: str) -> System:
    for mark, name in _SYSTEMS:
        if mark in lower:
            return name
    return ""
