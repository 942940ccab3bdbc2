"""What a reader of a report has to know beside the figures: what a recording lacks, and what follows from that."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from doorward.bound import Bound
    from doorward.replay.decider import Decider
    from doorward.replay.figures import Figures
    from doorward.replay.report import RuleTally

_MOST_REASONS = 3


def leave_out(tallies: Mapping[Bound, RuleTally], decider: Decider) -> None:
    """Say of each rule what it was not asked about, and why."""
    requests = sum(kind.requests for kind in decider.kinds.values())
    found: dict[Bound, Counter[str]] = {}
    for kind in decider.kinds.values():
        for bound, why in kind.lacking.items():
            found.setdefault(bound, Counter())[why] += kind.requests
        for bound, wanted in kind.open:
            if kind.silent:
                found.setdefault(bound, Counter())[_lacks_input(wanted)] += kind.silent
    for (bound, wanted), times in decider.missing.items():
        found.setdefault(bound, Counter())[_lacks_input(wanted)] += times
    for bound, reasons in found.items():
        tallies[bound].left_out = "; ".join(_told(reasons, requests))


def notes_of(decider: Decider, figures: Figures, backwards: int, override: str) -> list[str]:
    """The notes of a report."""
    return list(_notes(decider, figures, backwards, override))


def _notes(decider: Decider, figures: Figures, backwards: int, override: str) -> Iterator[str]:
    for tally in figures.tallies.values():
        if tally.left_out:
            yield f"rule {tally.name}: {tally.left_out}"
    for bound, tally in figures.tallies.items():
        if tally.errors:
            yield f"rule {tally.name} failed on {_requests(tally.errors)}{_passing(bound in decider.denies_on_error)}"
    for why, times in decider.exempt.most_common():
        yield f"{_requests(times)} left alone, as middleware does by default: {why}"
    if decider.unanswered:
        yield f"{_requests(decider.unanswered)} without a status: what a limit counts by it was counted"
    if backwards:
        yield f"{_requests(backwards)} dated before the one before: decided at the time of that one"
    evicted = _evicted(decider)
    if evicted:
        yield f"{evicted:,} counters went before their time: there were more than memory:// holds at once"
    if override:
        yield f"DOORWARD_MODE is {override} here; the report goes by the modes that the rules have themselves"
    if decider.client.runtime.routed:
        yield "rules of routes (decorators) are not part of a replay: a recording does not tell the routes"
    for counted, what in ((figures.routes, "routes"), (figures.clients, "clients"), (figures.reasons, "reasons")):
        if not counted.requests.is_exact:
            yield f"more {what} than are counted one by one: figures of single ones may be too high, as each says"


def _passing(closed: bool) -> str:  # noqa: FBT001  (what the rule is)
    live = "; its on_error is deny, so that where it fails live, it refuses" if closed else ""
    return f", which it lets pass here: offline, nobody is asked{live}"


def _evicted(decider: Decider) -> int:
    figures = decider.client.stats()
    return sum(count for name, count in figures.items() if name.endswith("_evicted"))


def _told(reasons: Counter[str], requests: int) -> Iterator[str]:
    for why, times in reasons.most_common(_MOST_REASONS):
        yield why if times >= requests else f"{why} (of {times:,} of {requests:,} requests)"


def _lacks_input(wanted: frozenset[str]) -> str:
    names = ", ".join(sorted(wanted))
    return f"not asked: the recording does not have what the application gives to protect: {names}"


def _requests(number: int) -> str:
    return f"{number:,} request{'' if number == 1 else 's'}"


__all__ = ["leave_out", "notes_of"]
