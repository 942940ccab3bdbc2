"""Limits that no one can reach, that everyone will, or that count for the wrong one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from doorward.checks.registry import Told, looks_for
from doorward.checks.subject import for_everything, is_within
from doorward.clock import NANOSECONDS
from doorward.effects import Algorithm
from doorward.fingerprint import IP
from doorward.limit_sense import in_words, makes_idle, span
from doorward.rules.limits import StaticLimit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorward.bound import Bound
    from doorward.checks.subject import Subject
    from doorward.rules.limits import Quota

_FASTEST = 100_000
"""Units a second that no client sends: one CPU of an application answers some thousands of requests a second."""
_HOUR = 3_600 * NANOSECONDS
_FEW = 10
_SHARED = re.compile(r"""http\.(?:host|request\.method|request\.uri\.path|request\.headers\[["']host["']\])""")
_CHOSEN = re.compile(
    r"""http\.request\.headers\[["'](?:user-agent|x-forwarded-for|x-real-ip|forwarded|referer|origin|accept(?:-\w+)*)["']\]"""
)


def _static(subject: Subject) -> list[tuple[Bound, StaticLimit]]:
    return [(bound, bound.rule) for bound in subject.rules if isinstance(bound.rule, StaticLimit)]


@looks_for("DW031", "a limit that no one can reach, since another refuses before")
def idle(subject: Subject) -> Iterator[Told]:
    """Both count the same requests of the same clients, and the other one is stricter."""
    limits = [(bound, rule) for bound, rule in _static(subject) if subject.is_live(bound)]
    for place, (bound, rule) in enumerate(limits):
        for position, (other, its_rule) in enumerate(limits):
            if position == place or not _refuses_before(its_rule.quota, rule.quota, first=position < place):
                continue
            if _counts_all(other, bound):
                yield Told(
                    bound.name,
                    f"{in_words(rule.quota)} can never refuse anybody: {other.name} ({in_words(its_rule.quota)}) "
                    "refuses before",
                    "raise the other one, lower this one, or remove it",
                )
                break


def _refuses_before(other: Quota, quota: Quota, *, first: bool) -> bool:
    comparable = other.algorithm is Algorithm.SLIDING_WINDOW or (
        other.algorithm is quota.algorithm is Algorithm.FIXED_WINDOW
    )
    if other.interval == quota.interval and (comparable or other.algorithm is quota.algorithm):
        return other.max < quota.max or (other.max == quota.max and other.algorithm is quota.algorithm and first)
    return comparable and makes_idle(other, quota)


def _counts_all(other: Bound, bound: Bound) -> bool:
    """Whether ``other`` charges at least what ``bound`` does, for each of its requests, to the same or more clients."""
    same = other.tier == bound.tier and other.additive == bound.additive and other.scope == bound.scope
    whole = other.count_when is None or other.count_when is bound.count_when
    coarser = set(other.identity.names) <= set(bound.identity.names)
    return same and whole and coarser and _charges_as_much(other.cost, bound.cost) and is_within(bound, other)


def _charges_as_much(other: int | None, cost: int | None) -> bool:
    if other is None:
        return cost in (None, 1)
    return cost is not None and cost <= other


@looks_for("DW032", "a limit above what anybody sends")
def out_of_reach(subject: Subject) -> Iterator[Told]:
    """A mistyped number, or seconds for milliseconds."""
    for bound, rule in _static(subject):
        if rule.quota.max * NANOSECONDS >= _FASTEST * rule.quota.interval:
            yield Told(
                bound.name,
                f"{in_words(rule.quota)} for one client is more than a client can send: it never refuses anybody",
                'check the unit: a number is seconds, "10m" ten minutes',
            )


@looks_for("DW033", "a limit that everyone reaches")
def everyone(subject: Subject) -> Iterator[Told]:
    """So few requests for all paths together that a person who reads some pages is refused."""
    for bound, rule in _static(subject):
        quota, admitted = rule.quota, rule.quota.max // (rule.cost or 1)
        sparse = admitted <= _FEW and admitted * _HOUR <= quota.interval
        if sparse and rule.count_when is None and for_everything(bound) and IP in bound.identity.names:
            yield Told(
                bound.name,
                f"it admits {admitted} request{'' if admitted == 1 else 's'} in {span(quota.interval)} for all paths "
                "together: whoever opens a few pages is refused for the rest of it",
                'name the path that is meant: paths=["POST /signup"]; or silence this where only one handler asks it',
            )


@looks_for("DW034", "a cost that leaves room for one request")
def costly(subject: Subject) -> Iterator[Told]:
    """``max=5, cost=3``: the second request of each window is refused."""
    for bound, rule in _static(subject):
        if rule.cost is not None and rule.cost > 1 and rule.cost * 2 > rule.quota.max:
            yield Told(
                bound.name,
                f"each request takes {rule.cost} of {rule.quota.max}: a client's second within "
                f"{span(rule.quota.interval)} is refused",
                f"raise max to a multiple of {rule.cost}, or say max=1 without cost= if one is meant",
            )


@looks_for("DW035", "a limit that all clients share")
def shared(subject: Subject) -> Iterator[Told]:
    """Counted by what is the same for everybody: one client uses up the room of all."""
    for bound, _ in _static(subject):
        names = bound.identity.names
        if names and all(_SHARED.fullmatch(name) for name in names):
            yield Told(
                bound.name,
                f"it counts by {', '.join(names)}, which all clients have in common: one of them can use up what is "
                "there for all, and all are refused",
                'add "ip.src" to characteristics; silence this where a limit for everybody together is meant',
            )


@looks_for("DW036", "a limit by what the client chooses")
def evaded(subject: Subject) -> Iterator[Told]:
    """Counted by a header that costs nothing to change."""
    for bound, _ in _static(subject):
        names = bound.identity.names
        chosen = [name for name in names if _CHOSEN.fullmatch(name.lower())]
        if chosen and all(_SHARED.fullmatch(name) or name in chosen for name in names):
            yield Told(
                bound.name,
                f"it counts by {', '.join(chosen)}, which the client writes itself: with another value in each request "
                "nobody is ever refused",
                'count by "ip.src", and name your proxies in proxies= where there are any',
            )
