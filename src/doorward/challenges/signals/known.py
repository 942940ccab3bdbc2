"""What is known of the browser that a request says it comes from: the three engines, and where they run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, NamedTuple

from doorward.automation.agent import Agent
from doorward.automation.claim import Claim, claimed

if TYPE_CHECKING:
    from collections.abc import Mapping

Engine = Literal["v8", "gecko", "webkit"]


class Engines(NamedTuple):
    """How an engine shows.

    Attributes:
        stack: How it writes the stack of an error.
        eval: Characters of ``eval.toString()``.
        product: ``navigator.productSub`` (HTML standard section 8.9.1.1: one of two constants).
        vendors: What ``navigator.vendor`` may be (the same: one of three constants; older Opera had its own).
    """

    stack: Engine
    eval: int
    product: str
    vendors: frozenset[str]


ENGINES: Mapping[str, Engines] = {
    "Chrome": Engines("v8", 33, "20030107", frozenset({"Google Inc.", "Opera Software ASA"})),
    "Firefox": Engines("gecko", 37, "20100101", frozenset({""})),
    "Safari": Engines("webkit", 37, "20030107", frozenset({"Apple Computer, Inc."})),
}

PLATFORMS: Mapping[str, tuple[str, ...]] = {
    "Windows": ("Win",),
    "macOS": ("Mac",),
    "iOS": ("iPhone", "iPad", "iPod"),
    "Linux": ("Linux", "FreeBSD", "OpenBSD"),
    "Chrome OS": ("Linux",),
    "Android": ("Linux", "Android", "aarch64", "arm"),
}
"""How ``navigator.platform`` begins on each system. Chrome on Android and Chrome OS say Linux."""


_FIREFOX_SYSTEM = re.compile(
    r"(?<=^Mozilla/5\.0 \()[^()]{1,80}?(?=rv:[\d.]{1,10}\) Gecko/[\d.]{1,10} Firefox/[\d.]{1,10}$)"
)


def same_but_system(one: str, other: str) -> bool:
    """Whether two agents are one Firefox's, that says it is on different systems.

    Firefox that resists fingerprinting, and Tor Browser up to version 14, name Windows in requests, whatever they are
    on, and their own system in pages (the preference ``privacy.resistFingerprinting.spoofOsInUserAgentHeader``).
    """
    return one != other and _FIREFOX_SYSTEM.sub("", one, 1) == _FIREFOX_SYSTEM.sub("", other, 1)


def known_as(agent_text: str) -> Claim | None:
    """The browser that a user agent claims; None where nothing is known of its signals."""
    agent = Agent(agent_text)
    claim = claimed(agent)
    if claim is None and agent.lower.startswith(("mozilla/5.0 (iphone", "mozilla/5.0 (ipad", "mozilla/5.0 (ipod")):
        # Every browser and app on iOS shows pages with the engine of Safari, and names itself in its agent.
        return Claim("Safari", 0, "iOS", mobile=True, embedded=True) if "applewebkit/" in agent.lower else None
    return claim
