"""Rules that are never asked, or never make a difference: what is in front of them decides, or nothing comes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from doorward.checks.bot_lists import refuses_all_of
from doorward.checks.conditions import implied
from doorward.checks.path_sets import matches_nothing, region
from doorward.checks.registry import CLIENT, Told, looks_for
from doorward.checks.subject import is_within, region_of
from doorward.patterns import split_methods
from doorward.rules.access import AccessRule
from doorward.rules.bots import BotRule
from doorward.rules.email import EmailRule, EmailType
from doorward.rules.filters import FilterRule
from doorward.rules.limits import Limit, StaticLimit
from doorward.rules.shield import ShieldRule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorward.bound import Bound
    from doorward.checks.path_sets import Pattern
    from doorward.checks.subject import Subject
    from doorward.rules.base import Rule

_QUERY = re.compile(r"\?[\w.-]*=")
_PLACEHOLDER = re.compile(r"\{[A-Za-z_]\w*(?::[^{}]*)?\}|<(?:[a-z]+:)?[A-Za-z_]\w*>|/:[A-Za-z_]\w*(?=/|\Z)")
_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}")


def named(pattern: Pattern) -> str:
    """A pattern as it was written, in quotes."""
    return repr(pattern if isinstance(pattern, str) else f"re:{pattern.pattern}")


@looks_for("DW001", "a path that no method comes with")
def methods_that_never_come(subject: Subject) -> Iterator[Told]:
    """``methods=["POST"], paths=["GET /login"]``."""
    for bound in subject.rules:
        for path in bound.rule.paths:
            if not region((path,), bound.rule.methods).by_method:
                taken = ", ".join(bound.rule.methods)
                yield Told(
                    bound.name,
                    f"it is for {taken} alone, so {named(path)} never matches: no request there is looked at",
                    "name methods in one place: in methods=, or in front of each path",
                )


@looks_for("DW002", "a path that never comes")
def paths_that_never_come(subject: Subject) -> Iterator[Told]:
    """Patterns that no path of a request matches as it is routed."""
    for bound in subject.rules:
        for path in bound.rule.paths:
            why = _why_never(split_methods(path, "paths")[1])
            if why:
                yield Told(bound.name, f"{named(path)} matches no request, which go past the rule: {why[0]}", why[1])


def _why_never(pattern: Pattern) -> tuple[str, str] | None:
    """Why a pattern matches no path, and what to write; None where it may match one."""
    if matches_nothing(pattern):
        return 'no path that begins with "/" matches it', 'a path begins with "/", also for "re:"'
    if not isinstance(pattern, str) or pattern.startswith(("re:", "regex:")):
        return None
    if _QUERY.search(pattern):
        return "a path has no query string", 'leave out what follows "?", or use filter_request with uri.args["…"]'
    if found := _PLACEHOLDER.search(pattern):
        return f"{found[0]!r} is the router's way to write a part of a path", 'write "*" for one part of a path'
    if found := _ENCODED.search(pattern):
        return f"paths are decoded first, so {found[0]!r} does not stand in them", "write the character itself"
    return None


@looks_for("DW003", "a rule for OPTIONS, which middleware leaves alone")
def options_alone(subject: Subject) -> Iterator[Told]:
    """Rules whose every request is an OPTIONS one."""
    for bound in subject.rules if subject.exempts else ():
        found = region_of(bound)
        if found is not None and [method for method, _ in found.by_method] == ["OPTIONS"]:
            yield Told(
                bound.name,
                "it is for OPTIONS alone, and middleware asks no rule about OPTIONS: it never does anything there",
                "default_exemptions=False at the middleware has it asked; CORS preflights are then asked about too",
            )


@looks_for("DW004", "a rule behind a deny for all that it is for", "error")
def behind_a_deny(subject: Subject) -> Iterator[Told]:
    """A live deny without conditions, and rules for nothing but its paths."""
    for earlier, later in subject.pairs():
        if not is_plain(earlier, "DENY") or ended_before(subject, earlier) or is_action(later, "ALLOW"):
            continue
        if is_within(later, earlier):
            yield Told(
                later.name,
                f"it is never asked: {earlier.name} refuses every request that it is for, whoever sends it",
                f"remove one of the two, give {earlier.name} a condition (ip=, where=), or narrow its paths",
            )


@looks_for("DW005", "a rule that an allow switches off")
def switched_off(subject: Subject) -> Iterator[Told]:
    """``allow(paths=…)`` ends rules for nothing but these paths."""
    for earlier, later in subject.pairs():
        rule = earlier.rule
        if not isinstance(rule, AccessRule) or later.rule.kind not in rule.ends or not is_within(later, earlier):
            continue
        if implied(rule, later.rule):
            yield Told(
                later.name,
                f"it never does anything: {earlier.name} lets every request pass that it is for, and ends "
                f"{later.rule.kind} rules",
                f"take {later.rule.kind} out of ends= of {earlier.name}, narrow its paths, or remove {later.name}",
            )


@looks_for("DW006", "a limit that limits= replaces")
def replaced(subject: Subject) -> Iterator[Told]:
    """Limits of paths take the place of the application's."""
    limits = [bound for bound in subject.live() if isinstance(bound.rule, Limit)]
    of_paths = [b for b in limits if b.tier and isinstance(b.rule, StaticLimit) and not has_own_names(b)]
    for bound in limits:
        for other in of_paths:
            if other.tier > bound.tier and not bound.additive and is_within(bound, other):
                yield Told(
                    bound.name,
                    f"it never counts: {other.name} of limits= takes its place on every path that it is for",
                    "remove one of the two, or write both into one text: '5/minute; 100/day'",
                )
                break


@looks_for("DW007", "a rule that an earlier one covers")
def shadowed(subject: Subject) -> Iterator[Told]:
    """All that the later rule refuses, an earlier one of its kind has refused."""
    reported = set()
    for earlier, later in subject.pairs():
        if later.name in reported or later.rule.kind != earlier.rule.kind or not is_within(later, earlier):
            continue
        if _does_as_much(earlier.rule, later.rule) and not ended_before(subject, earlier):
            reported.add(later.name)
            yield Told(
                later.name,
                f"it never makes a difference: whatever it would do, {earlier.name} has done before",
                f"remove it, or, if it is to be stricter, check its lists and paths against {earlier.name}",
            )


def _does_as_much(earlier: object, later: object) -> bool:
    match earlier, later:
        case AccessRule(), AccessRule():
            return _accesses_as_much(earlier, later)
        case FilterRule(), FilterRule():
            return bool(later.deny) and {f.source for f in later.deny} <= {f.source for f in earlier.deny}
        case EmailRule(), EmailRule():
            return _refuses_as_much(earlier, later)
        case BotRule(), BotRule():
            return bool(later.deny) and refuses_all_of(earlier, later)
        case ShieldRule(), ShieldRule():
            same = ("threshold", "window", "body", "when", "exclude", "paranoia", "characteristics")
            return all(getattr(earlier, name) == getattr(later, name) for name in same)
    return False


def _accesses_as_much(earlier: AccessRule, later: AccessRule) -> bool:
    if earlier.action != later.action or earlier.action == "WEIGH" or not implied(earlier, later):
        return False
    # A deny without conditions has a code of its own.
    return bool(earlier.matchers) if earlier.action == "DENY" else earlier.ends >= later.ends


def _refuses_as_much(earlier: EmailRule, later: EmailRule) -> bool:
    same = all(
        getattr(earlier, name) == getattr(later, name)
        for name in ("require_top_level_domain", "allow_domain_literal", "disposable", "gravatar")
    )
    return same and all(earlier.refuses(kind) or not later.refuses(kind) for kind in EmailType)


@looks_for("DW008", "weights that lead to nothing")
def weights_without_threshold(subject: Subject) -> Iterator[Told]:
    """``weigh`` without ``thresholds``, thresholds that no weights reach."""
    weighing = [bound for bound in subject.live() if _adds(bound.rule)]
    thresholds = [limit for limit, _ in subject.settings.thresholds]
    if weighing and not thresholds:
        yield Told(
            weighing[0].name,
            "it adds to a request's weight, and the client has no thresholds: whatever the sum, all requests pass",
            'give the client thresholds={"DENY": 20}, or write deny(…) instead',
        )
    own = any(not type(bound.rule).__module__.startswith("doorward.") for bound in subject.rules)
    most = sum(max(0.0, _adds(bound.rule)) for bound in weighing)
    if weighing and thresholds and not own and most < min(thresholds):
        yield Told(
            CLIENT,
            f"all weights together come to {most:g}, and the least threshold is {min(thresholds):g}: nobody gets there",
            "lower the threshold, or raise the weights",
        )


def _adds(rule: Rule) -> float:
    """The most that a rule of ours adds to a request's weight: ``weigh``, ``honeypot`` and ``form_trap`` do."""
    return float(getattr(rule, "weight", 0.0))


def is_action(bound: Bound, action: str) -> bool:
    """Whether a rule is an ``allow``, ``deny`` or ``weigh``."""
    return isinstance(bound.rule, AccessRule) and bound.rule.action == action


def is_plain(bound: Bound, action: str) -> bool:
    """Whether it is one without conditions on the client or the request, but for path and method."""
    return isinstance(bound.rule, AccessRule) and bound.rule.action == action and not bound.rule.matchers


def ended_before(subject: Subject, bound: Bound) -> bool:
    """Whether an ``allow`` in front of a rule may end it, for some requests."""
    for other in subject.live():
        if other is bound:
            return False
        if isinstance(other.rule, AccessRule) and bound.rule.kind in other.rule.ends:
            return True
    return False


def has_own_names(bound: Bound) -> bool:
    """Whether a limit counts by something that the application gives to ``protect``."""
    return any("." not in name for name in bound.identity.names)


__all__ = ["ended_before", "is_action", "is_plain", "named"]
