"""Rules that say yes and no to the same thing, so that one of them is not what its author believes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.checks.bot_lists import refuses
from doorward.checks.conditions import implied
from doorward.checks.reach import ended_before, is_action
from doorward.checks.registry import Told, looks_for
from doorward.checks.subject import is_within
from doorward.rules.access import AccessRule
from doorward.rules.bots import BotRule
from doorward.rules.email import EmailRule, EmailType
from doorward.rules.filters import FilterRule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from doorward.bound import Bound
    from doorward.checks.subject import Subject


@looks_for("DW011", "an allow that a deny overrules", "error")
def overruled(subject: Subject) -> Iterator[Told]:
    """Whoever the allow is for is refused all the same: it ends rules for bots and challenges, not ``deny``."""
    live = subject.live()
    for position, allowing in enumerate(live):
        for place, denying in enumerate(live):
            if not (is_action(allowing, "ALLOW") and is_action(denying, "DENY")):
                continue
            ends_it = position < place and isinstance(allowing.rule, AccessRule) and "RULE" in allowing.rule.ends
            if not ends_it and _covers(denying, allowing) and not ended_before(subject, denying):
                yield Told(
                    allowing.name,
                    f"it lets nobody in: {denying.name} refuses every request that it is for",
                    f'declare it in front of {denying.name}, with ends=["RULE"] beside what else it is to end',
                )


def _covers(wide: Bound, narrow: Bound) -> bool:
    return isinstance(wide.rule, AccessRule) and is_within(narrow, wide) and implied(wide.rule, narrow.rule)


@looks_for("DW012", "a bot that one rule lets pass and another refuses")
def bots_both_ways(subject: Subject) -> Iterator[Told]:
    """A name in ``allow`` that another rule refuses on all of the paths."""
    for allowing, denying in _both_ways(subject):
        first, second = allowing.rule, denying.rule
        if isinstance(first, BotRule) and isinstance(second, BotRule) and is_within(allowing, denying):
            names = [name for name in first.allow or () if refuses(second, name, first)]
            if names:
                yield Told(
                    allowing.name,
                    f"it lets {_listed(names)} pass, but {denying.name} refuses them: they are refused",
                    "write one detect_bot with one list",
                )


@looks_for("DW013", "e-mail lists that contradict each other")
def emails_both_ways(subject: Subject) -> Iterator[Told]:
    """INVALID in ``allow``; a type that one rule lets pass and another refuses."""
    for bound in subject.live():
        if isinstance(bound.rule, EmailRule) and EmailType.INVALID in (bound.rule.allow or ()):
            yield Told(
                bound.name,
                "it lists INVALID in allow, but what is no address is refused whatever the lists say",
                "leave INVALID out of allow",
            )
    for allowing, denying in _both_ways(subject):
        first, second = allowing.rule, denying.rule
        if isinstance(first, EmailRule) and isinstance(second, EmailRule) and is_within(allowing, denying):
            allowed = sorted((first.allow or frozenset()) - {EmailType.INVALID})
            kinds = [kind for kind in allowed if second.refuses(kind)]
            if kinds:
                yield Told(
                    allowing.name,
                    f"it lets addresses of type {_listed(kinds)} pass, but {denying.name} refuses them: nobody with "
                    "such an address can sign up",
                    "write one validate_email with one list",
                )


@looks_for("DW014", "filters that no request passes", "error")
def filters_both_ways(subject: Subject) -> Iterator[Told]:
    """What one filter demands, another refuses."""
    for demanding, refusing in _both_ways(subject):
        first, second = demanding.rule, refusing.rule
        if not (isinstance(first, FilterRule) and isinstance(second, FilterRule) and first.allow and second.deny):
            continue
        refused = {expression.source for expression in second.deny}
        if {expression.source for expression in first.allow} <= refused and is_within(demanding, refusing):
            yield Told(
                demanding.name,
                f"it refuses everybody whom its expressions do not match, and {refusing.name} everybody whom they "
                "match: every request is refused",
                "remove one of the two",
            )


def _both_ways(subject: Subject) -> Iterator[tuple[Bound, Bound]]:
    for earlier, later in subject.pairs():
        yield earlier, later
        yield later, earlier


def _listed(names: Sequence[str], most: int = 5) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
