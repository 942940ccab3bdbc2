"""What was found so far in a request, and what it weighs: evidence adds up within a value, and the heaviest decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from doorward.attacks.evidence import Finding, Place

CONCLUSIVE = 1.0
REGION = 16_384
"""Characters of a long value within which evidence adds up: an attack is in one place, and books have many.

Regions overlap by half, so that what is within half of one adds up wherever it stands."""
_HALF = REGION // 2
_MOST = 64
"""The heaviest are told: a body has room for tens of thousands."""


class Found:
    """The findings of one scan.

    Attributes:
        weight: Of the heaviest value whose findings were kept.
        conclusive: Whether a value weighs enough to deny.
    """

    def __init__(self) -> None:
        self.weight = 0.0
        self.conclusive = False
        self._of_batch: dict[int, dict[str, Finding]] = {}
        self._of_long: dict[tuple[Place, str, int], dict[str, Finding]] = {}
        """Of each half of a region, with what is in the half behind it."""
        self._kept: list[Finding] = []

    def add(self, finding: Finding, number: int = 0) -> None:
        """Take note of a finding; of one rule in one value the heaviest stays.

        Args:
            finding: The finding.
            number: Tells values of one name apart; 0 for those that are known by their names, and come in pieces.
        """
        if number:
            self._add(self._of_batch.setdefault(number, {}), finding)
            return
        half = finding.offset // _HALF
        for region in (half - 1, half) if half else (half,):
            self._add(self._of_long.setdefault((finding.place, finding.name, region), {}), finding)

    def _add(self, of_value: dict[str, Finding], finding: Finding) -> None:
        before = of_value.get(finding.rule)
        if before is None or before.weight < finding.weight:
            of_value[finding.rule] = finding
            self.conclusive = self.conclusive or _weight(of_value.values()) >= CONCLUSIVE

    def keep(self) -> None:
        """Keep the heaviest of what was found in the values of a batch, which do not come again."""
        self._keep(self._of_batch.values())
        self._of_batch.clear()

    def heaviest(self) -> list[Finding]:
        """The heaviest of all, heaviest first."""
        self.keep()
        kept, self._kept = self._kept, []
        self._keep(self._of_long.values())
        self._of_long.clear()
        return _heaviest(kept + list(dict.fromkeys(self._kept)))  # each of a long value is in two regions

    def _keep(self, values: Iterable[dict[str, Finding]]) -> None:
        for of_value in values:
            self.weight = max(self.weight, _weight(of_value.values()))
            self._kept += of_value.values()
        if len(self._kept) > 4 * _MOST:
            self._kept = _heaviest(self._kept)


def _heaviest(findings: list[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: -finding.weight)[:_MOST]


def _weight(findings: Iterable[Finding]) -> float:
    # Rounded: weights are decimal fractions, and 0.7 + 0.2 + 0.1 has to be 1.
    return round(sum([finding.weight for finding in findings]), 6)
