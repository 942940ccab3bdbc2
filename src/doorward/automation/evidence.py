"""What an examination finds: pieces of evidence, each with its weight and its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

AUTOMATED = 1.0
"""Weight from which a client counts as automated."""


class Finding(NamedTuple):
    """One piece of evidence.

    Attributes:
        weight: Above 0 and up to 1; 1 is enough by itself.
        reason: Part of an English sentence whose subject is the client: "names an HTTP library". It never holds the
            client's own text, only numbers it sent and names from our tables.
    """

    weight: float
    reason: str


class Examination(NamedTuple):
    """All evidence on one request.

    Weights add up, capped at 1. They are not probabilities and the pieces are not independent, so there is no ground
    for a noisy-or; a sum lets a reader check the verdict in his head: 1 is what no browser or app does, 0.5 to 0.8 is
    rare among them and needs company, and what is common among them weighs nothing.

    Attributes:
        weight: From 0 to 1.
        findings: In the order they were found.
        agents: What the client calls itself: its different user agents, cut to a bounded length; none that is empty.
    """

    weight: float
    findings: tuple[Finding, ...]
    agents: tuple[str, ...] = ()

    @property
    def automated(self) -> bool:
        """Whether the evidence suffices."""
        return self.weight >= AUTOMATED

    @classmethod
    def of(cls, findings: Iterable[Finding], agents: tuple[str, ...] = ()) -> Examination:
        """The findings with their combined weight."""
        found = tuple(findings)
        # Rounded, because 0.6 + 0.4 is to reach 1 in whatever order it is added.
        return cls(min(1.0, round(sum([finding.weight for finding in found], 0.0), 6)), found, agents)


NOTHING = Examination(0.0, ())
