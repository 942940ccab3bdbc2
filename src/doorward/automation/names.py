"""Evidence in what an agent says it is: a robot, an HTTP library, a driver of browsers, somebody to write to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from doorward.automation.evidence import Finding
from doorward.automation.vocabulary import (
    BROWSER_DRIVERS,
    EMBEDDED,
    LANGUAGES,
    LIBRARIES,
    NOT_ROBOTS,
    NOT_WORK,
    PROGRAMS,
    ROBOT_BEGINNINGS,
    ROBOT_ENDINGS,
    ROBOT_WORK,
    ROBOTS,
    SHELLS,
    TEXT_BROWSERS,
    TOP_LEVEL_DOMAINS,
    WORK_BEGINNINGS,
    WORK_ENDINGS,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorward.automation.agent import Agent

_LAST_THREE = frozenset([ending[-3:] for ending in ROBOT_ENDINGS + WORK_ENDINGS])
_FIRST_FOUR = frozenset([beginning[:4] for beginning in ROBOT_BEGINNINGS + WORK_BEGINNINGS])
_SEPARATORS = re.compile(r"[^a-z0-9]+")
_ADDRESS = re.compile(r"https?:/{1,2}\w|\bwww\.\w")
_SIGNED_ADDRESS = re.compile(r"\+\s?(?:https?:|www\.|[a-z0-9-]+\.[a-z]{2,}\b)")
_MAIL = re.compile(r"\w(?:@| at |\[at\]|\(at\))\w[\w-]{0,63}(?:\.| dot )[a-z]{2,}|mailto:")
_MAIL_MARKS = ("@", " at ", "at)", "at]", "mailto")
_BETWEEN = re.compile(r"[\s;,()/\[\]]+")
_LETTERS_BEHIND_DOT = re.compile(r"\.[a-z]{2}")
_LABEL = re.compile(r"[a-z0-9][a-z0-9-]*")


def named(agent: Agent) -> Iterator[Finding]:
    """Evidence in the words of an agent."""
    suspects = _suspects(agent.runs)
    if not agent.runs.isdisjoint(BROWSER_DRIVERS):
        yield Finding(1.0, "names software that drives browsers")
    elif not agent.words.isdisjoint(ROBOTS) or any([_robot(run) for run in suspects]):
        yield Finding(0.6 if agent.in_app_engine() else 1.0, "calls itself a robot")
    elif not agent.words.isdisjoint(ROBOT_WORK) or any([_work(run) for run in suspects]):
        app = agent.apps and not agent.browserlike
        yield Finding(0.6 if app else 1.0, "says that it does a robot's work")
    if not (agent.browserlike and agent.runs.isdisjoint(SHELLS)) and _library(agent):
        yield Finding(1.0, "names an HTTP library or tool")
    yield from _contact(agent)


def _suspects(runs: frozenset[str]) -> list[str]:
    """Those that may end or begin like a robot's name. Most browsers have none, and one look is quicker than thirty."""
    return [run for run in runs if run[-3:] in _LAST_THREE or run[:4] in _FIRST_FOUR]


def _robot(run: str) -> bool:
    return (run.endswith(ROBOT_ENDINGS) or run.startswith(ROBOT_BEGINNINGS)) and run not in NOT_ROBOTS


def _work(run: str) -> bool:
    return (run.endswith(WORK_ENDINGS) or run.startswith(WORK_BEGINNINGS)) and run not in NOT_WORK


def _library(agent: Agent) -> bool:
    """Whether a library or tool speaks for itself, or one is named that no app is made with."""
    if agent.in_app_engine() or not (agent.runs.isdisjoint(PROGRAMS) and agent.runs.isdisjoint(TEXT_BROWSERS)):
        return False
    for position, (name, version) in enumerate(agent.products()):
        parts = {name, *_SEPARATORS.split(name), name.rstrip("0123456789")}
        if position and not parts.isdisjoint(EMBEDDED):
            return False
        if (version or not position) and not parts.isdisjoint(LIBRARIES):
            return True
        if not parts.isdisjoint(LANGUAGES) and "midp" not in agent.runs:
            return True
    return False


def _contact(agent: Agent) -> Iterator[Finding]:
    """Where to complain: robots are to say so, other programs have no reason to.

    RFC 9110 section 10.1.2 and the published guides of search engines ask it of robots. Some players and toolbars
    advertise their site, too.
    """
    lower = agent.lower
    if "+" in lower and _SIGNED_ADDRESS.search(lower):
        installed = agent.apps and agent.called_app() and not agent.browserlike
        yield Finding(0.6 if installed else 1.0, "gives a web address, as robots do")
    elif ("http" in lower or "www." in lower) and _ADDRESS.search(lower):
        yield Finding(0.6 if agent.apps and not agent.modern() else 1.0, "gives a web address")
    elif any([mark in lower for mark in _MAIL_MARKS]) and _MAIL.search(lower):
        yield Finding(1.0, "gives an e-mail address")
    elif _LETTERS_BEHIND_DOT.search(lower) and _names_domain(lower):
        yield Finding(0.6 if agent.apps and not agent.desktop() else 1.0, "gives the name of a web site")


def _names_domain(lower: str) -> bool:
    """Whether there is a domain name, and not an app's name, which is one in reverse (``com.example.app``)."""
    for part in _BETWEEN.split(lower):
        labels = part.split(".")
        if len(labels) == 1 or labels[-1] not in TOP_LEVEL_DOMAINS or labels[-2].isdigit():
            continue
        if labels[0] not in TOP_LEVEL_DOMAINS and all([_LABEL.fullmatch(label) for label in labels]):
            return True
    return False
