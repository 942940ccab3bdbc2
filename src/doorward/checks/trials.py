"""Dry runs that nobody ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.checks.registry import CLIENT, Told, looks_for
from doorward.decision import Mode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorward.checks.subject import Subject

_FORGOTTEN = 60
"""Days: eight weekends and two ends of a month have been seen by then."""


@looks_for("DW071", "a client that refuses nobody")
def all_dry(subject: Subject) -> Iterator[Told]:
    """Every rule is on trial."""
    rules = subject.rules
    if rules and not subject.live():
        by = 'mode="DRY_RUN" of the client' if subject.settings.mode is Mode.DRY_RUN else "the mode of each"
        yield Told(
            CLIENT,
            f"all {len(rules)} of its rules are dry runs, by {by}: they report, and nobody is ever refused"
            if len(rules) > 1
            else f"its only rule is a dry run, by {by}: it reports, and nobody is ever refused",
            'mode="LIVE" for those that have shown what they do',
        )


@looks_for("DW072", "a dry run that was forgotten")
def forgotten(subject: Subject) -> Iterator[Told]:
    """``dry_run_since`` is more than 60 days ago."""
    for bound in subject.rules:
        since = bound.rule.dry_run_since
        days = 0 if since is None or isinstance(since, str) else (subject.today - since).days
        if days > _FORGOTTEN and not subject.is_live(bound):
            yield Told(
                bound.name,
                f"it has been a dry run for {days} days, since {since}: it refuses nobody",
                'make it live (mode="LIVE"), remove it, or set dry_run_since anew if the trial goes on',
            )


@looks_for("DW073", "a dry run without a date", "note")
def undated(subject: Subject) -> Iterator[Told]:
    """Nobody will be told when it is forgotten."""
    for bound in subject.rules:
        if bound.rule.mode is Mode.DRY_RUN and bound.rule.dry_run_since is None:
            yield Told(
                bound.name,
                "it is a dry run, and nothing says since when: nobody will be told when it is forgotten",
                f'add dry_run_since="{subject.today}"',
            )
