"""The least of all challenges: to come back after a while. Needs no JavaScript, and costs a scraper its pace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorward.challenges.kinds import Checked, Posed
from doorward.levels import Level
from doorward.markup import fill

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from doorward.challenges.issue import Issue
    from doorward.challenges.kinds import Asked
    from doorward.effects import Effect

SHORTEST_SECONDS = 2
LONGEST_SECONDS = 15
WEIGHT_PER_SECOND = 5.0
"""A second more for each of these in the request's sum of weights."""
_BY_ITSELF = "<p>{wait}</p>"
_BY_SCRIPT = '<p class="by-script">{wait}</p><p class="by-hand">{picture_not_before}</p>'


class Wait:
    """Come back after some seconds, counted by the server's clock."""

    name = "wait"
    level = Level.WAIT
    needs_script = False

    def pose(self, issue: Issue, prefix: str, words: Mapping[str, str]) -> Posed:
        """A sentence, and a button for who does not want to wait for the page to do it."""
        seconds = _seconds(issue)
        # Without JavaScript a page comes back by itself (its refresh_seconds), but none that keeps a form.
        template, keys = (_BY_SCRIPT, ("wait", "picture_not_before")) if issue.keeps else (_BY_ITSELF, ("wait",))
        parts = fill(template, **{key: words[key].replace("{seconds}", str(seconds)) for key in keys})
        return Posed(parts, {"kind": "wait", "seconds": seconds}, without_script=True, refresh_seconds=seconds)

    def check(self, asked: Asked) -> Generator[Effect, object, Checked]:
        """Whether the time is over."""
        yield from ()
        waited = asked.now_ms - asked.issue.issued_ms
        return Checked(True) if waited >= _seconds(asked.issue) * 1000 else Checked(False, "too_early")

    def serve(self, name: str, asked: Asked) -> Generator[Effect, object, None]:
        """Nothing."""
        yield from ()


def _seconds(issue: Issue) -> int:
    # Sums of weights may be huge.
    return int(min(LONGEST_SECONDS, SHORTEST_SECONDS + max(0.0, issue.weight) / WEIGHT_PER_SECOND))
