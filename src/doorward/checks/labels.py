"""Data that rules read about addresses: missing, or older than what it tells of."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from doorward.checks.registry import Told, looks_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorward.checks.subject import Subject

_MOVING = frozenset({"tor", "vpn", "proxy", "relay", "abuse"})
_DAYS_MOVING = 30
"""Exits and hijacked hosts change within days: after a month a list says little. The same as `doorward data status`."""
_DAYS_OTHER = 365
"""Countries, networks, hosting providers and crawlers move slowly."""


@looks_for("DW061", "no data for what a rule reads", about="deployment")
def missing(subject: Subject) -> Iterator[Told]:
    """``deny(ip=["tor"])`` without a list of exits."""
    for bound in subject.rules:
        wanted = bound.rule.reads()
        if wanted and (lacking := subject.addresses.missing(wanted)):
            what, _, remedy = lacking.partition("; what brings it: ")
            yield Told(bound.name, f"{what}: whatever it says of that is true of nobody", f"what brings it: {remedy}")


@looks_for("DW062", "data that is out of date", about="deployment")
def outdated(subject: Subject) -> Iterator[Told]:
    """The newest source of a kind is a month old, or a year."""
    for bound in subject.rules:
        wanted = {name for name in bound.rule.reads() if ":" not in name}
        old = sorted([(age, name) for name in wanted if (age := _age(subject, name)) is not None], reverse=True)
        if old:
            age, name = old[0]
            yield Told(
                bound.name,
                f"what is known of {name} is {age} days old: it refuses who has left the list, and not who has come",
                "run `doorward data update` once a day (docs/data.md)",
            )


def _age(subject: Subject, name: str) -> int | None:
    """Days since the newest source of a kind, where those are too many."""
    sources = [
        source for file in subject.addresses.open().sources() if name in file.known for source in file.meta.sources
    ]
    days = [date.fromisoformat(str(source.date)[:10]) for source in sources if source.date]
    age = (subject.today - max(days)).days if days else 0
    return age if age > (_DAYS_MOVING if name in _MOVING else _DAYS_OTHER) else None
