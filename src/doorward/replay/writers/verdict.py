"""What a report says in a sentence or two: the same words in every format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.replay.writers.figures import counted, duration, number, share, when

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doorward.replay.report import Report, RuleTally, Threshold


def verdict(report: Report) -> str:
    """``PASSED``, ``FAILED``; ``NO THRESHOLD`` where nothing was asked for."""
    if not report.thresholds:
        return "NO THRESHOLD"
    return "PASSED" if report.passed else "FAILED"


def why(report: Report) -> str:
    """How many thresholds are met."""
    whole = len(report.thresholds)
    if not whole:
        return "nothing was asked of this replay, so nothing failed"
    missed = sum(not threshold.met for threshold in report.thresholds)
    if missed and whole > 1:
        return f"{number(missed)} of {counted(whole, 'threshold')} not met"
    if whole == 1:
        return "the threshold is not met" if missed else "the threshold is met"
    return f"all {number(whole)} thresholds are met"


def headline(report: Report) -> str:
    """``12,431 of 1,000,000 requests would be denied (1.2%)``."""
    if not report.requests:
        return "No request was replayed"
    whole = counted(report.requests, "request")
    if not report.denied:
        return f"None of {whole} would be denied" if report.requests > 1 else "The one request would not be denied"
    return f"{number(report.denied)} of {whole} would be denied ({share(report.denied, report.requests)})"


def besides(report: Report) -> list[str]:
    """What the headline does not say: one sentence each, none for what did not happen."""
    facts = [
        (report.would_deny, "more would be denied if the dry-run rules were live"),
        (report.challenged, "would be asked for a challenge"),
        (report.errors, "met a rule that failed"),
    ]
    return [f"{number(count)} {text} ({share(count, report.requests)})." for count, text in facts if count]


def changed(report: Report) -> str:
    """What the other policy decides otherwise; empty where none was given."""
    against = report.against
    if against is None:
        return ""
    if not against.newly_denied and not against.newly_allowed:
        return "No request is decided otherwise"
    whole = report.requests
    return (
        f"{number(against.newly_denied)} newly denied ({share(against.newly_denied, whole)}), "
        f"{number(against.newly_allowed)} newly allowed ({share(against.newly_allowed, whole)})"
    )


def period(report: Report) -> str:
    """From when to when the recording goes, in UTC, and how long that is."""
    if report.began_ns <= 0 or report.ended_ns <= 0:
        return "times are not known"
    began, ended = when(report.began_ns), when(report.ended_ns)
    if report.ended_ns <= report.began_ns:
        return f"{began} UTC"
    return f"{began} to {ended} UTC ({duration((report.ended_ns - report.began_ns) / 1e9)})"


def missed_first(thresholds: Sequence[Threshold]) -> list[Threshold]:
    """Those not met before the others: these may be cut where room is short."""
    return sorted(thresholds, key=lambda threshold: threshold.met)


def telling(rules: Sequence[RuleTally], limit: int) -> list[RuleTally]:
    """At most ``limit`` rules in the order of declaration; those that did something rather than the others."""
    quiet = [not (rule.denied or rule.would_deny or rule.challenged or rule.errors or rule.left_out) for rule in rules]
    chosen = sorted(range(len(rules)), key=quiet.__getitem__)[:limit]
    return [rules[n] for n in sorted(chosen)]


def without(rule: RuleTally) -> str:
    """What a rule was not asked about, or only in part, and why; empty for a rule that was asked as it is."""
    if not rule.left_out:
        return ""
    in_part = rule.asked > 0 or rule.left_out.startswith(("asked ", "looks "))
    told = rule.left_out.removeprefix("not asked: ").removeprefix("asked ")
    return f"{'asked in part' if in_part else 'not asked'}: {told}"
