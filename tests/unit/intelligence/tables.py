"""What tests ask tables of ranges."""

from __future__ import annotations

from doorward.intelligence.ranges import RangeTable


def labels_at(table: RangeTable, version: int, number: int) -> tuple[str, ...]:
    """The labels that hold at an address, sorted."""
    return table.labels(table.find(version, number))
