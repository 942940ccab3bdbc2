"""Conditions on a report, by which a pull request is stopped: ``--max-denied 0.1%``."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from doorward.replay.report import Threshold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doorward.replay.report import Report, Sample

ACCEPTED = "a share of the requests such as 0.1%, or a number of requests such as 25"
_MOST = re.compile(r"([0-9]{1,15})(?:\.([0-9]{1,15}))?(%?)")


class Most(NamedTuple):
    """The most of something that there may be.

    Attributes:
        text: As the user wrote it.
        share: Of all requests, 0 to 1; None where ``number`` is given.
        number: A number of requests; None where ``share`` is given.
    """

    text: str
    share: Fraction | None
    number: int | None

    def is_met(self, found: int, requests: int) -> bool:
        """Whether ``found`` of ``requests`` is no more than that; computed exactly."""
        if self.number is not None:
            return found <= self.number
        assert self.share is not None
        return found <= self.share * requests


def parse_most(text: str) -> Most:
    """A threshold from text.

    Raises:
        ValueError: It is neither a share in per cent nor a whole number.
    """
    match = _MOST.fullmatch(text.strip())
    if match is None or (match[2] and not match[3]):
        raise ValueError(f"must be {ACCEPTED}")
    if not match[3]:
        return Most(text, None, int(match[1]))
    share = Fraction(f"{match[1]}.{match[2] or 0}") / 100
    if share > 1:
        raise ValueError(f"is more than all; {ACCEPTED}")
    return Most(text, share, None)


def most_denied(report: Report, most: Most) -> Threshold:
    """Whether live rules deny no more than that."""
    samples = sorted([one for tally in report.rules if tally.denied for one in tally.samples])
    return _judged("--max-denied", most, report.denied, report.requests, samples)


def most_newly_denied(report: Report, most: Most) -> Threshold:
    """Whether the new policy denies no more than that besides what the old one denies.

    Raises:
        ValueError: There is nothing to compare with.
    """
    if report.against is None:
        raise ValueError("needs a policy to compare with: give --against")
    found = report.against
    return _judged("--max-newly-denied", most, found.newly_denied, report.requests, found.newly_denied_samples)


def _judged(name: str, most: Most, found: int, requests: int, samples: Sequence[Sample]) -> Threshold:
    met = most.is_met(found, requests)
    shown = f"{_percent(found, requests)} ({found:,} of {requests:,})"
    return Threshold(name, f"at most {most.text}", shown, met, [] if met else list(samples))


def _percent(found: int, requests: int) -> str:
    """A share as text; never ``0%`` of something."""
    if not requests or not found:
        return "0%"
    share = 100 * found / requests
    return f"{share:.2f}%" if share >= 0.01 else f"{share:.1g}%"


__all__ = ["ACCEPTED", "Most", "most_denied", "most_newly_denied", "parse_most"]
