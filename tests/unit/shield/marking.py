"""A detector whose findings are written into the request: ``weigh(0.4)``, and ``weigh(0.4,b)`` by another rule."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from doorward.attacks.detectors.base import Detector
from doorward.attacks.evidence import Evidence, Family
from doorward.attacks.exclusions import Exclusion, Exclusions
from doorward.attacks.scan import Scanner
from doorward.attacks.subject import Subject
from doorward.attacks.work import Work
from doorward.rules.shield import ShieldRule

_MARK = re.compile(r"weigh\(([0-9.]{1,8})(?:,([a-z]{1,8}))?\)")


class Marking:
    """Finds marks; ``seen`` holds the texts that it was given to examine.

    Args:
        cost: Work units that each text takes.
    """

    name = "marking"

    def __init__(self, cost: int = 1) -> None:
        self.seen: list[str] = []
        self._cost = cost

    def wants(self, subject: Subject) -> bool:
        return "weigh(" in subject.lower

    def examine(self, subject: Subject, work: Work) -> Iterator[Evidence]:
        self.seen.append(subject.text)
        work.spend(self._cost)
        for mark in _MARK.finditer(subject.lower):
            rule = f"test.{mark[2] or 'weigh'}"
            yield Evidence(Family.CODE, rule, float(mark[1]), mark.start(), mark.end(), "is marked")


class Failing:
    """Raises about texts that say so."""

    name = "failing"

    def __init__(self, *, screen: bool = False) -> None:
        self._screen = screen

    def wants(self, subject: Subject) -> bool:
        if self._screen and "raise()" in subject.lower:
            raise RuntimeError("a bug in a screen")
        return "raise()" in subject.lower

    def examine(self, subject: Subject, work: Work) -> Iterator[Evidence]:
        raise RuntimeError("a bug in a detector")
        yield  # a generator, as most detectors are


def scanner(*detectors: Detector, requests: tuple[Any, ...] = (), exclusions: tuple[Exclusion, ...] = ()) -> Scanner:
    return Scanner(detectors or (Marking(),), requests, Exclusions(exclusions))


def marked(*detectors: Detector, **fields: Any) -> ShieldRule:
    """A shield that finds marks, or what other detectors find."""
    return ShieldRule(scanner=scanner(*detectors), **fields)
