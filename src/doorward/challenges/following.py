"""What comes after an answer that was not accepted: another challenge, and a harder one for who is doubtful."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.challenges.resuming import FIELD, digest
from doorward.challenges.standing_in import UNAVAILABLE
from doorward.challenges.tokens import Refused
from doorward.levels import Level

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doorward.challenges.issue import Issue
    from doorward.challenges.pages import Visit

MOST_IN_A_ROW = 8
"""Challenges in a row for who answers wrongly or is doubtful; then a page says so, with a link to begin anew."""
WEIGHT_OF_UNKNOWN = 20.0
"""Of the challenge that somebody is given who has answered none that is known: with it, work is as hard as it gets."""
ANOTHER = "another"
"""The code of who has asked for another question instead of answering."""
LATE_MS = 24 * 3_600_000
"""How long after its end a challenge is still good for going on from where it was, with a new one."""


def late(visit: Visit, fields: Mapping[str, object]) -> Issue | None:
    """The challenge that an answer is to, though its time may be over; None where it is none of ours."""
    try:
        token = str(fields.get("token", ""))
        return visit.gate.opened(token, visit.request, visit.ip, visit.now_ms, late_ms=LATE_MS)
    except Refused:
        return None


def kept_text(issue: Issue, fields: Mapping[str, object]) -> str:
    """The form that came with an answer, where it is the one that the challenge was posed for."""
    text = str(fields.get(FIELD, ""))
    return text if issue.keeps and digest(text) == issue.keeps else ""


def following(visit: Visit, before: Issue | None, found: float = 0.0, *, why: str = "") -> Issue:
    """The challenge after ``before``; the first for who brings back none of ours.

    What was ``found`` in the answer adds to its weight, by which kinds set their difficulty; and whoever is doubtful is
    asked for what shows more than the kind that found the doubt, where such a kind is on offer. Where the kind itself
    has failed, by the code ``why``, another one stands in. Who asks for another question has not tried in vain.
    """
    gate, request, ip, now_ms = visit
    if before is None:
        # Whose challenge is unknown is given a hard one: nobody gets an easier one by a wrong answer.
        unknown = gate.pose(request, ip, gate.level_for(0.0), now_ms, weight=WEIGHT_OF_UNKNOWN)
        return gate.moved(unknown, "/", request, ip, now_ms)
    issue = gate.pose(
        request,
        ip,
        Level.HUMAN if found > 0 else before.level,
        now_ms,
        weight=before.weight + found,
        doubt=before.doubt + found,
        attempt=before.attempt + (why != ANOTHER),
        keeps=before.keeps,
        reference=before.reference,
        failed=before.kind if why == UNAVAILABLE else "",
    )
    issue = issue._replace(renewed=before.renewed + (why == ANOTHER))
    return gate.moved(issue, before.target, request, ip, now_ms)
