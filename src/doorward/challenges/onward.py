"""What comes after an answer that was not accepted: another challenge, a harder one for who is doubtful, or an end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.levels import Level

if TYPE_CHECKING:
    from doorward.challenges.gate import Gate
    from doorward.challenges.issue import Issue
    from doorward.challenges.kinds import Checked
    from doorward.context import RequestContext

MOST_ATTEMPTS = 8
"""Challenges in a row. Then a page says so, and that one may begin anew: nobody goes round in circles."""


def next_of(
    gate: Gate, issue: Issue, checked: Checked | None, request: RequestContext, ip: str, now_ms: int
) -> Issue | None:
    """The challenge after ``issue``, which was answered by who wanted to go to the same place.

    What was found adds to its weight, by which kinds set their difficulty; and whoever is doubtful is asked for what
    shows more than the kind that found the doubt, where there is such a kind.

    Returns:
        None after the last attempt.
    """
    if issue.attempt >= MOST_ATTEMPTS:
        return None
    found = checked.weight if checked is not None else 0.0
    level = Level.HUMAN if found > 0 else issue.level
    posed = gate.pose(request, ip, level, now_ms, weight=issue.weight + found, attempt=issue.attempt + 1)
    meant = posed._replace(doubt=issue.doubt + found)
    return gate.moved(meant, issue.target, request, ip, now_ms)
