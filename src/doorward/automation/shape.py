"""Evidence in how an agent is built: what no browser, app or player would send."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from doorward.automation.desktop import added
from doorward.automation.evidence import Finding
from doorward.automation.vocabulary import (
    BROWSERS,
    IMITATED,
    PLACEHOLDERS,
    SERVICES,
    TRUE_COMPATIBLES,
    WINDOWS_RELEASES,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorward.automation.agent import Agent

_TEMPLATE = re.compile(r"%[sd](?![0-9a-f])|[$#]\{|\{\{|\$\(|`|</?[a-z!]|&(?:#\d{1,6}|amp|quot|lt|gt);|\\[nru]")
_SPECIAL = re.compile(r"[%$#{`<&\\]")
_REPEATED = ('"', "'", "user-agent:", "user-agent=", "user-agent :", "[object ")
_COMPATIBLE = re.compile(r"compatib\w{0,3}\$?\s{0,3}[;,]\s{0,3}\+?([a-z!.-]*)")
_LIKE_GECKO = re.compile(r"\(khtml([^()]*)")
_IN_LIKE_GECKO = re.compile(r"like|gecko|safari|version|chrome|mobile|apple|webkit|[^a-z]+")
_ENGINELESS = re.compile(r"mozilla/5\.0 \((?:windows|macintosh|x11)[^()]*\)")
_BEHIND = re.compile(r"(?<=safari/)[\d.]+;\s?\+?([a-z]+)")
_PREFIXED = re.compile(r"(?<=[\s,])mozilla/\d\.\d+ \((?:windows|macintosh|x11)")

_VERSION = re.compile(r"(?<=[ (])(?:chrome|firefox|crios|fxios|edg)/([a-z]|\d+)")
_HIGHEST = 400
"""Chrome and Firefox reach it after 2040 at ten versions a year."""
_GECKO = re.compile(r"(?<=rv:)(\d+)[^):]{0,40}\) gecko/[\d.]+ firefox/(\d+)")
_WINDOWS = re.compile(r"(?<=windows nt )\d+\.\d+")

_FIRST_VERSION = re.compile(r"v?0(?:\.\d+)*|v?1(?:\.[01])?(?:\.0)?|[a-z]*")
_NAME = re.compile(r"[A-Z][A-Za-z!+&']*(?: [A-Za-z0-9]+)*(?: ?\(.*)?", re.DOTALL)


def built(agent: Agent) -> Iterator[Finding]:
    """Evidence in the structure of an agent."""
    lower = agent.lower
    if agent.cut:
        yield Finding(0.6, "sends an agent longer than any program's")
    if not agent.text.isprintable():
        yield Finding(1.0, "sends control characters in its agent")
    if lower in PLACEHOLDERS or lower.startswith(_REPEATED) or (_SPECIAL.search(lower) and _TEMPLATE.search(lower)):
        yield Finding(1.0, "sends a placeholder or code as its agent")
    if "compatib" in lower and not TRUE_COMPATIBLES.issuperset(_COMPATIBLE.findall(lower)):
        yield Finding(1.0, "says it is compatible, but is none of the browsers that said so")
    if agent.browserlike:
        yield from _browser(agent)
        yield from _versions(lower)
        yield from added(agent)
    elif _PREFIXED.search(lower):
        yield Finding(1.0, "puts a name before a browser's agent")
    else:
        yield from _bare(agent)


def _browser(agent: Agent) -> Iterator[Finding]:
    """Evidence in an agent that begins like a browser's."""
    lower = agent.lower
    if not agent.apps and "linux" not in lower:
        yield Finding(1.0, "begins like a browser, but names no system")
    if _ENGINELESS.fullmatch(lower):
        yield Finding(1.0, "begins like a browser, but names no engine")
    inside = _LIKE_GECKO.search(lower)
    if inside and inside[1] != ", like gecko" and _IN_LIKE_GECKO.sub("", inside[1]):
        yield Finding(1.0, "has a name of its own inside 'KHTML, like Gecko'")
    if "msie" in agent.runs and "firefox" in agent.runs and "opera" not in agent.runs:
        yield Finding(1.0, "says it is Internet Explorer and Firefox")
    if _PREFIXED.search(lower):
        yield Finding(1.0, "holds the agents of two browsers")
    behind = _BEHIND.search(lower)
    if behind and behind[1] != "kakaotalk":
        yield Finding(1.0, "adds a name behind a semicolon")


def _versions(lower: str) -> Iterator[Finding]:
    """Evidence in the versions of a browser and its system."""
    for version in _VERSION.findall(lower):
        if not version.isdecimal():
            yield Finding(1.0, "has letters for a browser's version")
        elif int(version[:9]) > _HIGHEST:
            yield Finding(1.0, "has a version that no browser has reached")
    gecko = _GECKO.search(lower)
    if gecko and not _gecko_agrees(int(gecko[1][:9]), int(gecko[2][:9])):
        yield Finding(0.7, "has another version of Gecko than its Firefox")
    if not WINDOWS_RELEASES.issuperset(_WINDOWS.findall(lower)):
        yield Finding(0.7, "names a release of Windows that there is not")


def _gecko_agrees(gecko: int, firefox: int) -> bool:
    """Whether a version of Gecko belongs to one of Firefox.

    The numbers are the same since Firefox 5; Firefox 110 to 119 say 109 (Mozilla bug 1806690).
    """
    return gecko < 5 or gecko == firefox or (gecko == 109 and 110 <= firefox < 120)


def _bare(agent: Agent) -> Iterator[Finding]:
    """Evidence in an agent that is names only, where apps tell of their system, their device or their engine."""
    if agent.apps:
        return
    if not agent.runs.isdisjoint(BROWSERS):
        if agent.runs <= IMITATED:
            yield Finding(1.0, "names a browser and nothing else, as no browser does")
        return
    yield Finding(0.6, "names no system, device or engine, as apps do")
    if agent.called_app():
        return
    if not agent.words.isdisjoint(SERVICES) or not agent.runs.isdisjoint(SERVICES):
        yield Finding(0.5, "is called like a service")
    products = agent.products()
    if products and not any([product.version for product in products]) and _NAME.fullmatch(agent.text):
        yield Finding(0.3, "gives a name and no version")
    elif products and all([_FIRST_VERSION.fullmatch(version) for _, version in products]):
        yield Finding(0.4, "has no version, or one of a program's first")
